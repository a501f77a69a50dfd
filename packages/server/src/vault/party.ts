import { type KeyObject, randomBytes } from 'node:crypto';
import type { Random } from '@samar/doors';
import { asKey, box, expand, KEY_BYTES, unambiguous, unbox } from './aead.ts';
import { Tampered } from './errors.ts';
import type { Field, PartyCipher } from './types.ts';

/** First byte of everything we encrypt: which of the four kinds it is, and in which version of that kind's layout. */
export const FORMAT = {
  wrapped: Buffer.of(0x11),
  sealed: 0x21,
  field: Buffer.of(0x31),
  shared: Buffer.of(0x41),
} as const;

export function fieldData(field: Field): string {
  return unambiguous('field', field.tenant, field.table, field.column, field.row);
}

/** Also found by its holder in a log or an inspector: the key itself is kept apart from the object that stands for it. */
const materials = new WeakMap<
  object,
  { readonly party: string; readonly partyKey: string; readonly key: KeyObject }
>();

/** `key` is the party key itself. */
export function partyCipher(
  tenant: string,
  party: string,
  partyKey: string,
  key: KeyObject,
  random: Random,
): PartyCipher {
  const fields = expand(key, 'samar/party/fields');
  const material = Object.freeze({});
  materials.set(material, { party, partyKey, key });
  const check = (field: Field) => {
    if (field.tenant !== tenant) throw new TypeError('the field belongs to another tenant');
  };
  return {
    party,
    partyKey,
    material,
    encrypt(plain, field) {
      check(field);
      return box(fields, random, FORMAT.field, plain, fieldData(field));
    },
    decrypt(sealed, field) {
      check(field);
      if (sealed[0] !== FORMAT.field[0]) throw new Tampered('a field has an unknown format');
      const plain = unbox(fields, 1, sealed, fieldData(field));
      const text = plain.toString('utf8');
      plain.fill(0);
      return text;
    },
  };
}

/** Each of the parties' keys goes into the key that wraps; without one of them nothing can be derived. */
function keyOfAll(
  tenant: string,
  recording: string,
  parties: readonly PartyCipher[],
): { key: KeyObject; data: string } {
  const all = new Map<
    string,
    { readonly party: string; readonly partyKey: string; readonly key: KeyObject }
  >();
  for (const { material } of parties) {
    const found = materials.get(material as object);
    if (found === undefined) throw new TypeError('not a cipher of this vault');
    all.set(unambiguous(found.party, found.partyKey), found);
  }
  if (all.size === 0) throw new RangeError('a shared key needs at least one party');
  const sorted = [...all.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const names = sorted.flatMap(({ party, partyKey }) => [party, partyKey]);
  const data = unambiguous('shared', tenant, recording, ...names);
  // A share is already bound to the recording, so that it says nothing about any other.
  const shares = sorted.map(({ key }) =>
    expand(key, unambiguous('samar/party/shared', tenant, recording)).export(),
  );
  const joined = Buffer.concat(shares);
  for (const share of shares) share.fill(0);
  return { key: expand(asKey(joined), data), data };
}

export function newSharedKey(
  tenant: string,
  recording: string,
  parties: readonly PartyCipher[],
  random: Random,
): { readonly key: Buffer; readonly wrapped: Buffer } {
  const all = keyOfAll(tenant, recording, parties);
  const key = random.bytes(KEY_BYTES);
  return { key, wrapped: box(all.key, random, FORMAT.shared, key, all.data) };
}

/** Throws `Tampered`. */
export function openSharedKey(
  tenant: string,
  recording: string,
  parties: readonly PartyCipher[],
  wrapped: Buffer,
): Buffer {
  const all = keyOfAll(tenant, recording, parties);
  if (wrapped[0] !== FORMAT.shared[0]) throw new Tampered('a shared key has an unknown format');
  return unbox(all.key, 1, wrapped, all.data);
}

/** Sortable only by chance: a party key's name carries no time. */
export function newPartyKeyName(random: Random): string {
  return `pky_${random.bytes(12).toString('base64url')}`;
}

/** The system's randomness, for a vault that was given no other. */
export const systemRandom: Pick<Random, 'bytes'> = { bytes: (length) => randomBytes(length) };
