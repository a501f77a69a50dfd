import { expect, it } from 'vitest';
import { touchedBy } from './live.ts';
import { type StreamEvent, sseReader } from './sse.ts';

function read(...chunks: readonly string[]): readonly StreamEvent[] {
  const told: StreamEvent[] = [];
  const reader = sseReader((event) => told.push(event));
  for (const chunk of chunks) reader(chunk);
  return told;
}

it('reads events with id, kind and data, and passes over heartbeats', () => {
  expect(read(': beat\n\nid: evt_1\nevent: session.closed\ndata: {"a":\ndata: 1}\n\n: beat\n\n')).toEqual([
    { id: 'evt_1', event: 'session.closed', data: '{"a":\n1}' },
  ]);
});
it('reads the same however the stream is cut', () => {
  const text = 'id: evt_1\r\nevent: call.ended\r\ndata: x\r\n\r\nevent: gap\rdata:\r\r: beat\n';
  const whole = read(text);
  expect(whole).toHaveLength(2);
  expect(read(...text)).toEqual(whole);
});
it('keeps the last id for events without one, and an unfinished event to itself', () => {
  expect(read('id: evt_1\ndata: a\n\n', 'data: b\n\n', 'data: c\n')).toEqual([
    { id: 'evt_1', event: 'message', data: 'a' },
    { id: 'evt_1', event: 'message', data: 'b' },
  ]);
});
it('gives up on what is no stream of events', () => {
  expect(() => read('x'.repeat(1_000_001))).toThrow(RangeError);
});
it('knows which lists an event makes stale, and reads the events for a kind it does not know', () => {
  expect(touchedBy('call.ended')).toContain('calls');
  expect(touchedBy('something.new')).toEqual(['events', 'ledger']);
});
