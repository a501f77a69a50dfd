/**
 * Disputes: a complaint from the first word to the verdict. Each step is one transaction with its ledger entry, its
 * event and its hold (migration 0016). What people write is sealed under the tenant's key. `version` guards what one
 * person could overwrite of another's; notes are only ever added.
 */
import { currentActor } from '../../masking/actor.ts';
import { checkPage, invalid, notFound, toPage, withKeys } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import { MaskingError } from '../../masking/service.ts';
import { lockCustody } from '../../store/queries/custody.ts';
import * as queries from '../../store/queries/disputes.ts';
import type { Queries } from '../../store/types.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { TrustContext } from '../context.ts';
import { checkFreeText } from '../free-text.ts';
import type { Dispute, DisputeFile, DisputeNote, Disputes, Entry } from '../service.ts';

export const mostStatement = 4_000;
export const mostNote = 10_000;
export const mostNotes = 500;
/** Notes by which whoever opened it told it again: the rest is for those who look into it. */
export const mostToldAgain = 20;
const mostCalls = 500;
const mostHistory = 200;

/** Kept with the hold, where whoever looks at holds sees why. */
const holdReason = 'A dispute is being investigated.';

type SealedColumn =
  | 'disputes.statement'
  | 'disputes.verdict_text'
  | 'dispute_notes.body'
  | 'legal_holds.reason';

export function createDisputes(
  context: TrustContext,
): Disputes & { start(): Promise<void>; stop(): Promise<void> } {
  const { database, vault, doors } = context;

  async function read(tenant: string, dispute: string): Promise<queries.DisputeRow> {
    const row = isId(dispute, 'dsp') ? await queries.readDispute(database, tenant, dispute) : undefined;
    if (row === undefined) throw notFound('dispute');
    return row;
  }

  async function show(tenant: string, dispute: string): Promise<Dispute> {
    const row = await read(tenant, dispute);
    return withKeys(context, tenant, (keys) => toDispute(keys, row));
  }

  /** Whatever is being deleted is deleted before the hold is placed, or is kept. */
  function holding<T>(tenant: string, work: (inside: Queries) => Promise<T>): Promise<T> {
    return database.transaction(async (inside) => {
      await lockCustody(inside, tenant);
      return work(inside);
    });
  }

  async function notesOf(tenant: string, dispute: string): Promise<readonly DisputeNote[]> {
    const rows = await queries.readDisputeNotes(database, tenant, dispute);
    return withKeys(context, tenant, (keys) => rows.map((row) => toNote(keys, row)));
  }

  async function addNote(tenant: string, dispute: string, text: string): Promise<DisputeNote> {
    const body = checkFreeText(text, mostNote, '/text');
    if (!isId(dispute, 'dsp')) throw notFound('dispute');
    const note = newId(doors, 'nte');
    const keys = await vault.unlock(tenant);
    const failure = await queries.addDisputeNote(database, {
      ...{ tenant, dispute, note, most: mostNotes, actor: currentActor() },
      body: seal(keys, 'dispute_notes.body', note, body),
    });
    if (failure === 'missing') throw notFound('dispute');
    if (failure === 'too-many') throw invalid(`A dispute takes at most ${mostNotes} notes.`, '/text');
    const added = (await notesOf(tenant, dispute)).find((one) => one.id === note);
    if (added === undefined) throw notFound('dispute');
    return added;
  }

  /** Told again: what is new in it must not get lost, what is the same was a second tap. */
  async function tellAgain(tenant: string, standing: Dispute, statement: string): Promise<void> {
    if (standing.statement === statement) return;
    const notes = await notesOf(tenant, standing.id);
    if (notes.some((one) => one.text === statement)) return;
    if (notes.filter((one) => one.by === standing.openedBy.id).length >= mostToldAgain) {
      throw invalid('This was told often enough: somebody looks into it.', '/statement');
    }
    await addNote(tenant, standing.id, statement);
  }

  const open: Disputes['open'] = async (
    tenant,
    { session, call, category, against, openedBy, statement },
  ) => {
    const text = checkFreeText(statement, mostStatement, '/statement');
    if (!isId(session, 'ses')) throw notFound('session');
    if (call !== undefined && !isId(call, 'call')) throw refusal('unknown-call');
    if (against !== undefined && !isId(against, 'par')) throw refusal('unknown-participant');
    const [dispute, hold] = [newId(doors, 'dsp'), newId(doors, 'hld')];
    const keys = await vault.unlock(tenant);
    const actor = currentActor();
    const row = await holding(tenant, (inside) =>
      queries.openDispute(inside, {
        ...{ tenant, dispute, session, call, category, against, hold, actor },
        ...{ openerKind: openedBy.kind, opener: openedBy.id },
        statement: seal(keys, 'disputes.statement', dispute, text),
        holdReason: seal(keys, 'legal_holds.reason', hold, holdReason),
      }),
    );
    if (row.failure === 'missing') throw notFound('session');
    if (row.failure !== null) throw refusal(row.failure);
    const opened = await show(tenant, row.dispute);
    if (row.opened) return opened;
    await tellAgain(tenant, opened, text);
    return show(tenant, row.dispute);
  };

  const update: Disputes['update'] = async (tenant, dispute, { version, ...change }) => {
    if (change.assignee != null && !isId(change.assignee, 'usr')) {
      throw invalid('The assignee is a user’s id.', '/assignee');
    }
    if (change.against != null && !isId(change.against, 'par')) throw refusal('unknown-participant');
    const row = await read(tenant, dispute);
    const [note, hold] = [newId(doors, 'nte'), newId(doors, 'hld')];
    const actor = currentActor();
    const failure = await withKeys(context, tenant, (keys) =>
      holding(tenant, (inside) =>
        queries.changeDispute(inside, {
          ...{ tenant, dispute, version, actor },
          change: Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)),
          // Sealed for the place where it stands: the database can't move it there by itself.
          note:
            row.verdict_text === null
              ? undefined
              : {
                  id: note,
                  body: seal(
                    keys,
                    'dispute_notes.body',
                    note,
                    unseal(keys, 'disputes.verdict_text', dispute, row.verdict_text),
                  ),
                },
          hold: { id: hold, reason: seal(keys, 'legal_holds.reason', hold, holdReason) },
        }),
      ),
    );
    if (failure !== null) throw refusal(failure);
    return show(tenant, dispute);
  };

  const decide: Disputes['decide'] = async (tenant, dispute, { version, verdict, text, block }) => {
    const words = checkFreeText(text, mostNote, '/text');
    if (block?.expiresAt !== undefined && !(block.expiresAt.getTime() > doors.clock.now())) {
      throw invalid('`expiresAt` lies in the future.', '/block/expiresAt');
    }
    if (!isId(dispute, 'dsp')) throw notFound('dispute');
    const keys = await vault.unlock(tenant);
    const failure = await queries.decideDispute(database, {
      ...{ tenant, dispute, version, verdict, actor: currentActor() },
      text: seal(keys, 'disputes.verdict_text', dispute, words),
      block: block && {
        id: newId(doors, 'blk'),
        everybody: block.towards === 'everybody',
        expiresAt: block.expiresAt,
      },
    });
    if (failure !== null) throw refusal(failure);
    return show(tenant, dispute);
  };

  return {
    open,
    async list(tenant, { status, assignee, session }, page) {
      const { limit, after } = checkPage(page);
      if (assignee != null && !isId(assignee, 'usr')) return { items: [] };
      if (session !== undefined && !isId(session, 'ses')) return { items: [] };
      const search = { tenant, status, assignee, session, after, limit: limit + 1 };
      const rows = await queries.listDisputes(database, search);
      return withKeys(context, tenant, (keys) =>
        toPage(
          rows,
          limit,
          (row) => row.dispute,
          (row) => toDispute(keys, row),
        ),
      );
    },
    async get(tenant, dispute) {
      const row = await read(tenant, dispute);
      const [notes, calls, hold, history] = await Promise.all([
        notesOf(tenant, dispute),
        queries.readDisputedCalls(database, tenant, row.session, mostCalls),
        queries.readDisputeHold(database, tenant, row.session, dispute),
        queries.readDisputeHistory(database, tenant, row.session, dispute, mostHistory),
      ]);
      const shown = await withKeys(context, tenant, (keys) => toDispute(keys, row));
      const file: DisputeFile = { ...shown, notes, calls, history: history.map(toEntry) };
      return hold === undefined ? file : { ...file, hold };
    },
    update,
    addNote,
    decide,
    async start() {},
    async stop() {},
  };
}

function seal(keys: TenantVault, place: SealedColumn, row: string, text: string): Buffer {
  return keys.seal(Buffer.from(text), fieldOf(keys, place, row));
}

/** What went with an erased person is empty. */
function unseal(keys: TenantVault, place: SealedColumn, row: string, sealed: Buffer | null): string {
  if (sealed === null) return '';
  return keys.open(sealed, fieldOf(keys, place, row)).toString();
}

function fieldOf(keys: TenantVault, place: SealedColumn, row: string) {
  const [table = '', column = ''] = place.split('.');
  return { tenant: keys.tenant, table, column, row };
}

function refusal(
  failure:
    | 'missing'
    | 'unknown-call'
    | 'unknown-participant'
    | 'changed'
    | 'resolved'
    | 'nobody'
    | 'unreachable',
): MaskingError {
  switch (failure) {
    case 'missing':
      return notFound('dispute');
    case 'unknown-call':
      return invalid('This is none of the session’s calls.', '/call');
    case 'unknown-participant':
      return new MaskingError(
        'unknown-participant',
        'This is none of the session’s participants.',
        '/against',
      );
    case 'changed':
      return new MaskingError(
        'dispute-changed',
        'The dispute was changed since this version was read.',
        '/version',
      );
    case 'resolved':
      return new MaskingError('dispute-resolved', 'The dispute is resolved.');
    case 'nobody':
      return invalid('Say first whom the dispute is about: `against`.', '/block');
    case 'unreachable':
      return new MaskingError('participant-unreachable', 'There is no phone to block.', '/block');
    default:
      failure satisfies never;
      throw new Error('a dispute was refused for an unknown reason');
  }
}

function toDispute(keys: TenantVault, row: queries.DisputeRow): Dispute {
  const { dispute, verdict, verdict_text, verdict_by, verdict_at } = row;
  return {
    id: dispute,
    session: row.session,
    ...(row.call === null ? {} : { call: row.call }),
    category: row.category,
    status: row.status,
    version: row.version,
    openedBy: { kind: row.opener_kind, id: row.opener },
    openedAt: row.opened_at,
    ...(row.against === null ? {} : { against: row.against }),
    statement: unseal(keys, 'disputes.statement', dispute, row.statement),
    ...(row.redacted_at === null ? {} : { redactedAt: row.redacted_at }),
    ...(row.assignee === null ? {} : { assignee: row.assignee }),
    ...(verdict === null || verdict_by === null || verdict_at === null
      ? {}
      : {
          verdict: {
            verdict,
            text: unseal(keys, 'disputes.verdict_text', dispute, verdict_text),
            by: verdict_by,
            at: verdict_at,
            ...(row.block === null ? {} : { block: row.block }),
          },
        }),
    updatedAt: row.updated_at,
  };
}

function toNote(keys: TenantVault, row: queries.DisputeNoteRow): DisputeNote {
  return {
    id: row.note,
    by: row.author,
    at: row.at,
    text: unseal(keys, 'dispute_notes.body', row.note, row.body),
  };
}

function toEntry(row: queries.DisputeEntryRow): Entry {
  return {
    id: row.entry,
    ...(row.sequence === null ? {} : { sequence: Number(row.sequence) }),
    at: row.at,
    kind: row.kind,
    actor: row.actor,
    ...(row.party === null ? {} : { party: row.party }),
    session: row.session,
    subject: row.subject,
    details: row.details,
    ...(row.digest === null ? {} : { digest: row.digest }),
  };
}
