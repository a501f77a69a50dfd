/** Reads a `text/event-stream` (WHATWG HTML, server-sent events) as its text arrives; only what the console needs. */
export interface StreamEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

/** No event of ours is that long: what comes then is not a stream of events. */
const longestLine = 1_000_000;

export function sseReader(tell: (event: StreamEvent) => void): (text: string) => void {
  let rest = '';
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  const line = (text: string) => {
    if (text === '') {
      if (event !== '' || data.length > 0) {
        tell({ ...(id === undefined ? {} : { id }), event: event || 'message', data: data.join('\n') });
      }
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'id' && !value.includes('\u0000')) id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  };
  return (text) => {
    rest += text;
    // A carriage return at the end may be the first half of CRLF: it waits.
    const whole = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
    const lines = whole.split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + (whole === rest ? '' : '\r');
    if (rest.length > longestLine) throw new RangeError('not a stream of events');
    for (const one of lines) line(one);
  };
}
