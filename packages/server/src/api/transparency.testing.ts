/** A session seen from its participants' links, with calls as the switch would report them. */
import type { InjectOptions } from 'fastify';
import { targetsOf } from '../masking/testing.ts';
import { phone, type TestApi, tenant, twoPeople } from './testing.ts';

export const names = ['Nyoman Sukasada', 'Lakshmi Venkataraman'] as const;

export interface Visited {
  readonly session: string;
  readonly people: readonly [Visitor, Visitor];
}
export interface Visitor {
  readonly id: string;
  readonly phone: string;
  readonly dial: string;
  /** `/t/…` */
  readonly path: string;
}

/** An agent and a customer, with names that must not be seen. */
export async function visited(api: TestApi, seed: number, more: object = {}): Promise<Visited> {
  const body = twoPeople(seed, { recording: 'announce', ...more });
  const participants = body.participants.map((one, at) => ({ ...one, name: names[at], locale: 'en' }));
  const answer = await api.call('POST', '/v1/sessions', { body: { ...body, participants } });
  if (answer.status !== 201) throw new Error(answer.text);
  const people = answer.body.participants.map(
    (one: { readonly id: string; readonly dial: string; readonly transparencyUrl: string }, at: number) => ({
      id: one.id,
      dial: one.dial,
      phone: phone(2 * seed + at),
      path: new URL(one.transparencyUrl).pathname,
    }),
  );
  return { session: answer.body.id, people };
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export async function visit(api: TestApi, url: string, headers: Record<string, string> = {}): Promise<Page> {
  const answer = await api.app.inject({ method: 'GET', url, headers });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

/** Presses the button of the page at `path`, with what else is filled in. */
export async function press(
  api: Pick<TestApi, 'app'>,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  headers: Record<string, string> = {},
): Promise<Page> {
  const asked = await api.app.inject({ method: 'GET', url: path });
  const form = /name="form" value="([^"]+)"/.exec(asked.body)?.[1] ?? '';
  return send(api, path, { form, ...fields }, headers);
}

export async function send(
  api: Pick<TestApi, 'app'>,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Record<string, string> = {},
): Promise<Page> {
  const request: InjectOptions = {
    ...{ method: 'POST', url: path, payload: new URLSearchParams(fields).toString() },
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  };
  const answer = await api.app.inject(request);
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

/** Whether a call of this person would be put through. */
export async function reaches(api: TestApi, from: Visitor): Promise<boolean> {
  return (await dial(api, from)).decision.kind === 'run';
}

async function dial(api: TestApi, from: Visitor) {
  const { items } = await api.masking.listCarriers(tenant, { limit: 1 });
  const call = `call_${crypto.randomUUID().replaceAll('-', '')}`;
  const decision = await api.masking.decide({
    ...{ kind: 'call', called: from.dial, caller: from.phone, call },
    carriers: [{ tenant, carrier: items[0]?.id ?? '' }],
  });
  return { call, decision };
}

/** A talk of `seconds`, recorded; its id. */
export async function talk(api: TestApi, session: string, from: Visitor, seconds = 65): Promise<string> {
  const { call, decision } = await dial(api, from);
  if (decision.kind !== 'run') throw new Error('not connected');
  const [target] = targetsOf(decision);
  const joined = { tenant, call, session, participant: target?.participant ?? '' };
  await api.masking.answered(joined);
  const { recording } = await api.masking.recordingStarted({
    ...{ tenant, call, session, announcement: {} },
    parties: [decision.caller.party, target?.party ?? ''],
  });
  await api.masking.recordingEnded({
    ...{ tenant, recording, status: 'complete', milliseconds: seconds * 1000, bytes: 1, sha256: '00' },
  });
  await api.masking.ended({
    ...{ tenant, call, outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye', legs: [] },
    endedAt: Date.now() + seconds * 1000,
  });
  return call;
}
