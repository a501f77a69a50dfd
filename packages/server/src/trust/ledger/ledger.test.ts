import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainDigest, emptyChain, readChain, readUnsealed, sealLedger } from '../../store/queries/ledger.ts';
import { type TestDatabase, testDatabase } from '../../store/testing.ts';
import type { Queries } from '../../store/types.ts';
import { createVault } from '../../vault/index.ts';
import type { LedgerCheck } from '../service.ts';
import { createSigner, type Signer } from '../signing.ts';
import { type Anchors, createAnchors, readAnchors } from './anchors.ts';
import { exportLines } from './export.ts';
import { allRoots, copyRoots, signRoots, unfinishedDay } from './roots.ts';
import { verifyLedger } from './verify.ts';

const count = 60;

/** `count` entries over three days of January 2026, sealed. */
async function write(database: TestDatabase['database'], tenant: string): Promise<void> {
  await database.query(
    '',
    `insert into ledger (tenant, entry, at, kind, actor, party, session, subject, details)
      select $1, 'led_' || lpad(to_hex(i), 32, '0'), timestamptz '2026-01-01Z' + i * interval '72 hours' / $2::integer,
          'recording.listened', 'key_1', 'pty_' || i, 'ses_' || i, 'rec_' || i,
          jsonb_build_object('z', 1, 'a', jsonb_build_array(i, 'ü'))
        from generate_series(0, $2::integer - 1) i`,
    [tenant, count],
  );
}

describe('the ledger', () => {
  let test: TestDatabase;
  let signer: Signer;
  let directory: string;
  let anchors: Anchors;
  beforeAll(async () => {
    test = await testDatabase();
    const vault = await createVault({
      database: test.database,
      masterKey: '07'.repeat(32),
      dataDir: tmpdir(),
    });
    signer = await createSigner(vault);
    directory = await mkdtemp(join(tmpdir(), 'samar-roots-'));
    anchors = createAnchors(directory);
    await write(test.database, 'default');
    await write(test.database, 'other');
    await sealLedger(test.database);
    expect(await signRoots({ database: test.database, signer }, '2026-01-03')).toBe(true);
  });
  afterAll(async () => {
    await test.drop();
    await rm(directory, { recursive: true, force: true });
  });

  const verify = (queries: Queries, tenant = 'default', files: Anchors = createAnchors(undefined)) =>
    verifyLedger(tenant, { database: queries, signer, anchors: files });

  /** What verification says after a change, which is taken back. */
  async function after(
    change: (queries: Queries) => Promise<unknown>,
    files?: Anchors,
  ): Promise<LedgerCheck> {
    let check: LedgerCheck | undefined;
    const undo = new Error('undo');
    await test.database
      .transaction(async (queries) => {
        await change(queries);
        check = await verify(queries, 'default', files);
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw error;
      });
    if (check === undefined) throw new Error('nothing was verified');
    return check;
  }
  const sql =
    (...statements: readonly string[]) =>
    async (queries: Queries) => {
      for (const one of statements) await queries.query('', one, []);
    };

  it('is intact, and its finished days are signed: the end of each, once', async () => {
    const intact = { ok: true, entries: count, unsealed: 0, roots: 2 };
    expect(await verify(test.database)).toMatchObject(intact);
    expect(await verify(test.database, 'other')).toMatchObject(intact);
    expect(await verify(test.database, 'nobody')).toMatchObject({ ok: true, entries: 0, roots: 0 });
    const roots = await allRoots(test.database, 'default');
    expect(roots).toMatchObject([
      { day: '2026-01-01', sequence: 20, entries: 20, keyId: signer.keyId },
      { day: '2026-01-02', sequence: 40, entries: 20 },
    ]);
    await signRoots({ database: test.database, signer }, '2026-01-03');
    expect(await allRoots(test.database, 'default')).toEqual(roots);
    const told = await test.database.query<{ readonly data: object }>(
      '',
      `select data from events where tenant = 'default' and kind = 'ledger.root' order by event`,
      [],
    );
    expect(told.map((one) => one.data)).toEqual(roots);
  });

  const someRows = [1, 2, 20, 33, count];
  const newValues = {
    entry: `'led_x'`,
    at: `at + interval '1 microsecond'`,
    kind: `kind || '.'`,
    actor: `'key_2'`,
    party: 'null',
    session: `session || '0'`,
    subject: `subject || '0'`,
    details: `details || '{"z": 1.0}'`,
    previous: `set_byte(previous, 3, get_byte(previous, 3) # 1)`,
    digest: `set_byte(digest, 31, get_byte(digest, 31) # 128)`,
  };
  it.each(
    Object.entries(newValues).flatMap(([column, value]) =>
      someRows.map((row) => [column, row, value] as const),
    ),
  )('tells of a changed %s of entry %i', async (column, row, value) => {
    const check = await after(
      sql(`update ledger set ${column} = ${value} where tenant = 'default' and sequence = ${row}`),
    );
    expect(check).toMatchObject({ ok: false, fault: 'changed', sequence: row });
    expect(check).toHaveProperty('entry');
  });

  const mine = `tenant = 'default'`;
  it.each([
    [
      'an entry given to another tenant',
      [`update ledger set tenant = 'x' where ${mine} and sequence = 9`],
      'removed',
      9,
    ],
    [
      'an entry out of the chain',
      [`update ledger set sequence = null where ${mine} and sequence = 9`],
      'removed',
      9,
    ],
    ['a removed entry', [`delete from ledger where ${mine} and sequence = 5`], 'removed', 5],
    ['the first entry removed', [`delete from ledger where ${mine} and sequence = 1`], 'removed', 1],
    [
      'a removed entry with the gap closed',
      [
        `delete from ledger where ${mine} and sequence = 5`,
        ...Array.from(
          { length: count - 5 },
          (_, i) => `update ledger set sequence = ${i + 5} where ${mine} and sequence = ${i + 6}`,
        ),
      ],
      'moved',
      5,
    ],
    [
      'two entries changing places',
      [
        `update ledger set sequence = null where ${mine} and sequence = 3`,
        `update ledger set sequence = 3 where ${mine} and sequence = 6`,
        `update ledger set sequence = 6 where ${mine} and sequence is null`,
      ],
      'moved',
      3,
    ],
    ['an end cut off', [`delete from ledger where ${mine} and sequence > 48`], 'removed', 49],
    ['everything gone', [`delete from ledger where ${mine}`], 'removed', 1],
    [
      'everything gone with the head, but for the roots',
      [`delete from ledger where ${mine}`, `delete from ledger_heads where ${mine}`],
      'removed',
      1,
    ],
    ['a head that is gone', [`delete from ledger_heads where ${mine}`], 'moved', 1],
    [
      'an end cut off with the head moved, where a root says otherwise',
      [
        `delete from ledger where ${mine} and sequence > 30`,
        `update ledger_heads h set sequence = 30, digest = (select l.digest from ledger l where l.tenant = h.tenant and l.sequence = 30) where ${mine}`,
      ],
      'removed',
      31,
    ],
    [
      'a root of another chain',
      [`update ledger_roots set digest = sha256('x') where ${mine} and day = '2026-01-01'`],
      'root-forged',
      20,
    ],
    [
      'a root at another place',
      [`update ledger_roots set sequence = 21 where ${mine} and day = '2026-01-01'`],
      'root-forged',
      21,
    ],
    [
      'a root of another day',
      [`update ledger_roots set day = '2025-12-31' where ${mine} and day = '2026-01-01'`],
      'root-forged',
      20,
    ],
    [
      'a root with the signature of another',
      [
        `update ledger_roots r set signature = (select x.signature from ledger_roots x where x.${mine} and x.day = '2026-01-02') where ${mine} and day = '2026-01-01'`,
      ],
      'root-forged',
      20,
    ],
    [
      'a root by another key',
      [`update ledger_roots set key_id = '0000000000000000' where ${mine} and day = '2026-01-02'`],
      'root-forged',
      40,
    ],
  ] as const)('tells of %s', async (_what, statements, fault, sequence) => {
    expect(await after(sql(...statements))).toMatchObject({ ok: false, fault, sequence });
  });

  it('takes no two entries at one place', async () => {
    await expect(
      test.database.query('', `update ledger set sequence = 4 where ${mine} and sequence = 5`, []),
    ).rejects.toMatchObject({ code: '23505' });
  });

  /** Somebody who can write everything in the database, and knows how the chain is made. */
  async function rewrite(queries: Queries): Promise<void> {
    await queries.query('', `update ledger set actor = 'key_2' where ${mine} and sequence = 7`, []);
    let last = emptyChain;
    for (const entry of await readChain(queries, 'default', 0, count)) {
      const digest = chainDigest(last.digest, entry);
      await queries.query(
        '',
        `update ledger set previous = $1, digest = $2 where ${mine} and sequence = $3`,
        [last.digest, digest, entry.sequence],
      );
      last = { sequence: Number(entry.sequence), digest };
    }
    await queries.query('', `update ledger_heads set digest = $1 where ${mine}`, [last.digest]);
  }

  it('tells of a chain that was written anew as a whole, by its roots', async () => {
    expect(await after(rewrite)).toMatchObject({ ok: false, fault: 'root-mismatch', sequence: 20 });
  });

  it('tells of it by the copy outside the database, when the roots were taken out as well', async () => {
    await copyRoots(test.database, anchors);
    await copyRoots(test.database, anchors);
    const file = join(directory, 'default.jsonl');
    expect(readAnchors(await readFile(file, 'utf8'))).toMatchObject(await allRoots(test.database, 'default'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await anchors.tenants()).slice().sort()).toEqual(['default', 'other']);
    expect(await verify(test.database, 'default', anchors)).toMatchObject({ ok: true, roots: 2 });
    const withoutRoots = async (queries: Queries) => {
      await rewrite(queries);
      await queries.query('', `delete from ledger_roots where ${mine}`, []);
    };
    expect(await after(withoutRoots)).toMatchObject({ ok: true });
    const found = { ok: false, fault: 'root-mismatch', sequence: 20 };
    expect(await after(withoutRoots, anchors)).toMatchObject(found);
    const only = sql(`delete from ledger_roots where ${mine} and day = '2026-01-02'`);
    expect(await after(only, anchors)).toEqual({ ...found, sequence: 40 });
    const nothingLeft = sql(
      ...['ledger', 'ledger_heads', 'ledger_roots'].map((one) => `delete from ${one} where ${mine}`),
    );
    expect(await after(nothingLeft, anchors)).toMatchObject({ ok: false, fault: 'removed', sequence: 1 });
  });

  it('goes on behind a line that a power cut tore, and doubts a copy that was changed', async () => {
    const file = join(directory, 'other.jsonl');
    const [first = ''] = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, `${first}\n${first.slice(0, 40)}`);
    await copyRoots(test.database, anchors);
    expect(readAnchors(await readFile(file, 'utf8'))).toHaveLength(2);
    expect(await verify(test.database, 'other', anchors)).toMatchObject({ ok: true, roots: 2 });
    await appendFile(file, `${first.replace('"sequence":20', '"sequence":19')}\n`);
    expect(await verify(test.database, 'other', anchors)).toMatchObject({
      fault: 'root-forged',
      sequence: 19,
    });
  });

  it('is given to an auditor with everything that the check needs', async () => {
    const lines: string[] = [];
    for await (const part of exportLines('default', { database: test.database, signer }))
      lines.push(...part.lines);
    const [first, ...rest] = lines.map((line) => JSON.parse(line));
    expect(first).toMatchObject({ type: 'ledger', tenant: 'default', entries: count, keyId: signer.keyId });
    expect(first.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(rest.filter((one) => one.type === 'entry')).toHaveLength(count);
    expect(rest.filter((one) => one.type === 'root')).toHaveLength(2);
    expect(JSON.parse(rest[0].content)).toMatchObject({
      tenant: 'default',
      actor: 'key_1',
      kind: 'recording.listened',
    });
  });

  it('holds a day back until it is over for two minutes', () => {
    expect(unfinishedDay(Date.UTC(2026, 0, 2, 0, 1, 59))).toBe('2026-01-01');
    expect(unfinishedDay(Date.UTC(2026, 0, 2, 0, 2, 0))).toBe('2026-01-02');
  });
});

describe('the sealer', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testDatabase();
  });
  afterAll(() => test.drop());

  async function add(tenant: string, entries: number): Promise<void> {
    await test.database.query(
      '',
      `insert into ledger (tenant, entry, kind, actor) select $1, new_id('led_'), 'connection', 'switch'
        from generate_series(1, $2::integer)`,
      [tenant, entries],
    );
  }
  const waiting = async (tenant: string) => (await readUnsealed(test.database, tenant)).count;

  it('works a tenant’s entries off in one pass, beside those of others, in one process at a time', async () => {
    await add('busy', 4_500);
    await add('calm', 3);
    const sealed = await Promise.all([sealLedger(test.database), sealLedger(test.database)]);
    for (let pass = 0; pass < 5; pass++) sealed.push(await sealLedger(test.database));
    expect(sealed.reduce((sum, one) => sum + one, 0)).toBe(4_503);
    expect([await waiting('busy'), await waiting('calm')]).toEqual([0, 0]);
  });

  it('leaves the rest of a great backlog to the next pass', async () => {
    await add('late', 21_000);
    expect(await sealLedger(test.database)).toBe(20_000);
    expect(await sealLedger(test.database)).toBe(1_000);
    expect(await waiting('late')).toBe(0);
  });
});
