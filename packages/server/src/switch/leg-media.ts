import type { Random } from '@samar/doors';
import {
  type AudioDescription,
  chooseCodec,
  type Codec,
  composeAnswer,
  composeOffer,
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
  /** The codec in use, once an offer or an answer was taken. */
  readonly codec: Codec | undefined;
  /** Takes the peer's offer and composes our answer; or the status that refuses it. */
  answerTo(offer: Buffer): { readonly body: Buffer } | { readonly status: number };
  /** Our offer; both codecs, the preferred one first. */
  offer(preferred?: Codec): Buffer;
  /** Takes the peer's answer to our offer. False: it can't be used. */
  take(answer: Buffer): boolean;
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

  function local(direction: Direction) {
    version += 1;
    return { address: options.mediaAddress, port: leg.local.port, sessionId, version, direction };
  }

  function apply(remote: AudioDescription, chosen: { codec: Codec; payloadType: number }): Direction {
    // An old-style hold (RFC 3264 section 8.4): nowhere to send to.
    const nowhere = remote.address === '0.0.0.0' || remote.address === '::';
    const direction = nowhere ? withoutSending(mirrorDirection(remote.direction)) : mirrorDirection(remote.direction);
    codec = chosen.codec;
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
    get codec() {
      return codec;
    },
    answerTo(offer) {
      const remote = parseAudio(offer);
      if (typeof remote === 'string') return { status: remote === 'malformed' || remote === 'too-large' ? 400 : 488 };
      const chosen = chooseCodec(remote, codec);
      if (!chosen) return { status: 488 };
      return { body: composeAnswer(local(apply(remote, chosen)), remote, chosen) };
    },
    offer: (preferred) => composeOffer(local('sendrecv'), preferred === 'PCMA' ? ['PCMA', 'PCMU'] : ['PCMU', 'PCMA']),
    take(answer) {
      const remote = parseAudio(answer);
      if (typeof remote === 'string') return false;
      const chosen = chooseCodec(remote, codec);
      if (!chosen) return false;
      apply(remote, chosen);
      return true;
    },
  };
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
