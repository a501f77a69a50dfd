/** A peer for tests that writes and reads raw messages in a simulated world: what a stack must cope with, byte by byte. */
import type { Endpoint, SimulatedDoors } from '@samar/doors';
import { parseMessage, toTag } from './message/index.ts';
import type { SipMessage, SipRequest, SipResponse } from './types.ts';

export interface WirePeer {
  readonly address: string;
  readonly port: number;
  /** Everything received, in order, with the simulated time of its arrival. */
  readonly received: { readonly at: number; readonly message: SipMessage }[];
  /** Lines are joined by CRLF; Content-Length and the blank line are added. */
  send(lines: readonly string[], body?: string, to?: Endpoint): void;
  /** Answers the latest request of that method, To tag and all. */
  respond(request: SipRequest, status: number, extra?: readonly string[], body?: string, tag?: string): void;
  requests(method: string): readonly SipRequest[];
  responses(method: string): readonly SipResponse[];
  /** When messages of this kind came: `INVITE` or `200 INVITE`. Milliseconds. */
  times(what: string): readonly number[];
  onMessage: ((message: SipMessage) => void) | undefined;
}

export async function wirePeer(world: SimulatedDoors, address: string, stack: Endpoint): Promise<WirePeer> {
  const socket = await world.network.udp({ address, port: 5060 });
  const received: { at: number; message: SipMessage }[] = [];
  const kindOf = (message: SipMessage) =>
    message.kind === 'request'
      ? message.method
      : `${message.status} ${(message.headers.get('CSeq') ?? '').split(' ')[1]}`;
  const peer: WirePeer = {
    address,
    port: 5060,
    received,
    onMessage: undefined,
    send(lines, body = '', to = stack) {
      const typed = body === '' || lines.some((line) => line.startsWith('Content-Type:'));
      const type = typed ? [] : ['Content-Type: application/sdp'];
      const all = [...lines, ...type, `Content-Length: ${Buffer.byteLength(body)}`, '', body];
      socket.send(Buffer.from(all.join('\r\n')), to.port, to.address);
    },
    respond(request, status, extra = [], body = '', tag = 'peer-tag') {
      const to = request.headers.get('To') ?? '';
      peer.send(
        [
          `SIP/2.0 ${status} Whatever`,
          ...request.headers.all('Via').map((via) => `Via: ${via}`),
          `From: ${request.headers.get('From')}`,
          `To: ${toTag(request) === '' && status > 100 ? `${to};tag=${tag}` : to}`,
          `Call-ID: ${request.headers.get('Call-ID')}`,
          `CSeq: ${request.headers.get('CSeq')}`,
          ...extra,
        ],
        body,
      );
    },
    requests: (method) =>
      received.flatMap(({ message }) =>
        message.kind === 'request' && message.method === method ? [message] : [],
      ),
    responses: (method) =>
      received.flatMap(({ message }) =>
        message.kind === 'response' && kindOf(message).endsWith(` ${method}`) ? [message] : [],
      ),
    times: (what) => received.filter(({ message }) => kindOf(message) === what).map(({ at }) => at),
  };
  socket.onDatagram((data) => {
    const message = parseMessage(data);
    if (message.kind === 'failure') throw new Error(`the stack sent what cannot be read: ${message.code}`);
    received.push({ at: world.clock.monotonic(), message });
    peer.onMessage?.(message);
  });
  return peer;
}

/** A request of a peer, one line an entry. */
export function requestLines(
  method: string,
  options: {
    readonly from?: string;
    readonly branch?: string;
    readonly sequence?: number;
    readonly toTag?: string;
    readonly fromTag?: string;
    readonly callId?: string;
    readonly extra?: readonly string[];
    readonly contact?: boolean;
    readonly maxForwards?: number;
  } = {},
): readonly string[] {
  const address = options.from ?? '192.0.2.9';
  return [
    `${method} sip:callee@192.0.2.2 SIP/2.0`,
    `Via: SIP/2.0/UDP ${address}:5060;branch=${options.branch ?? `z9hG4bK-${method}-${options.sequence ?? 1}`}`,
    `Max-Forwards: ${options.maxForwards ?? 70}`,
    `From: <sip:caller@example.invalid>;tag=${options.fromTag ?? 'wire'}`,
    `To: <sip:callee@example.invalid>${options.toTag ? `;tag=${options.toTag}` : ''}`,
    `Call-ID: ${options.callId ?? 'wire-call'}`,
    `CSeq: ${options.sequence ?? 1} ${method}`,
    ...(options.contact === false ? [] : [`Contact: <sip:caller@${address}:5060>`]),
    ...(options.extra ?? []),
  ];
}
