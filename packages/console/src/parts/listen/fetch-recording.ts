/** One request, one ledger entry: the whole recording is fetched at once and kept in memory until the page is left. */
import { at, request } from '../../api.ts';
import { type Shape, shapeOf } from './talk.ts';
import { readWav } from './wav.ts';

/** Three hours of two voices: what a browser can hold without trouble. */
const maxBytes = 3 * 3600 * 8000 * 4;

export interface Recording {
  /** Of a Blob; to be given back with `URL.revokeObjectURL`. */
  readonly url: string;
  readonly seconds: number;
  readonly channels: number;
  readonly shape: Shape;
}
export type Fetched =
  | { readonly ok: true; readonly recording: Recording }
  | { readonly ok: false; readonly because: 'too-long' | 'unreadable' };

export async function fetchRecording(
  call: string,
  reason: string,
  told: { readonly signal: AbortSignal; readonly progress: (bytes: number, of: number) => void },
): Promise<Fetched> {
  const answer = await request('GET', `${at`/v1/calls/${call}/recording`}?format=pcm`, undefined, {
    headers: { 'x-access-reason': asHeader(reason), accept: 'audio/wav, application/problem+json' },
    signal: told.signal,
  });
  const bytes = Number(answer.headers.get('content-length') ?? 0);
  const buffer = await readAll(answer, bytes, told.progress);
  if (buffer === undefined) return { ok: false, because: 'too-long' };
  const wav = readWav(buffer);
  if (!wav) return { ok: false, because: 'unreadable' };
  const url = URL.createObjectURL(new Blob([buffer], { type: 'audio/wav' }));
  return { ok: true, recording: { url, seconds: wav.seconds, channels: wav.channels, shape: shapeOf(wav) } };
}

/** Headers carry bytes: the platform reads these as UTF-8. */
export function asHeader(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

async function readAll(
  answer: Response,
  expected: number,
  progress: (bytes: number, of: number) => void,
): Promise<ArrayBuffer | undefined> {
  const reader = answer.body?.getReader();
  if (!reader) return answer.arrayBuffer();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > maxBytes || expected > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value);
    progress(bytes, expected);
  }
  return new Blob(parts).arrayBuffer();
}
