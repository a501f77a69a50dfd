/** Digest as a client: from a 401 or 407 to the value of Authorization or Proxy-Authorization. */
import type { Credentials } from '../types.ts';
import { formatDigest, parseDigest } from './auth-parameters.ts';
import {
  type Algorithm,
  algorithms,
  computeResponse,
  digest,
  isSession,
  passwordHash,
  type QualityOfProtection,
  readAlgorithm,
} from './compute.ts';

export interface AnswerOptions {
  /** All values of WWW-Authenticate or of Proxy-Authenticate, one entry each. */
  readonly challenges: readonly string[];
  readonly method: string;
  /** The Request-URI, as it is sent. */
  readonly uri: string;
  /** For auth-int; default empty. */
  readonly body?: Buffer;
  readonly credentials: Credentials;
  /** Unpredictable text, fresh for each challenge. */
  readonly cnonce: string;
  /** How many requests have used this nonce, this one included: 1 to 2^32 - 1. */
  readonly nc: number;
}

export interface ChallengeAnswer {
  /** The header's value. */
  readonly value: string;
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  /** The credentials were right and only the nonce was too old: one more try is worth it. */
  readonly stale: boolean;
}

interface Chosen {
  readonly parameters: ReadonlyMap<string, string>;
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly qop: QualityOfProtection | undefined;
}

/**
 * Answers the strongest challenge (RFC 8760): SHA-512-256, then SHA-256, then MD5, whatever the order they
 * came in. Undefined when none can be answered: other schemes, unknown algorithms, another realm than the
 * credentials'. A challenge answered twice without `stale` means that the password is wrong: don't go on.
 */
export const answerChallenge = (options: AnswerOptions): ChallengeAnswer | undefined => {
  const chosen = strongest(options.challenges, options.credentials.realm);
  if (chosen === undefined) return undefined;
  const { parameters, realm, nonce, algorithm, qop } = chosen;
  const { credentials, method, uri, cnonce } = options;
  const nc = options.nc.toString(16).padStart(8, '0');
  const response = computeResponse({
    algorithm,
    passwordHash: passwordHash(algorithm, credentials.username, realm, credentials.password),
    nonce,
    cnonce,
    nc,
    qop,
    method,
    uri,
    body: options.body ?? Buffer.alloc(0),
  });
  const hideUser = parameters.get('userhash')?.toLowerCase() === 'true';
  const answer: [string, string][] = [
    ['username', hideUser ? digest(algorithm, `${credentials.username}:${realm}`) : credentials.username],
    ['realm', realm],
    ['nonce', nonce],
    ['uri', uri],
    ['response', response],
  ];
  // RFC 2069 servers know no algorithm parameter; it is repeated only where it was given.
  if (parameters.has('algorithm')) answer.push(['algorithm', algorithm]);
  const opaque = parameters.get('opaque');
  if (opaque !== undefined) answer.push(['opaque', opaque]);
  if (qop !== undefined) answer.push(['qop', qop], ['nc', nc]);
  if (qop !== undefined || isSession(algorithm)) answer.push(['cnonce', cnonce]);
  if (hideUser) answer.push(['userhash', 'true']);
  const stale = parameters.get('stale')?.toLowerCase() === 'true';
  return { value: formatDigest(answer, true), realm, nonce, algorithm, stale };
};

const strongest = (challenges: readonly string[], realm: string | undefined): Chosen | undefined => {
  let best: Chosen | undefined;
  for (const challenge of challenges) {
    const chosen = readChallenge(challenge);
    if (chosen === undefined || (realm !== undefined && chosen.realm !== realm)) continue;
    if (best === undefined || rank(chosen) < rank(best)) best = chosen;
  }
  return best;
};

const rank = (chosen: Chosen): number => algorithms.indexOf(chosen.algorithm);

const readChallenge = (challenge: string): Chosen | undefined => {
  const parameters = parseDigest(challenge);
  const realm = parameters?.get('realm');
  const nonce = parameters?.get('nonce');
  if (parameters === undefined || realm === undefined || nonce === undefined) return undefined;
  const algorithm = readAlgorithm(parameters.get('algorithm'));
  if (algorithm === undefined) return undefined;
  const offered = parameters.get('qop');
  if (offered === undefined) return { parameters, realm, nonce, algorithm, qop: undefined };
  const choices = offered
    .toLowerCase()
    .split(',')
    .map((choice) => choice.trim());
  // Middle boxes that touch SDP break auth-int, so it is taken only where nothing else is offered.
  const qop = choices.includes('auth') ? 'auth' : choices.includes('auth-int') ? 'auth-int' : undefined;
  return qop === undefined ? undefined : { parameters, realm, nonce, algorithm, qop };
};
