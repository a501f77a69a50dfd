import type { Phone, PhoneCall } from '@samar/devcarrier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause } from './support/platform.ts';
import {
  eventKinds,
  eventsOf,
  eventually,
  expectTalk,
  hears,
  lastCall,
  type OpenSession,
  prompt,
  type Scene,
  startScene,
  within,
} from './support/scene.ts';
import { hasTone } from './support/sound.ts';

/** A session's life, changed by HTTP while people talk: what they notice, and what the business is told. */
let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene?.stop());

interface Ride {
  readonly session: OpenSession;
  readonly driver: Phone;
  readonly customer: Phone;
}

async function ride(more: object = {}): Promise<Ride> {
  const [driver, customer] = [await scene.phone(), await scene.phone()];
  const session = await scene.open(
    [
      { role: 'driver', phone: driver.number, locale: 'en' },
      { role: 'customer', phone: customer.number, locale: 'en' },
    ],
    more,
  );
  return { session, driver, customer };
}

interface Talking {
  readonly call: PhoneCall;
  readonly other: PhoneCall;
}

/** The caller reaches the callee, who sees this number, and both understand each other. */
async function talk(
  caller: Phone,
  dial: string | undefined,
  callee: Phone,
  shown: string | undefined,
): Promise<Talking> {
  const incoming = callee.nextCall();
  const call = caller.dial(dial ?? '');
  expect(await call.answered).toEqual({ ok: true });
  const other = await incoming;
  expect(callee.displayed.at(-1)).toBe(shown);
  await expectTalk(call, other);
  return { call, other };
}

const driverCalls = ({ session: { dials }, driver, customer }: Ride) =>
  talk(driver, dials[0], customer, dials[1]);
const customerCalls = ({ session: { dials }, driver, customer }: Ride) =>
  talk(customer, dials[1], driver, dials[0]);

async function refused(
  caller: Phone,
  dial: string | undefined,
  status: number,
  words: string,
): Promise<void> {
  const call = caller.dial(dial ?? '');
  expect(await call.answered).toEqual({ ok: false, status });
  expect(await hears(call, prompt(`en/${words}`), 0), words).toBeGreaterThan(0.85);
}

/** Whoever is answered, is bridged, and hangs up. */
async function hangUp({ call, other }: Talking): Promise<void> {
  call.hangUp();
  await other.ended;
}

async function change(path: string, body?: object, method = 'POST') {
  const answer = await scene.call(method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

/** Both phones are cut off within a second of the request. */
async function cuts(talking: Talking, what: string, request: () => Promise<unknown>): Promise<void> {
  const both = Promise.all([talking.call.ended, talking.other.ended]);
  const [took] = await Promise.all([within(1_000, what, both), request()]);
  expect(took).toBeLessThan(1_000);
}

describe.concurrent('a session', () => {
  test('a new driver takes over while the old one talks: the old one is cut, the customer keeps the number', async () => {
    const order = await ride();
    const { session, driver, customer } = order;
    const next = await scene.phone();
    const talking = await driverCalls(order);
    let changed:
      | { participants: { id: string; role: string; dial: string; leftAt?: string; leaveReason?: string }[] }
      | undefined;
    await cuts(talking, 'the old driver is cut off', async () => {
      changed = await change(
        `/v1/sessions/${session.id}`,
        {
          participants: {
            replace: [{ participant: 'driver', with: { role: 'driver', phone: next.number, locale: 'en' } }],
          },
        },
        'PATCH',
      );
    });
    const seats = changed?.participants ?? [];
    const now = seats.find((one) => one.role === 'driver' && one.leftAt === undefined);
    expect(seats.find((one) => one.role === 'customer')).toMatchObject({ dial: session.dials[1] });
    expect(seats.at(-1)).toMatchObject({ id: session.ids[0], leaveReason: 'replaced' });
    const { record } = await lastCall(scene, session.id);
    expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'platform' });

    await hangUp(await talk(customer, session.dials[1], next, now?.dial));
    await hangUp(await talk(next, now?.dial, customer, session.dials[1]));
    const rung = customer.displayed.length;
    await refused(driver, session.dials[0], 410, 'ended');
    expect(customer.displayed).toHaveLength(rung);
    expect(await eventKinds(scene, session.id)).toEqual(['session.opened', 'participant.replaced']);
    const told = (await eventsOf(scene, session.id)).find(({ kind }) => kind === 'participant.replaced');
    expect(JSON.stringify(told)).toContain(now?.id);
    expect(JSON.stringify(told)).toContain(session.ids[0]);
  });

  test('somebody is added and removed; who is there already is refused', async () => {
    const order = await ride();
    const { session, driver, customer } = order;
    const helper = await scene.phone();
    const add = { add: [{ role: 'helper', phone: helper.number, locale: 'en' }] };
    const { participants } = await change(`/v1/sessions/${session.id}`, { participants: add }, 'PATCH');
    const seat = participants.find((one: { role: string }) => one.role === 'helper');
    const twice = await scene.call('PATCH', `/v1/sessions/${session.id}`, { participants: add });
    expect([twice.status, twice.body.type]).toEqual([409, '/problems/participant-taken']);
    driver.setOnRing('busy');
    const talking = await talk(customer, session.dials[1], helper, seat.dial);
    await cuts(talking, 'the helper is cut off', () =>
      change(`/v1/sessions/${session.id}`, { participants: { remove: ['helper'] } }, 'PATCH'),
    );
    driver.setOnRing('answer');
    await hangUp(await customerCalls(order));
    expect(await eventKinds(scene, session.id)).toEqual([
      'session.opened',
      'participant.added',
      'participant.removed',
    ]);
  });

  test('after the close, the customer reaches the driver, and the driver nobody', async () => {
    const afterClose = { seconds: 3_600, allow: [{ from: 'customer', to: 'driver' }], reasons: ['resolved'] };
    const order = await ride({ afterClose });
    const { session, driver } = order;
    const closed = await change(`/v1/sessions/${session.id}/close`, { reason: 'resolved' });
    expect(closed).toMatchObject({ status: 'closed' });
    expect(Date.parse(closed.afterCloseUntil) - Date.parse(closed.closedAt)).toBe(3_600_000);
    await hangUp(await customerCalls(order));
    await refused(driver, session.dials[0], 410, 'ended');
    const { why } = await lastCall(scene, session.id);
    expect(why.steps.at(-1)).toMatchObject({ verb: 'refuse', outcome: 'ended' });
  });

  test('close and hang up; reopened, the same numbers connect again', async () => {
    const order = await ride();
    const { session, driver, customer } = order;
    await cuts(await driverCalls(order), 'the call is cut', () =>
      change(`/v1/sessions/${session.id}/close`, { reason: 'cancelled', ongoingCalls: 'hangup' }),
    );
    expect((await lastCall(scene, session.id)).record).toMatchObject({
      hangupBy: 'platform',
      hangupCause: 'session-closed',
    });
    await refused(customer, session.dials[1], 410, 'ended');
    const again = await change(`/v1/sessions/${session.id}/reopen`, { ttlSeconds: 600 });
    expect(again.participants.map((one: { dial: string }) => one.dial)).toEqual(session.dials);
    await hangUp(await customerCalls(order));
    await hangUp(await driverCalls(order));
    expect(driver.displayed).toEqual([session.dials[0]]);
    expect(await eventKinds(scene, session.id)).toEqual([
      'session.opened',
      'session.closed',
      'session.reopened',
    ]);
  });

  test('close and let them finish: they talk on, and nobody calls any more', async () => {
    const order = await ride({ ongoingCalls: 'finish' });
    const { session, customer } = order;
    const talking = await driverCalls(order);
    await change(`/v1/sessions/${session.id}/close`, { reason: 'resolved' });
    await refused(customer, session.dials[1], 410, 'ended');
    await expectTalk(talking.call, talking.other);
    await hangUp(talking);
  });

  test('close with a warning: both hear it, talk on, and are cut a minute later', async () => {
    const order = await ride({ ongoingCalls: 'warn' });
    const { session } = order;
    const { call, other } = await customerCalls(order);
    await change(`/v1/sessions/${session.id}/close`, { reason: 'resolved' });
    const warned = performance.now();
    const heard = await Promise.all([call, other].map((phone) => hears(phone, prompt('en/closing'), 3_000)));
    for (const likely of heard) expect(likely).toBeGreaterThan(0.85);
    await pause(3_500);
    await expectTalk(call, other);
    await within(62_000, 'the call ends', Promise.all([call.ended, other.ended]));
    expect(performance.now() - warned).toBeGreaterThan(58_000);
    expect((await lastCall(scene, session.id)).record).toMatchObject({
      outcome: 'connected',
      hangupCause: 'session-closed',
    });
  });

  test('POST /v1/calls/{id}/hangup ends a call while both talk', async () => {
    const order = await ride();
    const talking = await driverCalls(order);
    const { items } = await change(`/v1/calls?session=${order.session.id}`, undefined, 'GET');
    expect(items[0].status).toBe('answered');
    await cuts(talking, 'the call is hung up', () => change(`/v1/calls/${items[0].id}/hangup`));
    expect((await lastCall(scene, order.session.id)).record).toMatchObject({
      hangupBy: 'platform',
      hangupCause: 'requested',
    });
    // The session lives.
    await hangUp(await driverCalls(order));
  });

  test('limits: the length of a call, after a warning that both hear; then their number', async () => {
    const order = await ride({ limits: { callSeconds: 10, calls: 1 } });
    const { session, driver, customer } = order;
    const began = performance.now();
    const { call, other } = await driverCalls(order);
    // Too short for the words of a minute.
    await eventually(
      'both hear the warning tone',
      () => [call, other].every((phone) => hasTone(phone.heard(), 1_400)),
      8_000,
    );
    await within(8_000, 'the call ends', Promise.all([call.ended, other.ended]));
    const lasted = performance.now() - began;
    expect(lasted).toBeGreaterThan(9_500);
    expect(lasted).toBeLessThan(12_000);
    expect((await lastCall(scene, session.id)).record.hangupCause).toBe('maximum-duration');
    await refused(customer, session.dials[1], 403, 'limit');
    expect(driver.displayed).toEqual([]);
    const { why } = await lastCall(scene, session.id);
    expect(why.trace.forbidden).toEqual(['limit: calls of the session']);
  });

  test('quiet hours are those of the callee', async () => {
    const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    // Now in UTC, where the driver is; the customer is ten hours ahead.
    const [driver, customer] = [await scene.phone(), await scene.phone()];
    const { dials } = await scene.open(
      [
        { role: 'driver', phone: driver.number, locale: 'en', timeZone: 'Etc/UTC' },
        { role: 'customer', phone: customer.number, locale: 'en', timeZone: 'Etc/GMT-10' },
      ],
      { limits: { quietHours: { from: at(-1), to: at(1) } } },
    );
    await refused(customer, dials[1], 480, 'quiet-hours');
    expect(driver.displayed).toEqual([]);
    await hangUp(await talk(driver, dials[0], customer, dials[1]));
  });

  test('closed by its hours, and before it opens', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const order = await ride({
      schedule: {
        timeZone: 'UTC',
        windows: [{ from: '00:00', to: '24:00' }],
        exceptions: [{ date: today, closed: true }],
      },
    });
    const { session, customer } = order;
    await refused(customer, session.dials[1], 480, 'closed');
    expect((await lastCall(scene, session.id)).why.trace.open).toBe(false);
    await change(`/v1/sessions/${session.id}`, { schedule: null }, 'PATCH');
    await hangUp(await customerCalls(order));

    const later = await ride({ opensAt: new Date(Date.now() + 4_000).toISOString(), ttlSeconds: 600 });
    expect(later.session.body.status).toBe('scheduled');
    const early = later.customer.dial(later.session.dials[1] ?? '');
    expect(await early.answered).toEqual({ ok: false, status: 480 });
    expect(await hears(early, prompt('en/closed'), 0)).toBeGreaterThan(0.85);
    await eventually('it opens', async () => {
      const { status } = await change(`/v1/sessions/${later.session.id}`, undefined, 'GET');
      return status === 'open';
    });
    await hangUp(await customerCalls(later));
  });

  test('a block ends the call, and the two meet in no session until it is lifted', async () => {
    const order = await ride();
    const { session, driver, customer } = order;
    let block = '';
    await cuts(await driverCalls(order), 'the call is cut', async () => {
      const made = await change('/v1/blocks', {
        participant: session.ids[0],
        counterpartParticipant: session.ids[1],
        reason: 'report 771: threats',
      });
      block = made.id;
    });
    const rung = customer.displayed.length;
    // The words for a stranger: nobody learns of a block.
    await refused(driver, session.dials[0], 404, 'not-connected');
    expect(customer.displayed).toHaveLength(rung);
    await change(`/v1/blocks/${block}`, undefined, 'DELETE');
    await hangUp(await driverCalls(order));
    const { items } = await change(`/v1/events?kind=party.blocked&limit=200`, undefined, 'GET');
    expect(items.some((one: { subject: string }) => one.subject === block)).toBe(true);
  });

  test('a sick number is replaced in the middle of a session: the event tells the new one, which connects', async () => {
    const numbers = [1, 2, 3, 4].map((index) => `+62215003000${index}`);
    await change('/v1/numbers', { numbers, pool: 'sick', carrier: 'test' });
    const order = await ride({ pool: 'sick' });
    const { session, driver, customer } = order;
    const { items } = await change('/v1/numbers?limit=200', undefined, 'GET');
    const sick = items.find((one: { number: string }) => one.number === session.dials[1]);
    const talking = await driverCalls(order);
    expect(await change(`/v1/numbers/${sick.id}/replace`, { reason: 'spam label' })).toMatchObject({
      kept: 0,
    });
    // Whoever talks, talks on.
    await expectTalk(talking.call, talking.other);
    await hangUp(talking);
    const fresh = await change(`/v1/sessions/${session.id}`, undefined, 'GET');
    const dial = fresh.participants[1].dial;
    expect(dial).not.toBe(session.dials[1]);
    const told = (await eventsOf(scene, session.id)).filter((one) => one.kind === 'number.replaced');
    // Whoever had the sick number has another now: perhaps both.
    expect(told.map(({ subject }) => subject)).toContain(session.ids[1]);
    expect(told).toHaveLength(session.dials.filter((one) => one === sick.number).length);
    await hangUp(await talk(customer, dial, driver, fresh.participants[0].dial));
    await hangUp(await talk(driver, fresh.participants[0].dial, customer, dial));
  });

  test('many at once: each as if alone', async () => {
    const [driver, customer] = [await scene.phone(), await scene.phone()];
    const participants = [
      { role: 'driver', phone: driver.number, locale: 'en' },
      { role: 'customer', phone: customer.number, locale: 'en' },
    ];
    const standing = await ride();
    const { results } = await change('/v1/sessions/bulk', {
      items: [
        { action: 'open', session: { participants } },
        { action: 'open', session: { participants: participants.slice(1) } },
        { action: 'close', id: standing.session.id, close: { reason: 'cancelled' } },
      ],
    });
    expect(results.map(({ status }: { status: number }) => status)).toEqual([201, 422, 200]);
    const [first, second] = results[0].session.participants;
    await hangUp(await talk(driver, first.dial, customer, second.dial));
    await refused(standing.customer, standing.session.dials[1], 410, 'ended');
  });
});

test('nothing that the platform told, sent or wrote down meanwhile holds anybody’s real number', async () => {
  await eventually('all calls are over', async () =>
    /^samar_calls 0$/m.test((await scene.call('GET', '/metrics')).text),
  );
  const { hits, planted, searched } = await scene.leaks();
  expect(planted).toBeGreaterThan(20);
  expect(searched['trunk']).toBeGreaterThan(100);
  expect(hits).toEqual([]);
});
