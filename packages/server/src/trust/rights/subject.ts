/** Who a request is about: a person is their phone numbers, each of which is a party. */

import { notFound } from '../../masking/context.ts';
import { isId } from '../../masking/ids.ts';
import { readPhoneNumber } from '../../masking/parties/phone-numbers.ts';
import { MaskingError } from '../../masking/service.ts';
import { partiesOfParticipant, partyOfPhone } from '../../store/queries/rights.ts';
import type { TrustContext } from '../context.ts';
import type { SubjectRef } from '../service.ts';

/**
 * At least one. Throws `not-found` in the same words whatever is unknown, `subject-erased` for a participant who was
 * erased, and what `readPhoneNumber` throws.
 */
export async function partiesOf(
  { database, vault }: Pick<TrustContext, 'database' | 'vault'>,
  tenant: string,
  subject: SubjectRef,
): Promise<readonly string[]> {
  if ('phone' in subject) {
    const { e164 } = readPhoneNumber(subject.phone, '/phone');
    const keys = await vault.unlock(tenant);
    const parties = await partyOfPhone(database, tenant, keys.fingerprint(e164));
    if (parties.length === 0) throw notFound('person');
    return parties;
  }
  const found = isId(subject.participant, 'par')
    ? await partiesOfParticipant(database, tenant, subject.participant)
    : undefined;
  if (found === undefined || found.isOpen) throw notFound('person');
  if (found.parties.length === 0) throw erased();
  return found.parties;
}

export function erased(): MaskingError {
  return new MaskingError('subject-erased', 'This person was erased: nothing is held on them any more.');
}
