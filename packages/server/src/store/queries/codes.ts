import type { Queries } from '../types.ts';

export type TriedPinRow =
  | {
      readonly outcome: 'accepted';
      readonly session: string;
      readonly participant: string;
      /** Not used up yet: see `claimPhone`. */
      readonly claim: boolean;
    }
  | { readonly outcome: 'wrong' | 'locked' };

export type ClaimedPhoneRow =
  | { readonly outcome: 'accepted'; readonly session: string; readonly participant: string }
  | { readonly outcome: 'wrong' | 'locked' };

export interface TriedPin {
  readonly tenant: string;
  readonly number: string;
  /** Null: what was keyed is no code. */
  readonly digest: Buffer | null;
  /** Whose wrong codes are counted; null when nobody is known. */
  readonly caller: string | null;
  readonly mayClaim: boolean;
}

/** Looks the code up and counts a wrong one, in one statement. */
export async function tryPin(queries: Queries, tried: TriedPin): Promise<TriedPinRow> {
  const rows = await queries.query<TriedPinRow>(
    'try_pin',
    'select * from try_pin($1, $2, $3, $4, $5, platform_now())',
    [tried.tenant, tried.number, tried.digest, tried.caller, tried.mayClaim],
  );
  return rows[0] ?? { outcome: 'wrong' };
}

/** A phone sealed under the id of the party that it will be, should it be new. */
export interface SealedPhone {
  readonly fingerprint: Buffer;
  readonly directoryFingerprint: Buffer;
  readonly party: string;
  readonly country: string;
  readonly key: { readonly partyKey: string; readonly wrapped: Buffer; readonly tenantKeyVersion: number };
  readonly phone: Buffer;
}

/** Uses a claim up, or counts the try as a wrong code. */
export async function claimPhone(
  queries: Queries,
  claim: {
    readonly tenant: string;
    readonly number: string;
    readonly digest: Buffer;
    readonly caller: string;
    readonly phone: SealedPhone;
  },
): Promise<ClaimedPhoneRow> {
  const { phone } = claim;
  const rows = await queries.query<ClaimedPhoneRow>(
    'claim_phone',
    'select * from claim_phone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, platform_now())',
    [
      claim.tenant,
      claim.number,
      claim.digest,
      claim.caller,
      phone.fingerprint,
      phone.directoryFingerprint,
      phone.party,
      phone.country,
      phone.key.partyKey,
      phone.key.wrapped,
      phone.key.tenantKeyVersion,
      phone.phone,
    ],
  );
  return rows[0] ?? { outcome: 'wrong' };
}

export type CreatedClaimRow =
  | {
      readonly failure: null;
      /** Position (1…) of the digest that was taken. */
      readonly code: number;
      readonly e164: string;
      readonly expires_at: Date;
    }
  | {
      readonly failure:
        | 'missing'
        | 'session-closed'
        | 'unknown-participant'
        | 'participant-unreachable'
        | 'too-many-phones'
        | 'too-many-codes'
        | 'no-room';
    };

export async function createClaim(
  queries: Queries,
  claim: {
    readonly tenant: string;
    readonly session: string;
    readonly participant: string;
    readonly actor: string;
    readonly digests: readonly Buffer[];
  },
): Promise<CreatedClaimRow> {
  const rows = await queries.query<CreatedClaimRow>(
    'create_claim',
    'select * from create_claim($1, $2, $3, $4, $5::bytea[], platform_now())',
    [claim.tenant, claim.session, claim.participant, claim.actor, claim.digests],
  );
  return rows[0] ?? { failure: 'missing' };
}

/** Claims that ran out and counters of past days; returns how many rows went. */
export async function forgetCodes(queries: Queries, limit: number): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'forget_codes',
    'select forget_codes($1, platform_now()) as count',
    [limit],
  );
  return rows[0]?.count ?? 0;
}
