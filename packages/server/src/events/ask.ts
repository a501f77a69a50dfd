/**
 * Asks a tenant's system what to do with a call: one signed POST of JSON, answered by JSON. A tenant's system that is
 * slow, dead or hostile costs its own tenant an answer and nobody else anything: an answer comes in time or not at
 * all, questions in the air are counted a tenant and together, and past the count the answer is `busy` at once.
 */
import type { Doors } from '@samar/doors';
import { createLookups, type LookupDoors } from './addresses.ts';
import { webhookHeaders } from './signature.ts';
import type { AskTransport } from './transport.ts';
import { admits, readWebhookUrl, type WebhookRules } from './webhook-url.ts';

export interface Question {
  /** Whose system it is. */
  readonly tenant: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  /** Anything that JSON can say. */
  readonly body: unknown;
  /** From now to the last byte of the answer: look-up, connection, handshake and all. 1 to 10,000. */
  readonly timeoutMilliseconds: number;
}

/**
 * timeout          not answered wholly in time
 * refused-address  not where a tenant may make us connect to
 * status           answered with another status than 2xx; redirects are not followed
 * too-large        answered with more than 64 KiB
 * not-json         what was answered is not JSON in UTF-8, or nested deeper than 32
 * busy             as many questions are in the air as may be
 * unreachable      no such name, connection refused or broken, certificate not trusted, not HTTP
 */
export type Answer =
  | { readonly ok: true; readonly answer: unknown }
  | {
      readonly ok: false;
      readonly reason:
        | 'timeout'
        | 'refused-address'
        | 'status'
        | 'too-large'
        | 'not-json'
        | 'busy'
        | 'unreachable';
    };

/** Never rejects. */
export type Asker = (question: Question) => Promise<Answer>;

export interface AskerOptions {
  readonly doors: Pick<Doors, 'clock' | 'random'> & LookupDoors;
  readonly transport: AskTransport;
  readonly rules: WebhookRules;
  /** Questions in the air at once: of one tenant (default 64) and of all (default 256). */
  readonly concurrency?: { readonly tenant?: number; readonly all?: number };
}

const mostAnswerBytes = 65_536;
const deepest = 32;
const longestMilliseconds = 10_000;

export function createAsker(options: AskerOptions): Asker {
  const { doors, transport, rules, concurrency = {} } = options;
  const { tenant: mostOfTenant = 64, all: mostOfAll = 256 } = concurrency;
  const running = new Map<string, number>();
  let all = 0;
  const addressesOf = createLookups(doors, { tenant: mostOfTenant, all: mostOfAll });

  return (question) => {
    const { tenant } = question;
    const mine = running.get(tenant) ?? 0;
    if (all >= mostOfAll || mine >= mostOfTenant) return Promise.resolve(no('busy'));
    all += 1;
    running.set(tenant, mine + 1);
    return new Promise((resolve) => {
      const controller = new AbortController();
      let settled = false;
      const settle = (answer: Answer) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        all -= 1;
        const left = (running.get(tenant) ?? 1) - 1;
        if (left === 0) running.delete(tenant);
        else running.set(tenant, left);
        resolve(answer);
        controller.abort();
      };
      const patience = Math.min(Math.max(question.timeoutMilliseconds, 1), longestMilliseconds);
      const timer = doors.timers.after(patience, () => settle(no('timeout')));
      put(question, controller.signal).then(settle, () => settle(no('unreachable')));
    });
  };

  async function put(question: Question, signal: AbortSignal): Promise<Answer> {
    const target = readWebhookUrl(question.url, rules);
    if ('problem' in target) return no('refused-address');
    const addresses = await addressesOf(question.tenant, target);
    if (addresses === 'busy') return no('busy');
    if (addresses.length === 0) return no('unreachable');
    if (!admits(rules, target, addresses)) return no('refused-address');
    signal.throwIfAborted();
    const body = JSON.stringify(question.body);
    const id = `ask_${doors.random.bytes(16).toString('hex')}`;
    const seconds = Math.floor(doors.clock.now() / 1_000);
    const reply = await transport({
      url: target.url,
      addresses,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'user-agent': 'Samar',
        ...webhookHeaders(question.secret, id, seconds, body),
      },
      body,
      signal,
      mostBytes: mostAnswerBytes,
    });
    if (reply.status < 200 || reply.status > 299) return no('status');
    if (reply.body === undefined) return no('too-large');
    return readAnswer(reply.body);
  }
}

function no(reason: Extract<Answer, { ok: false }>['reason']): Answer {
  return { ok: false, reason };
}

function readAnswer(body: Buffer): Answer {
  try {
    const answer: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isShallow(answer, deepest) ? { ok: true, answer } : no('not-json');
  } catch {
    return no('not-json');
  }
}

/** Whoever reads the answer does so by recursion. */
function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
