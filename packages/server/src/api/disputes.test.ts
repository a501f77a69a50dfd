/** Disputes at the heart: against the real database, with the heart's own decisions as witness. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actAs } from '../masking/actor.ts';
import { MaskingError } from '../masking/service.ts';
import { mostNote, mostNotes, mostStatement } from '../trust/disputes/disputes.ts';
import type { Dispute, Disputes } from '../trust/service.ts';
import { openSession, phone, shows, type TestApi, tenant, testApi } from './testing.ts';

let api: TestApi;
let disputes: Disputes;
let seed = 0;
beforeAll(async () => {
  api = await testApi();
  await api.stock(40);
  disputes = api.rooms.trust.disputes;
});
afterAll(() => api.close());

const openedBy = { kind: 'operator', id: 'key_test' } as const;
const sql = <Row>(text: string, values: readonly unknown[]) =>
  api.database.database.query<Row>('', text, values);

interface Opened {
  readonly dispute: Dispute;
  readonly session: string;
  readonly agent: string;
  readonly customer: string;
  readonly phones: readonly [string, string];
}
async function opened(more: Partial<Parameters<Disputes['open']>[1]> = {}): Promise<Opened> {
  seed++;
  const session = await openSession(api, seed);
  const [agent, customer] = session.participants.map((one: { readonly id: string }) => one.id);
  const dispute = await disputes.open(tenant, {
    ...{ session: session.id, category: 'harassment', statement: 'Shouted at me.', openedBy, against: agent },
    ...more,
  });
  return { dispute, session: session.id, agent, customer, phones: [phone(2 * seed), phone(2 * seed + 1)] };
}

async function refused(work: Promise<unknown>): Promise<MaskingError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MaskingError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

describe('a dispute', () => {
  it('holds its session, is in the ledger and told of, and what was written is sealed', async () => {
    const statement = 'Teriak “bodoh” — धमकी दी 😡';
    const { dispute, session, agent } = await actAs('usr_1', () => opened({ statement }));
    expect(dispute).toMatchObject({
      ...{ session, statement, status: 'open', version: 1, category: 'harassment', against: agent, openedBy },
    });
    const file = await disputes.get(tenant, dispute.id);
    expect(file.hold).toMatch(/^hld_/);
    expect(file.history).toMatchObject([{ kind: 'dispute.opened', actor: 'usr_1', subject: dispute.id }]);
    const [row] = await sql<{ readonly held: boolean; readonly statement: Buffer }>(
      'select on_hold($1, $2) as held, d.statement from disputes d where d.tenant = $1 and d.dispute = $3',
      [tenant, session, dispute.id],
    );
    expect(row?.held).toBe(true);
    expect(row?.statement.includes('धमकी')).toBe(false);
    const { items } = await api.masking.listEvents(tenant, { session, kind: 'dispute.opened' }, { limit: 5 });
    expect(items).toMatchObject([{ subject: dispute.id, data: { category: 'harassment', against: agent } }]);
    const told = await sql<{ readonly text: string }>(
      `select (l.details::text || coalesce((select string_agg(e.data::text, '') from events e), '')) as text
        from ledger l where l.subject = $1`,
      [dispute.id],
    );
    for (const { text } of told) expect(text).not.toMatch(/Teriak|धमकी/);
  });

  it('is one for a session, opener and person; told again, what is new becomes a note', async () => {
    const { dispute, session, agent } = await opened();
    const again = { session, category: 'fraud', openedBy, against: agent } as const;
    const same = await disputes.open(tenant, { ...again, statement: 'Shouted at me.' });
    expect(same.id).toBe(dispute.id);
    expect((await disputes.get(tenant, dispute.id)).notes).toEqual([]);
    for (let n = 0; n < 2; n++) await disputes.open(tenant, { ...again, statement: 'And called at night.' });
    const { notes } = await disputes.get(tenant, dispute.id);
    expect(notes.map((note) => note.text)).toEqual(['And called at night.']);
    const other = await disputes.open(tenant, {
      ...again,
      openedBy: { kind: 'participant', id: agent },
      statement: 'No.',
    });
    expect(other.id).not.toBe(dispute.id);
  });

  it('opened by many at once is one', async () => {
    const session = await openSession(api, ++seed);
    const all = await Promise.all(
      Array.from({ length: 8 }, () =>
        disputes.open(tenant, { session: session.id, category: 'other', statement: 'x', openedBy }),
      ),
    );
    expect(new Set(all.map((one) => one.id)).size).toBe(1);
  });

  it('takes the first of two changes; the second reads again, and nothing is lost', async () => {
    const { dispute } = await opened();
    const [one, other] = ['usr_'.padEnd(36, '1'), 'usr_'.padEnd(36, '2')];
    const results = await Promise.allSettled([
      disputes.update(tenant, dispute.id, { version: 1, assignee: one, status: 'investigating' }),
      disputes.update(tenant, dispute.id, { version: 1, assignee: other, category: 'safety' }),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = results.find((result) => result.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'dispute-changed' });
    const now = await disputes.get(tenant, dispute.id);
    expect(now.version).toBe(2);
    const won = results[0].status === 'fulfilled';
    expect(now).toMatchObject(
      won
        ? { assignee: one, status: 'investigating', category: 'harassment' }
        : { assignee: other, status: 'open', category: 'safety' },
    );
    const verdict = { version: 1, verdict: 'rejected', text: 'no' } as const;
    expect((await refused(disputes.decide(tenant, dispute.id, verdict))).code).toBe('dispute-changed');
    // A note overwrites nothing, so it needs no version and makes none old.
    await disputes.addNote(tenant, dispute.id, 'Called both.');
    expect((await disputes.update(tenant, dispute.id, { version: 2, assignee: null })).version).toBe(3);
    expect(await disputes.update(tenant, dispute.id, { version: 3, assignee: null })).toMatchObject({
      version: 3,
    });
  });

  it('keeps apart whom the verdict blocks, lets go of the hold, and says so once', async () => {
    const { dispute, session, agent, phones } = await opened();
    const decided = await actAs('usr_judge', () =>
      disputes.decide(tenant, dispute.id, {
        ...{ version: 1, verdict: 'upheld', text: 'Threats at 0:42.', block: { towards: 'others' } },
      }),
    );
    expect(decided).toMatchObject({
      ...{ status: 'resolved', version: 2 },
      verdict: {
        verdict: 'upheld',
        text: 'Threats at 0:42.',
        by: 'usr_judge',
        block: expect.stringMatching(/^blk_/),
      },
    });
    const [row] = await sql<{ readonly held: boolean }>('select on_hold($1, $2) as held', [tenant, session]);
    expect(row?.held).toBe(false);
    const { items } = await api.masking.listEvents(tenant, { session }, { limit: 50 });
    expect(items.map((event) => event.kind)).toEqual(
      expect.arrayContaining(['dispute.resolved', 'party.blocked', 'dispute.opened']),
    );
    // Neither of them, from either side, now or in a later session.
    expect(await reaches(session, phones[0], 0)).toBe(false);
    expect(await reaches(session, phones[1], 1)).toBe(false);
    const later = await api.call('POST', '/v1/sessions', {
      body: {
        participants: phones.map((one, at) => ({ role: at === 0 ? 'agent' : 'customer', phone: one })),
      },
    });
    expect(later.body.type).toBe('/problems/blocked');
    const { history, hold } = await disputes.get(tenant, dispute.id);
    expect(hold).toBeUndefined();
    expect(history.map((entry) => entry.kind)).toEqual(['dispute.opened', 'dispute.decided']);
    expect(history[1]).toMatchObject({ actor: 'usr_judge', details: { verdict: 'upheld', against: agent } });
    const twice = { version: 2, verdict: 'rejected', text: 'x' } as const;
    expect((await refused(disputes.decide(tenant, dispute.id, twice))).code).toBe('dispute-resolved');
  });

  it('reaches nobody at all after a block towards everybody, and somebody when there is none', async () => {
    const [one, other] = [await opened(), await opened()];
    const until = new Date(Date.now() + 3_600_000);
    await disputes.decide(tenant, one.dispute.id, {
      ...{ version: 1, verdict: 'upheld', text: 'x', block: { towards: 'everybody', expiresAt: until } },
    });
    await disputes.decide(tenant, other.dispute.id, { version: 1, verdict: 'inconclusive', text: 'x' });
    expect(await reaches(one.session, one.phones[0], 0)).toBe(false);
    expect(await reaches(other.session, other.phones[0], 0)).toBe(true);
  });

  it('says why a block can’t be made, and then decides nothing', async () => {
    seed++;
    const session = await openSession(api, seed);
    const { id } = await disputes.open(tenant, {
      session: session.id,
      category: 'other',
      statement: 'x',
      openedBy,
    });
    const verdict = { version: 1, verdict: 'upheld', text: 'x', block: { towards: 'others' } } as const;
    expect(await refused(disputes.decide(tenant, id, verdict))).toMatchObject({
      code: 'invalid',
      pointer: '/block',
    });
    const past = { ...verdict, block: { towards: 'others', expiresAt: new Date(0) } } as const;
    expect(await refused(disputes.decide(tenant, id, past))).toMatchObject({ pointer: '/block/expiresAt' });
    expect(await disputes.get(tenant, id)).toMatchObject({
      status: 'open',
      version: 1,
      hold: expect.any(String),
    });
  });

  it('can be taken up again: its verdict becomes a note, and it is held anew', async () => {
    const { dispute, session } = await opened();
    await actAs('usr_first', () =>
      disputes.decide(tenant, dispute.id, { version: 1, verdict: 'rejected', text: 'Nothing found.' }),
    );
    const still = disputes.update(tenant, dispute.id, { version: 2, category: 'fraud' });
    expect((await refused(still)).code).toBe('dispute-resolved');
    const again = await disputes.update(tenant, dispute.id, { version: 2, status: 'investigating' });
    expect(again).toMatchObject({ status: 'investigating', version: 3 });
    expect(again.verdict).toBeUndefined();
    const file = await disputes.get(tenant, dispute.id);
    expect(file.notes).toMatchObject([{ text: 'Nothing found.', by: 'usr_first' }]);
    expect(file.hold).toBeDefined();
    const [row] = await sql<{ readonly held: boolean }>('select on_hold($1, $2) as held', [tenant, session]);
    expect(row?.held).toBe(true);
  });

  it('takes text of every script, and neither huge, empty nor control characters', async () => {
    const { dispute } = await opened({ statement: 'अ'.repeat(mostStatement) });
    expect(dispute.statement).toHaveLength(mostStatement);
    const long = await refused(disputes.addNote(tenant, dispute.id, 'x'.repeat(mostNote + 1)));
    expect(long).toMatchObject({ code: 'invalid', pointer: '/text' });
    expect(long.message).toContain('10,000');
    for (const text of ['', ' \n ', 'a\u0000b', 'a\u001b[31m', 'a\u0085b', '\ud800']) {
      expect((await refused(disputes.addNote(tenant, dispute.id, text))).code, JSON.stringify(text)).toBe(
        'invalid',
      );
    }
    const note = await disputes.addNote(tenant, dispute.id, '<script>alert(1)</script>\r\n\t=1+1 😀');
    expect(note.text).toBe('<script>alert(1)</script>\n\t=1+1 😀');
    const huge = disputes.open(tenant, {
      ...{ session: dispute.session, category: 'other', openedBy, statement: 'x'.repeat(mostStatement + 1) },
    });
    expect(await refused(huge)).toMatchObject({ pointer: '/statement' });
  });

  it('takes so many notes and no more', async () => {
    const { dispute } = await opened();
    await sql(
      `insert into dispute_notes (tenant, dispute, note, author, at, body)
        select tenant, dispute, 'nte_' || n, author, at, body from generate_series(2, $2) n, (
          select * from dispute_notes where note = $1) first`,
      [(await disputes.addNote(tenant, dispute.id, 'first')).id, mostNotes],
    );
    expect((await refused(disputes.addNote(tenant, dispute.id, 'one more'))).message).toContain('500');
  });

  it('is found by status, assignee and session, page by page, and by its own tenant only', async () => {
    const { dispute, session } = await opened();
    const assignee = 'usr_'.padEnd(36, '7');
    await disputes.update(tenant, dispute.id, { version: 1, assignee, status: 'investigating' });
    const filters = [{ assignee }, { session }, { status: 'investigating', assignee, session }] as const;
    for (const filter of filters) {
      const { items } = await disputes.list(tenant, filter, { limit: 10 });
      expect(items.map((one) => one.id)).toEqual([dispute.id]);
    }
    expect((await disputes.list(tenant, { status: 'resolved', session }, { limit: 10 })).items).toEqual([]);
    const first = await disputes.list(tenant, {}, { limit: 2 });
    const second = await disputes.list(tenant, {}, { limit: 2, after: first.next ?? '' });
    expect(new Set([...first.items, ...second.items].map((one) => one.id)).size).toBe(4);
    await api.masking.createTenant({ tenant: 'stranger', name: 'Stranger' });
    expect((await refused(disputes.get('stranger', dispute.id))).code).toBe('not-found');
    expect((await refused(disputes.addNote('stranger', dispute.id, 'x'))).code).toBe('not-found');
  });

  it('is about people and calls of its own session only', async () => {
    const [one, other] = [await opened(), await opened()];
    const about = { session: one.session, category: 'other', statement: 'x', openedBy } as const;
    const call = `call_${'0'.repeat(32)}`;
    expect((await refused(disputes.open(tenant, { ...about, against: other.agent }))).code).toBe(
      'unknown-participant',
    );
    expect(await refused(disputes.open(tenant, { ...about, call }))).toMatchObject({ pointer: '/call' });
    const moved = disputes.update(tenant, one.dispute.id, { version: 1, against: other.agent });
    expect((await refused(moved)).code).toBe('unknown-participant');
  });
});

describe('over HTTP', () => {
  it('goes from the first word to the verdict, and the second of two changes is a 409', async () => {
    const { body: session } = await api.call('POST', '/v1/sessions', {
      body: {
        participants: [
          { role: 'agent', phone: phone(8_000) },
          { role: 'customer', phone: phone(8_001) },
        ],
      },
    });
    const [agent] = session.participants;
    const opened = await api.call('POST', '/v1/disputes', {
      body: { session: session.id, category: 'safety', statement: 'Drove too fast.', against: agent.id },
    });
    expect(opened.status, opened.text).toBe(201);
    expect(opened.headers['location']).toBe(`/v1/disputes/${opened.body.id}`);
    expect(opened.body.openedBy).toEqual({ kind: 'operator', id: expect.stringMatching(/^key_/) });
    const path = `/v1/disputes/${opened.body.id}`;
    const change = { version: 1, status: 'investigating' };
    const both = await Promise.all([
      api.call('PATCH', path, { body: change }),
      api.call('PATCH', path, { body: { ...change, assignee: `usr_${'1'.repeat(32)}` } }),
    ]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(both.find((answer) => answer.status === 409)?.body.type).toBe('/problems/dispute-changed');
    const note = await api.call('POST', `${path}/notes`, { body: { text: 'Listened: <b>nothing</b>.' } });
    expect(note.status).toBe(201);
    expect(note.body.text).toBe('Listened: <b>nothing</b>.');
    const huge = await api.call('POST', `${path}/notes`, { body: { text: 'x'.repeat(10_001) } });
    expect(huge.status).toBe(422);
    expect(huge.body.errors).toEqual([{ pointer: '/text', detail: 'must have at most 10000 characters' }]);
    const file = await api.call('GET', path);
    expect(file.body).toMatchObject({ version: 2, notes: [{ id: note.body.id }], calls: [] });
    expect(file.body.history.map((entry: { kind: string }) => entry.kind)).toEqual([
      ...['dispute.opened', 'dispute.changed', 'dispute.note-added'],
    ]);
    for (const one of [8_000, 8_001]) expect(shows(file.text, phone(one))).toBe(false);
    const body = { version: 2, verdict: 'inconclusive', text: 'One word against another.' };
    expect((await api.call('POST', `${path}/verdict`, { body })).body).toMatchObject({
      ...{ status: 'resolved', version: 3 },
      verdict: { verdict: 'inconclusive', by: expect.stringMatching(/^key_/) },
    });
    const again = await api.call('POST', `${path}/verdict`, { body: { ...body, version: 3 } });
    expect(again.status).toBe(409);
    expect(again.body.type).toBe('/problems/dispute-resolved');
    expect((await api.call('PATCH', path, { body: { version: 3, category: 'fraud' } })).status).toBe(409);
    const { body: list } = await api.call('GET', `/v1/disputes?status=resolved&session=${session.id}`);
    expect(list.items).toMatchObject([{ id: opened.body.id }]);
  });

  it('says what is wrong, and nothing of what was sent', async () => {
    const session = await openSession(api, ++seed);
    const about = { session: session.id, category: 'other', statement: 'x' };
    const wrong = [
      [{ ...about, session: undefined }, 422],
      [{ ...about, session: `ses_${'0'.repeat(32)}` }, 404],
      [{ ...about, session: undefined, call: `call_${'0'.repeat(32)}` }, 404],
      [{ ...about, category: 'x' }, 422],
      [{ ...about, statement: 'x'.repeat(4_001) }, 422],
      [{ ...about, statement: 'a\u0007' }, 422],
      [{ ...about, against: `par_${'0'.repeat(32)}` }, 422],
      [{ ...about, assignee: 'usr_1' }, 422],
    ] as const;
    for (const [body, status] of wrong) {
      const answer = await api.call('POST', '/v1/disputes', { body });
      expect(answer.status, JSON.stringify(body).slice(0, 80)).toBe(status);
      expect(answer.headers['content-type']).toContain('problem+json');
    }
    expect((await api.call('GET', '/v1/disputes?assignee=me')).status).toBe(422);
    const reader = await api.key(['disputes:read']);
    expect((await api.call('POST', '/v1/disputes', { body: about, key: reader })).status).toBe(403);
    expect((await api.call('GET', '/v1/disputes', { key: reader })).status).toBe(200);
  });
});

/** Whether a call of this person, to the number that they dial in the session, is put through. */
async function reaches(session: string, caller: string, at: number): Promise<boolean> {
  const { participants } = await api.masking.getSession(tenant, session);
  const { items } = await api.masking.listCarriers(tenant, { limit: 1 });
  const decision = await api.masking.decide({
    kind: 'call',
    carriers: [{ tenant, carrier: items[0]?.id ?? '' }],
    called: participants[at]?.dial ?? '',
    caller,
    call: `call_${crypto.randomUUID().replaceAll('-', '')}`,
  });
  return decision.kind === 'run';
}
