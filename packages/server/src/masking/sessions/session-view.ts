/** From rows to what the API shows: phones decrypted only to be masked. */
import type { SessionRow } from '../../store/queries/session-reading.ts';
import type { TenantVault } from '../../vault/types.ts';
import { codeOf, dialWithCode } from '../parties/codes.ts';
import { openPhone } from '../parties/party-keys.ts';
import { maskPhoneNumber, unreadablePhoneNumber } from '../parties/phone-numbers.ts';
import type { Participant, Session } from '../service.ts';
import { termsOf } from './session-terms.ts';

/** Rows are in the order of sessions, participants and phones. */
export function groupSessions(keys: TenantVault, rows: readonly SessionRow[]): readonly Session[] {
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
    ...(row.opens_at === null ? {} : { opensAt: row.opens_at }),
    expiresAt: row.expires_at,
    ...(row.idle_seconds === null ? {} : { idleSeconds: row.idle_seconds }),
    ...(row.closed_at === null ? {} : { closedAt: row.closed_at }),
    ...(row.close_reason === null ? {} : { closeReason: row.close_reason }),
    ...(row.after_until === null ? {} : { afterCloseUntil: row.after_until }),
    metadata: row.metadata,
    ongoingCalls: row.running_calls,
    ...termsOf(row),
    ...(row.parent === null ? {} : { parent: row.parent }),
    participants: [...people.values()].map((phones) => participantOf(keys, phones)),
  }));
}

function participantOf(keys: TenantVault, rows: readonly SessionRow[]): Participant {
  const [first] = rows;
  if (first === undefined) throw new Error('a participant without a row');
  const phones = rows.flatMap((row) => {
    if (row.party === null) return [];
    const e164 = openPhone(keys, { ...row, party: row.party });
    return e164 === undefined || row.country === null
      ? [unreadablePhoneNumber]
      : [maskPhoneNumber(e164, row.country)];
  });
  const pin = first.pin_index === null ? undefined : codeOf(keys, first.participant, first.pin_index);
  return {
    id: first.participant,
    role: first.role,
    dial: dialOf(first.e164, first.reach, pin),
    number: first.e164,
    phone: phones[0] ?? '',
    phones,
    ...(first.locale === null ? {} : { locale: first.locale }),
    ...(first.time_zone === null ? {} : { timeZone: first.time_zone }),
    reach: first.reach,
    mayStart: first.may_start,
    open: first.is_open,
    ...(pin === undefined ? {} : { pin }),
    joinedAt: first.joined_at,
    ...(first.left_at === null ? {} : { leftAt: first.left_at }),
    ...(first.leave_reason === null ? {} : { leaveReason: first.leave_reason }),
  };
}

/** With a code: two pauses and the code, so that a phone dials it in one tap (RFC 3601 section 5.3's post-dial string). */
export function dialOf(number: string, reach: 'number' | 'app', pin: string | undefined): string {
  if (reach === 'app') return '';
  return pin === undefined ? number : dialWithCode(number, pin);
}
