import type { Phone, PhoneCall } from '@samar/devcarrier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, settledCalls } from './support/platform.ts';
import {
  eventKinds,
  eventsOf,
  eventually,
  expectTalk,
  hears,
  lastCall,
  prompt,
  type Scene,
  startScene,
  voices,
} from './support/scene.ts';

/** The shapes that marketplaces have, each opened by HTTP and tried with real phones. */
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

/** Keys, as a phone sends them: a tenth of a second each. */
async function key(call: PhoneCall, digits: string): Promise<void> {
  for (const digit of digits) {
    await call.press(digit as '1');
    await pause(60);
  }
}

/** Calls, and hangs up again once both have understood each other. */
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

describe.concurrent('a shape', () => {
  test('a group of four: everybody rings at once, the first to answer talks, each sees their own number', async () => {
    const phones = await Promise.all([1, 2, 3, 4].map(() => scene.phone()));
    const [buyer, ...sellers] = phones as [Phone, Phone, Phone, Phone];
    const group = await scene.open(
      [person('buyer', buyer), ...sellers.map((phone) => person('seller', phone))],
      { program: { rules: [{ then: { connect: { mode: 'all', ringSeconds: 20 } } }] } },
    );
    for (const seller of sellers) seller.setOnRing('ignore');
    sellers[1].setOnRing('answer');
    await talks(buyer, group.dials[0] ?? '', sellers[1], group.dials[2] ?? '');
    for (const [index, seller] of sellers.entries()) {
      expect(seller.displayed).toEqual([group.dials[index + 1]]);
      expect(seller.ringing).toBe(0);
    }
    // From a seller, the others ring as well, the buyer among them.
    await talks(sellers[0], group.dials[1] ?? '', buyer, group.dials[0] ?? '');
    expect((await settledCalls(scene.call, group.id)).map(({ outcome }) => outcome)).toEqual([
      'connected',
      'connected',
    ]);
  });

  test('a listing: whoever calls gets a session of their own, and the seller calls each of them back', async () => {
    const [seller, one, two] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const { items } = (await scene.call('GET', '/v1/numbers?limit=200')).body;
    const reserved = items.find((one: { number: string }) => one.number === '+622150010039');
    expect((await scene.call('PATCH', `/v1/numbers/${reserved.id}`, { use: 'reserved' })).status).toBe(200);
    const listing = await scene.open(
      [person('seller', seller), { role: 'buyer', open: true, locale: 'en' }],
      {
        reference: 'listing-4711',
      },
    );
    const advertised = listing.body.participants[1].number;
    expect(advertised).toBe(reserved.number);
    await Promise.all(
      [one, two].map(async (buyer) => {
        const call = buyer.dial(advertised);
        expect(await call.answered).toEqual({ ok: true });
        await pause(200);
        call.hangUp();
      }),
    );
    const { items: conversations } = (await scene.call('GET', `/v1/sessions?parent=${listing.id}`)).body;
    expect(conversations).toHaveLength(2);
    const shown = seller.displayed.slice(0, 2);
    expect(new Set(shown).size).toBe(2);
    // The seller knows them apart by the numbers that showed.
    const waiting = new Map([one, two].map((buyer) => [buyer, buyer.nextCall()]));
    const reached = new Set<Phone>();
    for (const number of shown) {
      const call = seller.dial(number);
      expect(await call.answered).toEqual({ ok: true });
      const [buyer, other] = await Promise.race(
        [...waiting].map(async ([phone, incoming]) => [phone, await incoming] as const),
      );
      waiting.delete(buyer);
      reached.add(buyer);
      expect(buyer.displayed).toEqual([advertised]);
      await expectTalk(call, other);
      call.hangUp();
      await other.ended;
    }
    expect(reached.size).toBe(2);
  });

  test('one way: who may not start a call hears so, and is reached all the same', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const { id, dials } = await scene.open([
      person('agent', agent),
      person('customer', customer, { mayStart: false }),
    ]);
    const call = customer.dial(dials[1] ?? '');
    expect(await call.answered).toEqual({ ok: false, status: 403 });
    expect(await hears(call, prompt('en/not-allowed'), 0)).toBeGreaterThan(0.85);
    expect(agent.displayed).toEqual([]);
    const { why } = await lastCall(scene, id);
    expect(why.trace.forbidden).toEqual(['this participant may not start calls']);
    await talks(agent, dials[0] ?? '', customer, dials[1] ?? '');
  });

  test('click-to-call: both phones ring, each sees its virtual number only', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const { id, dials } = await scene.open([person('agent', agent), person('customer', customer)]);
    const [first, second] = [agent.nextCall(), customer.nextCall()];
    const started = await scene.call('POST', `/v1/sessions/${id}/calls`, { from: 'agent', to: 'customer' });
    expect(started.status, started.text).toBe(202);
    expect(started.headers.get('location')).toContain(started.body.id);
    const near = await first;
    const far = await second;
    expect(agent.displayed).toEqual([dials[0]]);
    expect(customer.displayed).toEqual([dials[1]]);
    expect(await hears(near, prompt('en/connecting'), 0)).toBeGreaterThan(0.85);
    await expectTalk(near, far);
    const hangup = await scene.call('POST', `/v1/calls/${started.body.id}/hangup`);
    expect([200, 202, 204], hangup.text).toContain(hangup.status);
    await Promise.all([near.ended, far.ended]);
    const { record, why } = await lastCall(scene, id);
    expect(record).toMatchObject({ id: started.body.id, kind: 'click-to-call', outcome: 'connected' });
    expect(why.steps.map(({ verb, outcome }: Record<string, string>) => [verb, outcome])).toEqual([
      ['ring', 'answered'],
      ['connect', 'answered'],
    ]);
  });

  test('whisper and press 1 to accept: the callee alone hears it; one who says nothing is not joined', async () => {
    const [agent, mailbox, customer] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const { id, dials } = await scene.open(
      [person('helper', mailbox), person('agent', agent), person('customer', customer)],
      { reference: 'A17', whisper: ['call-about', { characters: 'A17' }], accept: true },
    );
    // A mailbox answers, and says its words into a line where nobody is.
    const answered = mailbox.nextCall();
    const taken = agent.nextCall();
    const call = customer.dial(dials[2] ?? '');
    const box = await answered;
    expect(await hears(box, prompt('en/call-about'))).toBeGreaterThan(0.85);
    await box.say(voices.callee);
    await box.ended;
    const other = await taken;
    expect(await hears(other, prompt('en/call-about'))).toBeGreaterThan(0.85);
    expect(await hears(other, prompt('en/accept'))).toBeGreaterThan(0.85);
    await other.press('1');
    await expectTalk(call, other);
    for (const words of ['call-about', 'char-a', 'accept']) {
      expect(await hears(call, prompt(`en/${words}`), 0), words).toBeLessThan(0.7);
    }
    call.hangUp();
    await other.ended;
    const { why } = await lastCall(scene, id);
    expect(why.steps.map(({ verb, outcome }: Record<string, string>) => [verb, outcome])).toEqual([
      ['connect', 'not-accepted'],
      ['connect', 'answered'],
    ]);
  });

  test('what a mailbox said is heard by nobody', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const { dials } = await scene.open([person('agent', agent), person('customer', customer)], {
      accept: true,
      whisper: 'connecting',
    });
    const answered = agent.nextCall();
    const call = customer.dial(dials[1] ?? '');
    const box = await answered;
    await box.say(voices.callee);
    await box.press('2');
    expect((await call.answered).ok).toBe(false);
    expect(await hears(call, voices.callee, 0)).toBeLessThan(0.7);
    expect(await hears(call, prompt('en/connecting'), 0)).toBeLessThan(0.7);
    expect(await hears(call, prompt('en/unavailable'), 0)).toBeGreaterThan(0.85);
  });

  test('survey: the one who is still there is asked, and the answer is told by record and event', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const { id, dials, ids } = await scene.open([person('agent', agent), person('customer', customer)], {
      survey: { of: 'customer', keys: '12345' },
    });
    const incoming = agent.nextCall();
    const call = customer.dial(dials[1] ?? '');
    const other = await incoming;
    await expectTalk(call, other);
    other.hangUp();
    expect(await hears(call, prompt('en/survey'))).toBeGreaterThan(0.85);
    await call.press('4');
    expect(await hears(call, prompt('en/thanks'))).toBeGreaterThan(0.85);
    await call.ended;
    const { record } = await lastCall(scene, id);
    expect(record.survey).toEqual({ participant: ids[1], key: '4' });
    const event = (await eventsOf(scene, id)).find(({ kind }) => kind === 'call.survey');
    expect(event).toMatchObject({ subject: record.id, data: { participant: ids[1], key: '4' } });
  });

  test('several phones of one participant: rung in turn, and each of them may call', async () => {
    const [agent, desk, mobile] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const { id, dials } = await scene.open([
      person('agent', agent),
      { role: 'customer', phones: [desk.number, mobile.number], locale: 'en' },
    ]);
    desk.setOnRing('busy');
    await talks(agent, dials[0] ?? '', mobile, dials[1] ?? '');
    expect(desk.displayed).toEqual([dials[1]]);
    await talks(desk, dials[1] ?? '', agent, dials[0] ?? '');
    await talks(mobile, dials[1] ?? '', agent, dials[0] ?? '');
    expect((await settledCalls(scene.call, id)).map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('connected'),
    );
  });

  test('another phone is claimed by a code, once', async () => {
    const [agent, customer, borrowed, thief] = (await Promise.all([1, 2, 3, 4].map(() => scene.phone()))) as [
      Phone,
      Phone,
      Phone,
      Phone,
    ];
    // Numbers of their own, where no other test's codes are good; and codes of the session's own beside the claim's.
    const added = await scene.call('POST', '/v1/numbers', {
      numbers: ['+622150040001', '+622150040002'],
      pool: 'claims',
      carrier: 'test',
    });
    expect(added.status, added.text).toBe(201);
    const { id, body, ids } = await scene.open([person('agent', agent), person('customer', customer)], {
      pool: 'claims',
      pin: true,
    });
    const dials: readonly string[] = body.participants.map((one: { number: string }) => one.number);
    const claim = await scene.call('POST', `/v1/sessions/${id}/participants/${ids[1]}/claims`);
    expect(claim.status, claim.text).toBe(201);
    const { code, dial } = claim.body;
    const number = dials[1] ?? '';
    expect(dial).toBe(`${number},,${code}#`);
    const incoming = agent.nextCall();
    const call = borrowed.dial(number);
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/enter-code'))).toBeGreaterThan(0.85);
    await key(call, `${code}#`);
    const other = await incoming;
    expect(agent.displayed.at(-1)).toBe(dials[0]);
    await expectTalk(call, other);
    call.hangUp();
    await other.ended;
    expect(await eventKinds(scene, id)).toEqual(['session.opened', 'claim.created', 'phone.claimed']);
    // Now it is the customer's: no code any more, and it rings for the customer.
    await talks(borrowed, number, agent, dials[0] ?? '');
    customer.setOnRing('busy');
    await talks(agent, dials[0] ?? '', borrowed, number);
    // The code was good once.
    const late = thief.dial(number);
    expect(await late.answered).toEqual({ ok: true });
    expect(await hears(late, prompt('en/enter-code'))).toBeGreaterThan(0.85);
    await key(late, `${code}#`);
    expect(await hears(late, prompt('en/wrong-code'))).toBeGreaterThan(0.85);
    late.hangUp();
    // Released at the close.
    await scene.call('POST', `/v1/sessions/${id}/close`, { reason: 'resolved' });
    const rung = agent.displayed.length;
    expect((await borrowed.dial(number).answered).ok).toBe(false);
    expect(agent.displayed).toHaveLength(rung);
  });

  test('PIN: a caller who withholds the number keys the code; a wrong one reaches nobody', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const { id, body, dials } = await scene.open([person('agent', agent), person('customer', customer)], {
      pin: true,
    });
    const [, seat] = body.participants;
    expect(dials[1]).toBe(`${seat.number},,${seat.pin}#`);
    const wrong = customer.dial(seat.number, { withheld: true });
    expect(await wrong.answered).toEqual({ ok: true });
    expect(await hears(wrong, prompt('en/enter-code'))).toBeGreaterThan(0.85);
    const unlike = String((Number(seat.pin) + 1) % 1_000_000).padStart(6, '0');
    await key(wrong, `${unlike}#`);
    expect(await hears(wrong, prompt('en/wrong-code'))).toBeGreaterThan(0.85);
    await key(wrong, `${seat.pin}#`);
    const incoming = agent.nextCall();
    await expectTalk(wrong, await incoming);
    expect(agent.displayed).toEqual([body.participants[0].number]);
    wrong.hangUp();
    const { why } = await lastCall(scene, id);
    expect(why.steps.map(({ verb, outcome }: Record<string, string>) => [verb, outcome])).toEqual([
      ['code', 'wrong'],
      ['code', 'accepted'],
      ['connect', 'answered'],
    ]);
    expect(JSON.stringify(why)).not.toContain(seat.pin);
    // Who is recognised is never asked.
    await talks(customer, seat.number, agent, body.participants[0].number);
  });

  test('several jobs of one agent on one number: the caller chooses by the reference', async () => {
    const [agent, customer] = [await scene.phone(), await scene.phone()];
    const pool = 'tight';
    const added = await scene.call('POST', '/v1/numbers', {
      numbers: ['+622150020001', '+622150020002'],
      pool,
      carrier: 'test',
    });
    expect(added.status, added.text).toBe(201);
    expect((await scene.call('PATCH', `/v1/pools/${pool}`, { exhaustion: 'disambiguate' })).status).toBe(200);
    const others = await Promise.all([1, 2].map(() => scene.phone()));
    const jobs = [];
    for (const [index, other] of [customer, ...others].entries()) {
      jobs.push(
        await scene.open([person('agent', agent), person('customer', other)], {
          pool,
          reference: `order-${index + 1}7`,
        }),
      );
    }
    const shared = jobs[2]?.dials[0] ?? '';
    const sharing = jobs.filter(({ dials }) => dials[0] === shared);
    expect(sharing.length).toBeGreaterThan(1);
    const call = agent.dial(shared);
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/for-reference'))).toBeGreaterThan(0.8);
    const [, older] = [...sharing].reverse();
    const callee = [customer, ...others][jobs.indexOf(older as (typeof jobs)[number])] as Phone;
    const incoming = callee.nextCall();
    // The newest comes first.
    await call.press('2');
    const other = await incoming;
    await expectTalk(call, other);
    expect(callee.displayed).toEqual([older?.dials[1]]);
    call.hangUp();
    await other.ended;
  });
});

test('nothing that the platform told, sent or wrote down meanwhile holds anybody’s real number', async () => {
  await eventually('all calls are over', async () =>
    /^samar_calls 0$/m.test((await scene.call('GET', '/metrics')).text),
  );
  const { hits, planted, searched } = await scene.leaks();
  expect(planted).toBeGreaterThan(25);
  expect(searched['trunk']).toBeGreaterThan(100);
  expect(hits).toEqual([]);
});
