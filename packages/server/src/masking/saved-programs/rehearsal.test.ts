import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSettings } from '../access/settings.ts';
import { newId } from '../ids.ts';
import type { ProgramTest } from '../service.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import { createPrograms } from './programs.ts';
import { createRehearsal } from './rehearsal.ts';

const step = (then: unknown, when?: string, name?: string) => ({ name, when, then });
const rules = (...all: unknown[]) => ({ rules: all });
const options = { prompts: new Set(['closed', 'ended', 'voicemail']) };

/** Monday morning in Jakarta. */
const monday = new Date('2026-03-02T02:00:00Z');
const hours = (count: number) => new Date(monday.getTime() + count * 3_600_000);

describe('testing a program', () => {
  let heart: TestMasking;
  let part: ReturnType<typeof createRehearsal>;
  let programs: ReturnType<typeof createPrograms>;
  const ask = <Row>(text: string, values: readonly unknown[] = []) =>
    heart.test.database.query<Row>('', text, values);
  beforeEach(async () => {
    heart = await testMasking();
    const context = { database: heart.test.database, vault: heart.vault, doors: heart.doors };
    part = createRehearsal(context, options);
    programs = createPrograms(context, options);
    await createSettings(context).updateSettings('default', { timeZone: 'Asia/Jakarta', ringSeconds: 30 });
  });
  afterEach(() => heart.close());
  const test = (definition: unknown, rest: ProgramTest) => part.testProgram('default', { definition }, rest);

  it('names the rule that fires and what then happens, without a session', async () => {
    const definition = rules(
      step({ refuse: 'closed' }, 'now.hour < 8 || now.hour >= 20', 'night'),
      step(
        { connect: { to: ['agent'], ringSeconds: 15 } },
        'caller.role == "customer" && session.metadata.tier == "gold"',
      ),
      step([{ connect: {} }, { voicemail: true }]),
    );
    const gold = await test(definition, { caller: 'customer', at: monday, metadata: { tier: 'gold' } });
    expect(gold.trace).toEqual({
      program: { source: 'inline' },
      at: monday.toISOString(),
      timeZone: 'Asia/Jakarta',
      open: true,
      rules: [
        { place: '/rules/0', name: 'night', outcome: 'false' },
        { place: '/rules/1', outcome: 'fired' },
      ],
      forbidden: [],
      steps: [{ place: '/rules/1/then', verb: 'connect', to: [`par_${'1'.padStart(32, '0')}`] }],
    });
    expect(gold.summary).toEqual([expect.stringContaining('agent')]);
    expect(gold.summary[0]).toContain('15 s');
    const plain = await test(definition, { caller: 'customer', at: monday, metadata: { tier: 'tin' } });
    expect(plain.trace.rules.at(-1)).toEqual({ place: '/rules/2', outcome: 'fired' });
    expect(plain.summary).toHaveLength(2);
    expect(plain.summary[0]).toContain('30 s');
    const night = await test(definition, { caller: 'customer', at: hours(13) });
    expect(night.trace.rules).toEqual([{ place: '/rules/0', name: 'night', outcome: 'fired' }]);
    expect(night.trace.steps).toEqual([expect.objectContaining({ verb: 'refuse' })]);
  });

  it('takes roles for people, and the history, reference and number that it is told', async () => {
    await heart.stock({ count: 1, pool: 'jakarta' });
    const definition = rules(
      step(
        { connect: { to: 'dispatcher' } },
        'attempt.calls == 3 && attempt.sinceLast == 9 && session.reference == "A7" && call.pool == "jakarta" && call.country == "ID" && call.number.startsWith("num_")',
      ),
      step({ refuse: 'closed' }),
    );
    const told: ProgramTest = {
      roles: ['driver', 'customer', 'dispatcher'],
      caller: 'driver',
      reference: 'A7',
      number: '+62215000001',
      attempt: { calls: 3, sinceLast: 9 },
    };
    const result = await test(definition, told);
    expect(result.trace.rules).toEqual([{ place: '/rules/0', outcome: 'fired' }]);
    expect(result.trace.steps[0]?.to).toEqual([`par_${'3'.padStart(32, '0')}`]);
    const { reference: _reference, ...without } = told;
    expect((await test(definition, without)).trace.rules.at(-1)?.place).toBe('/rules/1');
  });

  it('is of the newest version of a saved program, by id or name', async () => {
    const { id } = await programs.createProgram('default', {
      name: 'day',
      definition: rules(step({ refuse: 'closed' })),
    });
    await programs.updateProgram('default', id, { definition: rules(step({ connect: 'agent' })) });
    for (const program of ['day', id]) {
      const { trace } = await part.testProgram('default', program, { caller: 'customer' });
      expect(trace.program).toEqual({ source: 'named', id, version: 2 });
      expect(trace.steps.map((one) => one.verb)).toEqual(['connect']);
    }
    // A role that nobody has: what a saved program may name, and a call finds out.
    const { trace } = await part.testProgram('default', 'day', { roles: ['a', 'b'], caller: 'a' });
    expect(trace.steps).toEqual([expect.objectContaining({ verb: 'refuse' })]);
  });

  it('is refused with the place', async () => {
    const fine = rules(step({ connect: 'agent' }));
    const wrong: readonly (readonly [
      definition: unknown,
      test: ProgramTest,
      code: string,
      pointer?: string,
    ])[] = [
      [rules(step({ connect: 'pilot' })), { caller: 'agent' }, 'program-invalid', '/rules/0/then/connect'],
      [rules(step({ forward: 'nowhere' })), { caller: 'agent' }, 'program-invalid', '/rules/0/then/forward'],
      [
        rules(step({ announce: 'nothing' })),
        { caller: 'agent' },
        'program-invalid',
        '/rules/0/then/announce',
      ],
      [fine, { caller: 'pilot' }, 'unknown-participant', '/caller'],
      [fine, { caller: newId(heart.doors, 'par') }, 'unknown-participant', '/caller'],
      [fine, { caller: 'agent', roles: [] }, 'invalid', '/roles'],
      [fine, { caller: 'agent', roles: Array.from({ length: 11 }, () => 'agent') }, 'invalid', '/roles'],
      [fine, { caller: 'agent', roles: ['agent', '+6281110000001'] }, 'invalid', '/roles/1'],
      [fine, { caller: 'agent', at: new Date('never') }, 'invalid', '/at'],
      [fine, { caller: 'agent', number: '+62215000001' }, 'invalid', '/number'],
      [fine, { caller: 'agent', attempt: { tries: 1 } }, 'invalid', '/attempt'],
      [fine, { caller: 'agent', attempt: { calls: -1 } }, 'invalid', '/attempt/calls'],
      [fine, { caller: 'agent', attempt: { recent: 1.5 } }, 'invalid', '/attempt/recent'],
      [fine, { caller: 'agent', session: newId(heart.doors, 'ses') }, 'not-found'],
      [fine, { caller: 'agent', session: 'a\0' }, 'not-found'],
    ];
    for (const [definition, given, code, pointer] of wrong) {
      const error = await test(definition, given).catch((error) => error);
      expect([given, error.code, error.pointer]).toEqual([given, code, pointer]);
      expect(error.message).not.toMatch(/62\d{6}/);
    }
    await expect(part.testProgram('default', 'nothing', { caller: 'agent' })).rejects.toMatchObject({
      code: 'unknown-program',
    });
    await expect(part.testProgram('nobody', { definition: fine }, { caller: 'agent' })).rejects.toMatchObject(
      {
        code: 'not-found',
      },
    );
  });

  describe('in a session', () => {
    const session = `ses_${'a'.repeat(32)}`;
    const people = ['agent', 'customer', 'customer'].map((role, index) => ({
      role,
      id: `par_${String(index + 1).repeat(32)}`,
      party: `pty_${index + 1}`,
    }));
    const [agent = '', anna = '', budi = ''] = people.map((one) => one.id);
    const change = (text: string, values: readonly unknown[] = []) =>
      ask(`update sessions set ${text}`, values);
    const everybody = rules(step({ connect: {} }));

    beforeEach(async () => {
      await heart.stock({ count: 3 });
      const numbers = await ask<{ readonly number: string }>('select number from numbers order by e164');
      await ask(
        `insert into sessions (tenant, session, pool, reference, metadata, recording, created_at, expires_at, rules)
          values ('default', $1, 'default', 'Job-7', '{"floor": 4}', 'announce', $2, $3, $4::jsonb)`,
        [
          session,
          hours(-1),
          hours(24),
          JSON.stringify({ schedule: { timeZone: 'Asia/Tokyo', windows: [{ from: '08:00', to: '20:00' }] } }),
        ],
      );
      for (const [index, { id, role, party }] of people.entries()) {
        await ask(`insert into parties (tenant, party, country) values ('default', $1, 'SG')`, [party]);
        await ask(
          `insert into participants (tenant, session, participant, position, role, locale, number, transparency_digest)
            values ('default', $1, $2, $3, $4, case when $4 = 'agent' then 'id' end, $5, $6)`,
          [session, id, index + 1, role, numbers[index]?.number, Buffer.from(id)],
        );
        await ask(
          `insert into participant_phones (tenant, session, participant, position, party) values ('default', $1, $2, 1, $3)`,
          [session, id, party],
        );
      }
    });

    async function call(participant: string, at: Date, answered: Date | null, ended: Date | null) {
      const [number] = await ask<{ readonly number: string }>('select number from numbers limit 1');
      await ask(
        `insert into calls (tenant, call, session, participant, number, node, boot, started_at, answered_at, ended_at)
          values ('default', $1, $2, $3, $4, 'n', 'b', $5, $6, $7)`,
        [newId(heart.doors, 'call'), session, participant, number?.number, at, answered, ended],
      );
    }

    it('sees its people, rules, metadata and numbers', async () => {
      const definition = rules(
        step(
          { connect: {} },
          [
            `session.id == "${session}" && session.reference == "Job-7" && session.metadata.floor == 4`,
            'session.age == 3600 && session.remaining == 86400 && session.recording == "announce"',
            'session.roles == ["agent", "customer"] && !session.closed',
            `caller.participant == "${agent}" && caller.role == "agent" && caller.locale == "id" && caller.country == "SG"`,
            'call.country == "ID" && call.pool == "default" && caller.trusted && call.kind == "inbound"',
            'attempt.calls == 0 && attempt.sinceLast == -1 && now.timeZone == "Asia/Tokyo" && now.hour == 11',
          ].join(' && '),
        ),
        step({ refuse: 'closed' }),
      );
      const { trace, summary } = await test(definition, { session, caller: 'agent', at: monday });
      expect(trace.rules).toEqual([{ place: '/rules/0', outcome: 'fired' }]);
      expect(trace.steps).toEqual([{ place: '/rules/0/then', verb: 'connect', to: [anna, budi] }]);
      expect(summary[0]).toContain('customer');
      const second = await test(everybody, { session, caller: budi, at: monday });
      expect(second.trace.steps[0]?.to).toEqual([agent, anna]);
      const closed = await test(everybody, { session, caller: 'agent', at: hours(10) });
      expect(closed.trace).toMatchObject({ open: false, timeZone: 'Asia/Tokyo' });
      expect(closed.trace.steps).toEqual([expect.objectContaining({ verb: 'refuse' })]);
      const other = await test(
        rules(step({ connect: {} }, 'session.metadata.floor == 9'), step({ refuse: 'closed' })),
        {
          ...{ session, caller: 'agent', at: monday, metadata: { floor: 9 } },
        },
      );
      expect(other.trace.rules[0]?.outcome).toBe('fired');
      await expect(
        test(rules(step({ connect: 'pilot' })), { session, caller: 'agent' }),
      ).rejects.toMatchObject({
        code: 'program-invalid',
      });
      await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
      await expect(
        part.testProgram('other', { definition: everybody }, { session, caller: 'agent' }),
      ).rejects.toMatchObject({ code: 'not-found' });
    });

    it('counts what was called before that moment', async () => {
      await call(agent, hours(-0.9), hours(-0.8), hours(-0.6));
      await call(agent, hours(-0.5), null, hours(-0.4));
      await call(anna, hours(-0.3), hours(-0.2), hours(-0.1));
      await call(agent, hours(-0.01), hours(-0.005), null);
      await call(agent, hours(1), hours(1.1), hours(1.2));
      await change(`rules = rules || '{"limits": {"attempts": {"calls": 50, "perMinutes": 35}}}'`);
      const history = (words: string) => rules(step({ connect: {} }, words), step({ refuse: 'closed' }));
      const fires = async (words: string, given: Partial<ProgramTest> = {}) =>
        (await test(history(words), { session, caller: 'agent', at: monday, ...given })).trace.rules[0]
          ?.outcome;
      expect(
        await fires(
          'attempt.calls == 3 && attempt.answered == 2 && attempt.connected == 3 && attempt.minutes == 18 && attempt.sinceLast == 36 && attempt.recent == 2',
        ),
      ).toBe('fired');
      expect(await fires('attempt.calls == 1 && attempt.connected == 3', { caller: anna })).toBe('fired');
      expect(await fires('attempt.calls == 0 && attempt.connected == 3', { caller: budi })).toBe('fired');
      expect(await fires('attempt.calls == 4', { at: hours(2) })).toBe('fired');
      expect(await fires('attempt.calls == 0 && attempt.connected == 3', { attempt: { calls: 0 } })).toBe(
        'fired',
      );
      await change(`rules = rules || '{"limits": {"calls": 3}}'`);
      const limited = await test(everybody, { session, caller: 'agent', at: monday });
      expect(limited.trace.forbidden).toHaveLength(1);
      expect(limited.trace.steps).toEqual([{ place: 'limits', verb: 'refuse' }]);
    });

    it('says what the call would come to before any program is asked', async () => {
      const refused = { rules: [], forbidden: [expect.any(String)] };
      const at = (moment: Date, caller = 'agent') => test(everybody, { session, caller, at: moment });
      const place = async (moment: Date, caller?: string) => {
        const { trace, summary } = await at(moment, caller);
        if (trace.rules.length === 0 && trace.open) expect(trace).toMatchObject(refused);
        expect(summary.length).toBeGreaterThan(0);
        return trace.steps[0]?.place === '/rules/0/then' ? trace.steps[0].to : trace.steps[0]?.place;
      };
      expect(await place(monday)).toEqual([anna, budi]);
      expect(await place(hours(24))).toBe('session');
      await change('opens_at = $1', [hours(2)]);
      expect((await at(monday)).trace.steps).toEqual([expect.objectContaining({ verb: 'refuse' })]);
      expect(await place(hours(3))).toEqual([anna, budi]);
      await ask(`update participants set may_start = false where participant = $1`, [anna]);
      expect(await place(hours(3), anna)).toBe('one-way');
      expect(await place(hours(3), budi)).toEqual([agent, anna]);

      await change(
        `status = 'closed', closed_at = $1, after_until = $2, after_close = '{"seconds": 3600, "allow": [{"from": "customer", "to": "agent"}]}'`,
        [hours(4), hours(5)],
      );
      expect(await place(hours(3))).toEqual([anna, budi]);
      expect(await place(hours(4.5))).toBe('session');
      expect(await place(hours(4.5), budi)).toEqual([agent]);
      expect(await place(hours(5), budi)).toBe('session');
      const closed = rules(step({ connect: {} }, 'session.closed'), step({ refuse: 'closed' }));
      const after = await test(closed, { session, caller: budi, at: hours(4.5) });
      expect(after.trace.rules[0]?.outcome).toBe('fired');
      expect((await test(closed, { session, caller: budi, at: hours(3) })).trace.rules[0]?.outcome).toBe(
        'false',
      );
    });

    it('knows who left, and who is blocked', async () => {
      const reached = async (caller: string) => {
        const { trace } = await test(everybody, { session, caller, at: monday });
        return trace.steps[0]?.to ?? trace.forbidden;
      };
      const block = (id: string, party: string, counterpart: string | null, expires: Date | null = null) =>
        ask(
          `insert into blocks (tenant, block, party, counterpart, reason, actor, expires_at) values ('default', $1, $2, $3, 'r', 'a', $4)`,
          [id, party, counterpart, expires],
        );
      await block('1', 'pty_2', 'pty_1');
      expect(await reached(agent)).toEqual([budi]);
      expect(await reached(anna)).toEqual([budi]);
      expect(await reached(budi)).toEqual([agent, anna]);
      await block('2', 'pty_3', null);
      expect(await reached(agent)).toEqual([expect.stringContaining('block')]);
      expect(await reached(budi)).toEqual([expect.stringContaining('block')]);
      await ask(`update blocks set lifted_at = now() where block = '2'`);
      expect(await reached(agent)).toEqual([budi]);
      await ask(`update blocks set expires_at = $1 where block = '1'`, [monday]);
      expect(await reached(agent)).toEqual([anna, budi]);
      await ask(`update participants set left_at = now(), leave_reason = 'removed' where participant = $1`, [
        anna,
      ]);
      expect(await reached(agent)).toEqual([budi]);
      await expect(test(everybody, { session, caller: anna })).rejects.toMatchObject({
        code: 'unknown-participant',
      });
    });

    it('leaves nothing behind: no call, no ledger entry, no event', async () => {
      const count = async () =>
        ask(
          `select (select count(*) from calls) as c, (select count(*) from ledger) as l, (select count(*) from events) as e`,
        );
      const before = await count();
      await test(everybody, { session, caller: 'agent', at: monday });
      expect(await count()).toEqual(before);
    });
  });
});

describe('explaining a call', () => {
  it('gives what the call left behind', async () => {
    const heart = await testMasking();
    try {
      const context = { database: heart.test.database, vault: heart.vault, doors: heart.doors };
      const part = createRehearsal(context, options);
      const call = newId(heart.doors, 'call');
      const { numbers } = await heart.stock({ count: 1 });
      await heart.test.database.query(
        '',
        `insert into calls (tenant, call, number, node, boot) select 'default', $1, number, 'n', 'b' from numbers where e164 = $2`,
        [call, numbers[0]],
      );
      await expect(part.explainCall('default', call)).rejects.toMatchObject({ code: 'no-explanation' });
      const explanation = {
        steps: [{ place: '/rules/0/then', verb: 'connect', outcome: 'no-answer', participant: 'par_1' }],
      };
      await heart.test.database.query('', 'update calls set explanation = $1::jsonb', [
        JSON.stringify(explanation),
      ]);
      expect(await part.explainCall('default', call)).toEqual(explanation);
      for (const [tenant, id] of [
        ['other', call],
        ['default', newId(heart.doors, 'call')],
        ['default', 'call_1'],
        ['default', 'a\0'],
      ] as const) {
        await expect(part.explainCall(tenant, id)).rejects.toMatchObject({ code: 'not-found' });
      }
    } finally {
      await heart.close();
    }
  });
});
