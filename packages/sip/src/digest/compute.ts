/** The arithmetic of RFC 7616 section 3.4, the same for both sides. */
import { hash } from 'node:crypto';

/** Strongest first: the order in which a client chooses and a server offers (RFC 8760 section 2). */
export const algorithms = [
  'SHA-512-256',
  'SHA-512-256-sess',
  'SHA-256',
  'SHA-256-sess',
  'MD5',
  'MD5-sess',
] as const;

export type Algorithm = (typeof algorithms)[number];

export type QualityOfProtection = 'auth' | 'auth-int';

/** Undefined for algorithms that nobody here computes. Absent means MD5 (RFC 7616 section 3.3). */
export const readAlgorithm = (text: string | undefined): Algorithm | undefined => {
  if (text === undefined) return 'MD5';
  const wanted = text.toLowerCase();
  return algorithms.find((algorithm) => algorithm.toLowerCase() === wanted);
};

export const isSession = (algorithm: Algorithm): boolean => algorithm.endsWith('-sess');

/** Lower-case hexadecimal. */
export const digest = (algorithm: Algorithm, data: string | Buffer): string => {
  switch (algorithm) {
    case 'SHA-512-256':
    case 'SHA-512-256-sess':
      return hash('sha512-256', data, 'hex');
    case 'SHA-256':
    case 'SHA-256-sess':
      return hash('sha256', data, 'hex');
    case 'MD5':
    case 'MD5-sess':
      return hash('md5', data, 'hex');
  }
};

/** What a server may keep in place of the password: H(username ":" realm ":" password). */
export const passwordHash = (
  algorithm: Algorithm,
  username: string,
  realm: string,
  password: string,
): string => digest(algorithm, `${username}:${realm}:${password}`);

export interface ResponseInput {
  readonly algorithm: Algorithm;
  /** Of `passwordHash`, before any -sess step. */
  readonly passwordHash: string;
  readonly nonce: string;
  readonly cnonce: string;
  /** Eight hexadecimal digits. */
  readonly nc: string;
  /** Undefined: RFC 2069 style, without nc and cnonce. */
  readonly qop: QualityOfProtection | undefined;
  readonly method: string;
  readonly uri: string;
  readonly body: Buffer;
}

export const computeResponse = (input: ResponseInput): string => {
  const { algorithm, nonce, cnonce, nc, qop } = input;
  const secret = isSession(algorithm)
    ? digest(algorithm, `${input.passwordHash}:${nonce}:${cnonce}`)
    : input.passwordHash;
  const request = `${input.method}:${input.uri}`;
  const message = digest(
    algorithm,
    qop === 'auth-int' ? `${request}:${digest(algorithm, input.body)}` : request,
  );
  return digest(
    algorithm,
    qop === undefined
      ? `${secret}:${nonce}:${message}`
      : `${secret}:${nonce}:${nc}:${cnonce}:${qop}:${message}`,
  );
};
