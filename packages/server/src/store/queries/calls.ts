import type { Queries } from '../types.ts';

export interface AskedCall {
  readonly tenant: string;
  readonly call: string;
  readonly kind: 'inbound' | 'click-to-call';
  readonly number: string;
  /** Null: withheld, unreadable or not believed. */
  readonly caller: Buffer | null;
  /** The session that the caller chose, or that is called for them. */
  readonly session: string | null;
  /** Who they proved to be by a code, or who is called first. */
  readonly participant: string | null;
  /** Of a click-to-call: who asked for it, and whom else it is to reach. */
  readonly requested?: { readonly by: string; readonly to: string | undefined };
}

/** One row a call and target; `participant` and what follows is null when there is no target. */
export interface DecidedRow {
  readonly tenant: string;
  readonly call: string;
  readonly verdict: 'connect' | 'choose' | 'pin' | 'open' | 'not-connected' | 'ended';
  readonly session: string | null;
  readonly caller_participant: string | null;
  readonly caller_party: string | null;
  readonly caller_locale: string;
  readonly recording: 'off' | 'announce' | 'consent' | null;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Null for a plain session. See `session_info`. */
  readonly info: SessionInfoRow | null;
  readonly choices: readonly { readonly session: string; readonly reference: string }[] | null;
  readonly participant: string | null;
  readonly role: string;
  /** One of the caller's own phones (click-to-call). */
  readonly own: boolean;
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

export interface SessionInfoRow {
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly opened: boolean;
  readonly closed: boolean;
  readonly afterClose: { readonly allow: readonly { readonly from: string; readonly to: string }[] } | null;
  readonly rules: Readonly<Record<string, unknown>> | null;
  readonly pool: string;
  readonly numberCountry: string;
  readonly callerCountry: string | null;
  readonly program: string | null;
  readonly version: number | null;
  readonly programSource: 'named' | 'tenant' | null;
  readonly people: readonly {
    readonly participant: string;
    readonly role: string;
    readonly timeZone: string | null;
    readonly mayStart: boolean;
    readonly locale: string | null;
  }[];
  readonly attempt: {
    readonly calls: number;
    readonly answered: number;
    readonly connected: number;
    readonly minutes: number;
    readonly sinceLast: number;
    readonly recent: number;
  };
  /** Recordings left for the caller. */
  readonly messages: readonly string[] | null;
  /** Participants whom the caller may not reach. */
  readonly blocked: readonly string[] | null;
}

/** Decides and records; a call that was recorded before is decided again and recorded once. */
export function decideCalls(
  queries: Queries,
  node: { readonly node: string; readonly boot: string },
  asked: readonly AskedCall[],
): Promise<readonly DecidedRow[]> {
  const calls = inOrder(asked);
  const requested = calls.some((one) => one.requested !== undefined);
  return queries.query<DecidedRow>(
    requested ? 'decide_requested_calls' : 'decide_calls',
    requested ? decideAndNote : decide,
    [
      node.node,
      node.boot,
      calls.map((one) => one.tenant),
      calls.map((one) => one.call),
      calls.map((one) => one.kind),
      calls.map((one) => one.number),
      calls.map((one) => one.caller),
      calls.map((one) => one.session),
      calls.map((one) => one.participant),
      ...(requested
        ? [calls.map((one) => one.requested?.by ?? null), calls.map((one) => one.requested?.to ?? null)]
        : []),
    ],
  );
}

const decide = 'select * from decide_calls($1, $2, $3, $4, $5, $6, $7::bytea[], $8, $9)';
/** Calls that somebody asked for: the ledger says who, in the transaction of their records. */
const decideAndNote = `with decided as materialized (${decide}), told as (
    insert into ledger (tenant, entry, kind, actor, session, subject, details)
      select r.tenant, new_id('led_'), 'call.requested', r.actor, r.session, r.call,
          jsonb_strip_nulls(jsonb_build_object('from', r.participant, 'to', r.towards))
        from unnest($3::text[], $4::text[], $8::text[], $9::text[], $10::text[], $11::text[])
          as r(tenant, call, session, participant, actor, towards)
        where r.actor is not null and exists (select from decided d where d.tenant = r.tenant and d.call = r.call)
  )
  select * from decided`;

export interface AnsweredCall {
  readonly tenant: string;
  readonly call: string;
  readonly session: string;
  readonly participant: string;
}

/** The calls, by tenant and id, that may be joined. */
export function answerCalls(
  queries: Queries,
  answered: readonly AnsweredCall[],
): Promise<readonly { readonly tenant: string; readonly call: string }[]> {
  const answers = inOrder(answered);
  return queries.query('answer_calls', 'select tenant, call from answer_calls($1, $2, $3, $4)', [
    answers.map((one) => one.tenant),
    answers.map((one) => one.call),
    answers.map((one) => one.session),
    answers.map((one) => one.participant),
  ]);
}

/** `ends`: see `end_calls`. */
export async function endCalls(
  queries: Queries,
  ends: readonly { readonly tenant: string; readonly call: string }[],
): Promise<void> {
  await queries.query('end_calls', 'select end_calls($1::jsonb)', [JSON.stringify(inOrder(ends))]);
}

/** Every statement locks the rows of many calls in this order, so that none waits for another in a circle. */
function inOrder<Call extends { readonly tenant: string; readonly call: string }>(
  calls: readonly Call[],
): readonly Call[] {
  return calls.toSorted(
    (a, b) =>
      Number(a.call > b.call) - Number(a.call < b.call) ||
      Number(a.tenant > b.tenant) - Number(a.tenant < b.tenant),
  );
}

/** See `call_targets`. Empty: the call is over, or nobody is left. */
export function callTargets(
  queries: Queries,
  tenant: string,
  call: string,
): Promise<readonly CallTargetRow[]> {
  return queries.query<CallTargetRow>('call_targets', 'select * from call_targets($1, $2)', [tenant, call]);
}

export interface CallTargetRow {
  readonly kind: 'inbound' | 'click-to-call';
  readonly session: string;
  readonly caller_participant: string;
  readonly number_called: string;
  readonly e164_called: string;
  readonly carrier_called: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly info: SessionInfoRow;
  readonly participant: string;
  readonly role: string;
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

/** Running calls of this node that should end, should a notice have been lost. */
export async function callsToEnd(
  queries: Queries,
  node: { readonly node: string; readonly boot: string },
): Promise<
  readonly {
    readonly tenant: string;
    readonly call: string;
    readonly ongoing_calls: 'finish' | 'warn' | 'hangup';
  }[]
> {
  return queries.query('calls_to_end', 'select * from calls_to_end($1, $2)', [node.node, node.boot]);
}

/** Undefined: there is no such call; else whether it still runs. */
export async function requestHangup(
  queries: Queries,
  tenant: string,
  call: string,
  actor: string,
): Promise<boolean | undefined> {
  const rows = await queries.query<{ readonly running: boolean | null }>(
    'request_hangup',
    'select request_hangup($1, $2, $3) as running',
    [tenant, call, actor],
  );
  return rows[0]?.running ?? undefined;
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

export interface OwnNumberRow {
  readonly tenant: string;
  readonly number: string;
  readonly carrier: string;
  /** Whether the callers' numbers of its carrier are believed. */
  readonly caller_trust: 'trusted' | 'untrusted';
}

/** The owner of a called number. */
export async function findNumber(queries: Queries, e164: string): Promise<OwnNumberRow | undefined> {
  const rows = await queries.query<OwnNumberRow>(
    'find_number',
    `select d.tenant, d.number, n.carrier, c.caller_trust from number_directory d
      join numbers n on n.tenant = d.tenant and n.number = d.number
      join carriers c on c.tenant = n.tenant and c.carrier = n.carrier where d.e164 = $1`,
    [e164],
  );
  return rows[0];
}

export interface CallRow {
  readonly call: string;
  readonly kind: 'inbound' | 'click-to-call';
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
  readonly survey: { readonly participant: string; readonly key: string } | null;
  readonly recording: {
    readonly recording: string;
    readonly kind: 'talk' | 'voicemail';
    /** RFC 3339. */
    readonly heard_at: string | null;
    readonly status: string;
    readonly milliseconds: number | null;
    readonly bytes: number | null;
    readonly sha256: string | null;
  } | null;
}

const callColumns = `select c.call, c.kind, c.session, c.participant, c.survey, n.e164, c.status, c.outcome, c.refusal, c.hangup_by,
    c.hangup_cause, c.started_at, c.answered_at, c.ended_at,
    coalesce((select jsonb_agg(jsonb_build_object('participant', l.participant, 'number', coalesce(m.e164, l.number),
          'carrier', l.carrier, 'direction', l.direction, 'sip_status', l.sip_status, 'started_at', l.started_at,
          'answered_at', l.answered_at, 'ended_at', l.ended_at, 'quality', l.quality) order by l.position)
        from call_legs l left join numbers m on m.tenant = l.tenant and m.number = l.number
        where l.tenant = c.tenant and l.call = c.call), '[]') as legs,
    (select jsonb_build_object('recording', r.recording, 'kind', r.kind, 'status', r.status,
          'heard_at', (select min(v.heard_at) from voicemails v where v.tenant = r.tenant and v.recording = r.recording), 'milliseconds', r.milliseconds,
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

export interface CallFilter {
  readonly session?: string;
  /** `running`: ringing or answered. */
  readonly status?: 'running' | 'ringing' | 'answered' | 'ended';
  /** Began at or after it, before it. */
  readonly from?: Date;
  readonly to?: Date;
}

/**
 * Ids sort by when they were made, which is when the call began but for the clocks of two machines: so much earlier and
 * later is looked for by the id, and then decided by the time.
 */
const idSlackMilliseconds = 3_600_000;
function callIdAt(milliseconds: number): string {
  const clamped = Math.min(Math.max(0, Math.floor(milliseconds)), 2 ** 48 - 1);
  return `call_${clamped.toString(16).padStart(12, '0')}`;
}

/** Conditions of a filter, and a name for each combination: the statement is prepared once. */
function whereCalls(filter: CallFilter, values: unknown[]): { readonly text: string; readonly name: string } {
  let text = '';
  let name = '';
  const add = (condition: string, what: string, ...given: readonly unknown[]) => {
    const places = given.map((value) => `$${values.push(value)}`);
    text += ` and ${places.reduce((all, place) => all.replace('?', place), condition)}`;
    name += what;
  };
  const { session, status, from, to } = filter;
  if (session !== undefined) add('c.session = ?', '_of_session', session);
  if (status === 'running') add('c.ended_at is null', '_running');
  else if (status !== undefined) add('c.status = ?', '_status', status);
  if (from !== undefined) {
    add('c.call >= ? and c.started_at >= ?', '_from', callIdAt(from.getTime() - idSlackMilliseconds), from);
  }
  if (to !== undefined) {
    add('c.call < ? and c.started_at < ?', '_to', callIdAt(to.getTime() + idSlackMilliseconds), to);
  }
  return { text, name };
}

/**
 * Newest first. Those that run are few among all there ever were: they are found by their own index (`calls_live`)
 * first, whatever the planner thinks of walking all calls from the newest on.
 */
export function listCalls(
  queries: Queries,
  tenant: string,
  filter: CallFilter,
  after: string | undefined,
  limit: number,
): Promise<readonly CallRow[]> {
  const values: unknown[] = [tenant, limit];
  const { text: conditions, name: combination } = whereCalls(filter, values);
  const live = filter.status !== undefined && filter.status !== 'ended';
  const from = live ? 'with live as materialized (select * from calls where ended_at is null) ' : '';
  const columns = live ? callColumns.replace('from calls c join', 'from live c join') : callColumns;
  let text = `${from}${columns} where c.tenant = $1${conditions}`;
  let name = `list_calls${live ? '_live' : ''}${combination}`;
  if (after !== undefined) {
    values.push(after);
    text += ` and c.call < $${values.length}`;
    name += '_after';
  }
  return queries.query<CallRow>(name, `${text} order by c.call desc limit $2`, values);
}

/** How many calls of a time had which outcome (null: they run), of the newest `most`. */
export function countOutcomes(
  queries: Queries,
  tenant: string,
  filter: Pick<CallFilter, 'from' | 'to'>,
  most: number,
): Promise<readonly { readonly outcome: string | null; readonly calls: number }[]> {
  const values: unknown[] = [tenant, most];
  const { text, name } = whereCalls(filter, values);
  return queries.query(
    `count_outcomes${name}`,
    `select x.outcome, count(*)::integer as calls from (
       select c.outcome from calls c where c.tenant = $1${text} order by c.call desc limit $2
     ) x group by x.outcome order by calls desc, x.outcome`,
    values,
  );
}
