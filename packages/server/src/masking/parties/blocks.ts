/**
 * Blocks: who may never reach whom again, whatever session they meet in. A block is about phones, and both directions;
 * it is asked at every decision and when a session is opened, and it ends a call that is under way.
 */
import { createHash } from 'node:crypto';
import * as queries from '../../store/queries/blocks.ts';
import type { TenantVault } from '../../vault/types.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, installation, invalid, notFound, toPage, withKeys } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { type Block, type Masking, MaskingError, type NewBlock } from '../service.ts';
import { openPhone } from './party-keys.ts';
import {
  holdsPhoneNumber,
  maskPhoneNumber,
  readPhoneNumber,
  unreadablePhoneNumber,
} from './phone-numbers.ts';
import { sealPhone } from './sealed-phone.ts';
import { transparencyToken } from './transparency.ts';

export function createBlocks(context: Context): Pick<Masking, 'createBlock' | 'listBlocks' | 'liftBlock'> {
  const { database, vault, doors } = context;

  async function createBlock(tenant: string, block: NewBlock, actor: string): Promise<Block> {
    const [who, towards] = readBlock(block, doors.clock.now());
    const keys = await vault.unlock(tenant);
    const directory = await vault.unlock(installation);
    const sides = [who, towards] as const;
    const phones = sides
      .flatMap((side, index) =>
        side?.kind === 'phone'
          ? {
              ...sealPhone(context, keys, directory, readPhoneNumber(side.phone, side.pointer)),
              side: (index + 1) as 1 | 2,
            }
          : [],
      )
      .sort((a, b) => Buffer.compare(a.fingerprint, b.fingerprint));
    if (phones.length === 2 && phones[0]?.fingerprint.equals(phones[1]?.fingerprint ?? Buffer.alloc(0))) {
      throw sameParty(towards);
    }
    const id = newId(doors, 'blk');
    const row = await queries.createBlock(database, {
      tenant,
      block: id,
      actor,
      reason: block.reason,
      expiresAt: block.expiresAt,
      everybody: towards === undefined,
      people: [personDigest(keys, who), personDigest(keys, towards)],
      phones,
    });
    if (row.failure !== null) throw refusal(row.failure, row.side === 1 ? who : towards);
    return getBlock(tenant, id);
  }

  async function getBlock(tenant: string, block: string): Promise<Block> {
    const row = isId(block, 'blk') ? await queries.readBlock(database, tenant, block) : undefined;
    if (row === undefined) throw notFound('block');
    return withKeys(context, tenant, (keys) => toBlock(keys, row));
  }

  return {
    createBlock,
    async listBlocks(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listBlocks(database, tenant, after, limit + 1);
      return withKeys(context, tenant, (keys) =>
        toPage(
          rows,
          limit,
          (row) => row.block,
          (row) => toBlock(keys, row),
        ),
      );
    },
    async liftBlock(tenant, block) {
      const known = isId(block, 'blk') && (await queries.liftBlock(database, tenant, block, currentActor()));
      if (!known) throw notFound('block');
      return getBlock(tenant, block);
    },
  };
}

type Side =
  | { readonly kind: 'phone'; readonly phone: string; readonly pointer: string }
  | { readonly kind: 'participant'; readonly participant: string; readonly pointer: string };

/** Who, and towards whom (undefined: everybody). Throws `MaskingError`. */
function readBlock(block: NewBlock, now: number): readonly [Side, Side | undefined] {
  const who = readSide(block, 'phone', 'participant');
  if (who === undefined) throw invalid('Give a `phone` or a `participant`.', '/phone');
  const { reason, expiresAt } = block;
  if (reason.length < 1 || reason.length > 200 || /\p{Cc}/u.test(reason)) {
    throw invalid('A reason has 1 to 200 characters.', '/reason');
  }
  // It is shown to whoever may read blocks, and kept in clear.
  if (holdsPhoneNumber(reason)) {
    throw invalid('A reason holds no phone number.', '/reason');
  }
  if (expiresAt !== undefined && !(expiresAt.getTime() > now)) {
    throw invalid('`expiresAt` lies in the future.', '/expiresAt');
  }
  return [who, readSide(block, 'counterpartPhone', 'counterpartParticipant')];
}

function readSide(
  block: NewBlock,
  byPhone: 'phone' | 'counterpartPhone',
  byParticipant: 'participant' | 'counterpartParticipant',
): Side | undefined {
  const { [byPhone]: phone, [byParticipant]: participant } = block;
  if (phone !== undefined && participant !== undefined) {
    throw invalid(`Give \`${byPhone}\` or \`${byParticipant}\`, not both.`, `/${byParticipant}`);
  }
  if (phone !== undefined) return { kind: 'phone', phone, pointer: `/${byPhone}` };
  if (participant === undefined) return undefined;
  const side = { kind: 'participant', participant, pointer: `/${byParticipant}` } as const;
  if (!isId(participant, 'par')) throw refusal('unknown-participant', side);
  return side;
}

/** The table's key for a participant of whom only the id is known: see `transparencyToken`. */
function personDigest(keys: TenantVault, side: Side | undefined): Buffer | null {
  return side?.kind === 'participant'
    ? createHash('sha256').update(transparencyToken(keys, side.participant)).digest()
    : null;
}

function refusal(
  failure: 'unknown-participant' | 'participant-unreachable' | 'virtual-number' | 'same-party',
  side: Side | undefined,
): MaskingError {
  switch (failure) {
    case 'unknown-participant':
      return new MaskingError('unknown-participant', 'There is no such participant.', side?.pointer);
    case 'participant-unreachable':
      return new MaskingError('participant-unreachable', 'This participant has no phone.', side?.pointer);
    case 'virtual-number':
      return new MaskingError(
        'virtual-number-as-participant',
        'This is a virtual number; give the real one.',
        side?.pointer,
      );
    case 'same-party':
      return sameParty(side);
    default:
      failure satisfies never;
      throw new Error('create_block refused for an unknown reason');
  }
}

function sameParty(side: Side | undefined): MaskingError {
  return invalid('Both sides are the same phone.', side?.pointer);
}

function toBlock(keys: TenantVault, row: queries.BlockRow): Block {
  const counterpart =
    row.counterpart === null
      ? undefined
      : shownPhone(keys, {
          party: row.counterpart,
          country: row.counterpart_country,
          phone: row.counterpart_phone,
          party_key: row.counterpart_party_key,
          wrapped: row.counterpart_wrapped,
          tenant_key_version: row.counterpart_tenant_key_version,
        });
  return {
    id: row.block,
    phone: shownPhone(keys, row),
    ...(counterpart === undefined ? {} : { counterpart }),
    reason: row.reason,
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.lifted_at === null ? {} : { liftedAt: row.lifted_at }),
  };
}

function shownPhone(
  keys: TenantVault,
  row: Parameters<typeof openPhone>[1] & { readonly country: string | null },
): string {
  const e164 = openPhone(keys, row);
  return e164 === undefined || row.country === null
    ? unreadablePhoneNumber
    : maskPhoneNumber(e164, row.country);
}
