/** What the main thread and a worker say to each other. Small numbers name calls, legs and questions. */
import type { Codec, Digit, LegQuality, Playable, RecordingSummary, RemoteLeg } from '../types.ts';

/** Sent in batches; handled in order. A command about a call or leg that is gone does nothing. */
export type Command =
  /** Binds pairs of sockets: each port and the next. Reported by `bound`. */
  | { readonly kind: 'bind'; readonly ports: readonly number[] }
  | { readonly kind: 'open'; readonly call: number; readonly leg: number; readonly port: number }
  | { readonly kind: 'remote'; readonly leg: number; readonly remote: RemoteLeg }
  | { readonly kind: 'bridge'; readonly call: number; readonly one: number; readonly other: number }
  | { readonly kind: 'unbridge'; readonly call: number }
  | { readonly kind: 'play'; readonly leg: number; readonly play: number; readonly what: Playable }
  | { readonly kind: 'stop'; readonly leg: number }
  | Question;

/** Each is answered by one `answer` or `refusal` with its number. */
export type Question =
  | { readonly kind: 'quality'; readonly question: number; readonly leg: number }
  | { readonly kind: 'close-leg'; readonly question: number; readonly leg: number }
  | { readonly kind: 'release'; readonly question: number; readonly call: number }
  | {
      readonly kind: 'record';
      readonly question: number;
      readonly call: number;
      readonly left: number;
      /** Undefined: `left` alone, a voicemail. */
      readonly right: number | undefined;
      readonly file: string;
      readonly id: string;
      readonly key: Uint8Array;
    }
  | { readonly kind: 'stop-recording'; readonly question: number; readonly call: number }
  | { readonly kind: 'statistics'; readonly question: number }
  | { readonly kind: 'shut'; readonly question: number };

export type Answer = LegQuality | readonly LegQuality[] | RecordingSummary | WorkerStatistics | undefined;

export interface WorkerStatistics {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Sockets now bound, for tests and operators. */
  readonly portsBound: number;
}

export type Report =
  /** Which of the asked ports are bound now, and which are taken by somebody else. `exhausted`: no more descriptors. */
  | {
      readonly kind: 'bound';
      readonly ports: readonly number[];
      readonly failed: readonly number[];
      readonly exhausted: boolean;
    }
  | { readonly kind: 'digit'; readonly leg: number; readonly digit: Digit; readonly milliseconds: number }
  | { readonly kind: 'silent'; readonly leg: number }
  /** The leg is closed: nobody listens on its port any more. Comes before the answer, which may wait for a disk. */
  | { readonly kind: 'freed'; readonly leg: number }
  | {
      readonly kind: 'played';
      readonly leg: number;
      readonly play: number;
      readonly how: 'finished' | 'stopped' | 'closed';
    }
  | { readonly kind: 'recording-failed'; readonly call: number; readonly reason: string }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly question: number; readonly reason: string }
  /** Once a second, the event loop's delay in milliseconds: 99th percentile of the last 10 s; median of the last second. */
  | { readonly kind: 'lag'; readonly milliseconds: number; readonly usual: number };

/** A prompt in both codecs, in memory that all workers share. */
export type EncodedPrompt = Readonly<Record<Codec, Uint8Array>>;

export interface WorkerSettings {
  readonly address: string;
  readonly silence: number;
  readonly prompts: ReadonlyMap<string, EncodedPrompt>;
}
