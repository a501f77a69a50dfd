import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseDigest } from './auth-parameters.ts';
import { answerChallenge } from './index.ts';

const answer = (challenges: readonly string[], change: Partial<Parameters<typeof answerChallenge>[0]> = {}) =>
  answerChallenge({
    challenges,
    method: 'GET',
    uri: '/dir/index.html',
    credentials: { username: 'Mufasa', password: 'Circle of Life' },
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    nc: 1,
    ...change,
  });

const responseOf = (value: string | undefined): string | undefined =>
  parseDigest(value ?? '')?.get('response');

describe('published vectors', () => {
  test('RFC 2617 section 3.5: MD5', () => {
    const challenge =
      'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';
    const credentials = { username: 'Mufasa', password: 'Circle Of Life' };
    const value = answer([challenge], { credentials, cnonce: '0a4f113b' })?.value;
    expect(responseOf(value)).toBe('6629fae49393a05397450978507c4ef1');
    expect(value).toContain('opaque="5ccc069c403ebaf9f0171e9517f40e41"');
    expect(value).toContain('qop=auth, nc=00000001, cnonce="0a4f113b"');
  });

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('RFC 7616 section 3.9.1: %s', (algorithm, response) => {
    const challenge = `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
    expect(responseOf(answer([challenge])?.value)).toBe(response);
  });

  test('RFC 7616 section 3.9.2 as corrected by erratum 4897: SHA-512-256 with userhash', () => {
    const challenge =
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true';
    const value = answer([challenge], {
      uri: '/doe.json',
      credentials: { username: 'Jäsøn Doe', password: 'Secret, or not?' },
      cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    })?.value;
    const parameters = parseDigest(value ?? '');
    expect(parameters?.get('username')).toBe(
      '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
    );
    expect(parameters?.get('response')).toBe(
      '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5',
    );
    expect(parameters?.get('userhash')).toBe('true');
  });
});

describe('by hand, where no vector is published', () => {
  const h = (name: string, text: string): string => createHash(name).update(text).digest('hex');

  test('no qop (RFC 2069)', () => {
    const value = answer(['Digest realm="r", nonce="n"'], { method: 'INVITE', uri: 'sip:x' })?.value;
    expect(responseOf(value)).toBe(
      h('md5', `${h('md5', 'Mufasa:r:Circle of Life')}:n:${h('md5', 'INVITE:sip:x')}`),
    );
    expect(value).not.toMatch(/qop|nc=|cnonce|algorithm/);
  });

  test.each([
    ['MD5-sess', 'md5'],
    ['SHA-256-sess', 'sha256'],
  ])('%s', (algorithm, name) => {
    const value = answer([`Digest realm="r", nonce="n", algorithm=${algorithm}, qop="auth"`], {
      cnonce: 'c',
      nc: 26,
    })?.value;
    const secret = h(name, `${h(name, 'Mufasa:r:Circle of Life')}:n:c`);
    expect(responseOf(value)).toBe(h(name, `${secret}:n:0000001a:c:auth:${h(name, 'GET:/dir/index.html')}`));
  });

  test('auth-int covers the body, and is taken only when nothing else is offered', () => {
    const value = answer(['Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth-int"'], {
      cnonce: 'c',
      body: Buffer.from('sdp'),
    })?.value;
    const message = h('sha256', `GET:/dir/index.html:${h('sha256', 'sdp')}`);
    expect(responseOf(value)).toBe(
      h('sha256', `${h('sha256', 'Mufasa:r:Circle of Life')}:n:00000001:c:auth-int:${message}`),
    );
    expect(answer(['Digest realm="r", nonce="n", qop="auth-int,auth"'])?.value).toContain('qop=auth,');
  });
});

describe('the choice', () => {
  const of = (algorithm: string, realm = 'r') =>
    `Digest realm="${realm}", nonce="n-${algorithm}", algorithm=${algorithm}, qop="auth"`;

  test('is the strongest, whatever the order', () => {
    expect(answer([of('MD5'), of('SHA-256'), of('md5-sess')])?.algorithm).toBe('SHA-256');
    expect(answer([of('SHA-256'), of('SHA-512-256'), of('MD5')])?.algorithm).toBe('SHA-512-256');
    expect(answer([of('SHA3-512'), of('MD5')])?.algorithm).toBe('MD5');
  });

  test('is of the credentials’ realm', () => {
    const credentials = { username: 'u', password: 'p', realm: 'ours' };
    expect(answer([of('SHA-256', 'theirs'), of('MD5', 'ours')], { credentials })).toMatchObject({
      realm: 'ours',
      algorithm: 'MD5',
    });
    expect(answer([of('SHA-256', 'theirs')], { credentials })).toBeUndefined();
  });

  test.each(
    [
      [],
      ['Basic realm="r"'],
      ['Digest'],
      ['Digest realm="r"'],
      ['Digest realm="r", nonce="n", qop="token"'],
      ['Digest realm="r", nonce="n", algorithm=AKAv1-MD5'],
      ['Digest realm="r", realm="s", nonce="n"'],
      ['Digest realm="r, nonce="n"'],
      ['Digest realm="r", nonce="n",'],
    ].map((challenges) => [challenges]),
  )('is none of %j', (challenges) => {
    expect(answer(challenges)).toBeUndefined();
  });

  test('stale is passed on, quotes in values are kept apart', () => {
    const result = answer(['Digest realm="a \\"b\\"", nonce="n", stale=TRUE']);
    expect(result).toMatchObject({ stale: true, realm: 'a "b"' });
    expect(result?.value).toContain('realm="a \\"b\\""');
  });
});
