/**
 * The record: reading it, proving it, signing it. `chain.ts` says whether a chain is what it was, `roots.ts` signs ends
 * of days, `anchors.ts` keeps them outside the database, `verify.ts` puts these together.
 */
import { currentActor } from '../../masking/actor.ts';
import { checkPage, invalid, notFound, toPage } from '../../masking/context.ts';
import { isId } from '../../masking/ids.ts';
import { readPhoneNumber } from '../../masking/parties/phone-numbers.ts';
import { MaskingError } from '../../masking/service.ts';
import {
  type EntryRow,
  findParty,
  insertEntry,
  listEntries,
  partiesOf,
  readEntry,
  readKinds,
} from '../../store/queries/ledger-reading.ts';
import { listRoots } from '../../store/queries/ledger-roots.ts';
import type { TrustContext } from '../context.ts';
import type { Entry, EntryFilter, Ledger, LedgerCheck } from '../service.ts';
import { createAnchors } from './anchors.ts';
import { copyRoots, signRoots, toRoot, unfinishedDay } from './roots.ts';
import { verifyLedger } from './verify.ts';

const turnMilliseconds = 60_000;

export function createLedger(
  context: TrustContext,
): Ledger & { start(): Promise<void>; stop(): Promise<void> } {
  const { database } = context;
  const anchors = createAnchors(context.anchors);
  const verifications = oneAtATime<LedgerCheck>();
  const signing = createSigning(context, anchors);

  async function parties(
    tenant: string,
    person: NonNullable<EntryFilter['person']>,
  ): Promise<readonly string[]> {
    if ('phone' in person) {
      const { e164 } = readPhoneNumber(person.phone, '/phone');
      const keys = await context.vault.unlock(tenant);
      const party = await findParty(database, tenant, keys.fingerprint(e164));
      return party === undefined ? [] : [party];
    }
    const { participant } = person;
    const found = isId(participant, 'par') ? await partiesOf(database, tenant, participant) : [];
    if (found.length > 0) return found;
    throw new MaskingError('unknown-participant', 'There is no such participant.', '/participant');
  }

  return {
    start: signing.start,
    stop: signing.stop,

    async list(tenant, filter, page) {
      const { limit, after } = checkPage(page);
      const { session, subject, actor, kind, from, to, person } = filter;
      if (from !== undefined && to !== undefined && from >= to) {
        throw invalid('`from` lies before `to`.', '/from');
      }
      const kinds = kind?.endsWith('.*')
        ? await familyOf(tenant, kind)
        : kind === undefined
          ? undefined
          : [kind];
      const people = person === undefined ? undefined : await parties(tenant, person);
      if (kinds?.length === 0 || people?.length === 0) return { items: [] };
      const search = { tenant, session, subject, actor, kinds, from, to, parties: people, after };
      const rows = await listEntries(database, { ...search, limit: limit + 1 });
      return toPage(rows, limit, (row) => row.entry, toEntry);
    },

    async get(tenant, entry) {
      const row = isId(entry, 'led') ? await readEntry(database, tenant, entry) : undefined;
      if (row === undefined) throw notFound('entry');
      return toEntry(row);
    },

    verify: (tenant, progress) =>
      verifications(tenant, () =>
        verifyLedger(tenant, { database, signer: context.signer, anchors, progress }),
      ),

    async roots(tenant, { limit, after }) {
      if (after !== undefined && !/^\d{4}-\d\d-\d\d$/.test(after)) {
        throw invalid('`after` is the `next` of the page before.', '/after');
      }
      checkPage({ limit });
      const rows = await listRoots(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.day, toRoot);
    },

    publicKey: async () => ({ keyId: context.signer.keyId, pem: context.signer.publicKey }),

    note: ({ tenant, kind, actor = currentActor(), person, session, subject, details = {} }) =>
      insertEntry(database, { tenant, kind, actor, party: person, session, subject, details }),
  };

  async function familyOf(tenant: string, kind: string): Promise<readonly string[]> {
    const family = kind.slice(0, -1);
    return (await readKinds(database, tenant)).filter((one) => one.startsWith(family));
  }
}

function toEntry(row: EntryRow): Entry {
  return {
    id: row.entry,
    ...(row.sequence === null ? {} : { sequence: Number(row.sequence) }),
    at: row.at,
    kind: row.kind,
    actor: row.actor,
    ...(row.party === null ? {} : { party: row.party }),
    ...(row.session === null ? {} : { session: row.session }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    details: row.details,
    ...(row.digest === null ? {} : { digest: row.digest.toString('hex') }),
  };
}

/** Long work: who asks for the same again joins the one that waits or runs, and different ones come after each other. */
function oneAtATime<T>(): (name: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  let turn: Promise<unknown> = Promise.resolve();
  return (name, work) => {
    const present = running.get(name);
    if (present !== undefined) return present;
    const result = turn.then(work, work).finally(() => running.delete(name));
    turn = result.catch(() => {});
    running.set(name, result);
    return result;
  };
}

/** Every minute, until a day is signed and copied; then again when the next one is over. */
function createSigning(context: TrustContext, anchors: ReturnType<typeof createAnchors>) {
  const { doors, database, signer, report } = context;
  let timer: { cancel(): void } | undefined;
  let turn: Promise<void> = Promise.resolve();
  let done = '';

  async function sign(): Promise<void> {
    const before = unfinishedDay(doors.clock.now());
    if (before === done) return;
    const complete = await signRoots({ database, signer }, before);
    await copyRoots(database, anchors);
    if (complete) done = before;
  }

  function run(): void {
    turn = sign().catch((error: unknown) => report('ledger roots', error));
    void turn.then(() => {
      if (timer !== undefined) timer = doors.timers.after(turnMilliseconds, run);
    });
  }

  return {
    async start() {
      timer = doors.timers.after(0, run);
    },
    async stop() {
      timer?.cancel();
      timer = undefined;
      await turn;
    },
  };
}
