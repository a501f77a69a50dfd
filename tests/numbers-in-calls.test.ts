import type { Phone, PhoneCall } from '@samar/devcarrier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, settledCalls } from './support/platform.ts';
import {
  eventKinds,
  eventually,
  expectTalk,
  hears,
  prompt,
  type Scene,
  startScene,
} from './support/scene.ts';

/** What numbers a session has, and for how long, as it shows on real phones: opened by HTTP, called by SIP. */
let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene?.stop());

const person = (role: string, phone: Phone, more: object = {}) => ({
  role,
  phone: phone.number,
  locale: 'en',
  ...more,
});

async function key(call: PhoneCall, digits: string): Promise<void> {
  for (const digit of digits) {
    await call.press(digit as '1');
    await pause(60);
  }
}

async function talks(caller: Phone, dial: string, callee: Phone, shown: string): Promise<void> {
  const incoming = callee.nextCall();
  const call = caller.dial(dial);
  expect(await call.answered).toEqual({ ok: true });
  const other = await incoming;
  expect(callee.displayed.at(-1)).toBe(shown);
  await expectTalk(call, other);
  call.hangUp();
  await other.ended;
}

/** Virtual numbers of a pool that nobody else uses. */
async function pool(name: string, numbers: readonly string[], settings: object = {}): Promise<void> {
  const added = await scene.call('POST', '/v1/numbers', { numbers, pool: name, carrier: 'test' });
  expect(added.status, added.text).toBe(201);
  const changed = await scene.call('PATCH', `/v1/pools/${name}`, settings);
  expect(changed.status, changed.text).toBe(200);
}

describe.concurrent('numbers in calls', () => {
  test('reach by app: the agent holds no number, calls by the app, and finds all open jobs behind the number shown', async () => {
    const [agent, one, two] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const display = '+622150050009';
    await pool('app', ['+622150050001', '+622150050002', display], { cooldown: { '*': 3_600 } });
    const { items } = (await scene.call('GET', '/v1/numbers?pool=app')).body;
    const shown = items.find(({ number }: { number: string }) => number === display);
    expect((await scene.call('PATCH', `/v1/numbers/${shown.id}`, { use: 'display' })).status).toBe(200);
    const jobs = [];
    for (const [index, customer] of [one, two].entries()) {
      jobs.push(
        await scene.open([person('agent', agent, { reach: 'app' }), person('customer', customer)], {
          pool: 'app',
          reference: `job-${index + 1}`,
        }),
      );
    }
    for (const { body } of jobs)
      expect(body.participants[0]).toMatchObject({ reach: 'app', number: display });
    // The app starts the call: the agent's phone rings first, and shows the display number.
    const [first, second] = [agent.nextCall(), one.nextCall()];
    const started = await scene.call('POST', `/v1/sessions/${jobs[0]?.id}/calls`, {
      from: 'agent',
      to: 'customer',
    });
    expect(started.status, started.text).toBe(202);
    const [near, far] = [await first, await second];
    await expectTalk(near, far);
    expect(agent.displayed).toEqual([display]);
    expect(one.displayed).toEqual([jobs[0]?.dials[1]]);
    near.hangUp();
    await far.ended;
    // A customer calls their own number: the agent sees the display number again.
    await talks(two, jobs[1]?.dials[1] ?? '', agent, display);
    // Called back, it asks which of the open jobs is meant; the newest comes first.
    const call = agent.dial(display);
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/for-reference'))).toBeGreaterThan(0.8);
    const incoming = one.nextCall();
    await call.press('2');
    const other = await incoming;
    await expectTalk(call, other);
    call.hangUp();
    await other.ended;
    // One is resolved: who calls because of that one must not meet the other's customer unasked.
    await scene.call('POST', `/v1/sessions/${jobs[0]?.id}/close`, { reason: 'resolved' });
    const again = agent.dial(display);
    expect(await again.answered).toEqual({ ok: true });
    expect(await hears(again, prompt('en/for-reference'))).toBeGreaterThan(0.8);
    const last = two.nextCall();
    await again.press('1');
    await expectTalk(again, await last);
    again.hangUp();
    // With none left nobody is reached.
    await scene.call('POST', `/v1/sessions/${jobs[1]?.id}/close`, { reason: 'resolved' });
    const rung = [one.displayed.length, two.displayed.length];
    expect((await agent.dial(display).answered).ok).toBe(false);
    expect([one.displayed.length, two.displayed.length]).toEqual(rung);
  });

  test('sharedNumber: both dial and see the same number, and meet nobody else behind it', async () => {
    const [agent, customer, third] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const shared = await scene.open([person('agent', agent), person('customer', customer)], {
      sharedNumber: true,
    });
    const [number] = shared.dials;
    expect(shared.dials).toEqual([number, number]);
    await talks(agent, number ?? '', customer, number ?? '');
    await talks(customer, number ?? '', agent, number ?? '');
    expect((await third.dial(number ?? '').answered).ok).toBe(false);
    // The agent's next job is on another number: on this one the first customer is behind it.
    const next = await scene.open([person('agent', agent), person('customer', third)], {
      sharedNumber: true,
    });
    expect(next.dials[0]).not.toBe(number);
    await talks(agent, next.dials[0] ?? '', third, next.dials[0] ?? '');
    await talks(agent, number ?? '', customer, number ?? '');
  });

  test('a pool that is used up asks for the code, and each code leads to its own job', async () => {
    const agent = await scene.phone();
    const customers = [await scene.phone(), await scene.phone()] as const;
    await pool('codes', ['+622150060001'], { exhaustion: 'pin' });
    const jobs = [];
    for (const customer of customers) {
      jobs.push(await scene.open([person('agent', agent), person('customer', customer)], { pool: 'codes' }));
    }
    const [first, second] = jobs as [(typeof jobs)[0], (typeof jobs)[0]];
    const number = '+622150060001';
    expect(second.dials[0]).toMatch(/^\+622150060001,,\d{6}#$/);
    const code = second.body.participants[0].pin;
    const call = agent.dial(number);
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/enter-code'))).toBeGreaterThan(0.85);
    const incoming = customers[1].nextCall();
    await key(call, `${code}#`);
    await expectTalk(call, await incoming);
    expect(customers[0].displayed).toEqual([]);
    call.hangUp();
    // Who is bound once is never asked: each customer has one job.
    await talks(customers[0], number, agent, number);
    // The second job is resolved: who calls because of it is asked again, and rings nobody unasked.
    await scene.call('POST', `/v1/sessions/${second.id}/close`, { reason: 'resolved' });
    const rung = customers[0].displayed.length;
    const late = agent.dial(number);
    expect(await late.answered).toEqual({ ok: true });
    await pause(2_000);
    late.hangUp();
    await late.ended;
    expect(customers[0].displayed).toHaveLength(rung);
    expect(customers[1].displayed).toHaveLength(1);
    expect((await settledCalls(scene.call, first.id)).map(({ outcome }) => outcome)).toContain('connected');
  });

  test('idle: a session that nobody uses ends by itself, and each call sets its time anew', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const idle = 10;
    const { id, dials } = await scene.open([person('agent', agent), person('customer', customer)], {
      idleSeconds: idle,
    });
    await pause(6_000);
    await talks(agent, dials[0] ?? '', customer, dials[1] ?? '');
    const lastUse = Date.now();
    await pause(6_000);
    // Past the first idle time, not past the one since the call.
    expect((await scene.call('GET', `/v1/sessions/${id}`)).body.status).toBe('open');
    await eventually(
      'the session ends',
      async () => (await scene.call('GET', `/v1/sessions/${id}`)).body.status === 'expired',
      15_000,
    );
    expect(Date.now() - lastUse).toBeGreaterThan(idle * 1_000 - 200);
    const rung = customer.displayed.length;
    const late = agent.dial(dials[0] ?? '');
    expect(await late.answered).toEqual({ ok: false, status: 410 });
    expect(customer.displayed).toHaveLength(rung);
    expect(await eventKinds(scene, id)).toEqual(['session.opened', 'session.expired']);
  });
});

test('nothing that the platform told, sent or wrote down meanwhile holds anybody’s real number', async () => {
  await eventually('all calls are over', async () =>
    /^samar_calls 0$/m.test((await scene.call('GET', '/metrics')).text),
  );
  const { hits, planted, searched } = await scene.leaks();
  expect(planted).toBeGreaterThan(8);
  expect(searched['trunk']).toBeGreaterThan(50);
  expect(hits).toEqual([]);
});
