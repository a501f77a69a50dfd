/** RTP packets (RFC 3550 section 5.1): the fixed header is read, everything optional is stepped over. */

/** Longest datagram looked at; anything longer is no telephone audio. */
export const LONGEST_DATAGRAM = 1500;
/** Longest audio payload relayed: 80 ms of G.711. RFC 3551 recommends 20 ms; gateways go to 60 ms. */
export const LONGEST_AUDIO = 640;
export const HEADER_BYTES = 12;

/** What `readRtp` found. One object is reused for every packet of a leg, so that reading allocates nothing. */
export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** The payload is `data[start]` to `data[end - 1]`: without CSRC list, header extension and padding. */
  start: number;
  end: number;
}

export function emptyPacket(): RtpPacket {
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, start: 0, end: 0 };
}

/**
 * Reads `data` into `into`. False when it is no well-formed RTP packet of version 2 with a payload, or when
 * its payload type lies where RTCP packet types would (72 to 76, RFC 5761 section 4).
 */
export function readRtp(data: Uint8Array, into: RtpPacket): boolean {
  const length = data.length;
  if (length < HEADER_BYTES || length > LONGEST_DATAGRAM) return false;
  const first = data[0] as number;
  if (first >> 6 !== 2) return false;
  const second = data[1] as number;
  const payloadType = second & 0x7f;
  if (payloadType >= 72 && payloadType <= 76) return false;
  let start = HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (start + 4 > length) return false;
    start += 4 + (((data[start + 2] as number) << 8) | (data[start + 3] as number)) * 4;
  }
  let end = length;
  if (first & 0x20) {
    const padding = data[length - 1] as number;
    if (padding === 0) return false;
    end -= padding;
  }
  if (start >= end) return false;
  into.payloadType = payloadType;
  into.marker = second > 0x7f;
  into.sequence = ((data[2] as number) << 8) | (data[3] as number);
  into.timestamp = readWord(data, 4);
  into.ssrc = readWord(data, 8);
  into.start = start;
  into.end = end;
  return true;
}

/** Writes the 12 bytes of a header without CSRC list, extension or padding. */
export function writeHeader(
  buffer: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  buffer[0] = 0x80;
  buffer[1] = marker ? payloadType | 0x80 : payloadType;
  buffer[2] = sequence >>> 8;
  buffer[3] = sequence;
  writeWord(buffer, 4, timestamp);
  writeWord(buffer, 8, ssrc);
}

export function readWord(data: Uint8Array, at: number): number {
  return (
    (((data[at] as number) << 24) |
      ((data[at + 1] as number) << 16) |
      ((data[at + 2] as number) << 8) |
      (data[at + 3] as number)) >>>
    0
  );
}

export function writeWord(buffer: Uint8Array, at: number, word: number): void {
  buffer[at] = word >>> 24;
  buffer[at + 1] = word >>> 16;
  buffer[at + 2] = word >>> 8;
  buffer[at + 3] = word;
}

/** How far 16-bit `to` lies after `from`, -32,768 to 32,767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** How far 32-bit `to` lies after `from`, signed. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}
