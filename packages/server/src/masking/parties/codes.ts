/**
 * Codes of six digits by which callers prove who they are, when their number says nothing.
 *
 * A participant's code is made anew from their id whenever it is shown; a claim's is random and shown once. The table
 * holds keyed digests, so a copy of the database gives no code away. A code means something only on the virtual number
 * that it was made for, and at most ten live on one. Three may be tried in a call; ten wrong ones in a (UTC) day lock a
 * number, and a caller. So whoever guesses hits something on a number with a chance of at most 1e-4 a day, however many
 * they are and however they call. Nobody can hear why a code was refused: every failure has the same words and the
 * same time.
 */
import * as queries from '../../store/queries/codes.ts';
import type { TenantVault } from '../../vault/types.ts';
import { currentActor } from '../actor.ts';
import { type Context, installation, notFound } from '../context.ts';
import { isId } from '../ids.ts';
import { type Masking, MaskingError } from '../service.ts';
import { type PhoneNumber, readPhoneNumber } from './phone-numbers.ts';
import { sealPhone } from './sealed-phone.ts';

/** Codes that may be tried in one call. */
export const pinAttempts = 3;
/**
 * Milliseconds that every failure takes at least: a wrong code costs one round trip, a refused claim two, and on a busy
 * database neither is quick. A caller who has just keyed six digits hardly notices.
 */
const failureMilliseconds = 400;
/** Candidates for one code: each is taken on the number already with a chance of at most 1e-5. */
const candidates = 8;
const codes = 1_000_000;

/** What people try first: one digit six times, and runs up or down. So few that a guesser gains nothing by their lack. */
function isTrivial(code: string): boolean {
  return /^(\d)\1{5}$/.test(code) || '01234567890'.includes(code) || '09876543210'.includes(code);
}

/** Six digits. Every index of a participant has a code of its own; a trivial one is passed over. */
export function codeOf(keys: TenantVault, participant: string, index: number): string {
  for (let round = 0; ; round++) {
    const bytes = keys.token('pin', `${participant} ${index} ${round}`);
    // 48 bits: the first codes are likelier than the last by less than one in 10^8.
    const code = String(bytes.readUIntBE(0, 6) % codes).padStart(6, '0');
    if (!isTrivial(code)) return code;
  }
}

/** What the table holds of a code. */
export function codeDigest(keys: TenantVault, code: string): Buffer {
  return keys.token('pin-digest', code);
}

/** For `take_pin`: the first that is free on the number becomes the participant's. */
export function codeCandidates(
  keys: TenantVault,
  participant: string,
  count = candidates,
): readonly { readonly index: number; readonly digest: Buffer }[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    digest: codeDigest(keys, codeOf(keys, participant, index)),
  }));
}

/** What a phone dials in one tap: two pauses, then the code. */
export function dialWithCode(e164: string, code: string): string {
  return `${e164},,${code}#`;
}

export interface CodeEntry {
  readonly tenant: string;
  /** The id of the virtual number that was called. */
  readonly number: string;
  /** As keyed. */
  readonly code: string;
  /** 1… within this call. */
  readonly attempt: number;
  /** E.164. Undefined when withheld. `trusted`: the network vouches for it; only such a phone can be claimed. */
  readonly caller: { readonly phone: string; readonly trusted: boolean } | undefined;
}

export type CodeOutcome =
  | {
      readonly kind: 'accepted';
      readonly session: string;
      readonly participant: string;
      /** The caller's phone is the participant's now, and bound to the number. */
      readonly claim: boolean;
    }
  | { readonly kind: 'wrong'; readonly left: number }
  | { readonly kind: 'locked' };

export interface Codes extends Pick<Masking, 'createClaim'> {
  tryCode(entry: CodeEntry): Promise<CodeOutcome>;
}

export function createCodes(context: Context): Codes {
  const { database, vault, doors } = context;

  async function look(entry: CodeEntry): Promise<queries.TriedPinRow> {
    const { tenant, number, code, caller } = entry;
    const keys = await vault.unlock(tenant);
    const phone = caller?.trusted === true ? readable(caller.phone) : undefined;
    const digest = /^\d{6}$/.test(code) ? codeDigest(keys, code) : null;
    const counted = caller === undefined ? null : callerSubject(keys, caller);
    const tried = await queries.tryPin(database, {
      tenant,
      number,
      digest,
      caller: counted,
      mayClaim: phone !== undefined,
    });
    if (tried.outcome !== 'accepted' || !tried.claim) return tried;
    if (phone === undefined || digest === null || counted === null)
      throw new Error('a claim without a caller');
    const directory = await vault.unlock(installation);
    const claimed = await queries.claimPhone(database, {
      tenant,
      number,
      digest,
      caller: counted,
      phone: sealPhone(context, keys, directory, phone),
    });
    return claimed.outcome === 'accepted' ? { ...claimed, claim: true } : claimed;
  }

  async function tryCode(entry: CodeEntry): Promise<CodeOutcome> {
    const pause = startPause(doors.timers, failureMilliseconds);
    const tried: queries.TriedPinRow =
      entry.attempt >= 1 && entry.attempt <= pinAttempts ? await look(entry) : { outcome: 'wrong' };
    if (tried.outcome === 'accepted') {
      pause.cancel();
      const { session, participant, claim } = tried;
      return { kind: 'accepted', session, participant, claim };
    }
    await pause.over;
    return tried.outcome === 'locked'
      ? { kind: 'locked' }
      : { kind: 'wrong', left: Math.max(0, pinAttempts - entry.attempt) };
  }

  async function createClaim(
    tenant: string,
    session: string,
    participant: string,
  ): ReturnType<Masking['createClaim']> {
    if (!isId(session, 'ses')) throw notFound('session');
    const keys = await vault.unlock(tenant);
    const made = Array.from({ length: candidates }, () => randomCode(context));
    const row = await queries.createClaim(database, {
      tenant,
      session,
      participant,
      actor: currentActor(),
      digests: made.map((code) => codeDigest(keys, code)),
    });
    if (row.failure !== null) throw claimRefusal(row.failure);
    const code = made[row.code - 1];
    if (code === undefined) throw new Error('create_claim took a code that it was not given');
    return { code, dial: dialWithCode(row.e164, code), expiresAt: row.expires_at };
  }

  return { tryCode, createClaim };
}

/**
 * Apart, so that whoever shows a number that isn't theirs can lock out nobody but others who do: what is counted of a
 * number that is only claimed says nothing of the one that a network vouches for.
 */
function callerSubject(keys: TenantVault, caller: NonNullable<CodeEntry['caller']>): string {
  const fingerprint = keys.fingerprint(caller.phone).toString('hex');
  return caller.trusted ? fingerprint : `untrusted ${fingerprint}`;
}

/** Undefined for a number that no participant can have. */
function readable(phone: string): PhoneNumber | undefined {
  try {
    return readPhoneNumber(phone, '');
  } catch (error) {
    if (error instanceof MaskingError) return undefined;
    throw error;
  }
}

function randomCode({ doors }: Pick<Context, 'doors'>): string {
  for (;;) {
    const code = String(doors.random.integer(codes)).padStart(6, '0');
    if (!isTrivial(code)) return code;
  }
}

function startPause(
  timers: Context['doors']['timers'],
  milliseconds: number,
): { readonly over: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = timers.after(milliseconds, resolve);
  return { over: promise, cancel: () => timer.cancel() };
}

function claimRefusal(
  failure: Exclude<Awaited<ReturnType<typeof queries.createClaim>>['failure'], null>,
): MaskingError {
  switch (failure) {
    case 'missing':
      return notFound('session');
    case 'session-closed':
      return new MaskingError('session-closed', 'The session has ended; open a new one.');
    case 'unknown-participant':
      return new MaskingError('unknown-participant', 'Nobody like that takes part in this session.');
    case 'participant-unreachable':
      return new MaskingError(
        'participant-unreachable',
        'This participant dials no number of their own, so no phone can be added.',
      );
    case 'too-many-phones':
      return new MaskingError('pin-unavailable', 'This participant has five phones already.');
    case 'too-many-codes':
      return new MaskingError(
        'pin-unavailable',
        'Three codes of this participant are waiting to be used; each runs out after 15 minutes.',
      );
    case 'no-room':
      return new MaskingError(
        'pin-unavailable',
        'Ten codes are in use on this number, the most it takes; try again in a few minutes.',
      );
    default:
      failure satisfies never;
      throw new Error('create_claim refused for an unknown reason');
  }
}
