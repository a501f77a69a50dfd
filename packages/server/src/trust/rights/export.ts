/**
 * The copy of everything held on a person, as JSON (`samar-export/1`, see docs/privacy-rights.md). It is for the
 * person: their own numbers stand in clear. Others stand in it by their role only, and what names them is taken out of
 * free text as well.
 */
import { withKeys } from '../../masking/context.ts';
import { openPhone } from '../../masking/parties/party-keys.ts';
import * as data from '../../store/queries/subject-data.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { TrustContext } from '../context.ts';
import { createScrubber, openName, type Scrubber } from './scrub.ts';

/** Of one list; a longer one is cut, and `cut` names it. */
const most = 50_000;

export type SubjectExport = Readonly<Record<string, unknown>>;

export async function buildExport(
  context: Pick<TrustContext, 'database' | 'vault' | 'doors'>,
  tenant: string,
  parties: readonly string[],
): Promise<SubjectExport> {
  return withKeys(context, tenant, (keys) => collect(context, keys, parties));
}

async function collect(
  { database, doors }: Pick<TrustContext, 'database' | 'doors'>,
  keys: TenantVault,
  parties: readonly string[],
): Promise<SubjectExport> {
  const { tenant } = keys;
  const rules = await data.tenantRules(database, tenant);
  const phones = await data.subjectParties(database, tenant, parties);
  const seats = await data.subjectSeats(database, tenant, parties, most + 1);
  const sessions = [...new Set(seats.map((seat) => seat.session))];
  const participants = seats.map((seat) => seat.participant);
  const others = await data.subjectOthers(database, tenant, sessions, participants);
  const scrub = createScrubber(keys, others);
  const roles = new Map(
    [...seats, ...others].map((one) => [`${one.session} ${one.participant}`, one.role] as const),
  );
  const calls = await data.subjectCalls(database, tenant, sessions, participants, most + 1);
  const legs = await data.subjectLegs(
    database,
    tenant,
    calls.map((call) => call.call),
    participants,
  );
  const recordings = await data.subjectRecordings(database, tenant, parties, sessions, most + 1);
  const numbers = await data.subjectNumbers(database, tenant, parties, most + 1);
  const blocks = await data.subjectBlocks(database, tenant, parties, most + 1);
  const entries = await data.subjectEntries(database, tenant, parties, sessions, participants, most + 1);
  const voicemails = await data.subjectVoicemails(database, tenant, participants);
  const disputes = await data.subjectDisputes(database, tenant, sessions, participants);
  const claims = await data.subjectClaims(database, tenant, sessions, participants);
  const requests = await data.subjectRequests(database, tenant, parties);
  const cut = Object.entries({ sessions: seats, calls, recordings, numbers, blocks, uses: entries })
    .filter(([, rows]) => rows.length > most)
    .map(([name]) => name);
  const own = new Set(participants);
  return {
    format: 'samar-export/1',
    createdAt: new Date(doors.clock.now()).toISOString(),
    controller: rules.name,
    person: {
      phones: phones.map((row) => ({
        number: openPhone(keys, row) ?? null,
        country: row.country,
        heldSince: row.created_at.toISOString(),
      })),
    },
    sessions: seats.slice(0, most).map((seat) => sessionOf(keys, seat, others, scrub)),
    calls: calls.slice(0, most).map((call) => callOf(call, legs, own, roles)),
    recordings: recordings.slice(0, most).map((row) => recordingOf(row, rules.retention, phones)),
    voicemails: voicemails.map((row) => ({
      recording: row.recording,
      leftAt: row.left_at.toISOString(),
      ...times({ heardAt: row.heard_at }),
    })),
    virtualNumbers: numbers.slice(0, most).map((row) => ({
      number: row.e164,
      since: row.bound_at.toISOString(),
      ...times({ until: row.released_at }),
      callsAfterTheEnd: row.late_attempts,
    })),
    blocks: blocks.slice(0, most).map((row) => ({
      id: row.block,
      who: row.theirs ? 'you' : 'somebody else',
      towards: row.everybody ? 'everybody' : row.theirs ? 'somebody else' : 'you',
      since: row.created_at.toISOString(),
      ...times({ until: row.expires_at, liftedAt: row.lifted_at }),
    })),
    disputes: disputes.map((row) => disputeOf(keys, row, scrub)),
    openClaims: claims.map((row) => ({ session: row.session, ...times({ expiresAt: row.expires_at }) })),
    uses: entries.slice(0, most).map((row) => entryOf(row, scrub)),
    requests: requests.map((row) => ({
      id: row.request,
      kind: row.kind,
      status: row.status,
      by: row.requested_by,
      at: row.requested_at.toISOString(),
      ...times({ finishedAt: row.finished_at }),
    })),
    retention: rules.retention ?? {},
    recordingsAreGivenOut:
      'The sound of your recordings is not in this file, because others are heard in it, too. Ask whoever gave you this file for it, with the id of the recording.',
    cut,
  };
}

function sessionOf(
  keys: TenantVault,
  seat: data.SubjectSeatRow,
  others: readonly data.SubjectOtherRow[],
  scrub: Scrubber,
) {
  const name = openName(keys, seat);
  return {
    id: seat.session,
    ...given({ reference: seat.reference === null ? undefined : scrub.text(seat.session, seat.reference) }),
    status: seat.status,
    participant: seat.participant,
    role: seat.role,
    ...given({ name, locale: seat.locale, timeZone: seat.time_zone }),
    reach: seat.reach,
    virtualNumber: seat.e164,
    recording: seat.recording,
    createdAt: seat.created_at.toISOString(),
    joinedAt: seat.joined_at.toISOString(),
    expiresAt: seat.expires_at.toISOString(),
    ...times({ opensAt: seat.opens_at, leftAt: seat.left_at, closedAt: seat.closed_at }),
    ...given({ closeReason: seat.close_reason }),
    metadata: scrub.json(seat.session, seat.metadata),
    others: othersOf(others, seat.session),
  };
}

const rolesBySession = new WeakMap<readonly data.SubjectOtherRow[], Map<string, Map<string, string>>>();

/** Roles of the others, one each. */
function othersOf(others: readonly data.SubjectOtherRow[], session: string): readonly string[] {
  let index = rolesBySession.get(others);
  if (index === undefined) {
    index = new Map();
    for (const row of others) {
      const people = index.get(row.session) ?? new Map<string, string>();
      index.set(row.session, people.set(row.participant, row.role));
    }
    rolesBySession.set(others, index);
  }
  return [...(index.get(session)?.values() ?? [])];
}

function callOf(
  call: data.SubjectCallRow,
  legs: readonly data.SubjectLegRow[],
  own: ReadonlySet<string>,
  roles: ReadonlyMap<string, string>,
) {
  const outgoing = call.participant !== null && own.has(call.participant);
  const other = outgoing ? call.callee : call.participant;
  const survey = call.survey;
  const answeredBySubject =
    survey !== null && typeof survey.participant === 'string' && own.has(survey.participant);
  return {
    id: call.call,
    session: call.session,
    kind: call.kind,
    direction: outgoing ? 'out' : 'in',
    ...given({
      with: other === null ? undefined : roles.get(`${call.session} ${other}`),
      virtualNumber: call.e164,
      outcome: call.outcome,
      refusal: call.refusal,
      endedBy: call.hangup_by,
    }),
    status: call.status,
    startedAt: call.started_at.toISOString(),
    ...times({ answeredAt: call.answered_at, endedAt: call.ended_at }),
    ...given({
      seconds:
        call.answered_at === null || call.ended_at === null
          ? undefined
          : Math.round((call.ended_at.getTime() - call.answered_at.getTime()) / 1000),
      survey: answeredBySubject ? (survey.key ?? survey.digit) : undefined,
    }),
    legs: legsOf(legs, call.call).map((leg) => ({
      direction: leg.direction,
      ...given({ virtualNumber: leg.e164, sipStatus: leg.sip_status, quality: leg.quality }),
      startedAt: leg.started_at.toISOString(),
      ...times({ answeredAt: leg.answered_at, endedAt: leg.ended_at }),
    })),
  };
}

const legsByCall = new WeakMap<readonly data.SubjectLegRow[], Map<string, data.SubjectLegRow[]>>();

function legsOf(legs: readonly data.SubjectLegRow[], call: string): readonly data.SubjectLegRow[] {
  let index = legsByCall.get(legs);
  if (index === undefined) {
    index = Map.groupBy(legs, (leg) => leg.call);
    legsByCall.set(legs, index);
  }
  return index.get(call) ?? [];
}

function recordingOf(
  row: data.SubjectRecordingRow,
  retention: Readonly<Record<string, unknown>> | null,
  phones: readonly data.SubjectPartyRow[],
) {
  const days = recordingDays(retention, phones[0]?.country);
  return {
    id: row.recording,
    call: row.call,
    kind: row.kind,
    status: row.status,
    startedAt: row.started_at.toISOString(),
    ...given({ seconds: row.milliseconds === null ? undefined : Math.round(row.milliseconds / 1000) }),
    ...times({
      deletedAt: row.deleted_at,
      keptUntil:
        days === undefined || row.status === 'deleted' || row.held
          ? null
          : new Date(row.started_at.getTime() + days * 86_400_000),
    }),
    ...(row.held ? { keptFor: 'an investigation' } : {}),
  };
}

/** What the tenant decided; undefined where it decided nothing that can be read. */
function recordingDays(
  retention: Readonly<Record<string, unknown>> | null,
  country: string | undefined,
): number | undefined {
  const byCountry = retention?.['countries'];
  const own =
    typeof byCountry === 'object' && byCountry !== null && country !== undefined
      ? Reflect.get(byCountry, country)
      : undefined;
  const days: unknown = own ?? retention?.['recordingDays'];
  return typeof days === 'number' && Number.isFinite(days) && days >= 0 ? days : undefined;
}

function disputeOf(keys: TenantVault, row: data.SubjectDisputeRow, scrub: Scrubber) {
  const field = { tenant: keys.tenant, table: 'disputes', column: 'statement', row: row.dispute };
  const statement = row.statement === null ? undefined : keys.open(row.statement, field).toString('utf8');
  return {
    id: row.dispute,
    session: row.session,
    openedBy: row.theirs ? 'you' : 'somebody else',
    category: row.category,
    status: row.status,
    ...given({ verdict: row.verdict }),
    openedAt: row.opened_at.toISOString(),
    ...given({ statement: statement === undefined ? undefined : scrub.text(row.session, statement) }),
  };
}

function entryOf(row: data.SubjectEntryRow, scrub: Scrubber) {
  return {
    id: row.entry,
    at: row.at.toISOString(),
    kind: row.kind,
    by: row.actor,
    ...given({
      session: row.session,
      about: row.subject,
      call: row.call,
      reason: row.reason === null ? undefined : scrub.text(row.session ?? '', row.reason),
    }),
  };
}

function given<Fields extends Readonly<Record<string, unknown>>>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<Fields>;
}

function times(fields: Readonly<Record<string, Date | null>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, value.toISOString()]])),
  );
}
