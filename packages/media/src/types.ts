/**
 * The words of this package.
 *
 * engine     all worker threads and the port range; made once a process
 * call       what is mixed, relayed and recorded together; lives in one worker
 * leg        one party's end of a call: a local RTP port (RTCP on the next), a remote address, one codec
 * bridge     two legs hear each other; without it each leg hears silence or what is played to it
 * prompt     recorded words, held as PCM and sent in the leg's codec
 * digit      a key press by RFC 4733; it ends here and is never passed to the other leg
 * recorder   left channel: leg `left`, right channel: leg `right` (silent in a voicemail), aligned by RTP time, digits as silence
 * latching   where a leg's RTP is sent: to the address it really comes from, once that is one we allow
 *
 * Data flow: socket → latch → RTP parse → (digits | recorder | other leg's RTP writer) → socket.
 */
import type { Endpoint } from '@samar/doors';

export type Codec = 'PCMU' | 'PCMA';
export type Digit =
  | '0'
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '*'
  | '#'
  | 'A'
  | 'B'
  | 'C'
  | 'D';

// ---------------------------------------------------------------- SDP (sdp/), RFC 8866, 3264

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** The one audio stream that we use of a session description, read with care: nothing else of it survives. */
export interface AudioDescription {
  /** IP literal of `c=`; `0.0.0.0` means hold (old style). */
  readonly address: string;
  /** 1 to 65,535; 0 is refused by the parser as "no audio". */
  readonly port: number;
  readonly rtcpPort: number;
  /** In the peer's order of preference. Never empty. */
  readonly codecs: readonly { readonly codec: Codec; readonly payloadType: number }[];
  readonly telephoneEvent: number | undefined;
  readonly direction: Direction;
  /** Number of m= lines and their kinds: an answer must repeat them, refused, in order (RFC 3264 section 6). */
  readonly lines: readonly {
    readonly kind: string;
    readonly protocol: string;
    readonly formats: string;
    readonly audio: boolean;
  }[];
}

export type DescriptionFailure = 'malformed' | 'no-audio' | 'no-codec' | 'bad-address' | 'too-large';

export interface LocalDescription {
  /** What stands in o= and c=. */
  readonly address: string;
  readonly port: number;
  /** 63-bit decimal numbers as text; the version grows with every change (RFC 3264 section 8). */
  readonly sessionId: string;
  readonly version: number;
  readonly direction: Direction;
}

// ---------------------------------------------------------------- engine

export interface EngineOptions {
  /** Local address that RTP sockets bind. */
  readonly address: string;
  /** Inclusive; even ports carry RTP, the next odd ones RTCP. */
  readonly ports: { readonly from: number; readonly to: number };
  /** Default: one less than the machine's cores, at least 1. */
  readonly workers?: number;
  /** Calls a worker takes; default 400. */
  readonly callsPerWorker?: number;
  /** Prompts by name, 16-bit linear PCM, 8,000 Hz, mono, little endian. Sent to every worker once. */
  readonly prompts: ReadonlyMap<string, Int16Array>;
  /** A leg with no RTP for this long is reported by `onSilent`; milliseconds, default 30,000. */
  readonly silence?: number;
}

export interface MediaEngine {
  /** Rejects with `MediaBusy` when every worker is full, no port is free, or its event loop lags. */
  openCall(): Promise<MediaCall>;
  readonly counts: { readonly calls: number; readonly legs: number; readonly portsFree: number };
  /** Counters since start: packets relayed, dropped by reason, lag. */
  statistics(): Promise<EngineStatistics>;
  /** Releases everything; recordings are closed properly. */
  close(): Promise<void>;
}

export interface EngineStatistics {
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** By reason: `stranger`, `malformed`, `unlatched`, `wrong-ssrc`, `no-bridge`, `queue-full`. */
  readonly dropped: Readonly<Record<string, number>>;
  /** The worst worker's event-loop delay in the last 10 s, milliseconds, 99th percentile. */
  readonly lag: number;
}

export interface MediaCall {
  /** Opens a leg with a port of its own. The port is chosen at random among those longest unused. */
  openLeg(): Promise<MediaLeg>;
  /** Joins two legs of this call; a leg is in one bridge at most. */
  bridge(one: MediaLeg, other: MediaLeg): void;
  unbridge(): void;
  /**
   * Starts writing to `file` (made with mode 0600, must not exist). Two legs are recorded while they are bridged; one
   * alone (a voicemail) from now on, bridged or not. One recording a call at a time.
   */
  startRecording(options: RecordingOptions): Promise<void>;
  /** Ends the file with its last frame. Resolves to what was written; undefined when nothing was being recorded. */
  stopRecording(): Promise<RecordingSummary | undefined>;
  /** Disk full, key missing, queue overflow: the recording is over, the call goes on. */
  onRecordingFailed(handler: (reason: string) => void): void;
  /** Stops everything, frees every port. Resolves to each leg's quality, in the order they were opened. Idempotent. */
  release(): Promise<readonly LegQuality[]>;
}

export interface MediaLeg {
  readonly local: Endpoint;
  /** Where the peer wants RTP, by its SDP. May be called again (re-INVITE): the latch opens again, once. */
  setRemote(remote: RemoteLeg): void;
  /**
   * Plays to this leg only; what the bridge brings is held back meanwhile. A new `play` replaces the one before it.
   * Resolves when it ended ('finished'), was replaced or stopped ('stopped'), or the leg closed ('closed').
   * Rejects with a RangeError for unknown names and for more than can be played, and with `MediaBusy` ('samples') when
   * the worker holds too many samples already.
   */
  play(what: Playable): Promise<'finished' | 'stopped' | 'closed'>;
  stopPlaying(): void;
  /** Key presses, each once, when the key is let go (or 200 ms after its last packet). */
  onDigit(handler: (digit: Digit, milliseconds: number) => void): void;
  /** No RTP came for `EngineOptions.silence`; called again only after RTP was seen again. Not called while on hold. */
  onSilent(handler: () => void): void;
  quality(): Promise<LegQuality>;
  close(): Promise<LegQuality>;
}

export type Playable =
  /** Several prompts one after the other. `repeat`: how often the whole is played, default 1. */
  | { readonly kind: 'prompts'; readonly names: readonly string[]; readonly repeat?: number }
  /** Until stopped. `country` chooses the cadence (ITU-T E.180), default 425 Hz 1 s on, 4 s off. */
  | { readonly kind: 'ringback'; readonly country?: string }
  | { readonly kind: 'tone'; readonly hertz: number; readonly milliseconds: number }
  /**
   * 16-bit linear PCM, 8,000 Hz, for this one play; at most 300 s. Its memory goes to the worker: the array is empty
   * afterwards, unless it is a part of a larger buffer, which is copied.
   */
  | { readonly kind: 'samples'; readonly samples: Int16Array };

export interface RemoteLeg {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly codec: Codec;
  readonly payloadType: number;
  readonly telephoneEvent: number | undefined;
  /** As we see it: `sendonly` means that we send and the peer does not (it put us on hold is `recvonly` of theirs). */
  readonly direction: Direction;
  /** RTP is taken only from these networks (CIDR), besides `address` itself. */
  readonly allowedSources: readonly string[];
}

export interface LegQuality {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Of what the peer sent, by RFC 3550 appendix A.3. */
  readonly packetsLost: number;
  /** RFC 3550 section 6.4.1, milliseconds. */
  readonly jitter: number;
  /** What the peer's RTCP says of our stream; undefined when it sent none. */
  readonly remotePacketsLost: number | undefined;
  readonly remoteJitter: number | undefined;
  /** Milliseconds, from RTCP; undefined when unknown. */
  readonly roundTrip: number | undefined;
}

// ---------------------------------------------------------------- recording (recording/)

export interface RecordingOptions {
  readonly file: string;
  /** Bound to every frame as additional data. */
  readonly id: string;
  /** 32 bytes, AES-256-GCM. */
  readonly key: Uint8Array;
  readonly left: MediaLeg;
  /**
   * Absent: a voicemail. `left` is recorded alone, without a bridge; the right channel is silent, so that the file is
   * like every other.
   */
  readonly right?: MediaLeg;
}

export interface RecordingSummary {
  readonly milliseconds: number;
  readonly bytes: number;
  /** SHA-256 over the file, hexadecimal. */
  readonly sha256: string;
}
