import type { Random } from '@samar/doors';
import {
  type AudioDescription,
  type Codec,
  chooseCodec,
  composeAnswer,
  composeOffer,
  type DescriptionFailure,
  type Digit,
  type Direction,
  type MediaLeg,
  mirrorDirection,
  parseAudio,
} from '@samar/media';

/**
 * One leg's media as signalling sees it: offers and answers (RFC 3264), each written by us from nothing but our own
 * address, our own port and the choice of codec.
 */
export interface LegMedia {
  readonly leg: MediaLeg;
  /**
   * Takes the peer's offer and composes our answer; or the status that refuses it. The codec is the one in use, else
   * the peer's own first choice: never the other leg's, which would tell something of it. Legs that differ are
   * transcoded.
   */
  answerTo(offer: Buffer): { readonly body: Buffer } | { readonly status: number };
  /** Our offer: the same two codecs in the same order to everybody, so that it tells nothing of the other leg. */
  offer(): Buffer;
  /** Takes the peer's answer to our offer. False: it can't be used. */
  take(answer: Buffer): boolean;
  /** Key presses, by RFC 4733 or by INFO; at most one handler, it replaces the one before it. */
  onDigit(handler: (digit: Digit) => void): void;
  /** An INFO of this leg's dialog. */
  info(contentType: string, body: Buffer): void;
}

export interface LegMediaOptions {
  readonly leg: MediaLeg;
  readonly random: Random;
  readonly mediaAddress: string;
  /** The trunk's networks; RTP from elsewhere is dropped, but for the address in the SDP. */
  readonly allowedSources: readonly string[];
}

export function legMedia(options: LegMediaOptions): LegMedia {
  const { leg } = options;
  const sessionId = String(options.random.integer(2 ** 48));
  let version = 0;
  let codec: Codec | undefined;
  /** What the peer described last: a later offer keeps its lines and payload types (RFC 3264 section 8). */
  let described: AudioDescription | undefined;
  let onDigit: (digit: Digit) => void = () => {};
  leg.onDigit((digit) => onDigit(digit));

  function local(direction: Direction) {
    version += 1;
    return { address: options.mediaAddress, port: leg.local.port, sessionId, version, direction };
  }

  function apply(remote: AudioDescription, chosen: { codec: Codec; payloadType: number }): Direction {
    // An old-style hold (RFC 3264 section 8.4): nowhere to send to.
    const nowhere = remote.address === '0.0.0.0' || remote.address === '::';
    const direction = nowhere
      ? withoutSending(mirrorDirection(remote.direction))
      : mirrorDirection(remote.direction);
    codec = chosen.codec;
    described = remote;
    leg.setRemote({
      address: remote.address,
      port: remote.port,
      rtcpPort: remote.rtcpPort,
      codec: chosen.codec,
      payloadType: chosen.payloadType,
      telephoneEvent: remote.telephoneEvent,
      direction,
      allowedSources: options.allowedSources,
    });
    return direction;
  }

  return {
    leg,
    answerTo(offer) {
      const remote = parseAudio(offer);
      if (typeof remote === 'string') return { status: refusalStatus(remote) };
      const chosen = choose(remote, codec);
      if (!chosen) return { status: 488 };
      return { body: composeAnswer(local(apply(remote, chosen)), remote, chosen) };
    },
    offer: () => composeOffer(local('sendrecv'), ['PCMU', 'PCMA'], described),
    take(answer) {
      const remote = parseAudio(answer);
      if (typeof remote === 'string') return false;
      const chosen = choose(remote, codec);
      if (!chosen) return false;
      apply(remote, chosen);
      return true;
    },
    onDigit(handler) {
      onDigit = handler;
    },
    info(contentType, body) {
      const digit = digitOfInfo(contentType, body);
      if (digit !== undefined) onDigit(digit);
    },
  };
}

/** `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (`5`), which some trunks use instead of RFC 4733. */
function digitOfInfo(contentType: string, body: Buffer): Digit | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  const text = body.toString('latin1', 0, 200);
  const key =
    type === 'application/dtmf-relay'
      ? /^\s*signal\s*=\s*(\S)\s*$/im.exec(text)?.[1]
      : type === 'application/dtmf'
        ? text.trim()
        : undefined;
  return key !== undefined && /^[0-9*#A-D]$/.test(key) ? (key as Digit) : undefined;
}

/** The status for an offer that can't be used at all; undefined when it can. RFC 3261 section 21.4.26. */
export function offerStatus(offer: Buffer): number | undefined {
  const remote = parseAudio(offer);
  return typeof remote === 'string' ? refusalStatus(remote) : undefined;
}

function refusalStatus(failure: DescriptionFailure): number {
  return failure === 'malformed' || failure === 'too-large' ? 400 : 488;
}

function choose(remote: AudioDescription, inUse: Codec | undefined) {
  const theirs = remote.codecs.map((offered) => offered.codec);
  return chooseCodec(remote, inUse === undefined ? theirs : [inUse, ...theirs]);
}

function withoutSending(direction: Direction): Direction {
  switch (direction) {
    case 'sendrecv':
    case 'recvonly':
      return 'recvonly';
    case 'sendonly':
    case 'inactive':
      return 'inactive';
  }
}
