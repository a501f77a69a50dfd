import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actAs } from '../../masking/actor.ts';
import { phone, targetsOf } from '../../masking/testing.ts';
import { type TestRights, testRights } from './testing.ts';

let next = 930_000;
const somebody = () => phone(next++);

let stage: TestRights;
beforeAll(async () => {
  stage = await testRights();
  await stage.heart.stock({ count: 12 });
});
afterAll(() => stage.close());

const open = (one: string, other: string) =>
  stage.heart.masking.createSession('default', {
    participants: [
      { role: 'agent', phones: [one] },
      { role: 'customer', phones: [other] },
    ],
  });

describe('a restriction', () => {
  it('stops sessions, calls and joining, until it is lifted', async () => {
    const [one, other, third] = [somebody(), somebody(), somebody()];
    const session = await open(one, other);
    const { call } = await stage.talk(one, session.participants[0]?.dial ?? '', { running: true });
    const made = await stage.rights.restrict('default', { phone: one }, 'contested');
    expect(made).toMatchObject({ kind: 'restrict', status: 'done' });
    expect((await stage.rights.restrict('default', { phone: one }, 'contested')).id).toBe(made.id);

    const [running] = await stage.sql('select hangup_requested_at from calls where call = $1', [call]);
    expect(running).toMatchObject({ hangup_requested_at: expect.any(Date) });
    await expect(open(third, one)).rejects.toMatchObject({
      code: 'subject-restricted',
      pointer: '/participants/1/phones/0',
    });
    const free = await open(third, other);
    await expect(
      stage.heart.masking.updateSession('default', free.id, {
        participants: { add: [{ role: 'boss', phones: [one] }] },
      }),
    ).rejects.toMatchObject({ code: 'subject-restricted', pointer: '/participants/add/0/phones/0' });
    await expect(
      stage.heart.masking.createSession('default', {
        participants: [
          { role: 'seller', phones: [one] },
          { role: 'buyer', phones: [], open: true },
        ],
      }),
    ).rejects.toMatchObject({ code: 'subject-restricted' });

    // Both hear what a blocked caller hears.
    expect(targetsOf(await stage.heart.dial(one, session.participants[0]?.dial ?? ''))).toEqual([]);
    expect(targetsOf(await stage.heart.dial(other, session.participants[1]?.dial ?? ''))).toEqual([]);
    await stage.heart.masking.closeSession('default', session.id, { reason: 'done' });
    await expect(stage.heart.masking.reopenSession('default', session.id, {})).rejects.toMatchObject({
      code: 'subject-restricted',
    });

    // It is no block, for whoever looks after blocks.
    expect((await stage.heart.masking.listBlocks('default', { limit: 50 })).items).toEqual([]);
    const [block] = await stage.sql<{ readonly block: string }>(
      'select block from blocks where request = $1',
      [made.id],
    );
    await expect(stage.heart.masking.liftBlock('default', block?.block ?? '')).rejects.toMatchObject({
      code: 'not-found',
    });

    expect((await stage.rights.liftRestriction('default', made.id)).status).toBe('lifted');
    expect((await stage.rights.liftRestriction('default', made.id)).status).toBe('lifted');
    await stage.heart.masking.reopenSession('default', session.id, {});
    expect(targetsOf(await stage.heart.dial(one, session.participants[0]?.dial ?? ''))).toHaveLength(1);
    const again = await stage.rights.restrict('default', { phone: one }, 'contested again');
    expect(again.id).not.toBe(made.id);
    await stage.rights.liftRestriction('default', again.id);
  });

  it('is of a block’s words still when it is a block', async () => {
    const [one, other] = [somebody(), somebody()];
    await stage.heart.masking.createBlock('default', { phone: one, reason: 'rude' }, 'api');
    await expect(open(other, one)).rejects.toMatchObject({ code: 'blocked' });
  });
});

describe('an erasure that somebody asked for on their page', () => {
  it('waits, once, until somebody decides, once', async () => {
    const [one, other] = [somebody(), somebody()];
    const session = await open(one, other);
    const participant = session.participants[0]?.id ?? '';
    const asked = await actAs(participant, () => stage.rights.askErasure('default', participant));
    expect(asked).toMatchObject({ kind: 'erase', status: 'asked', requestedBy: participant });
    expect((await stage.rights.askErasure('default', participant)).id).toBe(asked.id);
    const listed = await stage.rights.list('default', { kind: 'erase', status: 'asked' }, { limit: 10 });
    expect(listed.items.map((item) => item.id)).toEqual([asked.id]);

    const refused = await actAs('usr_x', () =>
      stage.rights.decideAsked('default', asked.id, false, 'a dispute is open'),
    );
    expect(refused).toMatchObject({
      status: 'refused',
      decision: { by: 'usr_x', reason: 'a dispute is open' },
    });
    await expect(stage.rights.decideAsked('default', asked.id, true, 'after all')).rejects.toMatchObject({
      code: 'already-decided',
    });
    const second = await stage.rights.askErasure('default', participant);
    expect(second.id).not.toBe(asked.id);
    const decided = await Promise.allSettled(
      [1, 2].map(() => stage.rights.decideAsked('default', second.id, true, 'granted')),
    );
    expect(decided.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected']);
    const done = await stage.finished(second.id);
    expect(done).toMatchObject({ status: 'done', receipt: { bindingsCut: 1 } });
    await expect(stage.rights.askErasure('default', participant)).rejects.toMatchObject({
      code: 'subject-erased',
    });
  });

  it('is done with the business’s own', async () => {
    const one = somebody();
    const session = await open(one, somebody());
    const asked = await stage.rights.askErasure('default', session.participants[0]?.id ?? '');
    const own = await stage.rights.requestErasure('default', { phone: one }, 'a letter');
    expect(own.id).not.toBe(asked.id);
    await stage.finished(own.id);
    expect((await stage.rights.get('default', asked.id)).status).toBe('done');
  });
});

describe('a breach report', () => {
  it('tells who was affected by what somebody did in a time', async () => {
    const [one, other, third] = [somebody(), somebody(), somebody()];
    const session = await open(one, other);
    await open(third, other);
    const { call } = await stage.talk(one, session.participants[0]?.dial ?? '', { recorded: true });
    const from = new Date(Date.now() - 1);
    const by = { actor: 'usr_thief', reason: 'curious' };
    await stage.heart.masking.openRecording('default', call, by);
    await stage.heart.masking.revealPhone('default', session.id, session.participants[1]?.id ?? '', by);
    const to = new Date(Date.now() + 1_000);
    const report = await stage.rights.breachReport('default', { from, to, actor: 'usr_thief' });
    expect(report).toMatchObject({ entries: 2, cut: false });
    expect(report.people).toHaveLength(2);
    expect(report.people.map((person) => person.kinds).sort()).toEqual([
      ['phone.revealed', 'recording.listened'],
      ['recording.listened'],
    ]);
    for (const person of report.people) {
      expect(person.sessions).toBe(1);
      expect(person.phone).toMatch(/^\+62•+\d{4}$/);
    }
    expect(
      (
        await stage.rights.breachReport('default', {
          from,
          to,
          actor: 'usr_thief',
          kinds: ['phone.revealed'],
        })
      ).people,
    ).toHaveLength(1);
    expect(
      (await stage.rights.breachReport('default', { from, to, kinds: ['login.*'] })).people,
    ).toHaveLength(0);
    expect(
      (await stage.rights.breachReport('default', { from: new Date(0), to: new Date(1000) })).entries,
    ).toBe(0);
    const told = await stage.sql(
      `select details from ledger where kind = 'privacy.breach-report' order by entry limit 1`,
    );
    expect(told[0]).toMatchObject({ details: { of: 'usr_thief', people: 2, entries: 2 } });
  });

  it.each([
    [{ from: new Date(2), to: new Date(1) }],
    [{ from: new Date(Number.NaN), to: new Date(1) }],
    [{ from: new Date(0), to: new Date(401 * 86_400_000) }],
    [{ from: new Date(0), to: new Date(1), actor: "x' or 1=1" }],
    [{ from: new Date(0), to: new Date(1), kinds: [] }],
    [{ from: new Date(0), to: new Date(1), kinds: ['%'] }],
    [{ from: new Date(0), to: new Date(1), kinds: Array.from({ length: 21 }, () => 'reveal') }],
  ])('refuses %j', async (question) => {
    await expect(stage.rights.breachReport('default', question)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('what is old', () => {
  const age = async (session: string, days: number) => {
    // Ids hold their time, so they are made older, too.
    const shift = (id: string) => {
      const [prefix, rest] = id.split('_') as [string, string];
      const time = Number.parseInt(rest.slice(0, 12), 16) - days * 86_400_000;
      return `${prefix}_${time.toString(16).padStart(12, '0')}${rest.slice(12)}`;
    };
    const older = shift(session);
    await stage.sql(
      `update sessions set session = $2, status = 'closed', created_at = created_at - make_interval(days => $3),
        closed_at = now() - make_interval(days => $3) where session = $1`,
      [session, older, days],
    );
    for (const table of ['participants', 'participant_phones', 'recordings']) {
      await stage.sql(`update ${table} set session = $2 where session = $1`, [session, older]);
    }
    await stage.sql(
      `update bindings set released_at = now() - make_interval(days => $2), free_at = now() - make_interval(days => $2)
        where session = $1`,
      [session, days],
    );
    await stage.sql('update bindings set session = $2 where session = $1', [session, older]);
    const calls = await stage.sql<{ readonly call: string }>('select call from calls where session = $1', [
      session,
    ]);
    for (const { call } of calls) {
      const to = shift(call);
      await stage.sql('alter table recordings disable trigger all');
      await stage.sql(
        'update calls set call = $2, session = $3, ended_at = now() - make_interval(days => $4) where call = $1',
        [call, to, older, days],
      );
      await stage.sql('update call_legs set call = $2 where call = $1', [call, to]);
    }
    const parties = await stage.sql<{ readonly party: string }>(
      'select party from participant_phones where session = $1',
      [older],
    );
    return { session: older, parties: parties.map((row) => row.party), agedParty: shift };
  };

  it('stays unless the tenant said for how long, and then goes, but for what is on hold', async () => {
    const [kept, gone] = [await open(somebody(), somebody()), await open(somebody(), somebody())];
    for (const session of [kept, gone])
      await stage.talk(
        (
          await stage.heart.masking.revealPhone('default', session.id, session.participants[0]?.id ?? '', {
            actor: 'x',
            reason: 'test',
          })
        )[0] ?? '',
        session.participants[0]?.dial ?? '',
      );
    const held = await age(kept.id, 400);
    const old = await age(gone.id, 400);
    const young = await open(somebody(), somebody());
    await stage.sql(
      `insert into legal_holds (tenant, hold, session, reason, placed_by, placed_at) values ('default', 'hld_9', $1, '', 'usr_x', now())`,
      [held.session],
    );
    expect(await stage.rights.retain()).toBe(0);
    await stage.sql(
      `update tenants set settings = settings || '{"retention":{"callDays":-5}}' where tenant = 'default'`,
    );
    expect(await stage.rights.retain()).toBe(0);
    // The legal minimum goes before the tenant's wish.
    await stage.sql(
      `update tenants set settings = settings || '{"retention":{"callDays":30,"legalFloorDays":500}}' where tenant = 'default'`,
    );
    expect(await stage.rights.retain()).toBe(0);

    await stage.sql(
      `update tenants set settings = settings || '{"retention":{"callDays":365}}' where tenant = 'default'`,
    );
    await stage.rights.retain();
    expect(await stage.sql('select from calls where session = $1', [old.session])).toHaveLength(0);
    expect(await stage.sql('select from sessions where session = $1', [old.session])).toHaveLength(0);
    expect(await stage.sql('select from participant_phones where session = $1', [old.session])).toHaveLength(
      0,
    );
    expect(await stage.sql('select from bindings where session = $1', [old.session])).toHaveLength(0);
    expect(await stage.sql('select from calls where session = $1', [held.session])).toHaveLength(1);
    expect((await stage.heart.masking.getSession('default', young.id)).status).toBe('open');
    const [told] = await stage.sql(
      `select details from ledger where kind = 'retention.ran' order by entry desc limit 1`,
    );
    expect(told).toMatchObject({ details: { calls: 1, sessions: 1 } });

    // Parties are forgotten by the age of their id, when nothing leads to them.
    const [party] = old.parties;
    const aged = old.agedParty(party ?? '');
    await stage.sql('update party_keys set party = $2 where party = $1', [party, aged]);
    await stage.sql('update parties set party = $2 where party = $1', [party, aged]);
    expect(await stage.rights.retain()).toBe(1);
    expect(await stage.sql('select from party_keys where party = $1', [aged])).toHaveLength(0);
    expect(await stage.sql('select from parties where party = $1', [aged])).toHaveLength(0);
    await stage.sql(`update tenants set settings = settings - 'retention' where tenant = 'default'`);
  });
});

describe('requests', () => {
  it('say the same of whoever is unknown, and refuse what can’t be', async () => {
    const unknown = await stage.rights
      .requestExport('default', { phone: somebody() }, 'a letter')
      .catch((error: unknown) => error);
    expect(unknown).toMatchObject({ code: 'not-found' });
    for (const participant of ['par_1', `par_${'0'.repeat(32)}`, '']) {
      await expect(stage.rights.requestErasure('default', { participant }, 'a letter')).rejects.toEqual(
        unknown,
      );
    }
    await expect(stage.rights.restrict('default', { phone: '0811' }, 'a letter')).rejects.toMatchObject({
      code: 'invalid-number',
    });
    await expect(stage.rights.restrict('default', { phone: somebody() }, 'x')).rejects.toMatchObject({
      pointer: '/reason',
    });
    await expect(stage.rights.get('default', 'prv_x')).rejects.toMatchObject({ code: 'not-found' });
    await expect(stage.rights.liftRestriction('default', `prv_${'0'.repeat(32)}`)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(stage.reports).toEqual([]);
  });
});
