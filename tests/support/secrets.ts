/** What a leg's messages hold that belongs to this leg alone, gathered from its own capture; see `expectNoLeak`. */
import { expect } from 'vitest';
import { type Canary, describeHits, findCanaries, type Planted } from './canaries.ts';
import { addresses, bytesOf, type Packet, rtcpOf, rtpOf, type Side, sentBy, sentTo } from './capture.ts';

/** Lines that every description has, whoever writes it: they tell nothing. */
const everyones =
  /^(?:v=0|t=0 0|s=-|a=(?:sendrecv|sendonly|recvonly|inactive|ptime:20|rtpmap:(?:0 PCMU|8 PCMA|101 telephone-event)\/8000|fmtp:101 0-1[56]))$/;

const identifiers: readonly (readonly [string, RegExp])[] = [
  ['Call-ID', /^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)/gim],
  ['tag', /;tag=([^;\s>]+)/gi],
  ['branch', /;branch=z9hG4bK([^;\s,]+)/gi],
  ['Contact', /^(?:Contact|m)[ \t]*:[^<]*<sips?:([^@>]+)@/gim],
];

/** Everything on this leg, from either side, that identifies it; and every SDP line that its peer wrote. */
export function secretsOf(packets: readonly Packet[], side: Side): readonly Canary[] {
  const both = bytesOf(packets.filter((packet) => sentBy(side)(packet) || sentTo(side)(packet))).toString(
    'latin1',
  );
  const own = bytesOf(packets.filter(sentBy(side))).toString('latin1');
  const secrets = new Map<string, string>();
  for (const [what, pattern] of identifiers) {
    for (const [, value = ''] of both.matchAll(pattern)) if (value.length >= 6) secrets.set(value, what);
  }
  for (const [, value = ''] of own.matchAll(/^(?:User-Agent|Server): *(.+?)\r$/gim)) {
    secrets.set(value, 'user agent');
  }
  for (const [line] of own.matchAll(/^[a-z]=[^\r\n]+/gm)) {
    if (!everyones.test(line) && !line.startsWith('m=audio 0 ')) secrets.set(line, 'SDP line');
  }
  return [...secrets].map(([value, what]) => ({
    where: `${what} of the ${side}'s leg`,
    kind: 'text',
    value,
  }));
}

export interface LegParty {
  readonly number: string;
  readonly planted: Planted;
}

/**
 * Nothing of one party is in what the other one got. `own`: what each party planted. Fails, too, when the search finds
 * nothing where the canaries were planted: then it would prove nothing.
 */
export function expectNoLeak(
  packets: readonly Packet[],
  parties: { readonly caller: LegParty; readonly callee?: LegParty },
): void {
  for (const [side, other] of [
    ['caller', 'callee'],
    ['callee', 'caller'],
  ] as const) {
    const party = parties[side];
    if (!party) continue;
    const canaries = [
      ...canariesOf(party, side),
      { where: `${side}'s address`, kind: 'address', value: addresses[side] } as const,
      ...secretsOf(packets, side),
    ];
    const planted = findCanaries(bytesOf(packets.filter(sentBy(side))), canaries);
    expect(planted.length, `the search must find what the ${side} planted`).toBeGreaterThan(5);
    const reached = packets.filter(sentTo(other));
    expect(describeHits(findCanaries(bytesOf(reached), canaries)), `of the ${side} at the ${other}`).toEqual(
      [],
    );
    expectOwnStreams(packets.filter(sentBy(side)), packets.filter(sentBy(other)), reached);
  }
}

export function canariesOf({ number, planted }: LegParty, side: string): readonly Canary[] {
  return [
    { where: `${side}'s number`, kind: 'number', value: number },
    { where: `${side}'s planted number`, kind: 'number', value: planted.number },
    { where: `${side}'s name`, kind: 'text', value: planted.name },
    { where: `${side}'s planted address`, kind: 'address', value: planted.address },
    { where: `${side}'s device`, kind: 'uuid', value: planted.uuid },
  ];
}

/** RTP and RTCP that reach a side have a source of their own, and nothing but what RTP can't do without. */
function expectOwnStreams(
  theirs: readonly Packet[],
  own: readonly Packet[],
  reached: readonly Packet[],
): void {
  const sources = new Set(rtpOf(theirs).map(({ ssrc }) => ssrc));
  for (const packet of rtpOf(reached)) {
    expect(sources.has(packet.ssrc)).toBe(false);
    expect([packet.contributors, packet.extension, packet.padding]).toEqual([0, false, false]);
  }
  // Reports name the source that they report on: the receiver's own, which two SIPps have in common.
  for (const { ssrc } of rtpOf(own)) sources.delete(ssrc);
  const words = (packet: Buffer) =>
    Array.from({ length: Math.floor(packet.length / 4) }, (_, index) => packet.readUInt32BE(index * 4));
  for (const packet of rtcpOf(reached)) {
    expect(words(packet).filter((word) => sources.has(word))).toEqual([]);
  }
}
