import { describe, expect, it } from 'vitest';
import { mergePages } from '../../api.ts';
import type { Call, PlatformEvent } from '../../types.ts';
import { merged } from './merged.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const call = (id: string, minute: number): Call => ({
  ...{ id, kind: 'inbound', number: '+622150000001', status: 'ended', startedAt: at(minute), legs: [] },
});
const event = (id: string, minute: number, kind = 'session.opened', subject?: string): PlatformEvent => ({
  ...{ id, kind, at: at(minute), data: {}, ...(subject === undefined ? {} : { subject }) },
});
const ids = (...given: Parameters<typeof merged>) => merged(...given).map(({ id }) => id);

describe('the timeline', () => {
  it('is in the order of time, newest first', () => {
    const calls = { items: [call('c2', 20), call('c1', 10)], hasMore: false };
    const events = { items: [event('e2', 15), event('e1', 5)], hasMore: false };
    expect(ids(calls, events)).toEqual(['c2', 'e2', 'c1', 'e1']);
  });
  it('shows nothing older than what is not loaded yet of the other list', () => {
    const calls = { items: [call('c2', 20), call('c1', 10)], hasMore: true };
    const events = { items: [event('e2', 15), event('e1', 5)], hasMore: false };
    expect(ids(calls, events)).toEqual(['c2', 'e2', 'c1']);
  });
  it('says a call once', () => {
    const calls = { items: [call('c1', 10)], hasMore: false };
    const events = {
      items: [event('e2', 11, 'call.ended', 'c1'), event('e1', 5, 'call.ended', 'unknown')],
      hasMore: false,
    };
    expect(ids(calls, events)).toEqual(['c1', 'e1']);
  });
});

describe('pages', () => {
  it('are put together with each item once, in order', () => {
    const pages = [{ items: [{ id: 'c' }, { id: 'b' }], next: 'b' }, { items: [{ id: 'b' }, { id: 'a' }] }];
    expect(mergePages(pages, ({ id }) => id).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  });
});
