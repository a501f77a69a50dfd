/**
 * ITU-T G.711, both laws, by tables: 8,000 samples a second, one byte each.
 * Linear samples are 16 bits; µ-law uses the upper 14 of them, A-law the upper 13.
 */
import type { Codec } from '../types.ts';

/** The byte that stands for zero (A-law has no zero: its smallest positive value). */
export const SILENCE: Readonly<Record<Codec, number>> = { PCMU: 0xff, PCMA: 0xd5 };

/** Linear value of a µ-law byte: G.711 table 2a/2b, scaled by 4 to 16 bits. */
function decodeMu(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 0x07)) - 0x84;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

/** Largest magnitude that doesn't leave the last segment when the bias is added. */
const MU_CLIP = 32_635;

function encodeMu(sample: number): number {
  const biased = Math.min(Math.abs(sample), MU_CLIP) + 0x84;
  const segment = 31 - Math.clz32(biased) - 7;
  const code = (segment << 4) | ((biased >> (segment + 3)) & 0x0f);
  // Zero is the positive one of the two zeros.
  return ~(sample < 0 ? code | 0x80 : code) & 0xff;
}

/** Linear value of an A-law byte: G.711 table 1a/1b, scaled by 8 to 16 bits. */
function decodeA(byte: number): number {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 0x07;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

function encodeA(sample: number): number {
  // The one's complement keeps the two halves mirror images: −1 falls into the cell of −8.
  const magnitude = sample < 0 ? ~sample : sample;
  const segment = Math.max(0, 31 - Math.clz32(magnitude | 1) - 7);
  const code = (segment << 4) | ((magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f);
  return (sample < 0 ? code : code | 0x80) ^ 0x55;
}

function decodeTable(decode: (byte: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => decode(byte));
}

/** Indexed by the sample's 16 bits as an unsigned number. */
function encodeTable(encode: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 65_536 }, (_, bits) => encode((bits << 16) >> 16));
}

const DECODE: Readonly<Record<Codec, Int16Array>> = {
  PCMU: decodeTable(decodeMu),
  PCMA: decodeTable(decodeA),
};
const ENCODE: Readonly<Record<Codec, Uint8Array>> = {
  PCMU: encodeTable(encodeMu),
  PCMA: encodeTable(encodeA),
};

/** Linear value of each of the 256 codes. Shared: don't write to it. */
export function decodingTable(codec: Codec): Int16Array {
  return DECODE[codec];
}

/** The nearest code of every linear value, indexed by `sample & 0xffff`. Shared: don't write to it. */
export function encodingTable(codec: Codec): Uint8Array {
  return ENCODE[codec];
}

/** G.711 bytes to 16-bit linear samples. */
export function decode(input: Uint8Array, codec: Codec): Int16Array {
  const table = DECODE[codec];
  const output = new Int16Array(input.length);
  for (let i = 0; i < input.length; i++) output[i] = table[input[i] as number] as number;
  return output;
}

/** 16-bit linear samples to G.711 bytes, each the nearest code; louder than the code reaches is clipped. */
export function encode(input: Int16Array, codec: Codec): Uint8Array {
  const table = ENCODE[codec];
  const output = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i++) output[i] = table[(input[i] as number) & 0xffff] as number;
  return output;
}

function between(from: Codec, to: Codec): Uint8Array {
  return encode(DECODE[from], to);
}

const MU_TO_A = between('PCMU', 'PCMA');
const A_TO_MU = between('PCMA', 'PCMU');

/** The byte of `to` for each byte of `from`; undefined when they are the same. Shared: don't write to it. */
export function transcodingTable(from: Codec, to: Codec): Uint8Array | undefined {
  if (from === to) return undefined;
  return from === 'PCMU' ? MU_TO_A : A_TO_MU;
}

/** µ-law to A-law or back, through the linear value. Returns `input` itself when both are the same. */
export function transcode(input: Uint8Array, from: Codec, to: Codec): Uint8Array {
  const table = transcodingTable(from, to);
  if (table === undefined) return input;
  const output = new Uint8Array(input.length);
  for (let i = 0; i < input.length; i++) output[i] = table[input[i] as number] as number;
  return output;
}
