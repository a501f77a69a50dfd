import { isIPv6 } from 'node:net';
import type { AudioDescription, Codec, LocalDescription } from '../types.ts';
import { knownKind, knownProtocol, usualFormat } from './words.ts';

/** What we call them when nobody else has (RFC 3551 table 4; 101 is what most telephones use). */
const PAYLOAD_TYPE: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };
const TELEPHONE_EVENT = 101;

type Line = AudioDescription['lines'][number];

export interface ChosenCodec {
  readonly codec: Codec;
  readonly payloadType: number;
}

/** Only words of our own lists, whoever made `line`: no other byte of the peer's is written. */
function refusedLine(line: Line): string {
  const protocol = knownProtocol(line.protocol);
  return `m=${knownKind(line.kind)} 0 ${protocol} ${usualFormat(protocol)}`;
}

interface AudioLine {
  readonly protocol: string;
  readonly codecs: readonly ChosenCodec[];
  readonly telephoneEvent: number | undefined;
}

function audioLine(local: LocalDescription, audio: AudioLine): readonly string[] {
  const { codecs, telephoneEvent } = audio;
  const types = codecs.map((chosen) => chosen.payloadType);
  if (telephoneEvent !== undefined) types.push(telephoneEvent);
  return [
    `m=audio ${local.port} ${audio.protocol} ${types.join(' ')}`,
    ...codecs.map((chosen) => `a=rtpmap:${chosen.payloadType} ${chosen.codec}/8000`),
    ...(telephoneEvent === undefined
      ? []
      : [`a=rtpmap:${telephoneEvent} telephone-event/8000`, `a=fmtp:${telephoneEvent} 0-15`]),
    'a=ptime:20',
    `a=${local.direction}`,
  ];
}

function compose(local: LocalDescription, media: readonly string[]): Buffer {
  const family = isIPv6(local.address) ? 'IP6' : 'IP4';
  const lines = [
    'v=0',
    `o=- ${local.sessionId} ${local.version} IN ${family} ${local.address}`,
    's=-',
    `c=IN ${family} ${local.address}`,
    't=0 0',
    ...media,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
}

/** RTP/AVPF is answered with RTP/AVPF (RFC 4585 section 4); nothing else can have been chosen. */
function ownProtocol(protocol: string): string {
  return protocol === 'RTP/AVPF' ? 'RTP/AVPF' : 'RTP/AVP';
}

/** Every line in its order: the one we use as `audio`, the others refused (RFC 3264 section 6). */
function mediaLines(local: LocalDescription, lines: readonly Line[], audio: Omit<AudioLine, 'protocol'>) {
  return lines.flatMap((line) =>
    line.audio ? audioLine(local, { ...audio, protocol: ownProtocol(line.protocol) }) : [refusedLine(line)],
  );
}

/**
 * An offer with `codecs` in our order of preference and telephone events.
 * @param previous what this peer described last in the same dialog: its lines and payload types are kept
 * (RFC 3264 section 8). Leave it out for a first offer.
 */
export function composeOffer(
  local: LocalDescription,
  codecs: readonly Codec[],
  previous?: AudioDescription,
): Buffer {
  const chosen = codecs.map((codec) => ({
    codec,
    payloadType: previous?.codecs.find((known) => known.codec === codec)?.payloadType ?? PAYLOAD_TYPE[codec],
  }));
  const telephoneEvent = previous?.telephoneEvent ?? freeType(chosen);
  const lines = previous?.lines ?? [{ kind: 'audio', protocol: 'RTP/AVP', formats: '0', audio: true }];
  return compose(local, mediaLines(local, lines, { codecs: chosen, telephoneEvent }));
}

/** 101, unless the peer calls a codec by that number. */
function freeType(chosen: readonly ChosenCodec[]): number {
  const taken = (type: number) => chosen.some((known) => known.payloadType === type);
  return [TELEPHONE_EVENT, 100, 102].find((type) => !taken(type)) ?? TELEPHONE_EVENT;
}

/** The answer to `remote` with one codec, by the offer's own numbers (RFC 3264 section 6.1). */
export function composeAnswer(
  local: LocalDescription,
  remote: AudioDescription,
  chosen: ChosenCodec,
): Buffer {
  const audio = { codecs: [chosen], telephoneEvent: remote.telephoneEvent };
  return compose(local, mediaLines(local, remote.lines, audio));
}
