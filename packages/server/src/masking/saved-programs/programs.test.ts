import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../ids.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import { createDestinations } from './destinations.ts';
import { createProgramCache } from './program-cache.ts';
import { createPrograms } from './programs.ts';

/** A program of one rule. */
const rule = (then: unknown) => ({ rules: [{ then }] });
const connect = rule({ connect: 'agent' });
const announce = rule([{ announce: 'closed' }, { refuse: 'closed' }]);

describe('programs', () => {
  let heart: TestMasking;
  let part: ReturnType<typeof createPrograms>;
  const ask = <Row>(text: string, values: readonly unknown[] = []) =>
    heart.test.database.query<Row>('', text, values);
  const context = () => ({ database: heart.test.database, vault: heart.vault, doors: heart.doors });
  beforeEach(async () => {
    heart = await testMasking();
    part = createPrograms(context(), { prompts: new Set(['closed', 'own-words']) });
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
  });
  afterEach(() => heart.close());
  const told = () =>
    ask<{ readonly kind: string; readonly subject: string; readonly data: unknown }>(
      'select kind, subject, data from events order by event',
    );

  it('are saved as versions, of which the newest is meant and none ever changes', async () => {
    const made = await part.createProgram('default', { name: 'Day_line-1', definition: connect });
    expect(made).toMatchObject({ name: 'Day_line-1', version: 1, default: false, definition: connect });
    expect(made.id).toMatch(/^prg_[0-9a-f]{32}$/);
    const next = await part.updateProgram('default', made.id, { definition: announce });
    expect(next).toMatchObject({ id: made.id, version: 2, definition: announce });
    expect(await part.getProgram('default', 'Day_line-1')).toEqual(next);
    expect(await part.getProgram('default', made.id, 2)).toEqual(next);
    expect(await part.getProgram('default', 'Day_line-1', 1)).toMatchObject({
      version: 1,
      definition: connect,
    });
    await expect(
      ask(`update program_versions set definition = '{}' where version = 1`),
    ).rejects.toMatchObject({
      code: 'SM003',
    });
    const renamed = await part.updateProgram('default', 'Day_line-1', { name: 'day' });
    expect(renamed).toMatchObject({ id: made.id, name: 'day', version: 2, definition: announce });
    expect(renamed.updatedAt.getTime()).toBeGreaterThanOrEqual(made.updatedAt.getTime());
    for (const [program, version] of [
      ['Day_line-1', undefined],
      ['day', 3],
      ['day', 0],
      ['day', 1.5],
      ['day', 1e9],
      ['', undefined],
      ['a b', undefined],
      ['a\0', undefined],
      [newId(heart.doors, 'prg'), undefined],
    ] as const) {
      await expect(part.getProgram('default', program, version)).rejects.toMatchObject({
        code: 'unknown-program',
      });
    }
    await expect(part.getProgram('other', made.id)).rejects.toMatchObject({ code: 'unknown-program' });
    await expect(part.updateProgram('other', made.id, { name: 'x' })).rejects.toMatchObject({
      code: 'unknown-program',
    });
    await expect(part.deleteProgram('other', made.id)).rejects.toMatchObject({ code: 'unknown-program' });
    const saved = { kind: 'program.saved', subject: made.id };
    expect(await told()).toEqual([
      { ...saved, data: { version: 1, default: false } },
      { ...saved, data: { version: 2, default: false, fields: ['definition'] } },
      { ...saved, data: { version: 2, default: false, fields: ['name'] } },
    ]);
    const entries = await ask(
      `select from ledger where kind = 'program.saved' and actor = 'platform' and subject = $1`,
      [made.id],
    );
    expect(entries).toHaveLength(3);
  });

  it('that are saved as they are stay as they are', async () => {
    const made = await part.createProgram('default', { name: 'day', definition: connect });
    for (const change of [{}, { definition: rule({ connect: 'agent' }) }, { name: 'day', default: false }]) {
      expect(await part.updateProgram('default', 'day', change)).toEqual(made);
    }
    expect(await told()).toHaveLength(1);
    await part.updateProgram('default', 'day', { definition: announce });
    // Back to what it said before the last time: a version of its own.
    expect(await part.updateProgram('default', 'day', { definition: connect })).toMatchObject({ version: 3 });
  });

  it('come in pages, the oldest first, each with its newest version', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await part.createProgram('default', { name, definition: connect });
    await part.createProgram('other', { name: 'a', definition: connect });
    await part.updateProgram('default', 'b', { definition: announce });
    await part.deleteProgram('default', 'c');
    const first = await part.listPrograms('default', { limit: 2 });
    expect(first.items.map((one) => [one.name, one.version])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    if (first.next === undefined) throw new Error('no next page');
    const second = await part.listPrograms('default', { limit: 2, after: first.next });
    expect(second.items.map((one) => one.name)).toEqual(['d', 'e']);
    expect(second.next).toBeUndefined();
    await expect(part.listPrograms('default', { limit: 0 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('have a name of their own', async () => {
    const { id } = await part.createProgram('default', { name: 'day', definition: connect });
    await part.createProgram('default', { name: 'Day', definition: connect });
    const night = await part.createProgram('default', { name: 'night', definition: connect });
    const taken = { code: 'program-taken', pointer: '/name' };
    await expect(part.createProgram('default', { name: 'day', definition: connect })).rejects.toMatchObject(
      taken,
    );
    await expect(part.updateProgram('default', 'night', { name: 'day' })).rejects.toMatchObject(taken);
    expect(await part.getProgram('default', 'night')).toEqual(night);
    await part.createProgram('other', { name: 'day', definition: connect });
    await part.deleteProgram('default', 'day');
    expect((await part.createProgram('default', { name: 'day', definition: connect })).id).not.toBe(id);
    for (const name of [
      '',
      'two words',
      '-a',
      'ä',
      'x'.repeat(64),
      'a/b',
      'a\0',
      newId(heart.doors, 'prg'),
    ]) {
      const wrong = { code: 'invalid', pointer: '/name' };
      await expect(part.createProgram('default', { name, definition: connect })).rejects.toMatchObject(wrong);
      await expect(part.updateProgram('default', 'night', { name })).rejects.toMatchObject(wrong);
    }
  });

  it('are checked before they are saved: words, places to forward to, webhooks', async () => {
    const destinations = createDestinations(context());
    await destinations.setDestination('default', 'support', '+622150000001');
    const wrong: readonly (readonly [definition: unknown, pointer: string])[] = [
      [undefined, ''],
      [null, ''],
      [7, ''],
      ['{}', ''],
      [{}, '/rules'],
      [rule({ connect: 'agent', announce: 'closed' }), '/rules/0/then'],
      [rule({ announce: 'no-such-words' }), '/rules/0/then/announce'],
      [rule({ forward: 'nowhere' }), '/rules/0/then/forward'],
      [{ rules: [{ ...connect.rules[0], when: 'caller.role ==' }] }, '/rules/0/when'],
      [{ rules: [{ ...connect.rules[0], when: 'a\0' }] }, ''],
      [rule({ ask: { url: 'https://127.0.0.1/', fallback: { connect: 'agent' } } }), '/rules/0/then/ask/url'],
      [{ ...connect, blocks: { a: { use: 'a' } } }, '/blocks/a/use'],
      [{ ...connect, closed: { announce: 'x'.repeat(70_000) } }, ''],
    ];
    const strict = createPrograms(context(), {
      prompts: new Set(['closed']),
      webhookProblem: (url) => (url.includes('127.0.0.1') ? 'Not there.' : undefined),
    });
    const day = await strict.createProgram('default', {
      name: 'day',
      definition: rule({ forward: 'support' }),
    });
    for (const [definition, pointer] of wrong) {
      const refused = { code: 'program-invalid', pointer: expect.stringContaining(pointer) };
      await expect(strict.createProgram('default', { name: 'wrong', definition })).rejects.toMatchObject(
        refused,
      );
      if (definition === undefined) continue;
      await expect(strict.updateProgram('default', 'day', { definition })).rejects.toMatchObject(refused);
    }
    expect(await strict.getProgram('default', 'day')).toEqual(day);
    expect((await strict.listPrograms('default', { limit: 10 })).items).toHaveLength(1);
    // Names of another tenant's destinations mean nothing here.
    await expect(
      strict.createProgram('other', { name: 'day', definition: rule({ forward: 'support' }) }),
    ).rejects.toMatchObject({ code: 'program-invalid' });
    await expect(strict.createProgram('nobody', { name: 'day', definition: connect })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('have one default among them, whoever asks for it at once', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const defaults = async () =>
      (await part.listPrograms('default', { limit: 50 })).items
        .filter((one) => one.default)
        .map((one) => one.name);
    await part.createProgram('default', { name: 'first', definition: connect });
    expect(await defaults()).toEqual([]);
    await Promise.all(
      names.map((name) => part.createProgram('default', { name, definition: connect, default: true })),
    );
    expect(await defaults()).toHaveLength(1);
    await Promise.all(names.map((name) => part.updateProgram('default', name, { default: true })));
    const [now = ''] = await defaults();
    expect(await defaults()).toHaveLength(1);
    await part.updateProgram('default', 'first', { default: true });
    expect(await defaults()).toEqual(['first']);
    expect(await part.updateProgram('default', now, { definition: announce })).toMatchObject({
      default: false,
    });
    await part.updateProgram('default', 'first', { default: false });
    expect(await defaults()).toEqual([]);
    await part.updateProgram('default', 'a', { default: true });
    await part.deleteProgram('default', 'a');
    expect(await defaults()).toEqual([]);
    await part.createProgram('other', { name: 'a', definition: connect, default: true });
    await part.createProgram('default', { name: 'a', definition: connect, default: true });
    expect(await part.getProgram('other', 'a')).toMatchObject({ default: true });
  });

  it('that several save at once become one version after another', async () => {
    await part.createProgram('default', { name: 'day', definition: connect });
    const saved = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        part.updateProgram('default', 'day', { definition: rule({ connect: `role-${index}` }) }),
      ),
    );
    expect(saved.map((one) => one.version).sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const one of saved) {
      expect((await part.getProgram('default', 'day', one.version)).definition).toEqual(one.definition);
    }
  });

  it('are at most 1,000, of at most 1,000 versions', async () => {
    await ask(
      `insert into programs (tenant, program, name) select 'default', 'prg_' || lpad(n::text, 32, '0'), 'p' || n
        from generate_series(1, 998) n`,
    );
    const tries = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((name) => part.createProgram('default', { name, definition: connect })),
    );
    expect(tries.map((one) => one.status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    for (const one of tries)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'invalid' });
    await ask(`update programs set deleted_at = now() where name = 'p1'`);
    const last = await part.createProgram('default', { name: 'last', definition: connect });
    await ask(`update programs set version = 999 where program = $1`, [last.id]);
    await ask(
      `insert into program_versions (tenant, program, version, definition, actor)
        select tenant, program, 999, definition, actor from program_versions where program = $1`,
      [last.id],
    );
    expect(await part.updateProgram('default', 'last', { definition: announce })).toMatchObject({
      version: 1_000,
    });
    await expect(part.updateProgram('default', 'last', { definition: connect })).rejects.toMatchObject({
      code: 'invalid',
      pointer: '/definition',
    });
    expect(await part.updateProgram('default', 'last', { definition: announce })).toMatchObject({
      version: 1_000,
    });
    expect(await part.updateProgram('default', 'last', { name: 'done' })).toMatchObject({ version: 1_000 });
  });

  it('stay while a live session names them', async () => {
    const { id } = await part.createProgram('default', { name: 'day', definition: connect, default: true });
    const { id: other } = await part.createProgram('default', { name: 'night', definition: connect });
    await ask(
      `insert into sessions (tenant, session, pool, expires_at, program)
        values ('default', 'ses_1', 'default', now() + interval '1 hour', $1), ('default', 'ses_2', 'default', now() + interval '1 hour', $2)`,
      [id, other],
    );
    const change = (text: string) => ask(`update sessions set ${text} where session = 'ses_1'`);
    const inUse = () =>
      expect(part.deleteProgram('default', 'day')).rejects.toMatchObject({ code: 'program-in-use' });
    await inUse();
    await change(`idle_seconds = 60, idle_expires_at = now() + interval '1 minute', program_version = 1`);
    await inUse();
    await change(`opens_at = now() + interval '10 minutes'`);
    await inUse();
    await change(`status = 'closed', closed_at = now(), after_until = now() + interval '1 hour'`);
    await inUse();
    await change(`after_until = now() - interval '1 second'`);
    await part.deleteProgram('default', 'day');
    expect((await told()).at(-1)).toEqual({ kind: 'program.deleted', subject: id, data: { version: 1 } });
    expect(
      await ask(`select from ledger where kind = 'program.deleted' and subject = $1`, [id]),
    ).toHaveLength(1);
    await expect(part.getProgram('default', 'day')).rejects.toMatchObject({ code: 'unknown-program' });
    await expect(part.updateProgram('default', id, { name: 'x' })).rejects.toMatchObject({
      code: 'unknown-program',
    });
    await expect(part.deleteProgram('default', id)).rejects.toMatchObject({ code: 'unknown-program' });
    await ask(
      `update sessions set idle_seconds = 60, idle_expires_at = now() - interval '1 second' where session = 'ses_2'`,
    );
    await part.deleteProgram('default', 'night');
  });

  it('are there for decisions at once, read once, and for good', async () => {
    let statements = 0;
    const counting = {
      ...heart.test.database,
      query: <Row>(name: string, text: string, values: readonly unknown[]) => {
        statements += 1;
        return heart.test.database.query<Row>(name, text, values);
      },
    };
    const cache = createProgramCache({ database: counting });
    const { id } = await part.createProgram('default', { name: 'day', definition: connect });
    const together = await Promise.all(Array.from({ length: 20 }, () => cache.get('default', id, 1)));
    expect(statements).toBe(1);
    expect(new Set(together).size).toBe(1);
    expect(together[0]).toMatchObject({ id, version: 1 });
    expect(await cache.get('default', id, undefined)).toBe(together[0]);
    expect(statements).toBe(2);
    // A version that isn't there yet is not remembered as missing.
    expect(await cache.get('default', id, 2)).toBeUndefined();
    await part.updateProgram('default', 'day', { definition: announce });
    expect(await cache.get('default', id, undefined)).toMatchObject({ id, version: 2 });
    expect(await cache.get('default', id, 1)).toBe(together[0]);
    expect(await cache.get('other', id, 1)).toBeUndefined();
    expect(await cache.get('other', id, undefined)).toBeUndefined();
    await part.deleteProgram('default', 'day');
    expect(await cache.get('default', id, undefined)).toMatchObject({ version: 2 });
    expect(await createProgramCache({ database: counting }).get('default', id, 1)).toMatchObject({
      version: 1,
    });
  });

  it('in the cache are at most 1,000, and a failure is not kept', async () => {
    let failing = false;
    const asked: unknown[] = [];
    const database = {
      ...heart.test.database,
      query: <Row>(name: string, text: string, values: readonly unknown[]) => {
        asked.push(values[2]);
        if (failing) return Promise.reject(new Error('away'));
        return heart.test.database.query<Row>(name, text, values);
      },
    };
    const cache = createProgramCache({ database });
    const { id } = await part.createProgram('default', { name: 'day', definition: connect });
    await ask(
      `insert into program_versions (tenant, program, version, definition, actor)
        select tenant, program, n, definition, actor from program_versions, generate_series(2, 1001) n where program = $1`,
      [id],
    );
    failing = true;
    await expect(cache.get('default', id, 1)).rejects.toThrow('away');
    failing = false;
    expect(await cache.get('default', id, 1)).toMatchObject({ version: 1 });
    for (let version = 2; version <= 1_000; version += 1) await cache.get('default', id, version);
    await cache.get('default', id, 1);
    await cache.get('default', id, 1_001);
    asked.length = 0;
    await cache.get('default', id, 1);
    await cache.get('default', id, 3);
    expect(asked).toEqual([]);
    await cache.get('default', id, 2);
    expect(asked).toEqual([2]);
  });
});
