/**
 * One attempt at a delivery: the event as a signed POST (Standard Webhooks), to addresses that are checked at this very
 * moment, over in 15 seconds. Any 2xx is a delivery, whatever comes after the status; no redirect is followed.
 */
import { createLookups, type LookupDoors } from './addresses.ts';
import { readRetryAfter } from './schedule.ts';
import { type Signers, signedHeaders } from './signature.ts';
import type { AskTransport } from './transport.ts';
import { admits, readWebhookUrl, type WebhookRules } from './webhook-url.ts';

export interface Attempt {
  readonly tenant: string;
  readonly url: string;
  /** The event's id: the same at every attempt. */
  readonly id: string;
  readonly body: string;
  readonly signers: Signers;
  /** Gives up at once; rejects then. */
  readonly signal: AbortSignal;
}
export interface Outcome {
  readonly delivered: boolean;
  /** The status, or `timeout`, `refused-address`, `unreachable`, `busy`. */
  readonly answer: string;
  /** What the receiver asked for with 429 or 503. */
  readonly retryAfterSeconds?: number;
}
export type Attempter = (attempt: Attempt) => Promise<Outcome>;

const timeoutMilliseconds = 15_000;
/** An answer says nothing that matters here; so much of it is taken so that polite receivers can finish. */
const mostAnswerBytes = 65_536;

export function createAttempter(options: {
  readonly doors: LookupDoors & { readonly clock: { now(): number } };
  readonly transport: AskTransport;
  readonly rules: WebhookRules;
  readonly lookups: { readonly tenant: number; readonly all: number };
}): Attempter {
  const { doors, transport, rules, lookups } = options;
  const addressesOf = createLookups(doors, lookups);

  return async (attempt) => {
    attempt.signal.throwIfAborted();
    const controller = new AbortController();
    let status: number | undefined;
    const over = new Promise<Outcome>((resolve, reject) => {
      const timer = doors.timers.after(timeoutMilliseconds, () => resolve(read(status) ?? failed('timeout')));
      const stop = () => reject(attempt.signal.reason);
      attempt.signal.addEventListener('abort', stop, { once: true });
      controller.signal.addEventListener('abort', () => {
        timer.cancel();
        attempt.signal.removeEventListener('abort', stop);
      });
    });
    try {
      const posted = post(attempt, controller.signal, (known) => {
        status = known;
      });
      return await Promise.race([posted.catch(() => read(status) ?? failed('unreachable')), over]);
    } finally {
      controller.abort();
    }
  };

  async function post(
    { tenant, url, id, body, signers }: Attempt,
    signal: AbortSignal,
    onStatus: (status: number) => void,
  ): Promise<Outcome> {
    const target = readWebhookUrl(url, rules);
    if ('problem' in target) return failed('refused-address');
    const addresses = await addressesOf(tenant, target);
    if (addresses === 'busy') return failed('busy');
    if (addresses.length === 0) return failed('unreachable');
    if (!admits(rules, target, addresses)) return failed('refused-address');
    signal.throwIfAborted();
    const now = doors.clock.now();
    const reply = await transport({
      url: target.url,
      addresses,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Samar',
        ...signedHeaders(signers, id, Math.floor(now / 1_000), body),
      },
      body,
      signal,
      mostBytes: mostAnswerBytes,
      onStatus,
    });
    const outcome = read(reply.status) ?? failed(String(reply.status));
    if (reply.status !== 429 && reply.status !== 503) return outcome;
    const retryAfterSeconds = readRetryAfter(reply.retryAfter, now);
    return retryAfterSeconds === undefined ? outcome : { ...outcome, retryAfterSeconds };
  }
}

function read(status: number | undefined): Outcome | undefined {
  if (status === undefined || status < 200 || status > 299) return undefined;
  return { delivered: true, answer: String(status) };
}

function failed(answer: string): Outcome {
  return { delivered: false, answer };
}
