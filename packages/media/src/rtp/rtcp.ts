/**
 * RTCP (RFC 3550 section 6), ended on each leg: our own reports, a random name (RFC 7022) and BYE go out; of what
 * comes in only the report blocks about our stream and the sender report's clock are read. Nothing is forwarded.
 */
import { readWord, writeWord } from './packet.ts';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const BYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;

/** 1900-01-01 to 1970-01-01, RFC 3550 section 4. */
const NTP_EPOCH = 2_208_988_800;

/** The middle 32 bits of the NTP time, in 1/65536 s: what LSR and DLSR count in. */
export function middleOfNtp(wallMilliseconds: number): number {
  return Math.floor((wallMilliseconds / 1000 + NTP_EPOCH) * 65_536) % 0x1_0000_0000;
}

export interface OwnReport {
  readonly ssrc: number;
  /** 96 random bits in base64: 16 characters. */
  readonly name: string;
  /** Undefined when nothing was sent since the report before the last: then a receiver report goes out. */
  readonly sent:
    | {
        readonly wallMilliseconds: number;
        readonly timestamp: number;
        readonly packets: number;
        readonly octets: number;
      }
    | undefined;
  readonly received: ReportBlock | undefined;
  readonly bye: boolean;
}

export interface ReportBlock {
  readonly ssrc: number;
  readonly fraction: number;
  /** Cumulative, 24 bits signed. */
  readonly lost: number;
  readonly highest: number;
  readonly jitter: number;
  readonly lastSenderReport: number;
  readonly delaySinceLast: number;
}

/** A compound packet: report, source description, and BYE when asked. */
export function writeReport(report: OwnReport): Buffer {
  const blocks = report.received === undefined ? 0 : 1;
  const reportBytes = 8 + (report.sent ? 20 : 0) + blocks * BLOCK_BYTES;
  // Chunk: SSRC, item type, length, text, at least one null, to a multiple of four.
  const chunkBytes = Math.ceil((4 + 2 + report.name.length + 1) / 4) * 4;
  const buffer = Buffer.alloc(reportBytes + 4 + chunkBytes + (report.bye ? 8 : 0));
  let at = writeStart(buffer, 0, blocks, report.sent ? SENDER_REPORT : RECEIVER_REPORT, reportBytes);
  at = writeWordNext(buffer, at, report.ssrc);
  if (report.sent) at = writeSent(buffer, at, report.sent);
  if (report.received) at = writeBlock(buffer, at, report.received);
  at = writeStart(buffer, at, 1, SOURCE_DESCRIPTION, 4 + chunkBytes);
  writeWord(buffer, at, report.ssrc);
  buffer[at + 4] = CNAME;
  buffer[at + 5] = report.name.length;
  buffer.write(report.name, at + 6, 'latin1');
  at += chunkBytes;
  if (report.bye) {
    at = writeStart(buffer, at, 1, BYE, 8);
    writeWord(buffer, at, report.ssrc);
  }
  return buffer;
}

function writeStart(buffer: Buffer, at: number, count: number, type: number, bytes: number): number {
  buffer[at] = 0x80 | count;
  buffer[at + 1] = type;
  buffer.writeUInt16BE(bytes / 4 - 1, at + 2);
  return at + 4;
}

function writeSent(buffer: Buffer, at: number, sent: NonNullable<OwnReport['sent']>): number {
  const seconds = sent.wallMilliseconds / 1000 + NTP_EPOCH;
  writeWord(buffer, at, Math.floor(seconds) >>> 0);
  writeWord(buffer, at + 4, Math.floor((seconds % 1) * 0x1_0000_0000) >>> 0);
  writeWord(buffer, at + 8, sent.timestamp);
  writeWord(buffer, at + 12, sent.packets >>> 0);
  writeWord(buffer, at + 16, sent.octets >>> 0);
  return at + 20;
}

function writeBlock(buffer: Buffer, at: number, block: ReportBlock): number {
  writeWord(buffer, at, block.ssrc);
  writeWord(buffer, at + 4, ((block.fraction << 24) | (Math.min(block.lost, 0x7fffff) & 0xffffff)) >>> 0);
  writeWord(buffer, at + 8, block.highest);
  writeWord(buffer, at + 12, Math.round(block.jitter) >>> 0);
  writeWord(buffer, at + 16, block.lastSenderReport);
  writeWord(buffer, at + 20, block.delaySinceLast >>> 0);
  return at + BLOCK_BYTES;
}

function writeWordNext(buffer: Buffer, at: number, word: number): number {
  writeWord(buffer, at, word);
  return at + 4;
}

/** What a peer's compound packet says that concerns us. */
export interface PeerReport {
  /** Of the first packet of the compound. */
  readonly ssrc: number;
  /** Middle 32 bits of the peer's NTP clock; undefined when it sent no sender report. */
  readonly senderReport: number | undefined;
  readonly aboutUs: ReportBlock | undefined;
  readonly bye: boolean;
}

/** Undefined when it is no valid compound packet (RFC 3550 appendix A.2). */
export function readReport(data: Uint8Array, ownSsrc: number): PeerReport | undefined {
  if (data.length < 8 || data.length > 1500 || data.length % 4 !== 0) return undefined;
  const firstType = data[1];
  if (firstType !== SENDER_REPORT && firstType !== RECEIVER_REPORT) return undefined;
  let senderReport: number | undefined;
  let aboutUs: ReportBlock | undefined;
  let bye = false;
  // At most 375 rounds: each packet has four bytes or more.
  for (let at = 0; at < data.length; ) {
    if ((data[at] as number) >> 6 !== 2 || at + 4 > data.length) return undefined;
    const count = (data[at] as number) & 0x1f;
    const type = data[at + 1] as number;
    const end = at + ((((data[at + 2] as number) << 8) | (data[at + 3] as number)) + 1) * 4;
    if (end > data.length) return undefined;
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      const blocks = at + (type === SENDER_REPORT ? 28 : 8);
      if (blocks + count * BLOCK_BYTES > end) return undefined;
      if (type === SENDER_REPORT) {
        senderReport = ((readWord(data, at + 8) << 16) | (readWord(data, at + 12) >>> 16)) >>> 0;
      }
      aboutUs = findBlock(data, blocks, count, ownSsrc) ?? aboutUs;
    } else if (type === BYE) bye = true;
    at = end;
  }
  return { ssrc: readWord(data, 4), senderReport, aboutUs, bye };
}

function findBlock(data: Uint8Array, from: number, count: number, ownSsrc: number): ReportBlock | undefined {
  for (let index = 0; index < count; index++) {
    const at = from + index * BLOCK_BYTES;
    if (readWord(data, at) !== ownSsrc) continue;
    const lost = readWord(data, at + 4);
    return {
      ssrc: ownSsrc,
      fraction: lost >>> 24,
      lost: (lost << 8) >> 8,
      highest: readWord(data, at + 8),
      jitter: readWord(data, at + 12),
      lastSenderReport: readWord(data, at + 16),
      delaySinceLast: readWord(data, at + 20),
    };
  }
  return undefined;
}
