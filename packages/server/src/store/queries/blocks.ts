import type { Queries } from '../types.ts';
import type { SealedPhone } from './codes.ts';

export interface NewBlockRow {
  readonly tenant: string;
  readonly block: string;
  readonly actor: string;
  readonly reason: string;
  readonly expiresAt: Date | undefined;
  readonly everybody: boolean;
  /** Transparency digests of participants, of both sides; null where a side is a phone or everybody. */
  readonly people: readonly [Buffer | null, Buffer | null];
  /** In the order of fingerprints. */
  readonly phones: readonly (SealedPhone & { readonly side: 1 | 2 })[];
}

export type CreatedBlockRow =
  | { readonly failure: null }
  | {
      readonly failure: 'unknown-participant' | 'participant-unreachable' | 'virtual-number' | 'same-party';
      readonly side: 1 | 2;
    };

export async function createBlock(queries: Queries, row: NewBlockRow): Promise<CreatedBlockRow> {
  const { phones } = row;
  const rows = await queries.query<CreatedBlockRow>(
    'create_block',
    `select * from create_block($1, $2, $3, $4, $5, $6, $7::bytea[], $8::integer[], $9::bytea[], $10::bytea[], $11,
      $12, $13, $14::bytea[], $15::integer[], $16::bytea[], platform_now())`,
    [
      row.tenant,
      row.block,
      row.actor,
      row.reason,
      row.expiresAt ?? null,
      row.everybody,
      row.people,
      phones.map((one) => one.side),
      phones.map((one) => one.fingerprint),
      phones.map((one) => one.directoryFingerprint),
      phones.map((one) => one.party),
      phones.map((one) => one.country),
      phones.map((one) => one.key.partyKey),
      phones.map((one) => one.key.wrapped),
      phones.map((one) => one.key.tenantKeyVersion),
      phones.map((one) => one.phone),
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('create_block answered nothing');
  return first;
}

/** A phone as it is stored; null where it was erased. */
interface PhoneColumns {
  readonly party: string;
  readonly country: string | null;
  readonly phone: Buffer | null;
  readonly party_key: string | null;
  readonly wrapped: Buffer | null;
  readonly tenant_key_version: number | null;
}

export interface BlockRow extends PhoneColumns {
  readonly block: string;
  readonly counterpart: string | null;
  readonly counterpart_country: string | null;
  readonly counterpart_phone: Buffer | null;
  readonly counterpart_party_key: string | null;
  readonly counterpart_wrapped: Buffer | null;
  readonly counterpart_tenant_key_version: number | null;
  readonly reason: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly lifted_at: Date | null;
}

/** The first phone stands for a participant with several. */
const shown = `select b.block, b.party, b.counterpart, b.reason, b.created_at, b.expires_at, b.lifted_at,
    y.country, y.phone, k.party_key, k.wrapped, k.tenant_key_version,
    z.country as counterpart_country, z.phone as counterpart_phone, l.party_key as counterpart_party_key,
    l.wrapped as counterpart_wrapped, l.tenant_key_version as counterpart_tenant_key_version
  from blocks b
  left join parties y on y.tenant = b.tenant and y.party = b.party
  left join party_keys k on k.tenant = y.tenant and k.party = y.party and k.party_key = y.phone_key
  left join parties z on z.tenant = b.tenant and z.party = b.counterpart
  left join party_keys l on l.tenant = z.tenant and l.party = z.party and l.party_key = z.phone_key
  where b.tenant = $1 and b.position = 1 and b.request is null`;

export async function readBlock(
  queries: Queries,
  tenant: string,
  block: string,
): Promise<BlockRow | undefined> {
  const rows = await queries.query<BlockRow>('read_block', `${shown} and b.block = $2`, [tenant, block]);
  return rows[0];
}

/** Newest first. */
export function listBlocks(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly BlockRow[]> {
  return after === undefined
    ? queries.query<BlockRow>('list_blocks', `${shown} order by b.block desc limit $2`, [tenant, limit])
    : queries.query<BlockRow>(
        'list_blocks_after',
        `${shown} and b.block < $3 order by b.block desc limit $2`,
        [tenant, limit, after],
      );
}

/** False: there is no such block. */
export async function liftBlock(
  queries: Queries,
  tenant: string,
  block: string,
  actor: string,
): Promise<boolean> {
  const rows = await queries.query<{ readonly known: boolean }>(
    'lift_block',
    'select lift_block($1, $2, $3, platform_now()) as known',
    [tenant, block, actor],
  );
  return rows[0]?.known ?? false;
}
