/** What happens to a session between its opening and its close: changes, hand-overs, reopening; and many at once. */
import { anyRestricted } from '../../store/queries/rights.ts';
import * as queries from '../../store/queries/sessions.ts';
import { currentActor } from '../actor.ts';
import { type Context, invalid, notFound } from '../context.ts';
import { isId } from '../ids.ts';
import { codeCandidates } from '../parties/codes.ts';
import type { BulkItem, BulkResult, Masking, NewParticipant, Session, SessionChange } from '../service.ts';
import { MaskingError } from '../service.ts';
import { joinRefusal, refuseRestricted } from './join-refusals.ts';
import { readPhones } from './new-session.ts';
import { checkChange, checkReopening, defaultTtlSeconds, type Known } from './session-input.ts';
import { termColumns } from './session-terms.ts';
import { type People, resolveProgram, wordsFor } from './sessions.ts';

/** Items of one bulk request, and how many are worked on at a time: a request must not take every connection. */
const mostItems = 500;
const bulkWorkers = 4;

export function createSessionChanges(
  context: Context,
  people: People,
  knownWords: (tenant: string) => Promise<Known>,
  sessions: Pick<Masking, 'createSession' | 'getSession' | 'closeSession'>,
): Pick<Masking, 'updateSession' | 'reopenSession' | 'bulk'> {
  const { database, vault, doors } = context;

  async function updateSession(tenant: string, session: string, change: SessionChange): Promise<Session> {
    if (!isId(session, 'ses')) throw notFound('session');
    const before = await sessions.getSession(tenant, session);
    const active = before.participants.filter((one) => one.leftAt === undefined);
    const joining = joiningOf(change, active);
    const roles = new Set([...active.map((one) => one.role), ...joining.map((one) => one.who.role)]);
    const known = await wordsFor(change, () => knownWords(tenant));
    checkChange(change, doors.clock.now(), known, roles);
    const named = await resolveProgram(context, tenant, change.program);
    const terms = termColumns(change, named);
    const removed = (change.participants?.remove ?? []).map((one, index) =>
      resolveParticipant(active, one, `/participants/remove/${index}`),
    );
    if (joining.length + removed.length === 0 && Object.keys(terms).length === 0) {
      if (before.status === 'closed' || before.status === 'expired') throw over(before.status);
      return before;
    }
    const keys = await vault.unlock(tenant);
    const pointerOf = (index: number) => joining[index]?.pointer ?? '/participants';
    const whos = joining.map((one) => one.who);
    const phones = readPhones(whos, keys, pointerOf);
    const prepared = await people.prepare(tenant, keys, before.pool, whos, pointerOf);
    const [row] = await people.settle(keys, prepared, phones, false, async (sealed) => [
      await queries.changeSession(database, {
        tenant,
        session,
        actor: currentActor(),
        terms,
        removed,
        replaced: joining.map((one) => one.replaces ?? null),
        ...sealed,
      }),
    ]);
    await refuseRestricted(context, tenant, row.failure, phones, pointerOf);
    if (row.failure !== null) throw changeRefusal(row, joining, phones, before);
    return sessions.getSession(tenant, session);
  }

  /** Only a change of who takes part needs a second time, and it is none of a session that is over. */
  async function reopen(
    again: Parameters<typeof queries.reopenSession>[1],
  ): Promise<Exclude<queries.ReopenSessionRow, { readonly failure: 'again' }>> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const row = await queries.reopenSession(database, again);
      if (row.failure !== 'again') return row;
    }
    throw new Error('the people of a session changed again and again');
  }

  const reopenSession: Masking['reopenSession'] = async (tenant, session, again) => {
    checkReopening(again, doors.clock.now());
    const before = await sessions.getSession(tenant, session);
    const keys = await vault.unlock(tenant);
    const row = await reopen({
      tenant,
      session,
      actor: currentActor(),
      expiresAt: again.expiresAt,
      ttlSeconds: again.expiresAt ? undefined : (again.ttlSeconds ?? defaultTtlSeconds),
      pins: before.participants
        .filter((one) => one.pin !== undefined && one.leftAt === undefined)
        .map((one) => ({
          participant: one.id,
          digests: codeCandidates(keys, one.id).map((code) => code.digest),
        })),
    });
    switch (row.failure) {
      case null:
        return sessions.getSession(tenant, session);
      case 'missing':
        throw notFound('session');
      case 'session-open':
        throw new MaskingError('session-open', 'The session is open; extend it instead.');
      case 'blocked':
        if (await anyRestricted(database, tenant, session)) {
          throw new MaskingError('subject-restricted', "The use of a participant's data is restricted.");
        }
        throw new MaskingError('blocked', 'A block keeps two people of this session apart; lift it first.');
      case 'number-not-available':
      case 'no-display-number':
      case 'pin-unavailable':
      case 'pool-exhausted':
        throw new MaskingError(
          row.failure,
          `Participant ${row.position} can have neither the number of before nor another one now. Open a new session, or add numbers.`,
        );
    }
  };

  async function bulkItem(tenant: string, item: BulkItem): Promise<BulkResult> {
    try {
      switch (item.action) {
        case 'open':
          return { ok: true, session: await sessions.createSession(tenant, item.session) };
        case 'change':
          return { ok: true, session: await updateSession(tenant, item.id, item.change) };
        case 'close':
          return { ok: true, session: await sessions.closeSession(tenant, item.id, item.close) };
      }
    } catch (error) {
      // Anything else (the database is away) concerns the whole request.
      if (!(error instanceof MaskingError)) throw error;
      return { ok: false, error };
    }
  }

  const bulk: Masking['bulk'] = async (tenant, items) => {
    if (items.length < 1 || items.length > mostItems) {
      throw invalid(`1 to ${mostItems} items at once.`, '/items');
    }
    const results: BulkResult[] = [];
    let next = 0;
    async function work(): Promise<void> {
      for (let index = next++; index < items.length; index = next++) {
        const item = items[index];
        if (item !== undefined) results[index] = await bulkItem(tenant, item);
      }
    }
    await Promise.all(Array.from({ length: bulkWorkers }, work));
    return results;
  };

  return { updateSession, reopenSession, bulk };
}

interface Joining {
  readonly who: NewParticipant;
  readonly replaces: string | undefined;
  readonly pointer: string;
}

function joiningOf(change: SessionChange, active: Session['participants']): readonly Joining[] {
  const { add = [], replace = [] } = change.participants ?? {};
  return [
    ...add.map((who, index) => ({ who, replaces: undefined, pointer: `/participants/add/${index}` })),
    ...replace.map((one, index) => {
      const pointer = `/participants/replace/${index}`;
      return {
        who: one.with,
        replaces: resolveParticipant(active, one.participant, `${pointer}/participant`),
        pointer: `${pointer}/with`,
      };
    }),
  ];
}

/** By id, or by a role that only one of those who take part has. */
export function resolveParticipant(active: Session['participants'], wanted: string, pointer: string): string {
  const byId = active.find((one) => one.id === wanted);
  if (byId !== undefined) return byId.id;
  const [first, second] = active.filter((one) => one.role === wanted);
  if (second !== undefined) {
    throw new MaskingError('unknown-participant', 'Several have this role: name one by its id.', pointer);
  }
  if (first === undefined) {
    throw new MaskingError('unknown-participant', 'Nobody of this session has this id or role.', pointer);
  }
  return first.id;
}

function over(status: string): MaskingError {
  return new MaskingError(
    'session-closed',
    `The session is ${status === 'expired' ? 'expired' : 'closed'}: it can be reopened, not changed.`,
  );
}

function changeRefusal(
  row: Exclude<queries.ChangeSessionRow, { readonly failure: null }>,
  joining: readonly Joining[],
  phones: ReturnType<typeof readPhones>,
  before: Session,
): MaskingError {
  switch (row.failure) {
    case 'session-closed':
      return over(before.status);
    case 'too-many':
      return new MaskingError('invalid', 'A session has at most 10 participants.', '/participants/add');
    case 'participant-unreachable':
      return new MaskingError(
        'participant-unreachable',
        'Two must remain, or nobody could be reached: close the session instead.',
        '/participants/remove',
      );
    case 'unknown-participant':
      return new MaskingError('unknown-participant', 'This participant has left already.', '/participants');
    default:
      return joinRefusal(
        row,
        phones,
        (index) => joining[index]?.pointer ?? '/participants',
        before.sharedNumber,
      );
  }
}
