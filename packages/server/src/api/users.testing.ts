/** People for tests: invited by the API, logged in by its routes, their cookies kept as a browser would. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';
import type { Role } from '../users/service.ts';
import type { Answer, TestApi } from './testing.ts';

export const password = 'sungai batu kertas';
export const origin = 'https://masking.example';

export interface Browser {
  readonly user: string;
  readonly cookie: string;
  readonly csrf: string;
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT' | 'HEAD',
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

export async function invite(
  api: TestApi,
  email: string,
  role: Role = 'operator',
): Promise<{ readonly id: string; readonly token: string }> {
  const { status, body, text } = await api.call('POST', '/v1/users', {
    body: { email, name: 'Somebody', role },
  });
  if (status !== 201) throw new Error(`invite: ${text}`);
  return { id: body.user.id, token: tokenOf(body.invitationUrl) };
}

export function tokenOf(invitationUrl: string): string {
  return invitationUrl.split('#')[1] ?? '';
}

/** Invited, and logged in by the invitation. */
export async function person(api: TestApi, email: string, role: Role = 'operator'): Promise<Browser> {
  const { token } = await invite(api, email, role);
  return browserOf(
    api,
    await api.call('POST', '/v1/auth/invitation', { key: null, body: { token, password } }),
  );
}

/** From an answer that logged in. */
export function browserOf(api: TestApi, answer: Answer): Browser {
  if (answer.body?.status !== 'logged-in') throw new Error(`not logged in: ${answer.text}`);
  const cookie = cookieOf(answer);
  const { csrf, user } = answer.body;
  return {
    user: user.id,
    cookie,
    csrf,
    call: (method, url, body, headers = {}) =>
      api.call(method, url, {
        key: null,
        body,
        headers: { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'same-origin', ...headers },
      }),
  };
}

export function cookieOf(answer: Answer): string {
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

export function login(api: TestApi, email: string, word: string, headers = {}): Promise<Answer> {
  return api.call('POST', '/v1/auth/login', { key: null, body: { email, password: word }, headers });
}

/** Waits until the code of now stays that of now for ten seconds: a step's end in between would be chance. */
export async function calmClock(): Promise<void> {
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 10_000) await sleep(left + 50);
}

/** `steps` of 30 seconds from now. */
export function totpCode(secret: string, steps = 0): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 });
  return totp.generate({ timestamp: Date.now() + steps * 30_000 });
}

// ---------------------------------------------------------------- an authenticator (WebAuthn level 3), in software

export interface Authenticator {
  readonly credential: string;
  create(options: RegistrationOptions, at?: string): Record<string, unknown>;
  get(options: { readonly challenge: string; readonly rpId?: string }, at?: string): Record<string, unknown>;
  counter: number;
}
interface RegistrationOptions {
  readonly challenge: string;
  readonly rp: { readonly id?: string };
  readonly user: { readonly id: string };
}

export function authenticator(options: { readonly counts?: boolean } = {}): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(32);
  let handle = '';
  const client = (type: string, challenge: string, at: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin: at, crossOrigin: false }));
  // User present and verified.
  const data = (rpId: string, flags: number, counter: number, attested = Buffer.alloc(0)) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.of(flags), count, attested]);
  };
  const self: Authenticator = {
    credential: id.toString('base64url'),
    counter: 0,
    create({ challenge, rp, user }, at = origin) {
      handle = user.id;
      const cose = cbor(
        new Map<number, number | Buffer>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, Buffer.from(x, 'base64url')],
          [-3, Buffer.from(y, 'base64url')],
        ]),
      );
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.of(0, id.length), id, cose]);
      const authData = data(rp.id ?? '', 0x45, self.counter, attested);
      const attestation = cbor(
        new Map<string, unknown>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      );
      return answer(id, {
        clientDataJSON: client('webauthn.create', challenge, at).toString('base64url'),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal'],
      });
    },
    get({ challenge, rpId = '' }, at = origin) {
      if (options.counts) self.counter += 1;
      const authData = data(rpId, 0x05, self.counter);
      const clientData = client('webauthn.get', challenge, at);
      return answer(id, {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: sign('sha256', Buffer.concat([authData, sha256(clientData)]), privateKey).toString(
          'base64url',
        ),
        userHandle: handle,
      });
    },
  };
  return self;
}

function answer(id: Buffer, response: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const name = id.toString('base64url');
  return { id: name, rawId: name, type: 'public-key', clientExtensionResults: {}, response };
}

function sha256(value: string | Buffer): Buffer {
  return createHash('sha256').update(value).digest();
}

/** As much of CBOR (RFC 8949) as a passkey needs. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map) {
    return Buffer.concat([
      head(5, value.size),
      ...[...value].flatMap(([key, inner]) => [cbor(key), cbor(inner)]),
    ]);
  }
  throw new TypeError('not supported');
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length);
  if (length < 256) return Buffer.of((major << 5) | 24, length);
  return Buffer.of((major << 5) | 25, length >> 8, length & 255);
}
