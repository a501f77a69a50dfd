/**
 * Every file under fuzz/torture. Those named after RFC 4475's messages exercise what its section of that name
 * does, `ipv6-…` those of RFC 5118, `own-…` what neither has.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SipMessage } from '../types.ts';
import {
  callId,
  cseqOf,
  fromAddress,
  fromTag,
  parseMessage,
  parseNameAddress,
  parseUri,
  parseVia,
  requestUri,
  StreamFramer,
  serialize,
  toAddress,
  topVia,
  toTag,
} from './index.ts';

const folder = new URL('../../fuzz/torture/', import.meta.url);
const bytesOf = (name: string): Buffer => readFileSync(new URL(`${name}.sip`, folder));
const files = readdirSync(folder).map((file) => file.replace(/\.sip$/, ''));

const valid =
  'wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason noreason ' +
  // Sections 3.2 to 3.4: sound as text. What is wrong with them is for the layers above to say (420, 415, 416,
  // 483, an unknown authentication scheme, a response that isn't ours, a peer before RFC 3261).
  'badbranch unkscm novelsc unksm2 bext01 invut regaut01 bcast zeromf cparam01 cparam02 regescrt sdp01 inv2543 ' +
  'ipv6-good ipv6-port-ambiguous ipv6-port-unambiguous ipv6-via-received-delimited ipv6-via-received-bare ' +
  'ipv6-in-sdp ipv6-mixed-vias ipv6-mixed-sdp ipv6-v4-mapped ipv6-abnf-bug ipv6-abnf-sound ' +
  'own-status-699 own-version-lower own-tel own-contact-star own-cseq-limit own-leading-crlf own-fold-at-end';

/** Name: failure code, and whether a 400-class answer can be composed. */
const invalid: Readonly<Record<string, readonly [code: string, answerable: boolean]>> = {
  badinv01: ['via', false],
  clerr: ['content-length', true],
  ncl: ['content-length', true],
  scalar02: ['cseq', false],
  scalarlg: ['cseq', false],
  quotbal: ['to', false],
  ltgtruri: ['request-uri', true],
  lwsruri: ['start-line', true],
  lwsstart: ['start-line', true],
  trws: ['start-line', true],
  escruri: ['request-uri', true],
  // RFC 4475 lets an element take these three anyhow. Refusing costs nobody who keeps to the grammar.
  baddate: ['date', true],
  badaspec: ['to', false],
  baddn: ['from', false],
  regbadct: ['contact', true],
  badvers: ['version', false],
  mismatch01: ['method-mismatch', true],
  mismatch02: ['method-mismatch', true],
  bigcode: ['status', false],
  insuf: ['missing-header', false],
  multi01: ['duplicate-header', true],
  mcl01: ['duplicate-header', true],
  'ipv6-bad': ['request-uri', true],
  'own-header-without-colon': ['header', false],
  'own-space-in-name': ['header', false],
  'own-double-content-type': ['duplicate-header', true],
  'own-two-from-tags': ['from', false],
  'own-parameter-twice': ['from', false],
  'own-status-700': ['status', false],
  'own-method-case': ['method-mismatch', true],
  'own-port-zero': ['via', false],
  'own-port-large': ['via', false],
  'own-not-an-address': ['via', false],
  'own-cseq-over': ['cseq', false],
  'own-empty-call-id': ['call-id', true],
  'own-lone-lf': ['control', false],
  'own-lone-cr': ['control', false],
  'own-nul': ['control', false],
  'own-no-blank-line': ['incomplete', false],
  'own-not-utf8': ['encoding', false],
  'own-129-headers': ['too-many-headers', false],
  'own-long-line': ['line-too-long', false],
  'own-64k': ['too-large', false],
  'own-keep-alive': ['empty', false],
};

const parsed = (name: string): SipMessage => {
  const message = parseMessage(bytesOf(name));
  if (message.kind === 'failure') throw new Error(`${name}: ${message.code}`);
  return message;
};

test('every file has its expectation', () => {
  expect([...valid.split(' '), ...Object.keys(invalid)].sort()).toEqual([...files].sort());
});

describe('valid messages', () => {
  test.each(valid.split(' '))('%s', (name) => {
    const message = parsed(name);
    expect(cseqOf(message).method).not.toBe('');
    expect(callId(message)).not.toBe('');
    const again = parseMessage(serialize(message));
    expect(again.kind).toBe(message.kind);
    if (again.kind === 'failure') return;
    expect([...again.headers.entries()].filter(([key]) => !/^(l|content-length)$/i.test(key))).toEqual(
      [...message.headers.entries()].filter(([key]) => !/^(l|content-length)$/i.test(key)),
    );
    expect(again.body).toEqual(message.body);
  });
});

describe('invalid messages', () => {
  test.each(Object.entries(invalid))('%s', (name, [code, answerable]) => {
    const failure = parseMessage(bytesOf(name));
    expect(failure.kind).toBe('failure');
    if (failure.kind !== 'failure') return;
    expect(failure.code).toBe(code);
    expect(failure.answerable !== undefined).toBe(answerable);
    if (failure.answerable === undefined) return;
    expect(topVia(failure.answerable).branch).not.toBe('');
    expect(cseqOf(failure.answerable).number).toBeGreaterThan(0);
    expect(fromTag(failure.answerable)).not.toBe('');
  });
});

describe('what they say', () => {
  test('wsinv: folding, white space, quotes, mixed forms', () => {
    const message = parsed('wsinv');
    expect(topVia(message)).toMatchObject({ transport: 'UDP', host: '192.0.2.9', branch: 'old390style' });
    expect(message.headers.all('Via').map((text) => parseVia(text)?.host)).toEqual([
      '192.0.2.9',
      'relay.example.com',
      '192.168.3.40',
    ]);
    expect(fromAddress(message)).toMatchObject({ displayName: 'Mira \\"', uri: 'sip:mira@example.com' });
    expect(fromTag(message)).toBe('44aa91');
    expect(toTag(message)).toBe('77881200r');
    expect(cseqOf(message)).toEqual({ number: 7, method: 'INVITE' });
    expect(message.headers.get('Max-Forwards')).toBe('0042');
    expect(message.headers.get('Subject')).toBe('');
    expect(message.headers.get('FreshHeader')).toBe('a fresh value goes on here');
    expect(message.headers.get('HeaderThatLooksBroken')).toBe(';;,,;;,;');
    const contact = parseNameAddress(message.headers.get('Contact') ?? '');
    expect(contact?.displayName).toBe('A name with "" inside');
    expect([...(contact?.parameters ?? [])]).toEqual([
      ['freshparam', 'freshvalue'],
      ['bareparam', ''],
      ['q', '0.33'],
    ]);
  });

  test('intmeth: every character the grammar has', () => {
    const message = parsed('intmeth');
    if (message.kind !== 'request') throw new Error('a request');
    expect(message.method).toBe("!strange-Verb0123456789_*+`.%indeed'~");
    expect(requestUri(message)?.user).toBe("1_strange.URI~(to-be!sure)&isn't+it$/mad?,/;;*");
    expect(toAddress(message).displayName).toBe('BEL:\x07 NUL:\0 DEL:\x7f');
    expect(fromAddress(message).parameters.get("fromparam''~+*_!.-%")).toBe('работающий');
    expect(message.headers.get("EXT-!.%*+_`'~")).toBe('\ufeff大停電');
  });

  test('escapes: where they are, and where they are not', () => {
    const esc01 = parsed('esc01');
    if (esc01.kind !== 'request') throw new Error('a request');
    expect(requestUri(esc01)).toMatchObject({ user: 'sips:ravi@example.com', host: 'example.net' });
    expect(parseUri(toAddress(esc01).uri)?.user).toBe('ravi');
    const contact = parseUri(parseNameAddress(esc01.headers.get('m') ?? '')?.uri ?? '');
    expect([...(contact?.parameters ?? [])]).toEqual([
      ['lr', ''],
      ['name', 'value%41'],
    ]);
    const esc02 = parsed('esc02');
    expect(cseqOf(esc02).method).toBe('RE%47IST%45R');
    expect(esc02.headers.all('Contact')).toHaveLength(2);
    expect(fromAddress(esc02).displayName).toBe('%Z%45');
    expect(parseUri(toAddress(parsed('escnull')).uri)?.user).toBe('nil-\0-nil');
  });

  test('bodies: what is behind Content-Length is no part of a datagram, binary stays binary', () => {
    expect(parsed('dblreq').body).toHaveLength(0);
    expect(parsed('mpart01').body.includes(Buffer.from([0, 1, 2, 0x80, 0xff]))).toBe(true);
    const framer = new StreamFramer();
    expect(framer.push(bytesOf('dblreq')).map((item) => item.kind)).toEqual(['request', 'request']);
  });

  test('responses without a phrase and with one of all kinds', () => {
    expect(parsed('noreason')).toMatchObject({ status: 100, reason: '' });
    expect(parsed('unreason')).toMatchObject({ status: 200, reason: expect.stringContaining('девяносто') });
  });

  test('a parameter belongs to the header without brackets, to the URI with them', () => {
    const header = parseNameAddress(parsed('cparam01').headers.get('Contact') ?? '');
    expect(header?.parameters.has('unknownparam')).toBe(true);
    const uri = parseNameAddress(parsed('cparam02').headers.get('Contact') ?? '');
    expect(uri?.parameters.size).toBe(0);
    expect(parseUri(uri?.uri ?? '')?.parameters.has('unknownparam')).toBe(true);
  });

  test('IPv6: a port is only what follows the bracket', () => {
    const host = (name: string) => {
      const message = parsed(name);
      return message.kind === 'request' ? requestUri(message) : undefined;
    };
    expect(host('ipv6-good')).toMatchObject({ host: '2001:db8::10', port: undefined });
    expect(host('ipv6-port-ambiguous')).toMatchObject({ host: '2001:db8::10:5070', port: undefined });
    expect(host('ipv6-port-unambiguous')).toMatchObject({ host: '2001:db8::10', port: 5070 });
    expect(host('ipv6-abnf-bug')?.host).toBe('2001:db8::192.0.2.1');
    expect(topVia(parsed('ipv6-via-received-delimited')).received).toBe('2001:db8::9:255');
    expect(topVia(parsed('ipv6-via-received-bare')).received).toBe('2001:db8::9:255');
    expect(topVia(parsed('ipv6-v4-mapped'))).toMatchObject({ host: '::ffff:192.0.2.10', port: 19823 });
  });
});

test('a failure holds no byte of what was read', () => {
  for (const name of Object.keys(invalid)) {
    const failure = parseMessage(bytesOf(name));
    if (failure.kind !== 'failure') continue;
    expect(JSON.stringify({ ...failure, answerable: undefined })).toMatch(
      /^\{"kind":"failure","code":"[a-z-]+"\}$/,
    );
  }
});
