import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { phone, targetsOf } from '../../masking/testing.ts';
import { receiptText } from './erase.ts';
import { type TestRights, testRights } from './testing.ts';

let next = 910_000;
const somebody = () => phone(next++);

describe('an erasure', () => {
  let stage: TestRights;
  beforeAll(async () => {
    stage = await testRights();
    await stage.heart.stock({ count: 12, cooldown: { '*': 0 } });
  });
  afterEach(() => {
    expect(stage.reports).toEqual([]);
  });
  afterAll(() => stage.close());

  const open = (phones: readonly (readonly string[])[], more = {}) =>
    stage.heart.masking.createSession('default', {
      metadata: { about: 'them' },
      participants: phones.map((own, index) => ({
        role: `role${index}`,
        phones: own,
        name: `Name ${own[0]?.slice(-5)}`,
      })),
      ...more,
    });
  const partyOf = async (e164: string) => {
    const keys = await stage.heart.vault.unlock('default');
    const rows = await stage.sql<{ readonly party: string }>(
      'select party from parties where fingerprint = $1',
      [keys.fingerprint(e164)],
    );
    return rows[0]?.party;
  };
  const erase = async (e164: string) => {
    const asked = await stage.rights.requestErasure('default', { phone: e164 }, 'a letter');
    return stage.finished(asked.id);
  };

  it('ends what runs, cuts what leads to them, destroys the keys, and signs for it', async () => {
    const [one, other] = [somebody(), somebody()];
    const session = await open([[one], [other]]);
    const dial = session.participants[0]?.dial ?? '';
    await stage.talk(one, dial, { recorded: true });
    const { call } = await stage.talk(one, dial, { running: true });
    const before = await stage.rights.requestExport('default', { phone: one }, 'a letter');
    await stage.finished(before.id);
    await stage.heart.masking.createBlock('default', { phone: one, reason: 'rude' }, 'api');
    const party = await partyOf(one);

    const began = performance.now();
    const done = await erase(one);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(done).toMatchObject({ status: 'done', kind: 'erase', party, reason: 'a letter' });
    expect(done.phone).toBeUndefined();
    const receipt = done.receipt;
    // Phone, name, export, recording; two keys of the party: of the phone and of the name.
    expect(receipt).toMatchObject({
      party,
      valuesUnreadable: 4,
      recordingsDeleted: 1,
      recordingsHeld: 0,
      bindingsCut: 1,
    });
    expect(receipt?.keysDestroyed).toBeGreaterThanOrEqual(1);
    if (receipt === undefined) throw new Error('no receipt');
    const text = receiptText('default', done.id, receipt);
    expect(stage.signer.verify(text, receipt.signature)).toBe(true);
    expect(stage.signer.verify(text.replace('\n4\n', '\n5\n'), receipt.signature)).toBe(false);

    const [row] = await stage.sql(
      'select fingerprint, phone, phone_key, erased_at from parties where party = $1',
      [party],
    );
    expect(row).toMatchObject({
      fingerprint: null,
      phone: null,
      phone_key: null,
      erased_at: expect.any(Date),
    });
    for (const [table, column] of [
      ['party_keys', 'party'],
      ['bindings', 'party'],
      ['party_pools', 'party'],
      ['participant_phones', 'party'],
      ['blocks', 'party'],
      ['rights_exports', 'party'],
      ['participants', 'name_party'],
    ] as const) {
      expect(await stage.sql(`select from ${table} where ${column} = $1`, [party]), table).toHaveLength(0);
    }
    expect(await stage.sql('select from erasure_values')).toHaveLength(0);

    const after = await stage.heart.masking.getSession('default', session.id);
    expect(after).toMatchObject({ status: 'closed', closeReason: 'participant-erased', metadata: {} });
    const [running] = await stage.sql('select hangup_requested_at from calls where call = $1', [call]);
    expect(running).toMatchObject({ hangup_requested_at: expect.any(Date) });
    expect(await stage.heart.dial(one, dial)).toMatchObject({ kind: 'refuse', reason: 'not-connected' });
    expect((await stage.heart.dial(other, session.participants[1]?.dial ?? '')).kind).toBe('refuse');
    await expect(stage.rights.readExport('default', before.id)).rejects.toMatchObject({
      code: 'subject-erased',
    });
    await expect(stage.rights.requestErasure('default', { phone: one }, 'again')).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(
      stage.rights.requestExport('default', { participant: session.participants[0]?.id ?? '' }, 'again'),
    ).rejects.toMatchObject({ code: 'subject-erased' });
    await expect(stage.heart.masking.reopenSession('default', session.id, {})).resolves.toBeDefined();
    expect((await stage.heart.dial(other, session.participants[1]?.dial ?? '')).kind).toBe('refuse');

    const kinds = await stage.sql<{ readonly kind: string }>(
      `select kind from ledger where subject = $1 order by entry`,
      [done.id],
    );
    expect(kinds.map((entry) => entry.kind)).toEqual([
      'privacy.erase-requested',
      'privacy.erased',
      'privacy.erasure-proved',
    ]);
  });

  it('makes a new, unconnected person of the same number afterwards', async () => {
    const [one, other] = [somebody(), somebody()];
    await open([[one], [other]]);
    const before = await partyOf(one);
    await erase(one);
    const session = await open([[one], [other]]);
    const after = await partyOf(one);
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
    expect(targetsOf(await stage.heart.dial(one, session.participants[0]?.dial ?? ''))).toHaveLength(1);
    const asked = await stage.rights.requestExport('default', { phone: one }, 'a letter');
    await stage.finished(asked.id);
    const exported = await stage.rights.readExport('default', asked.id);
    expect(exported['sessions']).toHaveLength(1);
    expect(JSON.stringify(exported)).not.toContain(before);
  });

  it('leaves the others of a conversation together, and a person their other phone', async () => {
    const [first, second, third, spare] = [somebody(), somebody(), somebody(), somebody()];
    const session = await open([[first, spare], [second], [third]]);
    await erase(third);
    expect((await stage.heart.masking.getSession('default', session.id)).status).toBe('open');
    expect(targetsOf(await stage.heart.dial(second, session.participants[1]?.dial ?? ''))).toHaveLength(2);
    await erase(spare);
    expect((await stage.heart.masking.getSession('default', session.id)).status).toBe('open');
    expect(targetsOf(await stage.heart.dial(second, session.participants[1]?.dial ?? ''))).toHaveLength(1);
    // By participant: all phones of theirs.
    const [pair, also, friend] = [somebody(), somebody(), somebody()];
    const two = await open([[pair, also], [friend]]);
    const asked = await stage.rights.requestErasure(
      'default',
      { participant: two.participants[0]?.id ?? '' },
      'a letter',
    );
    const done = await stage.finished(asked.id);
    expect(done.receipt?.bindingsCut).toBe(2);
    expect([await partyOf(pair), await partyOf(also)]).toEqual([undefined, undefined]);
    expect(
      (await stage.rights.list('default', {}, { limit: 200 })).items.filter((item) => item.id === asked.id),
    ).toHaveLength(1);
  });

  it('keeps a recording that is on hold sealed until the hold is released', async () => {
    const [one, other] = [somebody(), somebody()];
    const session = await open([[one], [other]]);
    const { call, recording } = await stage.talk(one, session.participants[0]?.dial ?? '', {
      recorded: true,
    });
    const { key } = await stage.heart.masking.openRecording('default', call, {
      actor: 'usr_x',
      reason: 'dispute',
    });
    await stage.sql(
      `insert into legal_holds (tenant, hold, session, reason, placed_by, placed_at)
        values ('default', 'hld_1', $1, '', 'usr_x', now())`,
      [session.id],
    );
    const done = await erase(one);
    expect(done.receipt).toMatchObject({ recordingsDeleted: 0, recordingsHeld: 1 });
    await expect(
      stage.heart.masking.openRecording('default', call, { actor: 'usr_x', reason: 'dispute' }),
    ).rejects.toMatchObject({ code: 'recording-unreadable' });
    const seals = await stage.sql<{
      readonly seal: string;
      readonly content: Buffer;
      readonly party_key: string;
      readonly wrapped: Buffer;
      readonly tenant_key_version: number;
    }>(
      `select l.seal, l.content, k.party_key, k.wrapped, k.tenant_key_version from legal_seals l
        join party_keys k on k.party = l.seal where l.recording = $1`,
      [recording],
    );
    const [seal] = seals;
    if (seal === undefined) throw new Error('nothing is sealed');
    const keys = await stage.heart.vault.unlock('default');
    const text = keys
      .openPartyKey(seal.seal, {
        partyKey: seal.party_key,
        wrapped: seal.wrapped,
        tenantKeyVersion: seal.tenant_key_version,
      })
      .decrypt(seal.content, { tenant: 'default', table: 'legal_seals', column: 'content', row: seal.seal });
    expect(Buffer.from(text, 'base64').equals(key)).toBe(true);

    expect(stage.deleted).not.toContain(call);
    await stage.sql(`update legal_holds set released_at = now()`);
    await stage.sql(`update erasure_recordings set try_at = now()`);
    await stage.rights.tidy();
    expect(stage.deleted).toContain(call);
    expect(await stage.sql('select from legal_seals where recording = $1', [recording])).toHaveLength(0);
    expect(await stage.sql('select from party_keys where party = $1', [seal.seal])).toHaveLength(0);
  });

  it('keeps number and calls sealed where the law says so, and shreds them when it is over', async () => {
    await stage.sql(
      `update tenants set settings = settings || '{"retention":{"legalFloorDays":365}}' where tenant = 'default'`,
    );
    const [one, other] = [somebody(), somebody()];
    const session = await open([[one], [other]]);
    const { call } = await stage.talk(one, session.participants[0]?.dial ?? '');
    const done = await erase(one);
    await stage.sql(`update tenants set settings = settings - 'retention' where tenant = 'default'`);
    const days = ((done.receipt?.keptUntil?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(364.9);
    expect(days).toBeLessThan(365.1);
    expect(await stage.sql('select from legal_seals where request = $1', [done.id])).toHaveLength(1);
    expect(await partyOf(one)).toBeUndefined();
    const [held] = await stage.sql<{
      readonly seal: string;
      readonly content: Buffer;
      readonly party_key: string;
      readonly wrapped: Buffer;
      readonly tenant_key_version: number;
    }>(
      'select l.seal, l.content, k.party_key, k.wrapped, k.tenant_key_version from legal_seals l join party_keys k on k.party = l.seal where l.request = $1',
      [done.id],
    );
    if (held === undefined) throw new Error('nothing is sealed');
    const keys = await stage.heart.vault.unlock('default');
    const content = JSON.parse(
      keys
        .openPartyKey(held.seal, {
          partyKey: held.party_key,
          wrapped: held.wrapped,
          tenantKeyVersion: held.tenant_key_version,
        })
        .decrypt(held.content, {
          tenant: 'default',
          table: 'legal_seals',
          column: 'content',
          row: held.seal,
        }),
    );
    expect(content).toMatchObject({ phone: one, calls: [{ call, session: session.id }] });
    await stage.sql(`update legal_seals set keep_until = now() where request = $1`, [done.id]);
    await stage.rights.tidy();
    expect(await stage.sql('select from legal_seals where request = $1', [done.id])).toHaveLength(0);
    expect(await stage.sql('select from party_keys where party = $1', [held.seal])).toHaveLength(0);
  });

  it('goes on where a process died in the middle of it', async () => {
    const [one, other] = [somebody(), somebody()];
    const session = await open([[one], [other]]);
    await stage.talk(one, session.participants[0]?.dial ?? '', { recorded: true });
    // Dies when the keys are gone and the files are not: it never comes back from custody.
    let wake = () => {};
    const dying = stage.another({
      removeFiles: async () => true,
      deleteRecording: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    });
    const asked = await dying.requestErasure('default', { phone: one }, 'a letter');
    await expect.poll(() => partyOf(one)).toBeUndefined();
    expect((await stage.rights.get('default', asked.id)).status).toBe('running');
    // What a dead node has is free after its lease.
    await stage.sql(`update rights_requests set taken_until = now() where request = $1`, [asked.id]);
    const living = stage.another();
    await living.start();
    const done = await stage.finished(asked.id);
    expect(done.receipt).toMatchObject({ recordingsDeleted: 1, bindingsCut: 1 });
    expect(
      await stage.sql(`select from ledger where kind = 'privacy.erased' and subject = $1`, [asked.id]),
    ).toHaveLength(1);
    await living.stop();
    // And were it only slow: whoever comes late changes nothing.
    wake();
    await dying.stop();
    expect((await stage.rights.get('default', asked.id)).receipt).toEqual(done.receipt);
  }, 30_000);

  it('is the same request when it is asked for at once', async () => {
    const one = somebody();
    await open([[one], [somebody()]]);
    const asked = await Promise.all(
      Array.from({ length: 5 }, () =>
        stage.rights.requestErasure('default', { phone: one }, 'a letter').catch(() => undefined),
      ),
    );
    const ids = new Set(asked.flatMap((each) => (each === undefined ? [] : [each.id])));
    expect(ids.size).toBe(1);
    for (const id of ids) expect((await stage.finished(id)).status).toBe('done');
  });

  it('meets openings, calls, key rotation and other erasures without a deadlock, and nothing comes back', async () => {
    const people = Array.from({ length: 12 }, somebody);
    const pick = (index: number) => people[index % people.length] ?? '';
    let working = true;
    const failures: unknown[] = [];
    const opening = Array.from({ length: 4 }, async (_, worker) => {
      for (let turn = worker; working; turn += 5) {
        const opened = await open([[pick(turn)], [pick(turn + 1 + (turn % 7))]]).catch((error: unknown) => {
          if (!/pool|duplicate/.test(String((error as { code?: unknown }).code))) failures.push(error);
        });
        if (opened === undefined) continue;
        await stage.heart.dial(pick(turn), opened.participants[0]?.dial ?? '');
        if (turn % 2 === 0) await stage.heart.masking.closeSession('default', opened.id, { reason: 'done' });
      }
    });
    const rotating = (async () => {
      while (working) {
        // As a rotation of the tenant's key does: many keys at a time, in whatever order.
        await stage.heart.test.database.transaction(async (inside) => {
          for (const order of ['desc', 'asc']) {
            await inside.query(
              '',
              `update party_keys k set wrapped = k.wrapped
                from (select d.party, d.party_key from party_keys d order by d.party_key ${order} limit 20 for update) x
                where k.party = x.party and k.party_key = x.party_key`,
              [],
            );
          }
        });
        await sleep(5);
      }
    })();
    const erased: string[] = [];
    const until = performance.now() + 6_000;
    for (let turn = 0; performance.now() < until; turn += 3) {
      const asked = await Promise.all(
        [0, 1, 2].map((more) => {
          const number = pick(turn + more);
          return partyOf(number).then((party) =>
            stage.rights
              .requestErasure('default', { phone: number }, 'a letter')
              .then((made) => ({ made, party: made.party ?? party }))
              .catch(() => undefined),
          );
        }),
      );
      for (const each of asked) {
        if (each === undefined) continue;
        expect((await stage.finished(each.made.id)).status).toBe('done');
        if (each.party !== undefined) erased.push(each.party);
      }
    }
    working = false;
    await Promise.all([...opening, rotating]);
    expect(failures).toEqual([]);
    expect(erased.length).toBeGreaterThan(5);
    for (const table of ['party_keys', 'bindings', 'participant_phones', 'party_pools']) {
      expect(await stage.sql(`select from ${table} where party = any ($1)`, [erased]), table).toHaveLength(0);
    }
    expect(
      await stage.sql(
        'select from parties where party = any ($1) and (erased_at is null or fingerprint is not null)',
        [erased],
      ),
    ).toHaveLength(0);
  }, 60_000);
});
