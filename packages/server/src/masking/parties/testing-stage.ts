/**
 * A tenant on a fresh database with sessions that are written row by row: for tests of what happens to people who are
 * in sessions already, in whatever state of them, without the way there.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { type TestDatabase, testDatabase } from '../../store/testing.ts';
import { createVault } from '../../vault/index.ts';
import type { TenantVault } from '../../vault/types.ts';
import { type Context, installation } from '../context.ts';
import { newId } from '../ids.ts';
import { phone } from '../testing.ts';
import { codeCandidates, codeOf } from './codes.ts';
import { sealPhone } from './sealed-phone.ts';
import { transparencyToken } from './transparency.ts';

export interface StagedPerson {
  readonly participant: string;
  readonly number: string;
  /** In the order of the phones. */
  readonly parties: readonly string[];
}

export interface Stage {
  readonly test: TestDatabase;
  readonly context: Context;
  readonly keys: TenantVault;
  /** Any statement; rows as they come. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** A new virtual number of ours. */
  number(): Promise<{ readonly id: string; readonly e164: string }>;
  /** The phone's party, made when it is new. */
  party(e164: string): Promise<string>;
  /** An open session for an hour; each participant on a new number unless `numbers` says which. */
  session(
    phones: readonly (readonly string[])[],
    options?: { readonly numbers?: readonly string[] },
  ): Promise<{ readonly session: string; readonly people: readonly StagedPerson[] }>;
  /** A live code of a participant's on this number; null when none is left. */
  takePin(number: string, session: string, participant: string): Promise<number | null>;
  /** A code for the first participant of a new session, on this number or a new one. */
  code(number?: string): Promise<{
    readonly number: string;
    readonly code: string;
    readonly session: string;
    readonly participant: string;
  }>;
  /** Its numbers start cooling; they are free at once unless `cooling` (seconds) says otherwise. */
  end(session: string, cooling?: number): Promise<void>;
  close(): Promise<void>;
}

const tenant = 'default';

export async function testStage(): Promise<Stage> {
  const test = await testDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'samar-stage-'));
  const vault = await createVault({ database: test.database, masterKey: undefined, dataDir });
  const doors = nodeDoors();
  const context = { database: test.database, vault, doors };
  const keys = await vault.unlock(tenant);
  const directory = await vault.unlock(installation);
  const sql: Stage['sql'] = (text, values = []) => test.database.query('', text, values);
  let numbers = 0;
  let strangers = 2_000_000;
  await sql(`insert into carriers (tenant, carrier, name, kind, host, transport, allowed_sources)
    values ('default', 'car_stage', 'stage', 'sip', '192.0.2.1', 'udp', '{}')`);
  await sql(`insert into pools (tenant, pool) values ('default', 'default')`);

  async function number() {
    const id = newId(doors, 'num');
    numbers += 1;
    const e164 = `+62215${String(numbers).padStart(6, '0')}`;
    await sql(
      `insert into numbers (tenant, number, e164, pool, carrier, country) values ($1, $2, $3, 'default', 'car_stage', 'ID')`,
      [tenant, id, e164],
    );
    await sql('insert into number_directory (e164, tenant, number, fingerprint) values ($1, $2, $3, $4)', [
      e164,
      tenant,
      id,
      directory.fingerprint(e164),
    ]);
    return { id, e164 };
  }

  async function party(e164: string): Promise<string> {
    const known = 'select party from parties where tenant = $1 and fingerprint = $2';
    const [before] = await sql<{ readonly party: string }>(known, [tenant, keys.fingerprint(e164)]);
    if (before !== undefined) return before.party;
    const sealed = sealPhone(context, keys, directory, { e164, country: 'ID' });
    await sql(
      'insert into parties (tenant, party, fingerprint, phone, phone_key, country) values ($1, $2, $3, $4, $5, $6)',
      [tenant, sealed.party, sealed.fingerprint, sealed.phone, sealed.key.partyKey, sealed.country],
    );
    await sql(
      'insert into party_keys (tenant, party, party_key, wrapped, tenant_key_version) values ($1, $2, $3, $4, $5)',
      [tenant, sealed.party, sealed.key.partyKey, sealed.key.wrapped, sealed.key.tenantKeyVersion],
    );
    return sealed.party;
  }

  async function seat(session: string, position: number, phones: readonly string[], on: string) {
    const participant = newId(doors, 'par');
    const digest = createHash('sha256').update(transparencyToken(keys, participant)).digest();
    await sql(
      `insert into participants (tenant, session, participant, position, role, number, transparency_digest)
        values ($1, $2, $3, $4, $5, $6, $7)`,
      [tenant, session, participant, position, position === 1 ? 'agent' : 'customer', on, digest],
    );
    const parties: string[] = [];
    for (const [index, e164] of phones.entries()) {
      const id = await party(e164);
      parties.push(id);
      await sql(
        'insert into participant_phones (tenant, session, participant, position, party) values ($1, $2, $3, $4, $5)',
        [tenant, session, participant, index + 1, id],
      );
      await sql(
        'insert into bindings (tenant, party, number, session, participant) values ($1, $2, $3, $4, $5)',
        [tenant, id, on, session, participant],
      );
    }
    return { participant, number: on, parties };
  }

  const session: Stage['session'] = async (phones, { numbers: on = [] } = {}) => {
    const id = newId(doors, 'ses');
    await sql(
      `insert into sessions (tenant, session, pool, expires_at) values ($1, $2, 'default', platform_now() + interval '1 hour')`,
      [tenant, id],
    );
    const people: StagedPerson[] = [];
    for (const [index, each] of phones.entries()) {
      people.push(await seat(id, index + 1, each, on[index] ?? (await number()).id));
    }
    return { session: id, people };
  };

  const takePin: Stage['takePin'] = async (on, of, participant) => {
    const choice = codeCandidates(keys, participant);
    const [row] = await sql<{ readonly index: number | null }>(
      'select take_pin($1, $2, $3, $4, $5::bytea[], $6::smallint[], platform_now()) as index',
      [tenant, on, of, participant, choice.map((one) => one.digest), choice.map((one) => one.index)],
    );
    return row?.index ?? null;
  };

  return {
    test,
    context,
    keys,
    sql,
    number,
    party,
    session,
    takePin,
    async code(wanted) {
      strangers += 2;
      const on = wanted ?? (await number()).id;
      const made = await session([[phone(strangers)], [phone(strangers + 1)]], { numbers: [on] });
      const participant = made.people[0]?.participant ?? '';
      const index = await takePin(on, made.session, participant);
      return { number: on, code: codeOf(keys, participant, index ?? -1), session: made.session, participant };
    },
    async end(ended, cooling = 0) {
      await sql(`update sessions set status = 'closed', closed_at = platform_now() where session = $1`, [
        ended,
      ]);
      await sql(
        `update bindings set released_at = platform_now(), free_at = platform_now() + make_interval(secs => $2)
          where session = $1`,
        [ended, cooling],
      );
      await sql('select drop_pins($1, $2)', [tenant, ended]);
    },
    async close() {
      await test.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
