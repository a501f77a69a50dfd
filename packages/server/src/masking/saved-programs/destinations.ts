/**
 * A tenant's own numbers that programs may forward to: support, a switchboard. Sealed under the tenant's key like a
 * carrier's password, and never shown but masked.
 */
import * as queries from '../../store/queries/destinations.ts';
import { lockTenant, noteChange } from '../../store/queries/tenants.ts';
import type { Field, TenantVault } from '../../vault/types.ts';
import { currentActor } from '../actor.ts';
import { type Context, installation, invalid, notFound, withKeys } from '../context.ts';
import { maskPhoneNumber, readPhoneNumber } from '../parties/phone-numbers.ts';
import { type Destination, type Masking, MaskingError } from '../service.ts';

/** Every program is checked against their names; a business has a handful. */
const mostDestinations = 100;

export function createDestinations(
  context: Context,
): Pick<Masking, 'setDestination' | 'listDestinations' | 'deleteDestination'> {
  const { database, vault } = context;

  return {
    async setDestination(tenant, destination, phone) {
      if (!isDestinationName(destination)) {
        throw invalid(
          'A destination is named by up to 63 letters, digits, hyphens and underscores, beginning with a letter.',
          '/destination',
        );
      }
      const { e164, country } = readPhoneNumber(phone, '/phone');
      const directory = await vault.unlock(installation);
      const keys = await vault.unlock(tenant);
      const sealed = keys.seal(Buffer.from(e164), phoneField(tenant, destination));
      await database.transaction(async (inside) => {
        await lockTenant(inside, tenant);
        if (await queries.isVirtualNumber(inside, directory.fingerprint(e164))) {
          throw new MaskingError(
            'number-not-allowed',
            'This is a virtual number: calls to it would come back. Give the number that is to ring.',
            '/phone',
          );
        }
        const others = await queries.listDestinations(inside, tenant);
        if (others.length >= mostDestinations && !others.some((one) => one.destination === destination)) {
          throw invalid('A business has at most 100 destinations.', '/destination');
        }
        const made = await queries.writeDestination(inside, tenant, { destination, phone: sealed, country });
        await note(inside, tenant, destination, made ? 'added' : 'changed');
      });
      return { name: destination, phone: maskPhoneNumber(e164, country) };
    },

    async listDestinations(tenant) {
      const rows = await queries.listDestinations(database, tenant);
      return withKeys(context, tenant, (keys) =>
        rows.map((row): Destination => {
          return { name: row.destination, phone: maskPhoneNumber(openDestination(keys, row), row.country) };
        }),
      );
    },

    async deleteDestination(tenant, destination) {
      await database.transaction(async (inside) => {
        await lockTenant(inside, tenant);
        // A name that can't be one isn't asked about: it might hold what a path can't.
        if (!isDestinationName(destination)) throw notFound('destination');
        const program = await queries.programForwardingTo(inside, tenant, destination);
        if (program !== undefined) {
          throw new MaskingError(
            'destination-in-use',
            `The program \`${program}\` forwards to this destination; change the program first.`,
          );
        }
        if (!(await queries.deleteDestination(inside, tenant, destination))) throw notFound('destination');
        await note(inside, tenant, destination, 'deleted');
      });
    },
  };
}

/** Begins with a letter, so that nobody names one by its number. */
function isDestinationName(text: string): boolean {
  return /^[a-z][a-z0-9_-]{0,62}$/i.test(text);
}

/** The real number in E.164. Throws `Tampered`, or `UnknownKeyVersion` (see `withKeys`). */
export function openDestination(
  keys: TenantVault,
  row: { readonly destination: string; readonly phone: Buffer },
): string {
  return keys.open(row.phone, phoneField(keys.tenant, row.destination)).toString('utf8');
}

function phoneField(tenant: string, destination: string): Field {
  return { tenant, table: 'destinations', column: 'phone', row: destination };
}

function note(
  inside: Parameters<typeof noteChange>[0],
  tenant: string,
  destination: string,
  change: 'added' | 'changed' | 'deleted',
): Promise<void> {
  return noteChange(inside, {
    tenant,
    kind: 'destination.changed',
    actor: currentActor(),
    subject: destination,
    data: { change },
  });
}
