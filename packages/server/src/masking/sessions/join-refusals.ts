/** Why people can't join a session, in words, with the place in the request. */
import { restrictedAmong } from '../../store/queries/rights.ts';
import type { JoinFailure } from '../../store/queries/sessions.ts';
import type { Context } from '../context.ts';
import { MaskingError } from '../service.ts';
import type { SessionPhone } from './new-session.ts';

/**
 * A restriction works as a block does: only when one stands in the way is it asked which of the two it is. Throws
 * `subject-restricted` with the place of the phone.
 */
export async function refuseRestricted(
  { database }: Pick<Context, 'database'>,
  tenant: string,
  failure: string | null,
  phones: readonly SessionPhone[],
  pointerOf: (participant: number) => string,
): Promise<void> {
  if (failure !== 'blocked') return;
  const fingerprints = phones.map((phone) => phone.fingerprint);
  const phone = phones[(await restrictedAmong(database, tenant, fingerprints)) ?? -1];
  if (phone === undefined) return;
  throw new MaskingError(
    'subject-restricted',
    "The use of this person's data is restricted: they take part in no new session until that is lifted.",
    `${pointerOf(phone.participant - 1)}/phones/${phone.position - 1}`,
  );
}

/** `pointerOf`: the place of a participant of the request (0…). */
export function joinRefusal(
  row: JoinFailure,
  phones: readonly SessionPhone[],
  pointerOf: (participant: number) => string,
  sharedNumber: boolean,
): MaskingError {
  const phonePointer = (position: number) => {
    const phone = phones[position - 1];
    return phone && `${pointerOf(phone.participant - 1)}/phones/${phone.position - 1}`;
  };
  switch (row.failure) {
    case 'virtual-number':
      return new MaskingError(
        'virtual-number-as-participant',
        "This is a virtual number; give the participant's real one.",
        phonePointer(row.position),
      );
    case 'blocked':
      return new MaskingError(
        'blocked',
        'A block keeps this person and another of the session apart. Assign somebody else, or lift the block.',
        phonePointer(row.position),
      );
    case 'participant-taken':
      return new MaskingError(
        'participant-taken',
        'Somebody who takes part in this session has this number already.',
        phonePointer(row.position),
      );
    case 'unknown-program':
      return new MaskingError(
        'unknown-program',
        'There is no such program, or no such version of it.',
        '/program',
      );
    case 'number-not-available':
      return new MaskingError(
        'number-not-available',
        'This number cannot be given here now: an open side needs a reserved number that nobody uses, another participant one that is not in use with their phone.',
        `${pointerOf(row.position - 1)}/number`,
      );
    case 'no-display-number':
      return new MaskingError(
        'no-display-number',
        'The pool has no number to show for people who are reached by app: set `use` of one to `display`.',
        `${pointerOf(row.position - 1)}/reach`,
      );
    case 'pin-unavailable':
      return new MaskingError(
        'pin-unavailable',
        'The number that this participant would get carries codes of ten sessions already. Close sessions or add numbers.',
        pointerOf(row.position - 1),
      );
    case 'empty-pool':
      return new MaskingError('empty-pool', 'The pool has no enabled number that takes calls.', '/pool');
    case 'pool-exhausted': {
      const who = sharedNumber ? 'These participants together' : 'This participant';
      const room = row.details;
      const why =
        room === null
          ? "can have none of the pool's numbers now"
          : `can have none of the pool's ${room.numbers} numbers now: ${room.live} are in live sessions, ${room.cooling} are cooling${
              room.freeAt === null ? '' : ` (the next is free at ${room.freeAt})`
            }`;
      return new MaskingError(
        'pool-exhausted',
        `${who} ${why}. Close sessions, add numbers or shorten the cooldown.`,
        sharedNumber ? '/participants' : pointerOf(row.position - 1),
      );
    }
    case 'other-party':
    case 'needs-pins':
      throw new Error(`${row.failure} was not settled`);
  }
}
