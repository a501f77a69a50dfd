import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, settledCalls } from './support/platform.ts';
import { expectTalk, hears, prompt, voices } from './support/scene.ts';
import {
  connect,
  hearsInstead,
  type Pair,
  recordedTalk,
  startTrustScene,
  type TrustScene,
} from './support/trust.ts';

/** Disputes and restrictions on the whole platform: real calls, the participants' pages, and what the business does. */
let scene: TrustScene;

beforeAll(async () => {
  scene = await startTrustScene();
});

afterAll(() => scene?.stop());

interface LedgerItem {
  readonly id: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject?: string;
}
const ledger = async (query: string): Promise<readonly LedgerItem[]> =>
  (await scene.ask('GET', `/v1/ledger?${query}&limit=200`)).items;

async function onlyDispute(session: string) {
  await expect
    .poll(async () => (await scene.ask('GET', `/v1/disputes?session=${session}`)).items.length)
    .toBe(1);
  const [{ id }] = (await scene.ask('GET', `/v1/disputes?session=${session}`)).items;
  return scene.ask('GET', `/v1/disputes/${id}`);
}

/** Neither reaches the other by these numbers. */
async function apart({ agent, customer, session }: Pair): Promise<void> {
  await Promise.all([
    hearsInstead(agent, session.dials[0] ?? '', 'not-connected'),
    hearsInstead(customer, session.dials[1] ?? '', 'not-connected'),
  ]);
}

async function together(pair: Pair): Promise<void> {
  const { call, other } = await connect(scene, pair);
  await expectTalk(call, other);
  call.hangUp();
  await other.ended;
}

describe('*9', () => {
  test('during a call opens a dispute in the name of who pressed, holds the session, and only they hear of it', async () => {
    const pair = await scene.pair();
    const { call, other, id } = await connect(scene, pair);
    await expectTalk(call, other);
    const before = call.heard().length;
    await other.press('*');
    await other.press('9');
    expect(await hears(other, prompt('en/reported'))).toBeGreaterThan(0.85);
    expect(await hears(call, prompt('en/reported'), 300, before)).toBeLessThan(0.7);
    await pause(1_500);
    await expectTalk(call, other);
    const dispute = await onlyDispute(pair.session.id);
    const [, customer] = pair.session.ids;
    expect(dispute).toMatchObject({
      ...{ call: id, category: 'other', status: 'open', calls: [id] },
      openedBy: { kind: 'call', id: customer },
      statement: 'Reported by a key during the call.',
    });
    const holds = await scene.ask('GET', `/v1/holds?session=${pair.session.id}&active=true`);
    expect(holds.items).toMatchObject([{ id: dispute.hold, dispute: dispute.id, placedBy: customer }]);
    const entries = await ledger(`session=${pair.session.id}&kind=dispute.*`);
    expect(entries).toMatchObject([{ kind: 'dispute.opened', actor: customer, subject: dispute.id }]);
    // Again by the same: the same dispute.
    await other.press('*');
    await other.press('9');
    await pause(400);
    call.hangUp();
    await other.ended;
    expect((await scene.ask('GET', `/v1/disputes?session=${pair.session.id}`)).items).toHaveLength(1);
  });

  test('after the call, where the business wants it: who stays is asked, and hung up', async () => {
    await scene.ask('PATCH', '/v1/settings', { reportAfterCall: true });
    const pair = await scene.pair();
    const { call, other, id } = await connect(scene, pair);
    await expectTalk(call, other);
    call.hangUp();
    expect(await hears(other, prompt('en/report-call'))).toBeGreaterThan(0.85);
    await other.press('*');
    await other.press('9');
    await other.ended;
    await scene.ask('PATCH', '/v1/settings', { reportAfterCall: false });
    expect(await onlyDispute(pair.session.id)).toMatchObject({
      ...{ call: id, openedBy: { kind: 'call', id: pair.session.ids[1] } },
      statement: 'Reported by a key after the call.',
    });
    const [record] = await settledCalls(scene.call, pair.session.id);
    expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'caller' });
  });
});

describe('a dispute from the page', () => {
  test('ends with a verdict that keeps them apart everywhere, until the block is lifted; then time takes the recording', async () => {
    const pair = await scene.pair({ recording: 'announce' });
    const { agent, customer, session, pages } = pair;
    const call = await recordedTalk(scene, pair, voices.caller);
    const again = await scene.open([
      { role: 'agent', phone: agent.number, locale: 'en' },
      { role: 'customer', phone: customer.number, locale: 'en' },
    ]);
    const elsewhere: Pair = { ...pair, session: again };

    const reported = await scene.press(`${pages[1]}/report`, {
      ...{ category: 'harassment', call, statement: 'He shouted at me.' },
    });
    expect(reported.status, reported.text).toBe(303);
    const dispute = await onlyDispute(session.id);
    expect(dispute).toMatchObject({
      openedBy: { kind: 'participant', id: session.ids[1] },
      ...{ against: session.ids[0], call, category: 'harassment', statement: 'He shouted at me.' },
    });
    // What the page of the other shows is what it showed before.
    expect((await scene.visit(pages[0])).text).not.toContain('reported');

    const listened = await scene.call('GET', `/v1/calls/${call}/recording?reason=a+complaint+of+today`);
    expect(listened.status).toBe(200);
    expect((await scene.visit(pages[1])).text).toContain('a complaint of today');
    expect((await scene.visit(pages[0])).text).toContain('a complaint of today');
    const held = await scene.call('DELETE', `/v1/calls/${call}/recording`, undefined, {
      'x-access-reason': 'to be rid of it',
    });
    expect(held.body.type).toBe('/problems/on-hold');
    await scene.sql(`update recordings set started_at = started_at - interval '31 days' where call = $1`, [
      call,
    ]);
    expect((await scene.housekeeping()).recordings).toBe(0);

    const decided = await scene.ask('POST', `/v1/disputes/${dispute.id}/verdict`, {
      ...{ version: dispute.version, verdict: 'upheld', text: 'It is to be heard.' },
      block: { towards: 'others' },
    });
    await apart(pair);
    await apart(elsewhere);
    const refused = await scene.call('POST', '/v1/sessions', {
      participants: [
        { role: 'agent', phone: agent.number },
        { role: 'customer', phone: customer.number },
      ],
    });
    expect(refused.body.type).toBe('/problems/blocked');
    // Neither of them is kept from others.
    const stranger = await scene.phone();
    const third = await scene.open([
      { role: 'agent', phone: agent.number, locale: 'en' },
      { role: 'customer', phone: stranger.number, locale: 'en' },
    ]);
    await together({ ...pair, customer: stranger, session: third });

    expect((await scene.ask('GET', `/v1/holds?session=${session.id}&active=true`)).items).toEqual([]);
    await scene.ask('DELETE', `/v1/blocks/${decided.verdict.block}`);
    await together(elsewhere);
    expect((await scene.housekeeping()).recordings).toBe(1);
    const record = await scene.ask('GET', `/v1/calls/${call}`);
    expect(record.recording.status).toBe('deleted');
    const kinds = (await ledger(`session=${session.id}`)).map(({ kind }) => kind);
    expect(kinds).toEqual(
      expect.arrayContaining([
        ...['dispute.opened', 'hold.placed', 'recording.listened', 'dispute.decided', 'hold.released'],
        ...['recording.deleted'],
      ]),
    );
  });
});

describe('a restriction', () => {
  test('stops everything with that number at once, in the right words, and nothing is lost when it is lifted', async () => {
    const pair = await scene.pair({ recording: 'announce' });
    const { agent, customer, session } = pair;
    const call = await recordedTalk(scene, pair, voices.caller);
    const running = await connect(scene, pair);
    expect(await hears(running.other, prompt('en/recording'))).toBeGreaterThan(0.85);

    const restriction = await scene.ask('POST', '/v1/privacy/restrict', {
      ...{ phone: customer.number, reason: 'a letter of today' },
    });
    expect(restriction.status).toBe('done');
    await Promise.all([running.call.ended, running.other.ended]);
    const cut = (await settledCalls(scene.call, session.id)).at(-1);
    expect(cut).toMatchObject({ hangupBy: 'platform' });

    await apart(pair);
    const stranger = await scene.phone();
    const people = [
      { role: 'agent', phone: stranger.number, locale: 'en' },
      { role: 'customer', phone: customer.number, locale: 'en' },
    ];
    const created = await scene.call('POST', '/v1/sessions', { participants: people });
    expect([created.status, created.body.type]).toEqual([409, '/problems/subject-restricted']);
    const others = await scene.open([
      { role: 'agent', phone: stranger.number, locale: 'en' },
      { role: 'helper', phone: agent.number, locale: 'en' },
    ]);
    const added = await scene.call('PATCH', `/v1/sessions/${others.id}`, {
      participants: { add: [people[1]] },
    });
    expect([added.status, added.body.type], added.text).toEqual([409, '/problems/subject-restricted']);
    for (const [from, to] of [
      ['agent', 'customer'],
      ['customer', 'agent'],
    ]) {
      const clicked = await scene.call('POST', `/v1/sessions/${session.id}/calls`, { from, to });
      expect([clicked.status, clicked.body.type], clicked.text).toEqual([
        409,
        '/problems/subject-restricted',
      ]);
    }
    const listening = await scene.call('GET', `/v1/calls/${call}/recording?reason=because`);
    expect([listening.status, listening.body.type]).toEqual([409, '/problems/subject-restricted']);
    const download = await scene.call('POST', `/v1/calls/${call}/recording/downloads`, { reason: 'because' });
    expect([download.status, download.body.type]).toEqual([409, '/problems/subject-restricted']);

    const lifted = await scene.ask('POST', `/v1/privacy/requests/${restriction.id}/lift`, {});
    expect(lifted.status).toBe('lifted');
    const { call: once, other } = await connect(scene, pair, 'customer');
    expect(await hears(other, prompt('en/recording'))).toBeGreaterThan(0.85);
    await pause(1_200);
    await expectTalk(once, other);
    once.hangUp();
    await other.ended;
    expect((await scene.call('GET', `/v1/calls/${call}/recording?reason=because`)).status).toBe(200);
    await scene.open(people);
    const told = await ledger(`subject=${restriction.id}`);
    expect(told.map(({ kind }) => kind).sort()).toEqual(['privacy.restricted', 'privacy.restriction-lifted']);
  });

  test('plays no message of theirs to anybody', async () => {
    const [agent, helper, customer] = [await scene.phone(), await scene.phone(), await scene.phone()];
    const session = await scene.open(
      [
        { role: 'agent', phone: agent.number, locale: 'en' },
        { role: 'helper', phone: helper.number, locale: 'en' },
        { role: 'customer', phone: customer.number, locale: 'en' },
      ],
      {
        program: {
          rules: [
            {
              when: "caller.role == 'customer'",
              then: [{ connect: { to: 'agent', ringSeconds: 5 } }, { voicemail: { for: 'agent' } }],
            },
          ],
        },
      },
    );
    agent.setOnRing('unavailable');
    const call = customer.dial(session.dials[2] ?? '');
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/voicemail'))).toBeGreaterThan(0.85);
    await pause(4_500);
    await call.say(voices.caller);
    await call.press('#');
    await call.ended;
    const restriction = await scene.ask('POST', '/v1/privacy/restrict', {
      ...{ phone: customer.number, reason: 'a letter of today' },
    });
    const silent = agent.dial(session.dials[0] ?? '');
    await silent.answered;
    expect(await hears(silent, prompt('en/messages'), 2_500)).toBeLessThan(0.7);
    silent.hangUp();
    await scene.ask('POST', `/v1/privacy/requests/${restriction.id}/lift`, {});
    const listening = agent.dial(session.dials[0] ?? '');
    expect(await hears(listening, prompt('en/messages'))).toBeGreaterThan(0.85);
    listening.hangUp();
  });
});

test('nothing that anybody got meanwhile holds anybody’s number', async () => {
  const { hits } = await scene.leaks();
  expect(hits).toEqual([]);
});
