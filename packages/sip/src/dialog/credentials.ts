/** Answers to 401 and 407. */
import { answerChallenge } from '../digest/index.ts';
import type { Hop } from '../transport/hop.ts';
import type { Flow } from '../transport/transport.ts';
import type { Credentials, SipResponse } from '../types.ts';
import type { Context } from './context.ts';

/**
 * The methods that a challenge is answered for. A challenge to a BYE is the classic way to make a server hand out
 * a digest to whoever got hold of a dialog, so it is never answered.
 */
const ANSWERED = new Set(['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE']);
/** One answer to a challenge, and one more when the nonce was stale. */
const ANSWERS = 2;

/** What one request has already answered. */
export class Authorizer {
  readonly #context: Context;
  readonly #credentials: Credentials | undefined;
  #answers = 0;

  constructor(context: Context, credentials: Credentials | undefined) {
    this.#context = context;
    this.#credentials = credentials;
  }

  /** The header line for the next try, ending in CRLF; undefined when the challenge is not to be answered. */
  answer(
    response: SipResponse,
    flow: Flow,
    hop: Hop,
    method: string,
    uri: string,
    body?: Buffer,
  ): string | undefined {
    const { status, headers } = response;
    if ((status !== 401 && status !== 407) || !this.#credentials || !ANSWERED.has(method)) return undefined;
    if (flow.source.address !== hop.address || this.#answers >= ANSWERS) {
      this.#context.onEvent('challenge-refused');
      return undefined;
    }
    const proxy = status === 407;
    const { identifiers } = this.#context;
    const answer = answerChallenge({
      challenges: headers.all(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'),
      method,
      uri,
      ...(body === undefined ? {} : { body }),
      credentials: this.#credentials,
      cnonce: identifiers.tag(),
      nc: 1,
    });
    // The same credentials were just refused: only a stale nonce is a reason to try them again.
    if (!answer || (this.#answers > 0 && !answer.stale)) return undefined;
    this.#answers++;
    return `${proxy ? 'Proxy-Authorization' : 'Authorization'}: ${answer.value}\r\n`;
  }
}
