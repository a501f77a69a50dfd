import { nodeDoors } from '@samar/doors';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import { phone } from '../testing.ts';
import { createCodes } from './codes.ts';
import { openPhone } from './party-keys.ts';
import { type Stage, type StagedPerson, testStage } from './testing-stage.ts';

const wrong = { kind: 'wrong', left: 2 };

describe('claiming a further phone', () => {
  let stage: Stage;
  let codes: ReturnType<typeof createCodes>;
  beforeAll(async () => {
    stage = await testStage();
    // Without the pause after a failure.
    const timers = { after: (_: number, action: () => void) => nodeDoors().timers.after(0, action) };
    codes = createCodes({ ...stage.context, doors: { ...stage.context.doors, timers } });
  });
  afterAll(() => stage.close());

  let people = 0;
  let session: string;
  let agent: StagedPerson;
  let customer: StagedPerson;
  beforeEach(async () => {
    people += 10;
    const staged = await stage.session([[phone(people)], [phone(people + 1)]]);
    session = staged.session;
    [agent, customer] = staged.people as [StagedPerson, StagedPerson];
  });

  const claim = async (participant = agent.participant) =>
    (await codes.createClaim('default', session, participant)).code;
  const enter = (
    code: string,
    caller: string | undefined,
    more: { trusted?: boolean; number?: string } = {},
  ) =>
    codes.tryCode({
      tenant: 'default',
      number: more.number ?? agent.number,
      code,
      attempt: 1,
      caller: caller === undefined ? undefined : { phone: caller, trusted: more.trusted ?? true },
    });
  const phonesOf = async (participant: string) =>
    stage.sql<{ readonly position: number; readonly party: string }>(
      'select position, party from participant_phones where participant = $1 order by position',
      [participant],
    );
  const count = async (table: 'parties' | 'party_keys' | 'participant_phones' | 'bindings') =>
    (await stage.sql(`select 1 from ${table}`)).length;
  const everythingCounted = async () => ({
    parties: await count('parties'),
    keys: await count('party_keys'),
    phones: await count('participant_phones'),
    bindings: await count('bindings'),
  });

  it('makes the caller one of the participant for this session', async () => {
    const made = await codes.createClaim('default', session, agent.participant);
    const [number] = await stage.sql<{ readonly e164: string }>(
      'select e164 from numbers where number = $1',
      [agent.number],
    );
    expect(made.dial).toBe(`${number?.e164},,${made.code}#`);
    expect(made.expiresAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000);
    expect(made.expiresAt.getTime() - Date.now()).toBeLessThan(15 * 60_000 + 5_000);

    const caller = phone(people + 5);
    expect(await enter(made.code, caller)).toEqual({
      kind: 'accepted',
      session,
      participant: agent.participant,
      claim: true,
    });
    const [, second] = await phonesOf(agent.participant);
    expect(second?.position).toBe(2);
    const [stored] = await stage.sql<Parameters<typeof openPhone>[1] & { readonly country: string }>(
      `select y.party, y.phone, y.country, k.party_key, k.wrapped, k.tenant_key_version
        from parties y join party_keys k on k.party = y.party and k.party_key = y.phone_key
        where y.fingerprint = $1`,
      [stage.keys.fingerprint(caller)],
    );
    expect(stored?.party).toBe(second?.party);
    expect(stored?.country).toBe('ID');
    expect(stored && openPhone(stage.keys, stored)).toBe(caller);
    expect(
      await stage.sql(
        'select number, slot, session, participant, released_at from bindings where party = $1',
        [second?.party],
      ),
    ).toEqual([
      { number: agent.number, slot: 0, session, participant: agent.participant, released_at: null },
    ]);
    expect(
      await stage.sql('select kind, party, subject from ledger where session = $1 order by entry', [session]),
    ).toEqual([
      { kind: 'claim.created', party: null, subject: agent.participant },
      { kind: 'phone.claimed', party: second?.party, subject: agent.participant },
    ]);
    expect(
      await stage.sql('select kind, subject, data from events where session = $1 order by written', [
        session,
      ]),
    ).toEqual([
      {
        kind: 'claim.created',
        subject: agent.participant,
        data: { participant: agent.participant },
      },
      {
        kind: 'phone.claimed',
        subject: agent.participant,
        data: { participant: agent.participant, number: agent.number },
      },
    ]);
  });

  it('works once', async () => {
    const code = await claim();
    expect(await enter(code, phone(people + 5))).toMatchObject({ kind: 'accepted' });
    expect(await enter(code, phone(people + 6))).toEqual(wrong);
    expect(await phonesOf(agent.participant)).toHaveLength(2);
  });

  it('works for one only, when many key it at once', async () => {
    const code = await claim();
    // Nine, for ten wrong ones lock.
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, (_, index) => enter(code, phone(700_000 + people * 10 + index))),
    );
    expect(outcomes.filter((one) => one.kind === 'accepted')).toHaveLength(1);
    expect(outcomes.filter((one) => one.kind === 'wrong')).toHaveLength(8);
    expect(await phonesOf(agent.participant)).toHaveLength(2);
  });

  it('takes a phone that is known already, and one that is the participant’s as it is', async () => {
    const known = await stage.party(phone(people + 5));
    const before = await everythingCounted();
    expect(await enter(await claim(), phone(people + 5))).toMatchObject({ kind: 'accepted' });
    expect((await phonesOf(agent.participant)).map((one) => one.party)).toEqual([agent.parties[0], known]);
    expect(await everythingCounted()).toEqual({
      ...before,
      phones: before.phones + 1,
      bindings: before.bindings + 1,
    });
    const again = await claim();
    expect(await enter(again, phone(people))).toMatchObject({ kind: 'accepted', claim: true });
    expect(await phonesOf(agent.participant)).toHaveLength(2);
    expect(await enter(again, phone(people + 6))).toEqual(wrong);
  });

  it('ends with the session, as every phone does', async () => {
    await enter(await claim(), phone(people + 5));
    await claim();
    await stage.sql(`select end_session('default', $1, 'done', null, true, 'test')`, [session]);
    const bindings = await stage.sql<{ readonly released: boolean }>(
      'select released_at is not null as released from bindings where session = $1',
      [session],
    );
    expect(bindings).toEqual([{ released: true }, { released: true }, { released: true }]);
    expect(await stage.sql('select 1 from pins where session = $1', [session])).toEqual([]);
  });

  it('is never half done when the session ends at the same moment', async () => {
    for (let round = 0; round < 12; round++) {
      const staged = await stage.session([[phone(people + 2)], [phone(people + 3)]]);
      const [one] = staged.people as [StagedPerson];
      const { code } = await codes.createClaim('default', staged.session, one.participant);
      await Promise.all([
        enter(code, phone(600_000 + people * 20 + round), { number: one.number }),
        stage.sql(`select end_session('default', $1, 'done', null, true, 'test')`, [staged.session]),
      ]);
      expect(
        await stage.sql('select 1 from bindings where session = $1 and released_at is null', [
          staged.session,
        ]),
      ).toEqual([]);
    }
  });

  describe('is refused like a wrong code, counted as one, and leaves nothing behind', () => {
    const cases: Readonly<Record<string, () => Promise<readonly [string, string | undefined, object?]>>> = {
      'when the caller is withheld': async () => [await claim(), undefined],
      'when the caller is not trusted': async () => [await claim(), phone(people + 5), { trusted: false }],
      'when the caller is no number that can take part': async () => [await claim(), '+8821600000001'],
      'on another number': async () => [await claim(), phone(people + 5), { number: customer.number }],
      'when the phone is another participant’s': async () => [await claim(), phone(people + 1)],
      'when the phone is a virtual number': async () => [await claim(), (await stage.number()).e164],
      'when the phone was here for another session and is cooling': async () => {
        const before = await stage.session([[phone(people + 5)], [phone(people + 6)]], {
          numbers: [agent.number],
        });
        await stage.end(before.session, 3600);
        return [await claim(), phone(people + 5)];
      },
      'when the phone is in another session on this number': async () => {
        await stage.session([[phone(people + 5)], [phone(people + 6)]], { numbers: [agent.number] });
        return [await claim(), phone(people + 5)];
      },
      'when the phone is cooling in another slot of this number': async () => {
        const before = await stage.session([[phone(people + 5)], [phone(people + 6)]], {
          numbers: [agent.number],
        });
        await stage.end(before.session, 3600);
        await stage.sql('update bindings set slot = 3, shared = true where session = $1', [before.session]);
        return [await claim(), phone(people + 5)];
      },
      'when the phone is blocked towards somebody in the session': async () => {
        await stage.sql(
          `insert into blocks (tenant, block, party, counterpart, reason, actor) values ('default', $1, $2, $3, 'r', 'a')`,
          [newId(stage.context.doors, 'blk'), customer.parties[0], await stage.party(phone(people + 5))],
        );
        return [await claim(), phone(people + 5)];
      },
      'when the code has run out': async () => {
        const code = await claim();
        await stage.sql('update pins set expires_at = now() where session = $1', [session]);
        return [code, phone(people + 5)];
      },
      'when the session is over': async () => {
        const code = await claim();
        await stage.sql(
          `update sessions set status = 'closed', closed_at = now(), after_until = now() + interval '1 hour' where session = $1`,
          [session],
        );
        return [code, phone(people + 5)];
      },
      'when the participant has left': async () => {
        const code = await claim();
        await stage.sql('update participants set left_at = now() where participant = $1', [
          agent.participant,
        ]);
        return [code, phone(people + 5)];
      },
      'when the participant has five phones by now': async () => {
        const code = await claim();
        for (let position = 2; position <= 5; position++) {
          await stage.sql(`insert into participant_phones values ('default', $1, $2, $3, $4)`, [
            session,
            agent.participant,
            position,
            await stage.party(phone(people * 100 + position)),
          ]);
        }
        return [code, phone(people + 5)];
      },
    };
    for (const [name, prepare] of Object.entries(cases)) {
      it(name, async () => {
        const [code, caller, more] = await prepare();
        const before = await everythingCounted();
        expect(await enter(code, caller, more)).toEqual(wrong);
        expect(await everythingCounted()).toEqual(before);
        const counted = await stage.sql<{ readonly wrong: number }>(
          'select wrong from pin_failures where subject = any ($1)',
          [[agent.number, customer.number]],
        );
        expect(counted).toEqual([{ wrong: 1 }]);
        expect(
          await stage.sql(`select 1 from events where session = $1 and kind = 'phone.claimed'`, [session]),
        ).toEqual([]);
      });
    }
  });

  it('is refused to a locked caller and on a locked number', async () => {
    const code = await claim();
    await stage.sql(`insert into pin_failures values ('default', $1, (now() at time zone 'UTC')::date, 10)`, [
      stage.keys.fingerprint(phone(people + 5)).toString('hex'),
    ]);
    expect(await enter(code, phone(people + 5))).toEqual({ kind: 'locked' });
    expect(await enter(code, phone(people + 6))).toMatchObject({ kind: 'accepted' });
  });

  it('may be asked for three times at once, while there are fewer than five phones and a place', async () => {
    await claim();
    await claim();
    await claim();
    await expect(claim()).rejects.toMatchObject({ code: 'pin-unavailable' });
    expect(await claim(customer.participant)).toMatch(/^\d{6}$/);
    await stage.sql('update pins set expires_at = now() where session = $1', [session]);
    expect(await claim()).toMatch(/^\d{6}$/);

    for (let position = 2; position <= 5; position++) {
      await stage.sql(`insert into participant_phones values ('default', $1, $2, $3, $4)`, [
        session,
        customer.participant,
        position,
        await stage.party(phone(people * 100 + position)),
      ]);
    }
    await expect(claim(customer.participant)).rejects.toMatchObject({ code: 'pin-unavailable' });

    await stage.sql(
      `insert into pins (tenant, number, digest, session, participant, place)
        select 'default', $1, decode(lpad(to_hex(i), 8, '0'), 'hex'), 'ses_x', 'par_x', i
        from generate_series(1, 10) i where i not in (select place from pins where number = $1)`,
      [agent.number],
    );
    await expect(claim()).rejects.toMatchObject({ code: 'pin-unavailable' });
  });

  it('never gives out more than three codes, however many are asked for at once', async () => {
    const eager = claim(customer.participant);
    const asked = await stage.test.database.transaction(async (queries) => {
      for (const code of ['a', 'b', 'c']) {
        await queries.query(
          '',
          `select create_claim('default', $1, $2, 'test', array[$3::bytea], platform_now())`,
          [session, agent.participant, Buffer.from(code)],
        );
      }
      const fourth = claim().catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { fourth };
    });
    expect(await asked.fourth).toMatchObject({ code: 'pin-unavailable' });
    expect(await eager).toMatch(/^\d{6}$/);
    await stage.sql('delete from pins where session = $1', [session]);
    const made = await Promise.allSettled(Array.from({ length: 12 }, () => claim()));
    expect(made.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
  });

  it('may be asked for by those who take part, in a session that lives', async () => {
    await expect(claim(newId(stage.context.doors, 'par'))).rejects.toMatchObject({
      code: 'unknown-participant',
    });
    await expect(
      codes.createClaim('default', newId(stage.context.doors, 'ses'), 'par_x'),
    ).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(codes.createClaim('default', 'nonsense', 'par_x')).rejects.toMatchObject({
      code: 'not-found',
    });
    await stage.sql(`update participants set reach = 'app' where participant = $1`, [customer.participant]);
    await expect(claim(customer.participant)).rejects.toMatchObject({ code: 'participant-unreachable' });
    await stage.end(session);
    await expect(claim()).rejects.toMatchObject({ code: 'session-closed' });
  });
});
