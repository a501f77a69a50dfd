/** Opening, reading, finding and closing sessions. */
import { findNumber } from '../../store/queries/calls.ts';
import * as reading from '../../store/queries/session-reading.ts';
import * as queries from '../../store/queries/sessions.ts';
import type { TenantVault } from '../../vault/types.ts';
import { storedDigest, storedKey } from '../access/idempotency.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, installation, notFound, withKeys } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { areasOfPool, placeOf } from '../numbers/places.ts';
import { codeOf } from '../parties/codes.ts';
import type { KnownParties } from '../parties/known-parties.ts';
import { holdsPhoneNumber, maskPhoneNumber, readPhoneNumber } from '../parties/phone-numbers.ts';
import { transparencyToken } from '../parties/transparency.ts';
import { readProgram } from '../saved-programs/programs.ts';
import type {
  CreatedSession,
  Masking,
  NewParticipant,
  NewSession,
  Page,
  Participant,
  Session,
  SessionChange,
  SessionFilter,
  SessionTerms,
} from '../service.ts';
import { MaskingError } from '../service.ts';
import { joinRefusal, refuseRestricted } from './join-refusals.ts';
import { readPhones, type SessionPerson, type SessionPhone, sealPeople } from './new-session.ts';
import { checkNewSession, defaultTtlSeconds, type Known } from './session-input.ts';
import { type NamedProgram, namedProgram, termColumns } from './session-terms.ts';
import { dialOf, groupSessions } from './session-view.ts';

/** A session that one with an open side gives rise to: `number` is the open side's, of which the caller is given. */
export interface Offspring {
  readonly parent: string;
  readonly number: string;
}

/** What opening and changing sessions share. */
export interface People {
  /** Ids, tokens and numbers asked for by name; throws `MaskingError` with the place below `pointerOf`. */
  prepare(
    tenant: string,
    keys: TenantVault,
    pool: string,
    people: readonly NewParticipant[],
    pointerOf: (participant: number) => string,
  ): Promise<readonly SessionPerson[]>;
  /**
   * Runs a statement until the parties are who they are taken for and codes are at hand. Only a person who was
   * unknown to this node, or erased, needs a second time; a third would be another erasure.
   */
  settle<Row extends { readonly failure: string | null }>(
    keys: TenantVault,
    people: readonly SessionPerson[],
    phones: readonly SessionPhone[],
    withPins: boolean,
    run: (sealed: queries.PeopleRows) => Promise<readonly [Row, ...Row[]]>,
  ): Promise<readonly [Row, ...Row[]]>;
}

export function createPeople(context: Context, known: KnownParties): People {
  const { database, vault, doors } = context;

  async function numberByName(tenant: string, e164: string, pointer: string): Promise<string> {
    const { e164: number } = readPhoneNumber(e164, pointer);
    const found = await findNumber(database, number);
    if (found?.tenant !== tenant) {
      throw new MaskingError('number-not-available', 'This is none of your virtual numbers.', pointer);
    }
    return found.number;
  }

  return {
    async prepare(tenant, keys, pool, people, pointerOf) {
      const areas = await areasOfPool(context, tenant, pool);
      return Promise.all(
        people.map(async (one, index) => {
          const id = newId(doors, 'par');
          const [phone] = one.phones;
          return {
            ...one,
            id,
            token: transparencyToken(keys, id),
            exact:
              one.number === undefined
                ? undefined
                : await numberByName(tenant, one.number, `${pointerOf(index)}/number`),
            inherits: false,
            area: areas.size === 0 || phone === undefined ? undefined : placeOf(phone, areas).area,
          };
        }),
      );
    },

    async settle(keys, people, phones, withPins, run) {
      const directory = await vault.unlock(installation);
      let pins = withPins;
      for (let attempt = 0; attempt < 6; attempt++) {
        const rows = await run(sealPeople(context, keys, directory, known, people, phones, pins));
        const [first] = rows as readonly { readonly failure: string | null; readonly details?: unknown }[];
        if (first?.failure === 'needs-pins') pins = true;
        else if (first?.failure === 'other-party' || first?.failure === null) {
          remember(known, keys.tenant, phones, first.details);
          if (first.failure === null) return rows;
        } else return rows;
      }
      throw new Error('the parties of a session changed again and again');
    },
  };
}

function remember(
  known: KnownParties,
  tenant: string,
  phones: readonly SessionPhone[],
  parties: unknown,
): void {
  phones.forEach((phone, index) => {
    const party: unknown = Array.isArray(parties) ? parties[index] : undefined;
    if (typeof party === 'string') known.remember(tenant, phone.fingerprint, party);
    else known.forget(tenant, phone.fingerprint);
  });
}

/** The saved program that terms name. Throws `unknown-program`. */
export async function resolveProgram(
  context: Context,
  tenant: string,
  program: SessionTerms['program'] | null,
): Promise<NamedProgram | undefined> {
  const named = namedProgram(program);
  if (named === undefined) return undefined;
  try {
    const { program: id } = await readProgram(context.database, tenant, named.name, named.version);
    return { program: id, version: named.version };
  } catch (error) {
    if (error instanceof MaskingError) throw new MaskingError(error.code, error.message, '/program');
    throw error;
  }
}

export function createSessions(
  context: Context,
  people: People,
  knownWords: (tenant: string) => Promise<Known>,
): Pick<Masking, 'createSession' | 'getSession' | 'listSessions' | 'closeSession'> & {
  open(
    tenant: string,
    session: NewSession,
    idempotency?: { readonly key: string; readonly digest: Buffer },
    offspring?: Offspring,
  ): Promise<CreatedSession>;
} {
  const { database, vault, doors } = context;

  async function open(
    tenant: string,
    session: NewSession,
    idempotency?: { readonly key: string; readonly digest: Buffer },
    offspring?: Offspring,
  ): Promise<CreatedSession> {
    checkNewSession(session, doors.clock.now(), await wordsFor(session, () => knownWords(tenant)));
    const keys = await vault.unlock(tenant);
    const pool = session.pool ?? 'default';
    const pointerOf = (index: number) => `/participants/${index}`;
    const phones = readPhones(session.participants, keys);
    const named = await resolveProgram(context, tenant, session.program);
    const prepared = await people.prepare(tenant, keys, pool, session.participants, pointerOf);
    // Who called an open side keeps seeing, and dialling, the number they called.
    const persons =
      offspring === undefined
        ? prepared
        : prepared.map((one, index) =>
            index === 0 ? { ...one, exact: offspring.number, inherits: true } : one,
          );
    const id = newId(doors, 'ses');
    const row = {
      tenant,
      session: id,
      actor: offspring === undefined ? currentActor() : 'switch',
      terms: {
        ...termColumns(sessionTerms(session), named),
        pool,
        recording: session.recording ?? 'off',
        shared: session.sharedNumber ?? false,
        metadata: session.metadata ?? {},
        sticky: session.sticky ?? false,
        pin: session.pin ?? false,
        ...(session.expiresAt === undefined ? { ttlSeconds: session.ttlSeconds ?? defaultTtlSeconds } : {}),
        ...(offspring === undefined ? {} : { parent: offspring.parent }),
      },
      idempotency: idempotency && {
        key: storedKey(keys, idempotency.key),
        digest: storedDigest(keys, idempotency.digest),
      },
    };
    const rows = await people.settle(keys, persons, phones, session.pin ?? false, async (sealed) => {
      const [first, ...others] = await queries.createSession(database, { ...row, ...sealed });
      if (first === undefined) throw new Error('create_session answered nothing');
      return [first, ...others];
    });
    await refuseRestricted(context, tenant, rows[0].failure, phones, pointerOf);
    return created(tenant, session, id, persons, phones, keys, rows);
  }

  async function created(
    tenant: string,
    session: NewSession,
    id: string,
    people: readonly SessionPerson[],
    phones: readonly SessionPhone[],
    keys: TenantVault,
    rows: readonly [queries.CreateSessionRow, ...queries.CreateSessionRow[]],
  ): Promise<CreatedSession> {
    const [first] = rows;
    if (first.failure === 'replayed') {
      const before = await getSession(tenant, first.session);
      const tokens = before.participants.map((one) => [one.id, transparencyToken(keys, one.id)] as const);
      return { ...before, transparencyTokens: new Map(tokens), replayed: true };
    }
    if (first.failure !== null) throw createRefusal(first, session, phones);
    const seats = new Map(
      rows.flatMap((row) => (row.failure === null ? [[row.participant, row] as const] : [])),
    );
    return {
      id,
      ...(session.reference === undefined ? {} : { reference: session.reference }),
      pool: session.pool ?? 'default',
      status: session.opensAt !== undefined && session.opensAt > first.created_at ? 'scheduled' : 'open',
      recording: session.recording ?? 'off',
      sharedNumber: session.sharedNumber ?? false,
      createdAt: first.created_at,
      ...(session.opensAt === undefined ? {} : { opensAt: session.opensAt }),
      expiresAt: first.expires_at,
      ...(session.idleSeconds === undefined ? {} : { idleSeconds: session.idleSeconds }),
      metadata: session.metadata ?? {},
      ongoingCalls: session.ongoingCalls ?? 'finish',
      ...declared(session),
      participants: people.map((one, index) =>
        createdParticipant(keys, one, index, phones, seats, first.created_at),
      ),
      transparencyTokens: new Map(people.map((one) => [one.id, one.token])),
      replayed: false,
    };
  }

  async function getSession(tenant: string, session: string): Promise<Session> {
    if (!isId(session, 'ses')) throw notFound('session');
    const rows = await reading.readSessions(database, tenant, [session]);
    const [found] = await withKeys(context, tenant, (keys) => groupSessions(keys, rows));
    if (found === undefined) throw notFound('session');
    return found;
  }

  async function listSessions(
    tenant: string,
    filter: SessionFilter,
    page: Parameters<Masking['listSessions']>[2],
  ): Promise<Page<Session>> {
    checkPage(page);
    const keys = await vault.unlock(tenant);
    const ids = await reading.findSessions(database, {
      tenant,
      reference: filter.reference,
      status: filter.status,
      fingerprint:
        filter.phone === undefined
          ? undefined
          : keys.fingerprint(readPhoneNumber(filter.phone, '/phone').e164),
      number: filter.number,
      parent: filter.parent,
      createdAfter: filter.createdAfter,
      createdBefore: filter.createdBefore,
      after: page.after,
      limit: page.limit + 1,
    });
    const shown = ids.slice(0, page.limit);
    const rows = shown.length === 0 ? [] : await reading.readSessions(database, tenant, shown);
    const items = await withKeys(context, tenant, (opened) => groupSessions(opened, rows));
    const last = shown.at(-1);
    return ids.length > page.limit && last !== undefined ? { items, next: last } : { items };
  }

  const closeSession: Masking['closeSession'] = async (tenant, session, close) => {
    if (!isId(session, 'ses')) throw notFound('session');
    checkReason(close.reason);
    await queries.endSession(database, tenant, session, {
      reason: close.reason,
      ongoingCalls: close.ongoingCalls,
      afterClose: close.afterClose ?? true,
      actor: currentActor(),
    });
    return getSession(tenant, session);
  };

  return {
    open,
    createSession: (tenant, session, idempotency) => open(tenant, session, idempotency),
    getSession,
    listSessions,
    closeSession,
  };
}

/** What opening has in common with changing. */
function sessionTerms(session: NewSession): SessionChange {
  const {
    pool: _pool,
    participants: _people,
    sharedNumber: _shared,
    sticky: _sticky,
    pin: _pin,
    ...terms
  } = session;
  return terms;
}

const noWords: Known = { destinations: new Set(), prompts: new Set() };

/** Looked up only for what names any: most sessions are plain. */
export async function wordsFor(
  terms: Pick<SessionChange, 'program' | 'whisper' | 'survey'>,
  look: () => Promise<Known>,
): Promise<Known> {
  const none = terms.program == null && terms.whisper == null && terms.survey == null;
  return none ? noWords : look();
}

function checkReason(reason: string): void {
  if (reason === '' || reason.length > 100 || reason.includes('\0')) {
    throw new MaskingError('invalid', 'The reason has 1 to 100 characters.', '/reason');
  }
  // It stands in the ledger and goes out with events.
  if (holdsPhoneNumber(reason)) {
    throw new MaskingError('invalid', 'A reason holds no phone number.', '/reason');
  }
}

/** What the request declared and the answer repeats. */
function declared(session: NewSession): Partial<Session> {
  const { program, schedule, limits, whisper, accept, survey, afterClose } = session;
  return {
    ...(program === undefined ? {} : { program }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(limits === undefined ? {} : { limits }),
    ...(whisper === undefined ? {} : { whisper }),
    ...(accept === undefined ? {} : { accept }),
    ...(survey === undefined ? {} : { survey }),
    ...(afterClose === undefined ? {} : { afterClose }),
  };
}

function createdParticipant(
  keys: TenantVault,
  one: SessionPerson,
  index: number,
  phones: readonly SessionPhone[],
  seats: ReadonlyMap<string, { readonly e164: string; readonly pin_index: number | null }>,
  joinedAt: Date,
): Participant {
  const seat = seats.get(one.id);
  const number = seat?.e164 ?? '';
  const reach = one.reach ?? 'number';
  const place = seat?.pin_index ?? null;
  const pin = place === null ? undefined : codeOf(keys, one.id, place);
  const masked = phones
    .filter((phone) => phone.participant === index + 1)
    .sort((a, b) => a.position - b.position)
    .map((phone) => maskPhoneNumber(phone.e164, phone.country));
  return {
    id: one.id,
    role: one.role,
    dial: dialOf(number, reach, pin),
    number,
    phone: masked[0] ?? '',
    phones: masked,
    ...(one.locale === undefined ? {} : { locale: one.locale }),
    ...(one.timeZone === undefined ? {} : { timeZone: one.timeZone }),
    reach,
    mayStart: one.mayStart ?? true,
    open: one.open ?? false,
    ...(pin === undefined ? {} : { pin }),
    joinedAt,
  };
}

function createRefusal(
  row: Exclude<queries.CreateSessionRow, { readonly failure: null | 'replayed' }>,
  session: NewSession,
  phones: readonly SessionPhone[],
): MaskingError {
  switch (row.failure) {
    case 'idempotency-mismatch':
      return new MaskingError('idempotency-mismatch', 'This idempotency key was used for another request.');
    case 'unknown-pool':
      return new MaskingError(
        'unknown-pool',
        'There is no such pool; adding numbers to it makes it.',
        '/pool',
      );
    default:
      return joinRefusal(row, phones, (index) => `/participants/${index}`, session.sharedNumber ?? false);
  }
}
