/** From rows to what the API shows: phones decrypted only to be masked. */
import type { SessionRow } from '../store/queries/sessions.ts';
import type { PartyCipher, TenantVault } from '../vault/types.ts';
import { maskPhoneNumber, unreadablePhoneNumber } from './phone-numbers.ts';
import type { Participant, Session } from './service.ts';

/** A party key as it comes out of a join; null where there is none any more. */
export interface KeyColumns {
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

/** Undefined when the key was destroyed. Throws `Tampered`, or `UnknownKeyVersion` (see `withKeys`). */
export function openKey(
  keys: TenantVault,
  row: KeyColumns & { readonly party: string },
): PartyCipher | undefined {
  if (row.party_key === null || row.wrapped === null || row.tenant_key_version === null) return undefined;
  return keys.openPartyKey(row.party, {
    partyKey: row.party_key,
    wrapped: row.wrapped,
    tenantKeyVersion: row.tenant_key_version,
  });
}

/** The real number in E.164; undefined once it was erased. Throws `Tampered`. */
export function openPhone(
  keys: TenantVault,
  row: KeyColumns & { readonly party: string; readonly phone: Buffer | null },
): string | undefined {
  const cipher = openKey(keys, row);
  if (cipher === undefined || row.phone === null) return undefined;
  return cipher.decrypt(row.phone, {
    tenant: keys.tenant,
    table: 'parties',
    column: 'phone',
    row: row.party,
  });
}

/** Rows are in the order of sessions, participants and phones. */
export function groupSessions(
  rows: readonly SessionRow[],
  phoneOf: (row: SessionRow) => string | undefined,
): readonly Session[] {
  const sessions = new Map<
    string,
    { readonly row: SessionRow; readonly people: Map<string, SessionRow[]> }
  >();
  for (const row of rows) {
    let session = sessions.get(row.session);
    if (session === undefined) {
      session = { row, people: new Map() };
      sessions.set(row.session, session);
    }
    const phones = session.people.get(row.participant);
    if (phones === undefined) session.people.set(row.participant, [row]);
    else phones.push(row);
  }
  return [...sessions.values()].map(({ row, people }) => ({
    id: row.session,
    ...(row.reference === null ? {} : { reference: row.reference }),
    pool: row.pool,
    status: row.status,
    recording: row.recording,
    sharedNumber: row.shared_number,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.idle_seconds === null ? {} : { idleSeconds: row.idle_seconds }),
    ...(row.closed_at === null ? {} : { closedAt: row.closed_at }),
    ...(row.close_reason === null ? {} : { closeReason: row.close_reason }),
    metadata: row.metadata,
    participants: [...people.values()].map((phones) => participantOf(phones, phoneOf)),
  }));
}

function participantOf(
  rows: readonly SessionRow[],
  phoneOf: (row: SessionRow) => string | undefined,
): Participant {
  const [first] = rows;
  if (first === undefined) throw new Error('a participant without a phone');
  const phones = rows.map((row) => {
    const e164 = phoneOf(row);
    return e164 === undefined || row.country === null
      ? unreadablePhoneNumber
      : maskPhoneNumber(e164, row.country);
  });
  return {
    id: first.participant,
    role: first.role,
    dial: first.e164,
    phone: phones[0] ?? unreadablePhoneNumber,
    phones,
    ...(first.locale === null ? {} : { locale: first.locale }),
  };
}
