import type { Queries } from '../types.ts';

export interface AskedCall {
  readonly tenant: string;
  readonly call: string;
  readonly number: string;
  /** Null: withheld or unreadable. */
  readonly caller: Buffer | null;
}

/** One row a call and target; `participant` and what follows is null when there is no target. */
export interface DecidedRow {
  readonly tenant: string;
  readonly call: string;
  readonly verdict: 'connect' | 'not-connected' | 'ended';
  readonly session: string | null;
  readonly caller_participant: string | null;
  readonly caller_party: string | null;
  readonly caller_locale: string;
  readonly recording: 'off' | 'announce' | 'consent' | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly participant: string | null;
  readonly party: string;
  readonly locale: string;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
  readonly caller_id: string;
  readonly number: string;
  readonly carrier: string;
}

/** Decides and records; a call that was recorded before is decided again and recorded once. */
export function decideCalls(
  queries: Queries,
  node: { readonly node: string; readonly boot: string },
  calls: readonly AskedCall[],
): Promise<readonly DecidedRow[]> {
  return queries.query<DecidedRow>(
    'decide_calls',
    'select * from decide_calls($1, $2, $3, $4, $5, $6::bytea[])',
    [
      node.node,
      node.boot,
      calls.map((one) => one.tenant),
      calls.map((one) => one.call),
      calls.map((one) => one.number),
      calls.map((one) => one.caller),
    ],
  );
}

export interface AnsweredCall {
  readonly tenant: string;
  readonly call: string;
  readonly session: string;
  readonly participant: string;
}

/** The calls, by tenant and id, that may be joined. */
export function answerCalls(
  queries: Queries,
  answers: readonly AnsweredCall[],
): Promise<readonly { readonly tenant: string; readonly call: string }[]> {
  return queries.query('answer_calls', 'select tenant, call from answer_calls($1, $2, $3, $4)', [
    answers.map((one) => one.tenant),
    answers.map((one) => one.call),
    answers.map((one) => one.session),
    answers.map((one) => one.participant),
  ]);
}

/** `ends`: see `end_calls`. */
export async function endCalls(queries: Queries, ends: readonly unknown[]): Promise<void> {
  await queries.query('end_calls', 'select end_calls($1::jsonb)', [JSON.stringify(ends)]);
}

export async function interruptCalls(
  queries: Queries,
  node: { readonly node: string; readonly boot: string },
  silentSeconds: number,
  limit: number,
): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'interrupt_calls',
    'select interrupt_calls($1, $2, $3, $4) as count',
    [node.node, node.boot, silentSeconds, limit],
  );
  return rows[0]?.count ?? 0;
}

/**
 * Recordings still open an hour after their call has ended: whose start or end was committed and never heard of.
 * Returns how many were closed.
 */
export async function interruptRecordings(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query<{ readonly recording: string }>(
    'interrupt_recordings',
    `update recordings r set status = 'interrupted', ended_at = now()
       from (
         select r.tenant, r.recording from recordings r
           join calls c on c.tenant = r.tenant and c.call = r.call
           where r.status = 'recording' and c.ended_at < now() - interval '1 hour'
           order by r.tenant, r.recording limit $1 for no key update of r skip locked
       ) x
       where r.tenant = x.tenant and r.recording = x.recording
       returning r.recording`,
    [limit],
  );
  return rows.length;
}

/** The owner of a called number. */
export async function findNumber(
  queries: Queries,
  e164: string,
): Promise<{ readonly tenant: string; readonly number: string; readonly carrier: string } | undefined> {
  const rows = await queries.query<{
    readonly tenant: string;
    readonly number: string;
    readonly carrier: string;
  }>(
    'find_number',
    `select d.tenant, d.number, n.carrier from number_directory d
      join numbers n on n.tenant = d.tenant and n.number = d.number where d.e164 = $1`,
    [e164],
  );
  return rows[0];
}

export interface CallRow {
  readonly call: string;
  readonly session: string | null;
  readonly participant: string | null;
  readonly e164: string;
  readonly status: 'ringing' | 'answered' | 'ended';
  readonly outcome: string | null;
  readonly refusal: string | null;
  readonly hangup_by: string | null;
  readonly hangup_cause: string | null;
  readonly started_at: Date;
  readonly answered_at: Date | null;
  readonly ended_at: Date | null;
  /** Times are RFC 3339. */
  readonly legs: readonly {
    readonly participant: string | null;
    readonly number: string;
    readonly carrier: string;
    readonly direction: 'in' | 'out';
    readonly sip_status: number | null;
    readonly started_at: string;
    readonly answered_at: string | null;
    readonly ended_at: string | null;
    readonly quality: Readonly<Record<string, number>> | null;
  }[];
  readonly recording: {
    readonly recording: string;
    readonly status: string;
    readonly milliseconds: number | null;
    readonly bytes: number | null;
    readonly sha256: string | null;
  } | null;
}

const callColumns = `select c.call, c.session, c.participant, n.e164, c.status, c.outcome, c.refusal, c.hangup_by,
    c.hangup_cause, c.started_at, c.answered_at, c.ended_at,
    coalesce((select jsonb_agg(jsonb_build_object('participant', l.participant, 'number', coalesce(m.e164, l.number),
          'carrier', l.carrier, 'direction', l.direction, 'sip_status', l.sip_status, 'started_at', l.started_at,
          'answered_at', l.answered_at, 'ended_at', l.ended_at, 'quality', l.quality) order by l.position)
        from call_legs l left join numbers m on m.tenant = l.tenant and m.number = l.number
        where l.tenant = c.tenant and l.call = c.call), '[]') as legs,
    (select jsonb_build_object('recording', r.recording, 'status', r.status, 'milliseconds', r.milliseconds,
          'bytes', r.bytes, 'sha256', r.sha256)
        from recordings r where r.tenant = c.tenant and r.call = c.call order by r.recording limit 1) as recording
  from calls c join numbers n on n.tenant = c.tenant and n.number = c.number`;

export async function readCall(queries: Queries, tenant: string, call: string): Promise<CallRow | undefined> {
  const rows = await queries.query<CallRow>(
    'read_call',
    `${callColumns} where c.tenant = $1 and c.call = $2`,
    [tenant, call],
  );
  return rows[0];
}

/** Newest first. */
export function listCalls(
  queries: Queries,
  tenant: string,
  session: string | undefined,
  after: string | undefined,
  limit: number,
): Promise<readonly CallRow[]> {
  const values: unknown[] = [tenant, limit];
  let text = `${callColumns} where c.tenant = $1`;
  let name = 'list_calls';
  if (session !== undefined) {
    values.push(session);
    text += ` and c.session = $${values.length}`;
    name += '_of_session';
  }
  if (after !== undefined) {
    values.push(after);
    text += ` and c.call < $${values.length}`;
    name += '_after';
  }
  return queries.query<CallRow>(name, `${text} order by c.call desc limit $2`, values);
}
