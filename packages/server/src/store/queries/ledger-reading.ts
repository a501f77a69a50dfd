/**
 * Reading the ledger: by what an entry is about, who acted, when, and whom it concerns; and writing an entry that has no
 * row of its own beside it.
 *
 * Sealed entries are found by indexes that hold only them; those that wait for their seal (seconds) are few, and looked
 * through. Statements are planned each time: how many entries an actor or a kind has differs by orders of magnitude.
 */
import type { Queries } from '../types.ts';

export interface EntryRow {
  readonly entry: string;
  readonly at: Date;
  readonly kind: string;
  readonly actor: string;
  readonly party: string | null;
  readonly session: string | null;
  readonly subject: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly sequence: string | null;
  readonly digest: Buffer | null;
}

export interface EntrySearch {
  readonly tenant: string;
  readonly session: string | undefined;
  readonly subject: string | undefined;
  readonly actor: string | undefined;
  /** Any of these. */
  readonly kinds: readonly string[] | undefined;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** Any of these parties is concerned: see `ledger_parties`. */
  readonly parties: readonly string[] | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

const columns = `l.entry, l.at, l.kind, l.actor, l.party, l.session, l.subject, l.details, l.sequence::text as sequence, l.digest`;

/**
 * An entry's id is made after its transaction has begun (`at`), but no more than this: a statement takes at most 15
 * seconds. So ids bound the search by time, and `at` decides.
 */
const longestTransaction = 60_000;

/** The first id of this millisecond: see `new_id`. */
function idAt(milliseconds: number): string {
  return `led_${Math.max(0, milliseconds).toString(16).padStart(12, '0').slice(-12)}${'0'.repeat(20)}`;
}

export async function readEntry(
  queries: Queries,
  tenant: string,
  entry: string,
): Promise<EntryRow | undefined> {
  const rows = await queries.query<EntryRow>(
    'read_ledger_entry',
    `select ${columns} from ledger l where l.tenant = $1 and l.entry = $2`,
    [tenant, entry],
  );
  return rows[0];
}

/** Newest first. */
export function listEntries(queries: Queries, search: EntrySearch): Promise<readonly EntryRow[]> {
  const values: unknown[] = [search.tenant, search.limit];
  const value = (one: unknown): string => {
    values.push(one);
    return `$${values.length}`;
  };
  const { session, subject, actor, kinds, from, to, parties, after } = search;
  let where = 'l.tenant = $1';
  if (session !== undefined) where += ` and l.session = ${value(session)}`;
  if (subject !== undefined) where += ` and l.subject = ${value(subject)}`;
  if (actor !== undefined) where += ` and l.actor = ${value(actor)}`;
  if (from !== undefined)
    where += ` and l.at >= ${value(from)} and l.entry >= ${value(idAt(from.getTime()))}`;
  if (to !== undefined) {
    where += ` and l.at < ${value(to)} and l.entry < ${value(idAt(to.getTime() + longestTransaction))}`;
  }
  if (after !== undefined) where += ` and l.entry < ${value(after)}`;
  if (parties !== undefined) {
    if (kinds !== undefined) where += ` and l.kind = any (${value(kinds)}::text[])`;
    return queries.query<EntryRow>('', ofPeople(where, value(parties)), values);
  }
  const ofKinds = kinds === undefined ? undefined : value(kinds);
  const both = ['is not null', 'is null'].map((sealed) => arm(`${where} and l.sequence ${sealed}`, ofKinds));
  return queries.query<EntryRow>(
    '',
    `select ${columns} from (${both.join(' union all ')}) l order by l.entry desc limit $2`,
    values,
  );
}

/** Kind by kind where they are given, so that each comes from the index in order. */
function arm(where: string, kinds: string | undefined): string {
  return kinds === undefined
    ? `(select l.* from ledger l where ${where} order by l.entry desc limit $2)`
    : `(select l.* from unnest(${kinds}::text[]) k(kind) cross join lateral (
        select l.* from ledger l where ${where} and l.kind = k.kind order by l.entry desc limit $2) l)`;
}

/** What may concern them by its id, newest first; looked at closely only until the page is full. */
function ofPeople(where: string, parties: string): string {
  const theirs = ['is not null', 'is null'].map(
    (sealed) =>
      `select l.entry from ledger l where ${where} and l.party = any (${parties}::text[]) and l.sequence ${sealed}`,
  );
  return `with met as materialized (
      select distinct h.session from participant_phones h where h.tenant = $1 and h.party = any (${parties}::text[])
    ), near as materialized (
      ${theirs.join(' union ')}
      union
      select l.entry from met m cross join lateral (
        select l.entry from ledger l where ${where} and l.session = m.session offset 0) l
    ), ordered as (
      select n.entry from near n order by n.entry desc offset 0
    )
    select ${columns} from ordered o
      cross join lateral (
        select l.* from ledger l where l.tenant = $1 and l.entry = o.entry
          and exists (select from ledger_parties(l) p where p = any (${parties}::text[])) offset 0
      ) l
      order by o.entry desc limit $2`;
}

/** The kinds that a tenant's ledger has: one look at the index each. */
export async function readKinds(queries: Queries, tenant: string): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly kind: string }>(
    'read_ledger_kinds',
    `with recursive sealed as (
        (select l.kind from ledger l where l.tenant = $1 and l.sequence is not null order by l.kind limit 1)
        union all
        select (select l.kind from ledger l where l.tenant = $1 and l.sequence is not null and l.kind > s.kind
            order by l.kind limit 1)
          from sealed s where s.kind is not null
      )
      select s.kind from sealed s where s.kind is not null
      union select l.kind from ledger l where l.tenant = $1 and l.sequence is null`,
    [tenant],
  );
  return rows.map((row) => row.kind);
}

/** The party that this number is, while it isn't erased. */
export async function findParty(
  queries: Queries,
  tenant: string,
  fingerprint: Buffer,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly party: string }>(
    'find_party',
    'select y.party from parties y where y.tenant = $1 and y.fingerprint = $2',
    [tenant, fingerprint],
  );
  return rows[0]?.party;
}

/** The parties that a participant is; empty when there is no such participant. */
export async function partiesOf(
  queries: Queries,
  tenant: string,
  participant: string,
): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly party: string }>(
    'parties_of_participant',
    `select distinct h.party from participants p
      join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      where p.tenant = $1 and p.participant = $2`,
    [tenant, participant],
  );
  return rows.map((row) => row.party);
}

export async function insertEntry(
  queries: Queries,
  entry: {
    readonly tenant: string;
    readonly kind: string;
    readonly actor: string;
    readonly party: string | undefined;
    readonly session: string | undefined;
    readonly subject: string | undefined;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await queries.query(
    'insert_ledger_entry',
    `insert into ledger (tenant, entry, kind, actor, party, session, subject, details)
      values ($1, new_id('led_'), $2, $3, $4, $5, $6, $7::jsonb)`,
    [
      entry.tenant,
      entry.kind,
      entry.actor,
      entry.party ?? null,
      entry.session ?? null,
      entry.subject ?? null,
      JSON.stringify(entry.details),
    ],
  );
}
