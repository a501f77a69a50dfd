/** Digest as a server: challenges, and what came back. */
import { timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '@samar/doors';
import { parseUri } from '../message/uri.ts';
import { formatDigest, parseDigest } from './auth-parameters.ts';
import {
  type Algorithm,
  computeResponse,
  passwordHash,
  type QualityOfProtection,
  readAlgorithm,
} from './compute.ts';
import { createNonces } from './nonce.ts';

export interface ChallengerOptions {
  readonly realm: string;
  readonly random: Random;
  readonly clock: Clock;
  /** How long a nonce may be used, 1 or more. Default 300. */
  readonly nonceSeconds?: number;
  /** Offered in this order, and no other accepted. Default SHA-256 and MD5 (RFC 8760 section 2.3). */
  readonly algorithms?: readonly Algorithm[];
  /** Default `auth`. */
  readonly qop?: readonly QualityOfProtection[];
  /** The MAC key of nonces, 32 bytes; the same on nodes that answer for each other. Default: random. */
  readonly secret?: Buffer;
  /** Nonces in use whose counts are remembered; the oldest go stale past it. Default 20,000. */
  readonly remembered?: number;
}

/** What is known of a user: the password, or its hash by algorithm (`passwordHash`). */
export type Secret =
  | { readonly password: string }
  | { readonly hashes: Readonly<Partial<Record<Algorithm, string>>> };

export interface VerifyOptions {
  /** All values of Authorization or of Proxy-Authorization. */
  readonly authorizations: readonly string[];
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  readonly body: Buffer;
  readonly lookUp: (username: string) => Secret | undefined;
}

export type Verdict =
  | { readonly kind: 'ok'; readonly username: string }
  /** The digest was right, the nonce too old or used before: challenge again with `stale`. */
  | { readonly kind: 'stale' }
  /** Malformed, for another request, unknown user or wrong password: nobody is told which. */
  | { readonly kind: 'wrong' }
  /** No credentials for this realm. */
  | { readonly kind: 'absent' };

export interface Challenger {
  /** Values for WWW-Authenticate or Proxy-Authenticate, one header line each, strongest first. */
  challenge(stale?: boolean): readonly string[];
  verify(options: VerifyOptions): Verdict;
}

interface Claim {
  readonly username: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  readonly qop: QualityOfProtection | undefined;
  readonly nc: string;
  readonly cnonce: string;
}

/** RFC 7616 section 3.3, RFC 8760. Keeps nothing of a client until its digest was right. */
export const createChallenger = (options: ChallengerOptions): Challenger => {
  const { realm, random, clock } = options;
  const offered = options.algorithms ?? ['SHA-256', 'MD5'];
  const protections = options.qop ?? ['auth'];
  const nonces = createNonces({
    secret: options.secret ?? random.bytes(32),
    realm,
    random,
    clock,
    lifeSeconds: options.nonceSeconds ?? 300,
    remembered: options.remembered ?? 20_000,
  });
  // Stands in for the password of unknown users, so that they take as long as known ones.
  const nobody: Secret = { password: random.bytes(16).toString('hex') };

  return {
    challenge(stale = false) {
      const nonce = nonces.create();
      return offered.map((algorithm) => {
        const parameters: [string, string][] = [
          ['realm', realm],
          ['nonce', nonce],
        ];
        if (stale) parameters.push(['stale', 'true']);
        parameters.push(['algorithm', algorithm], ['qop', protections.join(',')]);
        return formatDigest(parameters, false);
      });
    },
    verify(request) {
      const found = credentialsFor(request.authorizations, realm);
      if (found === undefined) return { kind: 'absent' };
      const claim = readClaim(found);
      if (claim === undefined || !offered.includes(claim.algorithm)) return { kind: 'wrong' };
      if (claim.qop !== undefined && !protections.includes(claim.qop)) return { kind: 'wrong' };
      if (!isSameUri(claim.uri, request.uri)) return { kind: 'wrong' };
      const age = nonces.look(claim.nonce);
      // A nonce of another node's, or of ours before a restart: the client may well know the password.
      if (age === 'foreign') return { kind: 'stale' };
      const known = request.lookUp(claim.username);
      const expected = expectedResponse(claim, known ?? nobody, realm, request);
      if (expected === undefined || !isSame(expected, claim.response) || known === undefined) {
        return { kind: 'wrong' };
      }
      if (age === 'stale') return { kind: 'stale' };
      const count = claim.qop === undefined ? undefined : Number.parseInt(claim.nc, 16);
      return nonces.use(claim.nonce, count) ? { kind: 'ok', username: claim.username } : { kind: 'stale' };
    },
  };
};

const credentialsFor = (
  authorizations: readonly string[],
  realm: string,
): ReadonlyMap<string, string> | undefined => {
  for (const text of authorizations) {
    const parameters = parseDigest(text);
    if (parameters?.get('realm') === realm) return parameters;
  }
  return undefined;
};

const readClaim = (parameters: ReadonlyMap<string, string>): Claim | undefined => {
  const username = parameters.get('username');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response');
  const algorithm = readAlgorithm(parameters.get('algorithm'));
  const qop = parameters.get('qop')?.toLowerCase();
  const nc = parameters.get('nc') ?? '';
  const cnonce = parameters.get('cnonce') ?? '';
  if (username === undefined || nonce === undefined || uri === undefined) return undefined;
  if (response === undefined || algorithm === undefined) return undefined;
  if (qop === undefined) return { username, nonce, uri, response, algorithm, qop, nc, cnonce };
  if (qop !== 'auth' && qop !== 'auth-int') return undefined;
  if (!/^[\da-f]{8}$/i.test(nc) || nc === '00000000' || cnonce === '') return undefined;
  return { username, nonce, uri, response, algorithm, qop, nc, cnonce };
};

const expectedResponse = (
  claim: Claim,
  secret: Secret,
  realm: string,
  request: VerifyOptions,
): string | undefined => {
  const kept =
    'password' in secret
      ? passwordHash(claim.algorithm, claim.username, realm, secret.password)
      : secret.hashes[claim.algorithm];
  if (kept === undefined) return undefined;
  return computeResponse({ ...claim, passwordHash: kept, method: request.method, body: request.body });
};

/**
 * The digest covers the uri parameter, not the Request-URI: were they not compared, a captured answer would
 * open every other URI (RFC 7616 section 3.4.6). Spelling may differ, user, host and port may not.
 */
const isSameUri = (claimed: string, requested: string): boolean => {
  if (claimed === requested) return true;
  const one = parseUri(claimed);
  const other = parseUri(requested);
  if (one === undefined || other === undefined) return false;
  return (
    one.scheme === other.scheme &&
    one.user === other.user &&
    one.host === other.host &&
    one.port === other.port
  );
};

const isSame = (expected: string, given: string): boolean => {
  const one = Buffer.from(expected, 'latin1');
  const other = Buffer.from(given.toLowerCase(), 'utf8');
  return one.length === other.length && timingSafeEqual(one, other);
};
