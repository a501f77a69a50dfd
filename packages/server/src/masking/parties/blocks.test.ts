import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import { type Block, MaskingError, type NewBlock } from '../service.ts';
import { phone } from '../testing.ts';
import { createBlocks } from './blocks.ts';
import { type Stage, type StagedPerson, testStage } from './testing-stage.ts';

describe('blocks', () => {
  let stage: Stage;
  let blocks: ReturnType<typeof createBlocks>;
  beforeAll(async () => {
    stage = await testStage();
    blocks = createBlocks(stage.context);
  });
  afterAll(() => stage.close());

  let people = 0;
  beforeEach(() => {
    people += 10;
  });
  const block = (of: Partial<NewBlock>): Promise<Block> =>
    blocks.createBlock('default', { reason: 'harassment', ...of }, 'key_test');
  /** Whom the owner of this phone may not reach in the session. */
  async function blocked(e164: string, session: string, days = 0): Promise<readonly string[]> {
    const [row] = await stage.sql<{ readonly who: readonly string[] }>(
      `select blocked_participants('default', $1, $2, platform_now() + make_interval(days => $3)) as who`,
      [await stage.party(e164), session, days],
    );
    return row?.who ?? ['?'];
  }
  /** Position of the first phone that may not meet another; each is a participant of its own unless `owners` says. */
  async function pairAmong(phones: readonly string[], owners = phones.map((_, index) => index + 1)) {
    const parties: string[] = [];
    for (const one of phones) parties.push(await stage.party(one));
    const [row] = await stage.sql<{ readonly at: number | null }>(
      `select blocked_pair_among('default', $1, $2) as at`,
      [parties, owners],
    );
    return row?.at;
  }

  it('keep two apart, in both directions, in every session', async () => {
    const [one, two, third] = [phone(people), phone(people + 1), phone(people + 2)];
    const before = await stage.session([[one], [two]]);
    const [ofOne, ofTwo] = before.people as [StagedPerson, StagedPerson];
    expect(await blocked(one, before.session)).toEqual([]);
    await block({ phone: one, counterpartPhone: two });
    const after = await stage.session([[two], [third], [one]]);
    expect(await blocked(one, before.session)).toEqual([ofTwo.participant]);
    expect(await blocked(two, before.session)).toEqual([ofOne.participant]);
    expect(await blocked(one, after.session)).toEqual([after.people[0]?.participant]);
    expect(await blocked(two, after.session)).toEqual([after.people[2]?.participant]);
    expect(await blocked(third, after.session)).toEqual([]);
    expect(await pairAmong([third, two, one])).toBe(2);
    expect(await pairAmong([one, third])).toBe(null);
    expect(await pairAmong([one, two], [1, 1])).toBe(null);
    expect(await pairAmong([])).toBe(null);
  });

  it('keep one apart from everybody', async () => {
    const [one, two, third] = [phone(people), phone(people + 1), phone(people + 2)];
    const { session, people: seated } = await stage.session([[two], [one], [third]]);
    await block({ phone: one });
    expect(await blocked(one, session)).toEqual([seated[0]?.participant, seated[2]?.participant]);
    expect(await blocked(two, session)).toEqual([seated[1]?.participant]);
    expect(await blocked(third, session)).toEqual([seated[1]?.participant]);
    expect(await pairAmong([two, one])).toBe(2);
    expect(await pairAmong([two, third])).toBe(null);
    expect(await pairAmong([one])).toBe(null);
  });

  it('hold for all phones of a participant when they hold for one, whichever calls', async () => {
    const [one, spare, two, second] = [0, 1, 2, 3].map((index) => phone(people + index)) as [
      string,
      string,
      string,
      string,
    ];
    const { session, people: seated } = await stage.session([
      [one, spare],
      [two, second],
    ]);
    await block({ phone: spare, counterpartPhone: second });
    for (const caller of [one, spare])
      expect(await blocked(caller, session)).toEqual([seated[1]?.participant]);
    for (const caller of [two, second])
      expect(await blocked(caller, session)).toEqual([seated[0]?.participant]);
    expect(await pairAmong([one, spare, two, second], [1, 1, 2, 2])).toBe(2);
    expect(await pairAmong([one, two], [1, 2])).toBe(null);
  });

  it('name participants, also of sessions that are over, with all of their phones', async () => {
    const [one, spare, two] = [phone(people), phone(people + 1), phone(people + 2)];
    const { session, people: seated } = await stage.session([[one, spare], [two]]);
    await stage.end(session);
    const made = await block({
      participant: seated[0]?.participant ?? '',
      counterpartParticipant: seated[1]?.participant ?? '',
    });
    expect(made.phone).toBe(`+62•••••••${one.slice(-4)}`);
    expect(made.counterpart).toBe(`+62•••••••${two.slice(-4)}`);
    for (const again of [one, spare]) {
      const next = await stage.session([[again], [two]]);
      expect(await blocked(again, next.session)).toEqual([next.people[1]?.participant]);
    }
    await blocks.liftBlock('default', made.id);
    const next = await stage.session([[spare], [two]]);
    expect(await blocked(spare, next.session)).toEqual([]);
  });

  it('wait for a number that was never seen', async () => {
    const [never, two] = [phone(people), phone(people + 1)];
    expect(await block({ phone: never })).toMatchObject({ phone: `+62•••••••${never.slice(-4)}` });
    const { session, people: seated } = await stage.session([[never], [two]]);
    expect(await blocked(never, session)).toEqual([seated[1]?.participant]);
  });

  it('end at their time, or when they are lifted', async () => {
    const [one, two] = [phone(people), phone(people + 1)];
    const { session } = await stage.session([[one], [two]]);
    const expiresAt = new Date(Date.now() + 86_400_000);
    const made = await block({ phone: one, counterpartPhone: two, expiresAt });
    expect(made).toMatchObject({ expiresAt, reason: 'harassment' });
    expect(await blocked(one, session)).toHaveLength(1);
    expect(await blocked(one, session, 2)).toEqual([]);
    expect(await pairAmong([one, two])).toBe(1);
    const lifted = await blocks.liftBlock('default', made.id);
    expect(lifted.liftedAt).toBeInstanceOf(Date);
    expect(await blocked(one, session)).toEqual([]);
    expect(await pairAmong([one, two])).toBe(null);
    expect(await blocks.liftBlock('default', made.id)).toEqual(lifted);
    expect(
      await stage.sql('select kind, data from events where subject = $1 order by event', [made.id]),
    ).toEqual([
      {
        kind: 'party.blocked',
        data: { block: made.id, everybody: false, expiresAt: expect.stringContaining('T') },
      },
      { kind: 'block.lifted', data: { block: made.id } },
    ]);
    expect(
      await stage.sql('select kind, actor, party from ledger where subject = $1 order by entry', [made.id]),
    ).toEqual([
      { kind: 'party.blocked', actor: 'key_test', party: await stage.party(one) },
      { kind: 'block.lifted', actor: 'platform', party: await stage.party(one) },
    ]);
  });

  it('are listed newest first, page by page, masked', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index++) made.unshift((await block({ phone: phone(people + index) })).id);
    const first = await blocks.listBlocks('default', { limit: 3 });
    expect(first.items.map((one) => one.id)).toEqual(made.slice(0, 3));
    const second = await blocks.listBlocks('default', { limit: 2, after: first.next ?? '' });
    expect(second.items.map((one) => one.id)).toEqual(made.slice(3));
    expect(JSON.stringify(first)).not.toContain(phone(people).slice(3));
    expect(first.items[0]).toMatchObject({ phone: `+62•••••••${phone(people + 4).slice(-4)}` });
    expect(await blocks.listBlocks('another', { limit: 5 }).catch(() => ({ items: [] }))).toEqual({
      items: [],
    });
  });

  it('are refused when they make no sense, without repeating a number, and leave nothing behind', async () => {
    const { session, people: seated } = await stage.session([[phone(people)], [phone(people + 1)]]);
    const participant = seated[0]?.participant ?? '';
    const unknown = newId(stage.context.doors, 'par');
    await stage.sql('delete from participant_phones where participant = $1', [seated[1]?.participant]);
    const virtual = await stage.number();
    const fresh = phone(people + 5);
    const before = (await stage.sql('select 1 from parties')).length;
    const cases: readonly (readonly [Partial<NewBlock>, string, string])[] = [
      [{}, 'invalid', '/phone'],
      [{ phone: fresh, participant }, 'invalid', '/participant'],
      [
        { phone: fresh, counterpartPhone: phone(people), counterpartParticipant: participant },
        'invalid',
        '/counterpartParticipant',
      ],
      [{ phone: fresh, counterpartPhone: fresh }, 'invalid', '/counterpartPhone'],
      [{ participant, counterpartPhone: phone(people) }, 'invalid', '/counterpartPhone'],
      [{ participant, counterpartParticipant: participant }, 'invalid', '/counterpartParticipant'],
      [{ phone: '0811', counterpartPhone: fresh }, 'invalid-number', '/phone'],
      [{ phone: fresh, counterpartParticipant: unknown }, 'unknown-participant', '/counterpartParticipant'],
      [{ participant: session, counterpartPhone: fresh }, 'unknown-participant', '/participant'],
      [
        { phone: fresh, counterpartParticipant: seated[1]?.participant ?? '' },
        'participant-unreachable',
        '/counterpartParticipant',
      ],
      [
        { phone: fresh, counterpartPhone: virtual.e164 },
        'virtual-number-as-participant',
        '/counterpartPhone',
      ],
      [{ phone: virtual.e164 }, 'virtual-number-as-participant', '/phone'],
      [{ phone: fresh, reason: '' }, 'invalid', '/reason'],
      [{ phone: fresh, reason: 'a\nb' }, 'invalid', '/reason'],
      [{ phone: fresh, reason: `rang from ${fresh}` }, 'invalid', '/reason'],
      [{ phone: fresh, reason: 'rang from (0811) 1000-0001' }, 'invalid', '/reason'],
      [{ phone: fresh, expiresAt: new Date(0) }, 'invalid', '/expiresAt'],
    ];
    for (const [of, code, pointer] of cases) {
      const error = await block(of).then(
        () => undefined,
        (refused: unknown) => refused,
      );
      expect(error).toBeInstanceOf(MaskingError);
      expect(error).toMatchObject({ code, pointer });
      expect(String(error)).not.toMatch(/\d{5}/);
    }
    expect((await stage.sql('select 1 from parties')).length).toBe(before);
    await expect(blocks.liftBlock('default', newId(stage.context.doors, 'blk'))).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(blocks.liftBlock('default', 'nonsense')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('survive being made at the same moment, for numbers that nobody knew', async () => {
    const [one, two] = [phone(people), phone(people + 1)];
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        index % 2 === 0
          ? block({ phone: one, counterpartPhone: two })
          : block({ phone: two, counterpartPhone: one }),
      ),
    );
    expect(new Set(made.map((each) => each.id)).size).toBe(12);
    const { session } = await stage.session([[one], [two]]);
    expect(await blocked(one, session)).toHaveLength(1);
    for (const each of made.slice(1)) await blocks.liftBlock('default', each.id);
    expect(await blocked(one, session)).toHaveLength(1);
  });

  describe('end calls that are under way', () => {
    const told: { readonly tenant: string; readonly call: string }[] = [];
    let listening: { close(): Promise<void> };
    beforeAll(async () => {
      listening = await stage.test.database.listen('samar_calls', (payload) => {
        if (payload !== undefined) told.push(JSON.parse(payload));
      });
    });
    afterAll(() => listening.close());

    /** `callee`: who has answered. */
    async function call(session: string, caller: string, callee?: string): Promise<string> {
      const id = newId(stage.context.doors, 'call');
      await stage.sql(
        `insert into calls (tenant, call, session, participant, number, node, boot, status)
          values ('default', $1, $2, $3, 'num_x', 'node', 'boot', $4)`,
        [id, session, caller, callee === undefined ? 'ringing' : 'answered'],
      );
      if (callee !== undefined) {
        await stage.sql(
          `insert into ledger (tenant, entry, kind, actor, session, subject, details)
            values ('default', new_id('led_'), 'connection', 'switch', $1, $2, jsonb_build_object('caller', $3::text, 'callee', $4::text))`,
          [session, id, caller, callee],
        );
      }
      return id;
    }
    async function ended(): Promise<readonly string[]> {
      const rows = await stage.sql<{ readonly call: string }>(
        'select call from calls where hangup_requested_at is not null order by call',
      );
      await expect.poll(() => told.map((one) => one.call).sort()).toEqual(rows.map((row) => row.call));
      return rows.map((row) => row.call);
    }
    beforeEach(async () => {
      await stage.sql('delete from calls');
      told.length = 0;
    });

    it('between the two, and no others', async () => {
      const [one, two, third] = [phone(people), phone(people + 1), phone(people + 2)];
      const group = await stage.session([[one], [two], [third]]);
      const [a, b, c] = group.people.map((each) => each.participant) as [string, string, string];
      const pair = await stage.session([[two], [one]]);
      const [b2, a2] = pair.people.map((each) => each.participant) as [string, string];
      const others = await stage.session([[one], [third]]);
      const between = [
        await call(group.session, a, b),
        await call(group.session, b, a),
        await call(group.session, a),
        await call(pair.session, b2, a2),
        await call(pair.session, b2),
      ];
      // A with C, C with either, C who is ringing, and A in a session without B.
      await call(group.session, a, c);
      await call(group.session, c, b);
      await call(group.session, c);
      await call(others.session, others.people[0]?.participant ?? '', others.people[1]?.participant);
      const over = await call(group.session, a, b);
      await stage.sql(`update calls set ended_at = now(), status = 'ended' where call = $1`, [over]);
      await block({ phone: one, counterpartPhone: two });
      expect(await ended()).toEqual([...between].sort());
      expect(told.every((each) => each.tenant === 'default')).toBe(true);
    });

    it('also when the session is closed and lets them finish', async () => {
      const { session, people: seated } = await stage.session([[phone(people)], [phone(people + 1)]]);
      const [a, b] = seated.map((each) => each.participant) as [string, string];
      const talk = await call(session, a, b);
      await stage.end(session);
      await block({ participant: b, counterpartParticipant: a });
      expect(await ended()).toEqual([talk]);
    });

    it('of one who is blocked for everybody', async () => {
      const [one, two, third] = [phone(people), phone(people + 1), phone(people + 2)];
      const group = await stage.session([[one], [two], [third]]);
      const [a, b, c] = group.people.map((each) => each.participant) as [string, string, string];
      const with1 = await call(group.session, a, b);
      const with2 = await call(group.session, c, a);
      // Nobody has answered yet: it may ring there next.
      const perhaps = await call(group.session, b);
      await call(group.session, b, c);
      await block({ phone: one });
      expect(await ended()).toEqual([with1, with2, perhaps].sort());
    });
  });
});
