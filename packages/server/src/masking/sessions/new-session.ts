/** From what was asked for to the arguments of `create_session`: numbers read, keys made, everything sealed. */
import { createHash } from 'node:crypto';
import type { PeopleRows } from '../../store/queries/sessions.ts';
import type { TenantVault } from '../../vault/types.ts';
import type { Context } from '../context.ts';
import { newId } from '../ids.ts';
import { codeCandidates } from '../parties/codes.ts';
import type { KnownParties } from '../parties/known-parties.ts';
import { type PhoneNumber, readPhoneNumber } from '../parties/phone-numbers.ts';
import { MaskingError, type NewParticipant } from '../service.ts';

export interface SessionPhone extends PhoneNumber {
  readonly fingerprint: Buffer;
  /** Positions from 1. */
  readonly participant: number;
  readonly position: number;
}

export interface SessionPerson extends NewParticipant {
  readonly id: string;
  readonly token: string;
  /** The id of the number that this one shall have (`number`, or the open side's for whoever called it). */
  readonly exact: string | undefined;
  /** `exact` is an open side's number, which is given to many. */
  readonly inherits: boolean;
  /** The pool's area that the first phone belongs to. */
  readonly area: string | undefined;
}

/** In the order of fingerprints, which is the order in which the database locks their parties. Throws `MaskingError`. */
export function readPhones(
  people: readonly NewParticipant[],
  keys: TenantVault,
  pointerOf = (participant: number) => `/participants/${participant}`,
): readonly SessionPhone[] {
  const seen = new Set<string>();
  const phones = people.flatMap((one, participant) =>
    one.phones.map((text, position) => {
      const pointer = `${pointerOf(participant)}/phones/${position}`;
      const phone = readPhoneNumber(text, pointer);
      if (seen.has(phone.e164)) {
        throw new MaskingError('duplicate-number', 'The same number stands twice in this session.', pointer);
      }
      seen.add(phone.e164);
      return {
        ...phone,
        fingerprint: keys.fingerprint(phone.e164),
        participant: participant + 1,
        position: position + 1,
      };
    }),
  );
  return phones.sort((a, b) => Buffer.compare(a.fingerprint, b.fingerprint));
}

/** A key only where one is needed: for a party that is taken to be new, and for a name. */
export function sealPeople(
  { doors }: Pick<Context, 'doors'>,
  keys: TenantVault,
  directory: TenantVault,
  known: KnownParties,
  people: readonly SessionPerson[],
  phones: readonly SessionPhone[],
  withPins: boolean,
): PeopleRows {
  const { tenant } = keys;
  const names = new Map<string, { readonly name: Buffer; readonly namePhone: number }>();
  const phoneRows = phones.map((phone, index) => {
    const before = known.find(tenant, phone.fingerprint);
    const party = before ?? newId(doors, 'pty');
    const owner = people[phone.participant - 1];
    const name = phone.position === 1 ? owner?.name : undefined;
    const made = before === undefined || name !== undefined ? keys.newPartyKey(party) : undefined;
    if (made !== undefined && owner !== undefined && name !== undefined) {
      const field = { tenant, table: 'participants', column: 'name', row: owner.id };
      names.set(owner.id, { name: made.cipher.encrypt(name, field), namePhone: index + 1 });
    }
    const field = { tenant, table: 'parties', column: 'phone', row: party };
    return {
      ...phone,
      party,
      directoryFingerprint: directory.fingerprint(phone.e164),
      key: made?.wrapped ?? null,
      phone: before === undefined && made !== undefined ? made.cipher.encrypt(phone.e164, field) : null,
    };
  });
  const participants = people.map((one) => ({
    id: one.id,
    role: one.role,
    locale: one.locale,
    name: names.get(one.id)?.name,
    namePhone: names.get(one.id)?.namePhone,
    transparencyDigest: createHash('sha256').update(one.token).digest(),
    extras: extrasOf(one),
    pins: withPins ? codeCandidates(keys, one.id).map((code) => code.digest) : [],
  }));
  return { participants, phones: phoneRows };
}

/** Undefined for the plain case, which is nearly every one. */
function extrasOf(one: SessionPerson): Readonly<Record<string, unknown>> | undefined {
  const extras = {
    ...(one.timeZone === undefined ? {} : { timeZone: one.timeZone }),
    ...(one.mayStart === false ? { mayStart: false } : {}),
    ...(one.reach === 'app' ? { reach: 'app' } : {}),
    ...(one.open === true ? { open: true } : {}),
    ...(one.exact === undefined ? {} : { exact: one.exact }),
    ...(one.inherits ? { inherits: true } : {}),
    ...(one.area === undefined ? {} : { area: one.area }),
  };
  return Object.keys(extras).length === 0 ? undefined : extras;
}
