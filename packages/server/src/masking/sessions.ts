/** Opening, reading, changing and closing sessions. */
import * as queries from '../store/queries/sessions.ts';
import type { TenantVault } from '../vault/types.ts';
import { type Context, checkPage, installation, invalid, notFound, withKeys } from './context.ts';
import { storedDigest, storedKey } from './idempotency.ts';
import { isId, newId } from './ids.ts';
import { createKnownParties } from './known-parties.ts';
import {
  readPhones,
  type SessionPerson,
  type SessionPhone,
  sealPeople,
  transparencyToken,
} from './new-session.ts';
import { maskPhoneNumber, readPhoneNumber } from './phone-numbers.ts';
import type {
  CreatedSession,
  Masking,
  NewSession,
  Page,
  Session,
  SessionChange,
  SessionFilter,
} from './service.ts';
import { MaskingError } from './service.ts';
import { checkChange, checkNewSession, defaultTtlSeconds } from './session-input.ts';
import { groupSessions, openPhone } from './session-view.ts';
import type { OngoingCalls } from './types.ts';

/** Sessions are opened and closed by whoever holds a key of the tenant; the API knows which. */
const actor = 'api';

export function createSessions(
  context: Context,
): Pick<Masking, 'createSession' | 'getSession' | 'listSessions' | 'updateSession' | 'closeSession'> {
  const { database, vault, doors } = context;
  const known = createKnownParties();

  async function createSession(
    tenant: string,
    session: NewSession,
    idempotency?: { readonly key: string; readonly digest: Buffer },
  ): Promise<CreatedSession> {
    checkNewSession(session, doors.clock.now());
    const keys = await vault.unlock(tenant);
    const directory = await vault.unlock(installation);
    const phones = readPhones(session, keys);
    const id = newId(doors, 'ses');
    const people = session.participants.map((one) => {
      const participant = newId(doors, 'par');
      return { ...one, id: participant, token: transparencyToken(keys, participant) };
    });
    const row = {
      tenant,
      session: id,
      actor,
      pool: session.pool ?? 'default',
      reference: session.reference,
      recording: session.recording ?? 'off',
      sharedNumber: session.sharedNumber ?? false,
      expiresAt: session.expiresAt,
      ttlSeconds: session.expiresAt ? undefined : (session.ttlSeconds ?? defaultTtlSeconds),
      idleSeconds: session.idleSeconds,
      metadata: JSON.stringify(session.metadata ?? {}),
      idempotency: idempotency && {
        key: storedKey(keys, idempotency.key),
        digest: storedDigest(keys, idempotency.digest),
      },
    };
    // Only a person who was unknown to this node, or erased, needs a second time; a third would be another erasure.
    for (let attempt = 0; attempt < 5; attempt++) {
      const sealed = sealPeople(context, keys, directory, known, people, phones);
      const rows = await queries.createSession(database, { ...row, ...sealed });
      const [first] = rows;
      if (first?.failure !== 'other-party') return created(tenant, session, id, people, phones, keys, rows);
      remember(tenant, phones, first.details);
    }
    throw new Error('the parties of a session changed again and again');
  }

  function remember(
    tenant: string,
    phones: readonly SessionPhone[],
    parties: readonly (string | null)[],
  ): void {
    phones.forEach((phone, index) => {
      const party = parties[index];
      if (typeof party === 'string') known.remember(tenant, phone.fingerprint, party);
      else known.forget(tenant, phone.fingerprint);
    });
  }

  async function created(
    tenant: string,
    session: NewSession,
    id: string,
    people: readonly SessionPerson[],
    phones: readonly SessionPhone[],
    keys: TenantVault,
    rows: readonly queries.CreateSessionRow[],
  ): Promise<CreatedSession> {
    const first = rows[0];
    if (first === undefined) throw new Error('create_session answered nothing');
    if (first.failure === 'replayed') {
      const before = await getSession(tenant, first.session);
      const tokens = before.participants.map((one) => [one.id, transparencyToken(keys, one.id)] as const);
      return { ...before, transparencyTokens: new Map(tokens), replayed: true };
    }
    if (first.failure === 'other-party') throw new Error('the parties were not settled');
    if (first.failure !== null) throw refusal(first, session, phones);
    remember(tenant, phones, first.details);
    const dials = new Map(rows.map((row) => (row.failure === null ? [row.participant, row.e164] : ['', ''])));
    return {
      id,
      ...(session.reference === undefined ? {} : { reference: session.reference }),
      pool: session.pool ?? 'default',
      status: 'open',
      recording: session.recording ?? 'off',
      sharedNumber: session.sharedNumber ?? false,
      createdAt: first.created_at,
      expiresAt: first.expires_at,
      ...(session.idleSeconds === undefined ? {} : { idleSeconds: session.idleSeconds }),
      metadata: session.metadata ?? {},
      participants: session.participants.map((one, index) => {
        const participant = people[index]?.id ?? '';
        const masked = phones
          .filter((phone) => phone.participant === index + 1)
          .sort((a, b) => a.position - b.position)
          .map((phone) => maskPhoneNumber(phone.e164, phone.country));
        return {
          id: participant,
          role: one.role,
          dial: dials.get(participant) ?? '',
          phone: masked[0] ?? '',
          phones: masked,
          ...(one.locale === undefined ? {} : { locale: one.locale }),
        };
      }),
      transparencyTokens: new Map(people.map((one) => [one.id, one.token])),
      replayed: false,
    };
  }

  async function getSession(tenant: string, session: string): Promise<Session> {
    if (!isId(session, 'ses')) throw notFound('session');
    const rows = await queries.readSessions(database, tenant, [session]);
    const [found] = await withKeys(context, tenant, (keys) =>
      groupSessions(rows, (row) => openPhone(keys, row)),
    );
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
    const ids = await queries.findSessions(database, {
      tenant,
      reference: filter.reference,
      status: filter.status,
      fingerprint:
        filter.phone === undefined
          ? undefined
          : keys.fingerprint(readPhoneNumber(filter.phone, '/phone').e164),
      number: filter.number,
      createdAfter: filter.createdAfter,
      createdBefore: filter.createdBefore,
      after: page.after,
      limit: page.limit + 1,
    });
    const shown = ids.slice(0, page.limit);
    const rows = shown.length === 0 ? [] : await queries.readSessions(database, tenant, shown);
    const items = await withKeys(context, tenant, (keys) =>
      groupSessions(rows, (row) => openPhone(keys, row)),
    );
    const last = shown.at(-1);
    return ids.length > page.limit && last !== undefined ? { items, next: last } : { items };
  }

  async function updateSession(tenant: string, session: string, change: SessionChange): Promise<Session> {
    if (!isId(session, 'ses')) throw notFound('session');
    checkChange(change, doors.clock.now());
    const changed = Object.keys(change).filter((name) => change[name as keyof SessionChange] !== undefined);
    if (changed.length > 0) {
      const done = await queries.updateSession(database, tenant, session, {
        expiresAt: change.expiresAt,
        ttlSeconds: change.expiresAt ? undefined : change.ttlSeconds,
        idleSeconds: change.idleSeconds,
        reference: change.reference,
        recording: change.recording,
        metadata: change.metadata === undefined ? undefined : JSON.stringify(change.metadata),
        actor,
        changed,
      });
      if (!done) {
        await getSession(tenant, session);
        throw new MaskingError('session-closed', 'The session has ended; open a new one.');
      }
    }
    return getSession(tenant, session);
  }

  async function closeSession(
    tenant: string,
    session: string,
    close: { readonly reason: string; readonly ongoingCalls?: OngoingCalls },
  ): Promise<Session> {
    if (!isId(session, 'ses')) throw notFound('session');
    if (!/^[a-z0-9][a-z0-9 ._-]{0,63}$/i.test(close.reason)) {
      throw invalid(
        'The reason is a word of up to 64 letters, digits, spaces, dots, hyphens and underscores.',
        '/reason',
      );
    }
    await queries.endSession(database, tenant, session, {
      reason: close.reason,
      ongoingCalls: close.ongoingCalls ?? 'finish',
      actor,
    });
    return getSession(tenant, session);
  }

  return { createSession, getSession, listSessions, updateSession, closeSession };
}

function refusal(
  row: Exclude<queries.CreateSessionRow, { failure: null } | { failure: 'replayed' | 'other-party' }>,
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
    case 'empty-pool':
      return new MaskingError('empty-pool', 'The pool has no enabled number that takes calls.', '/pool');
    case 'virtual-number': {
      const phone = phones[row.position - 1];
      return new MaskingError(
        'virtual-number-as-participant',
        "This is a virtual number; give the participant's real one.",
        phone && `/participants/${phone.participant - 1}/phones/${phone.position - 1}`,
      );
    }
    case 'pool-exhausted': {
      const { numbers, live, cooling, freeAt } = row.details;
      const who = session.sharedNumber ? 'These participants together' : 'This participant';
      return new MaskingError(
        'pool-exhausted',
        `${who} can have none of the pool's ${numbers} numbers now: ${live} are in live sessions, ${cooling} are cooling${
          freeAt === null ? '' : ` (the next is free at ${freeAt})`
        }. Close sessions, add numbers or shorten the cooldown.`,
        session.sharedNumber ? '/participants' : `/participants/${row.position - 1}`,
      );
    }
    default:
      row satisfies never;
      throw new Error('create_session refused for an unknown reason');
  }
}
