import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Algorithm, answerChallenge, type Challenger, createChallenger, passwordHash } from './index.ts';

const random = { bytes: (length: number) => randomBytes(length), integer: () => 0 };
const noBody = Buffer.alloc(0);

const setUp = (options: Partial<Parameters<typeof createChallenger>[0]> = {}) => {
  const time = { now: 1_800_000_000_000 };
  const clock = { now: () => time.now, monotonic: () => time.now };
  return { time, challenger: createChallenger({ realm: 'samar', random, clock, ...options }) };
};

const answer = (challenges: readonly string[], nc = 1, password = 'right', uri = 'sip:samar') => {
  const result = answerChallenge({
    challenges,
    nc,
    uri,
    method: 'REGISTER',
    cnonce: 'abc',
    body: noBody,
    credentials: { username: 'desk', password },
  });
  if (result === undefined) throw new Error('no answer');
  return result.value;
};

const verify = (
  challenger: Challenger,
  value: string | undefined,
  uri = 'sip:samar',
  method = 'REGISTER',
  body = noBody,
) =>
  challenger.verify({
    authorizations: value === undefined ? [] : [value],
    method,
    uri,
    body,
    lookUp: (username) => (username === 'desk' ? { password: 'right' } : undefined),
  }).kind;

test('SHA-256 first, MD5 behind it, one line each (RFC 8760 section 2.3)', () => {
  const lines = setUp().challenger.challenge();
  expect(lines.map((line) => /algorithm=([\w-]+)/.exec(line)?.[1])).toEqual(['SHA-256', 'MD5']);
  expect(setUp().challenger.challenge(true)[0]).toContain('stale=true');
});

test.each<Algorithm>(['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess'])(
  'ok by %s, from password or hash',
  (algorithm) => {
    const { challenger } = setUp({ algorithms: [algorithm] });
    const lines = challenger.challenge();
    expect(verify(challenger, answer(lines))).toBe('ok');
    const kept = { hashes: { [algorithm]: passwordHash(algorithm, 'desk', 'samar', 'right') } };
    const request = {
      authorizations: [answer(lines, 2)],
      method: 'REGISTER',
      uri: 'sip:samar',
      body: noBody,
    };
    expect(challenger.verify({ ...request, lookUp: () => kept })).toEqual({ kind: 'ok', username: 'desk' });
    expect(challenger.verify({ ...request, lookUp: () => ({ hashes: {} }) }).kind).toBe('wrong');
  },
);

describe('wrong', () => {
  test.each<[string, (value: string) => string]>([
    ['password', (value) => value.replace(/response="../, 'response="00')],
    ['user', (value) => value.replace('desk', 'nobody')],
    ['digest of another length', (value) => value.replace(/response="[^"]*"/, 'response="00"')],
    ['algorithm that was not offered', (value) => value.replace('SHA-256', 'SHA-512-256')],
    ['protection that was not offered', (value) => value.replace('qop=auth', 'qop=auth-int')],
    ['count of zero', (value) => value.replace('nc=00000001', 'nc=00000000')],
    ['count that is none', (value) => value.replace('nc=00000001', 'nc=1')],
    ['no cnonce', (value) => value.replace(', cnonce="abc"', '')],
  ])('%s', (_name, change) => {
    const { challenger } = setUp();
    const value = answer(challenger.challenge());
    expect(change(value)).not.toBe(value);
    expect(verify(challenger, change(value))).toBe('wrong');
    expect(verify(challenger, value)).toBe('ok');
  });

  test('another URI or method than was signed', () => {
    const { challenger } = setUp();
    const value = answer(challenger.challenge());
    expect(verify(challenger, value, 'sip:other')).toBe('wrong');
    expect(verify(challenger, value, 'sip:samar', 'INVITE')).toBe('wrong');
    expect(verify(challenger, value, 'SIP:samar')).toBe('ok');
  });

  test('another body under auth-int', () => {
    const { challenger } = setUp({ qop: ['auth-int'] });
    const value = answer(challenger.challenge());
    expect(verify(challenger, value, 'sip:samar', 'REGISTER', Buffer.from('x'))).toBe('wrong');
    expect(verify(challenger, value)).toBe('ok');
  });
});

test('absent: nothing, another scheme, another realm', () => {
  const { challenger } = setUp();
  expect(verify(challenger, undefined)).toBe('absent');
  expect(verify(challenger, 'Basic abc')).toBe('absent');
  expect(verify(challenger, answer(setUp({ realm: 'else' }).challenger.challenge()))).toBe('absent');
});

describe('stale', () => {
  test('after its life, to the second', () => {
    const { time, challenger } = setUp({ nonceSeconds: 10 });
    const lines = challenger.challenge();
    time.now += 10_000;
    expect(verify(challenger, answer(lines))).toBe('ok');
    time.now += 1_000;
    expect(verify(challenger, answer(lines, 2))).toBe('stale');
    expect(verify(challenger, answer(lines, 3, 'guess'))).toBe('wrong');
  });

  test('a count used before, or an earlier one', () => {
    const { challenger } = setUp();
    const lines = challenger.challenge();
    expect(verify(challenger, answer(lines, 5))).toBe('ok');
    expect(verify(challenger, answer(lines, 5))).toBe('stale');
    expect(verify(challenger, answer(lines, 4))).toBe('stale');
    expect(verify(challenger, answer(lines, 6))).toBe('ok');
  });

  test('a client without qop may use a nonce once', () => {
    const { challenger } = setUp({ algorithms: ['MD5'] });
    const lines = challenger.challenge().map((line) => line.replace(', qop="auth"', ''));
    expect(verify(challenger, answer(lines))).toBe('ok');
    expect(verify(challenger, answer(lines))).toBe('stale');
  });

  test('nonces that nobody here made, or made for another realm with the same secret', () => {
    const { challenger } = setUp();
    const value = answer(challenger.challenge());
    expect(
      verify(challenger, answer(['Digest realm="samar", nonce="made-up", algorithm=MD5, qop="auth"'])),
    ).toBe('stale');
    expect(verify(challenger, value.replace(/nonce="./, 'nonce="/'))).toBe('stale');
    const secret = randomBytes(32);
    const one = setUp({ secret }).challenger;
    const other = setUp({ secret, realm: 'else' }).challenger;
    const moved = answer(other.challenge().map((line) => line.replace('else', 'samar')));
    expect(verify(one, moved)).toBe('stale');
    expect(verify(setUp({ secret }).challenger, answer(one.challenge()))).toBe('ok');
  });

  test('what was forgotten for want of room can’t be replayed', () => {
    const { time, challenger } = setUp({ remembered: 3 });
    const used: string[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const value = answer(challenger.challenge());
      expect(verify(challenger, value)).toBe('ok');
      used.push(value);
      time.now += 1000;
    }
    expect(used.map((value) => verify(challenger, value))).toEqual(used.map(() => 'stale'));
    expect(verify(challenger, answer(challenger.challenge()))).toBe('ok');
  });
});
