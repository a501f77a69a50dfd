/** Programs by HTTP: saved, tried without a call, and compared with what a call's explanation says afterwards. */
import type { Phone } from '@samar/devcarrier';
import { expect } from 'vitest';
import type { ApiAnswer } from './platform.ts';
import { lastCall, type OpenSession, type Scene } from './scene.ts';

/** Tests run beside one another: each has people of its own. */
export interface Cast {
  readonly agent: Phone;
  readonly helper: Phone;
  readonly customer: Phone;
}

export async function cast(scene: Scene): Promise<Cast> {
  return { agent: await scene.phone(), helper: await scene.phone(), customer: await scene.phone() };
}

export function people({ agent, helper, customer }: Cast): readonly object[] {
  return [
    { role: 'agent', phone: agent.number, locale: 'en' },
    { role: 'helper', phone: helper.number, locale: 'en' },
    { role: 'customer', phone: customer.number, locale: 'en' },
  ];
}

/** A phone of the business's own. */
export async function destination(scene: Scene, name: string): Promise<Phone> {
  const phone = await scene.phone();
  const { status, text } = await scene.call('PUT', `/v1/destinations/${name}`, { phone: phone.number });
  expect([200, 201], text).toContain(status);
  return phone;
}

export async function save(scene: Scene, name: string, definition: object): Promise<string> {
  const { status, text, body } = await scene.call('POST', '/v1/programs', { name, definition });
  expect(status, text).toBe(201);
  return body.id;
}

export interface Foretold {
  readonly scene: Scene;
  readonly actors: Cast;
  readonly session: OpenSession;
  /** What the customer dials. */
  readonly dial: string;
  readonly trace: Readonly<Record<string, unknown>>;
  readonly summary: readonly string[];
}

/** New people in a session whose program is saved under this name, and what a call of the customer would come to. */
export async function foretell(
  scene: Scene,
  name: string,
  definition: object,
  more: object = {},
): Promise<Foretold> {
  const id = await save(scene, name, definition);
  const actors = await cast(scene);
  const session = await scene.open(people(actors), { program: name, ...more });
  const { status, text, body } = await scene.call('POST', `/v1/programs/${id}/test`, {
    session: session.id,
    caller: 'customer',
  });
  expect(status, text).toBe(200);
  return { scene, actors, session, dial: session.dials[2] ?? '', trace: body.trace, summary: body.summary };
}

/**
 * The explanation says of the call what the test said before; `taken`: verb, place and outcome of each step. Resolves
 * with the call's record.
 */
export async function expectAsForetold(
  { scene, session, trace }: Foretold,
  rule: string,
  taken: readonly (readonly [verb: string, place: string, outcome: string])[],
): Promise<ApiAnswer['body']> {
  const { record, why } = await lastCall(scene, session.id);
  expect(why.trace.rules.at(-1)).toMatchObject({ place: rule, outcome: 'fired' });
  const { program, rules, forbidden, steps } = trace;
  expect(why.trace).toMatchObject({ program, rules, forbidden, steps });
  expect(
    why.steps.map((step: Readonly<Record<string, string>>) => [step['verb'], step['place'], step['outcome']]),
  ).toEqual(taken);
  return record;
}
