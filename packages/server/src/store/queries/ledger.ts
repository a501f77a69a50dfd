/**
 * The ledger's chain. Entries are written in the transaction of what they tell of, without a place in the chain, so
 * that writers never wait for one another; sealing gives each its place afterwards, in one process at a time.
 *
 * digest = SHA-256(digest of the entry before ‖ canonical JSON of the entry); before the first stand 32 zero bytes.
 */
import { createHash } from 'node:crypto';
import type { Database, Queries } from '../types.ts';

export interface LedgerEntry {
  readonly tenant: string;
  readonly entry: string;
  /** RFC 3339, UTC, microseconds. */
  readonly at: string;
  readonly kind: string;
  readonly actor: string;
  readonly party: string | null;
  readonly session: string | null;
  readonly subject: string | null;
  /** JSON as the database writes it: numbers keep every digit. */
  readonly details: string;
}

export interface SealedEntry extends LedgerEntry {
  readonly sequence: string;
  readonly previous: Buffer;
  readonly digest: Buffer;
}

export interface LedgerHead {
  /** 0 before the first entry. */
  readonly sequence: number;
  readonly digest: Buffer;
}

export const emptyChain: LedgerHead = { sequence: 0, digest: Buffer.alloc(32) };

const content = `l.tenant, l.entry, to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, l.kind, l.actor,
  l.party, l.session, l.subject, l.details::text as details`;

/** What is hashed: canonical JSON, the names in order. */
export function chainText(entry: LedgerEntry): string {
  const field = JSON.stringify;
  const { actor, at, entry: id, kind, party, session, subject, tenant } = entry;
  return (
    `{"actor":${field(actor)},"at":${field(at)},"details":${canonical(readExactly(entry.details))},"entry":${field(id)}` +
    `,"kind":${field(kind)},"party":${field(party)},"session":${field(session)},"subject":${field(subject)}` +
    `,"tenant":${field(tenant)}}`
  );
}

export function chainDigest(previous: Buffer, entry: LedgerEntry): Buffer {
  return createHash('sha256').update(previous).update(chainText(entry)).digest();
}

const digits = Symbol('digits');
type ExactNumber = { readonly [digits]: string };

/** A number that JavaScript can't hold, or would write otherwise, keeps its text: no digit can be changed unseen. */
function readExactly(json: string): unknown {
  if (!/\d{16}|\d\.\d/.test(json)) return JSON.parse(json);
  const keep = (_name: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && source !== String(value)
      ? ({ [digits]: source } satisfies ExactNumber)
      : value;
  };
  return JSON.parse(json, keep);
}

/** JSON with the keys of every object in the order of their code units. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (digits in value) return String(value[digits]);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

const sealLock = '5072936580214101';
const entriesABatch = 1_000;
const tenantsAPass = 100;
/** Of one tenant in a pass: a busy one doesn't keep the others waiting, and what is left over is the next pass's. */
const batchesATenant = 20;

/** How many entries were sealed; 0 also while another process seals. */
export async function sealLedger(database: Database): Promise<number> {
  let waiting = (await unsealedTenants(database)).map(({ tenant }) => tenant);
  let sealed = 0;
  for (let round = 0; round < batchesATenant && waiting.length > 0; round++) {
    const full: string[] = [];
    for (const tenant of waiting) {
      const done = await database.transaction((queries) => sealTenant(queries, tenant));
      sealed += done;
      if (done === entriesABatch) full.push(tenant);
    }
    waiting = full;
  }
  return sealed;
}

/** One look at the index a tenant, however many entries wait. */
function unsealedTenants(queries: Queries): Promise<readonly { readonly tenant: string }[]> {
  return queries.query(
    'unsealed_tenants',
    `with recursive waiting as (
        (select l.tenant from ledger l where l.sequence is null order by l.tenant limit 1)
        union all
        select (select l.tenant from ledger l where l.sequence is null and l.tenant > w.tenant order by l.tenant limit 1)
          from waiting w where w.tenant is not null
      )
      select w.tenant from waiting w where w.tenant is not null limit $1`,
    [tenantsAPass],
  );
}

async function sealTenant(queries: Queries, tenant: string): Promise<number> {
  const [lock] = await queries.query<{ readonly held: boolean }>(
    'lock_ledger',
    `select pg_try_advisory_xact_lock(${sealLock}) as held`,
    [],
  );
  if (!lock?.held) return 0;
  const entries = await queries.query<LedgerEntry>(
    'unsealed_entries',
    `select ${content} from ledger l where l.tenant = $1 and l.sequence is null order by l.entry limit $2`,
    [tenant, entriesABatch],
  );
  let head = await readHead(queries, tenant);
  const chained = entries.map((entry) => {
    const previous = head.digest;
    head = { sequence: head.sequence + 1, digest: chainDigest(previous, entry) };
    return { entry: entry.entry, sequence: head.sequence, previous, digest: head.digest };
  });
  if (chained.length === 0) return 0;
  await queries.query(
    'seal_entries',
    `update ledger l set sequence = x.sequence, previous = x.previous, digest = x.digest
      from unnest($2::text[], $3::bigint[], $4::bytea[], $5::bytea[]) as x(entry, sequence, previous, digest)
      where l.tenant = $1 and l.entry = x.entry and l.sequence is null`,
    [
      tenant,
      chained.map((one) => one.entry),
      chained.map((one) => one.sequence),
      chained.map((one) => one.previous),
      chained.map((one) => one.digest),
    ],
  );
  await queries.query(
    'move_ledger_head',
    `insert into ledger_heads as h (tenant, sequence, digest) values ($1, $2, $3)
      on conflict (tenant) do update set sequence = excluded.sequence, digest = excluded.digest`,
    [tenant, head.sequence, head.digest],
  );
  return chained.length;
}

export async function readHead(queries: Queries, tenant: string): Promise<LedgerHead> {
  const rows = await queries.query<{ readonly sequence: string; readonly digest: Buffer }>(
    'read_ledger_head',
    'select h.sequence::text, h.digest from ledger_heads h where h.tenant = $1',
    [tenant],
  );
  const [row] = rows;
  return row === undefined ? emptyChain : { sequence: Number(row.sequence), digest: row.digest };
}

/** In the order of the chain, after a place in it. */
export function readChain(
  queries: Queries,
  tenant: string,
  after: number,
  limit: number,
): Promise<readonly SealedEntry[]> {
  return queries.query<SealedEntry>(
    'read_chain',
    `select ${content}, l.sequence::text, l.previous, l.digest from ledger l
      where l.tenant = $1 and l.sequence > $2 order by l.sequence limit $3`,
    [tenant, after, limit],
  );
}

/** Entries that wait for their place; seconds since the oldest of them was written. */
export async function readUnsealed(
  queries: Queries,
  tenant: string,
): Promise<{ readonly count: number; readonly seconds: number }> {
  const rows = await queries.query<{ readonly count: number; readonly seconds: number }>(
    'read_unsealed',
    `select count(*)::integer as count, coalesce(extract(epoch from now() - min(l.at)), 0)::double precision as seconds
      from ledger l where l.tenant = $1 and l.sequence is null`,
    [tenant],
  );
  return rows[0] ?? { count: 0, seconds: 0 };
}
