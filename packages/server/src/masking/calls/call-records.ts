/** Reading call records. */
import * as queries from '../../store/queries/calls.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, notFound, toPage } from '../context.ts';
import { isId } from '../ids.ts';
import { type Call, type Masking, MaskingError } from '../service.ts';

type Records = Pick<Masking, 'listCalls' | 'countCalls' | 'getCall' | 'hangUpCall'>;
/** More are not counted: a page that is looked at must not read millions of rows. */
const mostCounted = 100_000;

export function createCallRecords(context: Context): Records {
  const { database } = context;
  const records: Records = {
    async listCalls(tenant, filter, page) {
      const { limit, after } = checkPage(page);
      if (filter.session !== undefined && !isId(filter.session, 'ses')) return { items: [] };
      const rows = await queries.listCalls(database, tenant, filter, after, limit + 1);
      return toPage(rows, limit, (row) => row.call, toCall);
    },
    async countCalls(tenant, filter) {
      const rows = await queries.countOutcomes(database, tenant, filter, mostCounted);
      const calls = rows.reduce((sum, row) => sum + row.calls, 0);
      return {
        calls,
        running: rows.find(({ outcome }) => outcome === null)?.calls ?? 0,
        outcomes: Object.fromEntries(
          rows.flatMap((row) => (row.outcome === null ? [] : [[row.outcome, row.calls]])),
        ),
        complete: calls < mostCounted,
      };
    },
    async getCall(tenant, call) {
      const row = isId(call, 'call') ? await queries.readCall(database, tenant, call) : undefined;
      if (row === undefined) throw notFound('call');
      return toCall(row);
    },
    async hangUpCall(tenant, call) {
      const running = isId(call, 'call')
        ? await queries.requestHangup(database, tenant, call, currentActor())
        : undefined;
      if (running === undefined) throw notFound('call');
      if (!running) throw new MaskingError('call-ended', 'The call has ended already.');
      return records.getCall(tenant, call);
    },
  };
  return records;
}

function toCall(row: queries.CallRow): Call {
  return {
    id: row.call,
    kind: row.kind,
    ...(row.session === null ? {} : { session: row.session }),
    ...(row.participant === null ? {} : { participant: row.participant }),
    number: row.e164,
    status: row.status,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.refusal === null ? {} : { refusal: row.refusal }),
    ...(row.hangup_by === null ? {} : { hangupBy: row.hangup_by }),
    ...(row.hangup_cause === null ? {} : { hangupCause: row.hangup_cause }),
    startedAt: row.started_at,
    ...(row.answered_at === null ? {} : { answeredAt: row.answered_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    legs: row.legs.map((leg) => ({
      ...(leg.participant === null ? {} : { participant: leg.participant }),
      number: leg.number,
      carrier: leg.carrier,
      direction: leg.direction,
      ...(leg.sip_status === null ? {} : { sipStatus: leg.sip_status }),
      startedAt: new Date(leg.started_at),
      ...(leg.answered_at === null ? {} : { answeredAt: new Date(leg.answered_at) }),
      ...(leg.ended_at === null ? {} : { endedAt: new Date(leg.ended_at) }),
      ...(leg.quality === null ? {} : { quality: leg.quality }),
    })),
    ...(row.survey === null ? {} : { survey: row.survey }),
    ...recorded(row.recording),
  };
}

function recorded(recording: queries.CallRow['recording']): Pick<Call, 'recording' | 'voicemail'> {
  if (recording === null) return {};
  const { milliseconds } = recording;
  if (recording.kind === 'voicemail') {
    return {
      voicemail: {
        id: recording.recording,
        ...(milliseconds === null ? {} : { milliseconds }),
        ...(recording.heard_at === null ? {} : { heardAt: new Date(recording.heard_at) }),
      },
    };
  }
  return {
    recording: {
      id: recording.recording,
      status: recording.status,
      ...(milliseconds === null ? {} : { milliseconds }),
      ...(recording.bytes === null ? {} : { bytes: recording.bytes }),
      ...(recording.sha256 === null ? {} : { sha256: recording.sha256 }),
    },
  };
}
