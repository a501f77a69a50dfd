/**
 * Bounded: the corpus mutated, and messages made from nothing. Longer runs: FUZZ_RUNS=200000 FUZZ_SEED=7.
 * A failure prints seed and path by fast-check; the bytes that did it belong into fuzz/torture.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ParseFailure, SipMessage } from '../types.ts';
import {
  callId,
  createHeaders,
  cseqOf,
  formatNameAddress,
  formatUri,
  fromAddress,
  markedVia,
  parseMessage,
  parseNameAddress,
  parseUri,
  parseVia,
  requestUri,
  StreamFramer,
  serialize,
  toAddress,
  topVia,
} from './index.ts';

const folder = new URL('../../fuzz/torture/', import.meta.url);
const corpus = readdirSync(folder).map((file) => readFileSync(new URL(file, folder)));
const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const seed = setting('FUZZ_SEED', Math.floor(Math.random() * 2 ** 31));
const numRuns = setting('FUZZ_RUNS', 4000);
console.log(`fuzz: FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`);
const settings = { seed, numRuns };

const pieces = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  '\r\n ',
  ':',
  ';',
  ',',
  '<',
  '>',
  '"',
  '\\',
  '\\"',
  '%',
  '%00',
  '[',
  ']',
  '@',
  '=',
  '::',
  ';tag=',
  ';rport',
  ';received=',
  'SIP/2.0',
  'Content-Length: ',
  'l:',
  'Via:',
  '\r\n\r\n',
  '9'.repeat(20),
  '-1',
  'é',
  '\xff',
].map((text) => Buffer.from(text, 'latin1'));

type Edit = readonly [kind: number, at: number, length: number, piece: number, byte: number];

const edit = fc.tuple(fc.nat(11), fc.nat(), fc.nat(40), fc.nat(pieces.length - 1), fc.nat(255));

const apply = (bytes: Buffer, [kind, where, length, piece, byte]: Edit): Buffer => {
  const at = bytes.length === 0 ? 0 : where % bytes.length;
  const before = bytes.subarray(0, at);
  switch (kind) {
    case 0:
      return Buffer.concat([before, pieces[piece] as Buffer, bytes.subarray(at)]);
    case 1:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([before, Buffer.from([byte]), bytes.subarray(at + 1)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 4:
      return Buffer.from(before);
    default:
      // The commonest: one printable character for another, which leaves most messages readable.
      return Buffer.concat([before, Buffer.from([32 + (byte % 95)]), bytes.subarray(at + 1)]);
  }
};

const mutant = fc
  .tuple(fc.nat(corpus.length - 1), fc.array(edit, { maxLength: 6 }))
  .map(([index, edits]) => edits.reduce(apply, corpus[index] as Buffer));

const content = (message: SipMessage) => ({
  start: message.kind === 'request' ? [message.method, message.uri] : [message.status, message.reason],
  headers: [...message.headers.entries()].filter(([name]) => !/^(?:l|content-length)$/i.test(name)),
  body: message.body.toString('latin1'),
});

const source = { address: '2001:db8::7', port: 40_000 };

const useEverything = (message: SipMessage): void => {
  callId(message);
  cseqOf(message);
  for (const address of [fromAddress(message), toAddress(message)]) {
    expect(parseNameAddress(formatNameAddress(address))).toEqual({
      ...address,
      displayName: expect.any(String),
      parameters: expect.any(Map),
    });
  }
  for (const [name] of message.headers.entries()) message.headers.all(name);
  if (message.kind !== 'request') return;
  const uri = requestUri(message);
  if (uri !== undefined) expect(parseUri(formatUri(uri))).toEqual(uri);
  const via = topVia(message);
  const marked = parseVia(markedVia(message.headers.get('Via') ?? '', via, source));
  expect(marked).toMatchObject({ branch: via.branch, host: via.host, received: source.address });
  if (via.rport !== undefined) expect(marked?.rport).toBe(source.port);
};

const check = (bytes: Buffer): void => {
  const message: SipMessage | ParseFailure = parseMessage(bytes);
  if (message.kind === 'failure') {
    if (message.answerable !== undefined) {
      topVia(message.answerable);
      cseqOf(message.answerable);
      callId(message.answerable);
    }
    return;
  }
  const once = serialize(message);
  const again = parseMessage(once);
  if (again.kind === 'failure') throw new Error(`its own bytes are refused: ${again.code}`);
  expect(content(again)).toEqual(content(message));
  expect(serialize(again)).toEqual(once);
  useEverything(message);
};

describe('parser', () => {
  test('mutated corpus: never throws, and what it reads it can write and read again', () => {
    fc.assert(fc.property(mutant, check), settings);
  }, 120_000);

  test('a stream in any pieces gives what it gives in one', () => {
    const stream = fc.tuple(
      fc.array(mutant, { maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
    );
    const kinds = (framer: StreamFramer, data: Buffer, sizes: readonly number[]): string[] => {
      const found: string[] = [];
      for (let at = 0, turn = 0; at < data.length; turn++) {
        const size = sizes[turn % sizes.length] as number;
        for (const item of framer.push(Buffer.from(data.subarray(at, at + size)))) {
          found.push(item.kind === 'failure' ? item.code : item.kind);
        }
        at += size;
      }
      return found;
    };
    fc.assert(
      fc.property(stream, ([parts, sizes]) => {
        const data = Buffer.concat(parts);
        // Past its limit a stream ends earlier in small pieces than in one.
        if (data.length > 20_000) return;
        expect(kinds(new StreamFramer(), data, sizes)).toEqual(
          kinds(new StreamFramer(), data, [data.length + 1]),
        );
      }),
      { ...settings, numRuns: Math.ceil(numRuns / 4) },
    );
  }, 120_000);

  test('values of any text never throw', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom(
          '<',
          '>',
          '"',
          '\\',
          ';',
          ',',
          '=',
          ' ',
          ':',
          '@',
          '%',
          '4',
          'a',
          '[',
          ']',
          'sip:',
          'SIP/2.0/UDP ',
        ),
      }),
    );
    fc.assert(
      fc.property(text, (value) => {
        const address = parseNameAddress(value);
        if (address !== undefined)
          expect(parseNameAddress(formatNameAddress(address))?.uri).toBe(address.uri);
        const uri = parseUri(value);
        if (uri !== undefined) expect(parseUri(formatUri(uri))).toEqual(uri);
        parseVia(value);
      }),
      settings,
    );
  }, 120_000);
});

test('whatever headers accept, the message has no line more than it was given', () => {
  const name = fc.oneof(
    fc.constantFrom('Subject', 'X-A', 'a b', 'x\r\ny'),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const value = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', '\0', '"', '\\', ':', ' '),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), value, value, (list, reason, uri) => {
      const headers = createHeaders();
      let accepted = 0;
      for (const [key, text] of list) {
        if (/^(?:l|content-length)$/i.test(key)) continue;
        try {
          headers.add(key, text);
          accepted++;
        } catch {}
      }
      for (const message of [
        { kind: 'response', status: 200, reason, headers, body: Buffer.alloc(0) },
        { kind: 'request', method: 'OPTIONS', uri, headers, body: Buffer.alloc(0) },
      ] as const) {
        let written: Buffer;
        try {
          written = serialize(message);
        } catch {
          continue;
        }
        // Start line, Content-Length, and the two ends of line behind the last header.
        expect(written.toString('latin1').split(/\r\n|\r|\n/)).toHaveLength(accepted + 4);
      }
    }),
    settings,
  );
}, 120_000);
