import type { Queries } from '../types.ts';

export interface DisputeRow {
  readonly dispute: string;
  readonly session: string;
  readonly call: string | null;
  readonly category: 'harassment' | 'fraud' | 'safety' | 'quality' | 'other';
  readonly status: 'open' | 'investigating' | 'resolved';
  readonly version: number;
  readonly opener_kind: 'operator' | 'participant' | 'call';
  readonly opener: string;
  readonly opened_at: Date;
  readonly against: string | null;
  /** Null: it went with a person. */
  readonly statement: Buffer | null;
  readonly redacted_at: Date | null;
  readonly assignee: string | null;
  readonly verdict: 'upheld' | 'rejected' | 'inconclusive' | null;
  readonly verdict_text: Buffer | null;
  readonly verdict_by: string | null;
  readonly verdict_at: Date | null;
  readonly block: string | null;
  readonly updated_at: Date;
}

const columns = `d.dispute, d.session, d.call, d.category, d.status, d.version, d.opener_kind, d.opener, d.opened_at,
  d.against, d.statement, d.assignee, d.verdict, d.verdict_text, d.verdict_by, d.verdict_at, d.block, d.updated_at,
  d.redacted_at`;

export type OpenedDisputeRow =
  | { readonly failure: null; readonly dispute: string; readonly opened: boolean }
  | { readonly failure: 'missing' | 'unknown-call' | 'unknown-participant' };

export async function openDispute(
  queries: Queries,
  row: {
    readonly tenant: string;
    readonly dispute: string;
    readonly session: string;
    readonly call: string | undefined;
    readonly category: string;
    readonly openerKind: string;
    readonly opener: string;
    readonly against: string | undefined;
    readonly statement: Buffer;
    readonly hold: string;
    readonly holdReason: Buffer;
    readonly actor: string;
  },
): Promise<OpenedDisputeRow> {
  const rows = await queries.query<OpenedDisputeRow>(
    'open_dispute',
    'select * from open_dispute($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    [
      row.tenant,
      row.dispute,
      row.session,
      row.call ?? null,
      row.category,
      row.openerKind,
      row.opener,
      row.against ?? null,
      row.statement,
      row.hold,
      row.holdReason,
      row.actor,
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('open_dispute answered nothing');
  return first;
}

export async function readDispute(
  queries: Queries,
  tenant: string,
  dispute: string,
): Promise<DisputeRow | undefined> {
  const rows = await queries.query<DisputeRow>(
    'read_dispute',
    `select ${columns} from disputes d where d.tenant = $1 and d.dispute = $2`,
    [tenant, dispute],
  );
  return rows[0];
}

/** Newest first. Each combination of filters is a statement of its own, so that each has its own plan. */
export function listDisputes(
  queries: Queries,
  search: {
    readonly tenant: string;
    readonly status: string | undefined;
    /** Null: nobody. */
    readonly assignee: string | null | undefined;
    readonly session: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly DisputeRow[]> {
  const values: unknown[] = [search.tenant, search.limit];
  let text = `select ${columns} from disputes d where d.tenant = $1`;
  let name = 'list_disputes';
  const filters = [
    ['status', search.status, '='],
    ['assignee', search.assignee, '='],
    ['session', search.session, '='],
    ['dispute', search.after, '<'],
  ] as const;
  for (const [column, value, comparison] of filters) {
    if (value === undefined) continue;
    if (value === null) {
      text += ` and d.${column} is null`;
      name += `_no_${column}`;
      continue;
    }
    values.push(value);
    text += ` and d.${column} ${comparison} $${values.length}`;
    name += `_${column}`;
  }
  return queries.query<DisputeRow>(name, `${text} order by d.dispute desc limit $2`, values);
}

export interface DisputeNoteRow {
  readonly note: string;
  readonly author: string;
  readonly at: Date;
  readonly body: Buffer;
}

/** Oldest first: at most as many as a dispute may have, and the verdicts that were taken back. */
export function readDisputeNotes(
  queries: Queries,
  tenant: string,
  dispute: string,
): Promise<readonly DisputeNoteRow[]> {
  return queries.query<DisputeNoteRow>(
    'read_dispute_notes',
    `select n.note, n.author, n.at, n.body from dispute_notes n
      where n.tenant = $1 and n.dispute = $2 order by n.at, n.note limit 1000`,
    [tenant, dispute],
  );
}

/** Oldest first. */
export async function readDisputedCalls(
  queries: Queries,
  tenant: string,
  session: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly call: string }>(
    'read_disputed_calls',
    `select c.call from calls c where c.tenant = $1 and c.session = $2 order by c.started_at, c.call limit $3`,
    [tenant, session, limit],
  );
  return rows.map((row) => row.call);
}

export async function readDisputeHold(
  queries: Queries,
  tenant: string,
  session: string,
  dispute: string,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly hold: string }>(
    'read_dispute_hold',
    `select h.hold from legal_holds h
      where h.tenant = $1 and h.session = $2 and h.dispute = $3 and h.released_at is null order by h.hold desc limit 1`,
    [tenant, session, dispute],
  );
  return rows[0]?.hold;
}

export interface DisputeEntryRow {
  readonly entry: string;
  readonly sequence: string | null;
  readonly at: Date;
  readonly kind: string;
  readonly actor: string;
  readonly party: string | null;
  readonly session: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly digest: string | null;
}

/** The dispute's own entries, oldest first. */
export function readDisputeHistory(
  queries: Queries,
  tenant: string,
  session: string,
  dispute: string,
  limit: number,
): Promise<readonly DisputeEntryRow[]> {
  return queries.query<DisputeEntryRow>(
    'read_dispute_history',
    `select l.entry, l.sequence::text, l.at, l.kind, l.actor, l.party, l.session, l.subject, l.details,
        encode(l.digest, 'hex') as digest
      from ledger l where l.tenant = $1 and l.session = $2 and l.subject = $3 and l.kind like 'dispute.%'
      order by l.entry limit $4`,
    [tenant, session, dispute, limit],
  );
}

export async function changeDispute(
  queries: Queries,
  row: {
    readonly tenant: string;
    readonly dispute: string;
    readonly version: number;
    readonly change: Readonly<Record<string, string | null>>;
    /** The verdict that is taken back, as a note. */
    readonly note: { readonly id: string; readonly body: Buffer } | undefined;
    readonly hold: { readonly id: string; readonly reason: Buffer };
    readonly actor: string;
  },
): Promise<'missing' | 'changed' | 'resolved' | 'unknown-participant' | null> {
  const rows = await queries.query<{ readonly failure: Awaited<ReturnType<typeof changeDispute>> }>(
    'change_dispute',
    'select change_dispute($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9) as failure',
    [
      row.tenant,
      row.dispute,
      row.version,
      JSON.stringify(row.change),
      row.note?.id ?? null,
      row.note?.body ?? null,
      row.hold.id,
      row.hold.reason,
      row.actor,
    ],
  );
  return rows[0]?.failure ?? null;
}

export async function addDisputeNote(
  queries: Queries,
  row: {
    readonly tenant: string;
    readonly dispute: string;
    readonly note: string;
    readonly body: Buffer;
    readonly most: number;
    readonly actor: string;
  },
): Promise<'missing' | 'too-many' | null> {
  const rows = await queries.query<{ readonly failure: 'missing' | 'too-many' | null }>(
    'add_dispute_note',
    'select add_dispute_note($1, $2, $3, $4, $5, $6) as failure',
    [row.tenant, row.dispute, row.note, row.body, row.most, row.actor],
  );
  return rows[0]?.failure ?? null;
}

export async function decideDispute(
  queries: Queries,
  row: {
    readonly tenant: string;
    readonly dispute: string;
    readonly version: number;
    readonly verdict: string;
    readonly text: Buffer;
    readonly block:
      | { readonly id: string; readonly everybody: boolean; readonly expiresAt: Date | undefined }
      | undefined;
    readonly actor: string;
  },
): Promise<'missing' | 'changed' | 'resolved' | 'nobody' | 'unreachable' | null> {
  const rows = await queries.query<{ readonly failure: Awaited<ReturnType<typeof decideDispute>> }>(
    'decide_dispute',
    'select decide_dispute($1, $2, $3, $4, $5, $6, $7, $8, $9) as failure',
    [
      row.tenant,
      row.dispute,
      row.version,
      row.verdict,
      row.text,
      row.block?.id ?? null,
      row.block?.everybody ?? false,
      row.block?.expiresAt ?? null,
      row.actor,
    ],
  );
  return rows[0]?.failure ?? null;
}
