/** An open side: whoever calls a listing's number gets a session of their own with the others, at that moment. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { DatabaseError } from '../../store/errors.ts';
import * as reading from '../../store/queries/session-reading.ts';
import type { Context } from '../context.ts';
import { withKeys } from '../context.ts';
import { openPhone } from '../parties/party-keys.ts';
import { MaskingError, type NewParticipant, type NewSession } from '../service.ts';
import { groupSessions } from './session-view.ts';
import type { createSessions } from './sessions.ts';

/** Live conversations of one listing. A listing of more is no listing, or somebody dials at random. */
const mostConversations = 1_000;

export function createOpenSide(
  context: Context,
  sessions: Pick<ReturnType<typeof createSessions>, 'open'>,
): (call: {
  readonly tenant: string;
  /** The session with the open side. */
  readonly session: string;
  /** The id of the number that was called. */
  readonly number: string;
  /** E.164 with `+`. */
  readonly caller: string;
}) => Promise<boolean> {
  const { database } = context;
  return async ({ tenant, session, number, caller }) => {
    const rows = await reading.readSessions(database, tenant, [session]);
    const offspring = await withKeys(context, tenant, (keys): NewSession | undefined => {
      const [listing] = groupSessions(keys, rows);
      const open = listing?.participants.find((one) => one.open && one.leftAt === undefined);
      if (listing === undefined || open === undefined) return undefined;
      const others = listing.participants
        .filter((one) => !one.open && one.leftAt === undefined)
        .map((one): NewParticipant => {
          const phones = rows.flatMap((row) => {
            if (row.participant !== one.id || row.party === null) return [];
            return openPhone(keys, { ...row, party: row.party }) ?? [];
          });
          return {
            role: one.role,
            phones,
            ...(one.locale === undefined ? {} : { locale: one.locale }),
            ...(one.timeZone === undefined ? {} : { timeZone: one.timeZone }),
            reach: one.reach,
            mayStart: one.mayStart,
          };
        })
        .filter((one) => one.phones.length > 0);
      if (others.length === 0 || parsePhoneNumberFromString(caller)?.country === undefined) return undefined;
      return {
        pool: listing.pool,
        participants: [
          {
            role: open.role,
            phones: [caller],
            ...(open.locale === undefined ? {} : { locale: open.locale }),
            ...(open.timeZone === undefined ? {} : { timeZone: open.timeZone }),
          },
          ...others,
        ],
        ...(listing.reference === undefined ? {} : { reference: listing.reference }),
        expiresAt: listing.expiresAt,
        ...(listing.idleSeconds === undefined ? {} : { idleSeconds: listing.idleSeconds }),
        recording: listing.recording,
        metadata: listing.metadata,
        ongoingCalls: listing.ongoingCalls,
        ...(listing.program === undefined ? {} : { program: listing.program }),
        ...(listing.schedule === undefined ? {} : { schedule: listing.schedule }),
        ...(listing.limits === undefined ? {} : { limits: listing.limits }),
        ...(listing.whisper === undefined ? {} : { whisper: listing.whisper }),
        ...(listing.accept === undefined ? {} : { accept: listing.accept }),
        ...(listing.survey === undefined ? {} : { survey: listing.survey }),
        ...(listing.afterClose === undefined ? {} : { afterClose: listing.afterClose }),
      };
    });
    if (offspring === undefined) return false;
    if ((await reading.countConversations(database, tenant, session, mostConversations)) >= mostConversations)
      return false;
    try {
      await sessions.open(tenant, offspring, undefined, { parent: session, number });
      return true;
    } catch (error) {
      // Two calls of one caller at once: the other one has opened it.
      if (error instanceof DatabaseError && error.code === 'SM001') return true;
      // Their own listing, a block, no number left, a number that can't be anybody's: nobody is connected.
      if (error instanceof MaskingError) return false;
      throw error;
    }
  };
}
