import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interruptRecordings } from '../../store/queries/calls.ts';
import { createMasking } from '../masking.ts';
import type { CreatedSession, NewSession } from '../service.ts';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('the life of sessions and calls', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 6 });
  });
  afterAll(() => heart.close());

  let people = 0;
  function open(more: Partial<NewSession> = {}): Promise<CreatedSession> {
    people += 2;
    return heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [phone(people)] },
        { role: 'customer', phones: [phone(people + 1)] },
      ],
      ...more,
    });
  }
  const caller = () => phone(people);
  const dialOf = (session: CreatedSession, index = 0) => session.participants[index]?.dial ?? '';

  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 200 && !(await what()); turn++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await what()).toBe(true);
  }

  it('ends when its time is over, even before anybody has swept it', async () => {
    const session = await open({ ttlSeconds: 1 });
    const { call } = await heart.dial(caller(), dialOf(session));
    await until(async () => (await heart.masking.getSession('default', session.id)).status === 'expired');
    expect(await heart.dial(caller(), dialOf(session))).toMatchObject({ kind: 'refuse', reason: 'ended' });
    const answer = {
      tenant: 'default',
      call,
      session: session.id,
      participant: session.participants[1]?.id ?? '',
    };
    expect(await heart.masking.answered(answer)).toBe(false);
    await expect(
      heart.masking.updateSession('default', session.id, { ttlSeconds: 60 }),
    ).rejects.toMatchObject({
      code: 'session-closed',
    });
    expect(await heart.masking.closeSession('default', session.id, { reason: 'late' })).toMatchObject({
      status: 'expired',
      closedAt: session.expiresAt,
    });
    expect(
      (await heart.masking.listSessions('default', { status: 'expired' }, { limit: 10 })).items.map(
        (one) => one.id,
      ),
    ).toContain(session.id);
  });

  it('counts late attempts of those who were bound, and of nobody else', async () => {
    const session = await open();
    await heart.masking.closeSession('default', session.id, { reason: 'resolved' });
    const late = Array.from({ length: 7 }, () => heart.dial(caller(), dialOf(session)));
    expect(new Set((await Promise.all(late)).map((one) => one.kind === 'refuse' && one.reason))).toEqual(
      new Set(['ended']),
    );
    await heart.dial(phone(999), dialOf(session));
    const [row] = await heart.test.database.query<{ readonly late: number }>(
      '',
      'select sum(late_attempts)::integer as late from bindings where session = $1',
      [session.id],
    );
    expect(row?.late).toBe(7);
  });

  it('moves its idle time at answer and at the end of a talk', async () => {
    const session = await open({ idleSeconds: 100 });
    const idle = async () => {
      const [row] = await heart.test.database.query<{ readonly left: number }>(
        '',
        `select extract(epoch from idle_expires_at - clock_timestamp())::double precision as left from sessions where session = $1`,
        [session.id],
      );
      return row?.left ?? 0;
    };
    await heart.test.database.query(
      '',
      `update sessions set idle_expires_at = now() + interval '10 s' where session = $1`,
      [session.id],
    );
    const { call } = await heart.dial(caller(), dialOf(session));
    const participant = session.participants[1]?.id ?? '';
    expect(await heart.masking.answered({ tenant: 'default', call, session: session.id, participant })).toBe(
      true,
    );
    // While they talk it isn't idle.
    expect(await idle()).toBeGreaterThan(3_600);
    const end = {
      outcome: 'connected',
      hangupBy: 'callee',
      hangupCause: 'bye',
      endedAt: Date.now(),
      legs: [],
    } as const;
    await heart.masking.ended({ tenant: 'default', call, ...end });
    await heart.masking.ended({ tenant: 'default', call, ...end, outcome: 'failed' });
    expect(await idle()).toBeGreaterThan(90);
    expect(await idle()).toBeLessThan(101);
    expect(await heart.masking.getCall('default', call)).toMatchObject({ outcome: 'connected' });
  });

  it('changes what may change, and tells what', async () => {
    const session = await open({ reference: 'a', metadata: { a: 1 } });
    const changed = await heart.masking.updateSession('default', session.id, {
      ttlSeconds: 1_000,
      reference: 'b',
      recording: 'announce',
      idleSeconds: 60,
      metadata: { b: [2] },
    });
    expect(changed).toMatchObject({
      reference: 'b',
      recording: 'announce',
      idleSeconds: 60,
      metadata: { b: [2] },
    });
    expect(changed.expiresAt.getTime()).toBeLessThan(session.expiresAt.getTime());
    expect(
      await heart.masking.updateSession('default', session.id, { idleSeconds: null }),
    ).not.toHaveProperty('idleSeconds');
    const found = await heart.masking.listSessions(
      'default',
      { reference: 'b', status: 'open' },
      { limit: 5 },
    );
    expect(found.items).toMatchObject([{ id: session.id }]);
    const byNumber = await heart.masking.listSessions(
      'default',
      {
        phone: caller(),
        number: dialOf(session),
        createdAfter: new Date(0),
        createdBefore: new Date(Date.now() + 60_000),
      },
      { limit: 5 },
    );
    expect(byNumber.items.map((one) => one.id)).toEqual([session.id]);
    // Filters may be joined in any way, all of them too.
    const all = {
      reference: 'b',
      status: 'open',
      phone: caller(),
      number: dialOf(session),
      parent: session.id,
      createdAfter: new Date(0),
      createdBefore: new Date(),
    } as const;
    const { createdBefore: _, ...fewer } = all;
    for (const filter of [all, fewer, all]) {
      expect((await heart.masking.listSessions('default', filter, { limit: 5 })).items).toEqual([]);
    }
  });

  it('comes in pages, newest first, each once', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index++) made.push((await open({ reference: 'pages' })).id);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await heart.masking.listSessions(
        'default',
        { reference: 'pages' },
        { limit: 2, ...(after === undefined ? {} : { after }) },
      );
      seen.push(...page.items.map((one) => one.id));
      after = page.next;
    } while (after !== undefined);
    expect(seen.sort()).toEqual(made.sort());
    expect(seen).toHaveLength(5);
    await expect(heart.masking.listSessions('default', {}, { limit: 201 })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(
      heart.masking.listSessions('default', {}, { limit: 1, after: "'; drop table sessions" }),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('leaves no call open when a node dies', async () => {
    const { test, vault, doors } = heart;
    const session = await open();
    const target = { tenant: 'default', session: session.id, participant: session.participants[1]?.id ?? '' };
    const first = createMasking({ database: test.database, vault, doors });
    await first.start({ node: 'one', boot: 'a' });
    const [carrier] = (await heart.masking.listCarriers('default', { limit: 1 })).items;
    const inbound = {
      kind: 'call',
      carriers: [{ tenant: 'default', carrier: carrier?.id ?? '' }],
      called: dialOf(session),
      caller: caller(),
    } as const;
    const calls = ['1', '2'].map((one) => `call_${one.repeat(32)}`);
    for (const call of calls) expect(await first.decide({ ...inbound, call })).toMatchObject({ kind: 'run' });
    expect(await first.answered({ ...target, call: calls[0] ?? '' })).toBe(true);
    const [party] = await test.database.query<{ readonly party: string }>(
      '',
      'select party from parties limit 1',
      [],
    );
    const recording = await first.recordingStarted({
      tenant: 'default',
      call: calls[0] ?? '',
      session: session.id,
      parties: [party?.party ?? '', party?.party ?? ''],
      announcement: {},
    });
    // `first` is gone without a word; another node goes on meanwhile, and its calls are not touched.
    const other = createMasking({ database: test.database, vault, doors });
    expect(await other.start({ node: 'two', boot: 'x' })).toEqual({ interrupted: 0 });
    const living = `call_${'3'.repeat(32)}`;
    expect(await other.decide({ ...inbound, call: living })).toMatchObject({ kind: 'run' });
    await first.stop();

    const again = createMasking({ database: test.database, vault, doors });
    expect(await again.start({ node: 'one', boot: 'b' })).toEqual({ interrupted: 2 });
    expect(await again.getCall('default', calls[0] ?? '')).toMatchObject({
      status: 'ended',
      outcome: 'interrupted',
      recording: { id: recording.recording, status: 'interrupted' },
    });
    // A recording whose row was made, but of which the switch never heard: closed when its call is long over.
    await test.database.query('', `update recordings set status = 'recording', ended_at = null`, []);
    expect(await interruptRecordings(test.database, 10)).toBe(0);
    await test.database.query(
      '',
      `update calls set ended_at = now() - interval '61 min' where ended_at is not null`,
      [],
    );
    expect(await interruptRecordings(test.database, 10)).toBe(1);
    expect((await again.getCall('default', calls[0] ?? '')).recording).toMatchObject({
      status: 'interrupted',
    });
    expect(await again.getCall('default', living)).toMatchObject({ status: 'ringing' });
    expect(await again.answered({ ...target, call: calls[1] ?? '' })).toBe(false);
    await other.stop();

    // A node that doesn't come back: the others close its calls when it has been silent for 30 s.
    await test.database.query(
      '',
      `update nodes set seen_at = now() - interval '31 s' where node = 'two'`,
      [],
    );
    expect(await again.start({ node: 'one', boot: 'c' })).toEqual({ interrupted: 1 });
    await again.stop();
  });

  it('tells every node of a close while a call is up, and sweeps what has run out', async () => {
    const { test, vault, doors } = heart;
    const node = createMasking({ database: test.database, vault, doors });
    const heard: unknown[] = [];
    node.onSessionClosed((closed) => heard.push(closed));
    await node.start({ node: 'three', boot: 'a' });
    const session = await open();
    await heart.dial(caller(), dialOf(session));
    await heart.masking.closeSession('default', session.id, { reason: 'resolved', ongoingCalls: 'hangup' });
    await until(async () => heard.length > 0);
    expect(heard).toEqual([{ tenant: 'default', session: session.id, ongoingCalls: 'hangup' }]);
    const short = await open({ ttlSeconds: 1 });
    await until(async () => {
      const [row] = await test.database.query<{ readonly status: string }>(
        '',
        'select status from sessions where session = $1',
        [short.id],
      );
      return row?.status === 'expired';
    });
    await node.stop();
  });
});
