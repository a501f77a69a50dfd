/**
 * Live updates: reads `/v1/live` and marks what an event touched as stale, by the first part of its query key. The
 * stream is read with fetch, as an EventSource hears only kinds that it was told beforehand. While it can't be had,
 * everything shown is read again every five seconds.
 */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { sseReader } from './sse.ts';

export type LiveState = 'live' | 'polling' | 'off';

const pollMilliseconds = 5_000;
/** Twice the server's heartbeat, and a little: silent for longer means dead. */
const silenceMilliseconds = 35_000;
const longestWait = 60_000;
/** However many events come, lists are read again at most this often. */
const gatherMilliseconds = 1_000;

/** Which lists show what a kind of event changes. */
const touched: Readonly<Record<string, readonly string[]>> = {
  session: ['sessions', 'events', 'numbers', 'pools'],
  participant: ['sessions', 'events'],
  call: ['calls', 'sessions', 'events', 'carriers'],
  leg: ['calls', 'carriers'],
  message: ['messages', 'events'],
  recording: ['calls', 'downloads', 'events'],
  download: ['downloads'],
  voicemail: ['calls', 'events'],
  dispute: ['disputes', 'holds', 'sessions', 'events'],
  hold: ['holds', 'sessions'],
  number: ['numbers', 'pools'],
  pool: ['pools', 'numbers'],
  carrier: ['carriers'],
  program: ['programs'],
  webhook: ['webhooks'],
  privacy: ['privacy'],
  subject: ['privacy'],
  user: ['users'],
  key: ['keys'],
  settings: ['settings'],
  party: ['blocks', 'events'],
  block: ['blocks', 'events'],
  phone: ['sessions', 'events'],
  abuse: ['events'],
};
const everything = [...new Set([...Object.values(touched).flat(), 'ledger'])];

export function touchedBy(kind: string): readonly string[] {
  return [...(touched[kind.split('.')[0] ?? ''] ?? ['events']), 'ledger'];
}

let state: LiveState = 'off';
const watchers = new Set<() => void>();
function become(next: LiveState): void {
  if (next === state) return;
  state = next;
  for (const watcher of watchers) watcher();
}
export function useLive(): LiveState {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => state,
  );
}

/** Runs until the answered function is called. */
export function startLive(client: QueryClient, streaming: boolean): () => void {
  const stopped = new AbortController();
  const stale = new Set<string>();
  let gathering: ReturnType<typeof setTimeout> | undefined;
  const touch = (resources: readonly string[]) => {
    for (const resource of resources) stale.add(resource);
    gathering ??= setTimeout(() => {
      gathering = undefined;
      const names = new Set(stale);
      stale.clear();
      void client.invalidateQueries({ predicate: ({ queryKey }) => names.has(String(queryKey[0])) });
    }, gatherMilliseconds);
  };
  const poll = setInterval(() => {
    if (state === 'polling' && document.visibilityState === 'visible') touch(everything);
  }, pollMilliseconds);
  become('polling');
  if (streaming) void keepReading(stopped.signal, touch);
  return () => {
    stopped.abort();
    clearInterval(poll);
    clearTimeout(gathering);
    become('off');
  };
}

async function keepReading(
  signal: AbortSignal,
  touch: (resources: readonly string[]) => void,
): Promise<void> {
  let lastId: string | undefined;
  let wait = 1_000;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await readStream(signal, lastId, (event) => {
        if (event.id !== undefined) lastId = event.id;
        if (event.event === 'gap') touch(everything);
        else touch(touchedBy(event.event));
      });
    } catch {
      // Whatever it was: it is polled meanwhile, and tried again.
    }
    if (signal.aborted) return;
    become('polling');
    wait = performance.now() - began > longestWait ? 1_000 : Math.min(wait * 2, longestWait);
    await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
  }
}

async function readStream(
  signal: AbortSignal,
  lastId: string | undefined,
  tell: (event: { readonly id?: string; readonly event: string }) => void,
): Promise<void> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceMilliseconds);
  try {
    const answer = await fetch('/v1/live', {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'text/event-stream', ...(lastId ? { 'last-event-id': lastId } : {}) },
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (!answer.ok || !answer.body) return;
    become('live');
    const read = sseReader(tell);
    for await (const text of chunks(answer.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), silenceMilliseconds);
      read(text);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
}
