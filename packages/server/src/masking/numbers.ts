/** Virtual numbers and their pools. */

import { readCarrier } from '../store/queries/carriers.ts';
import * as queries from '../store/queries/numbers.ts';
import { type Context, checkPage, installation, invalid, notFound, toPage } from './context.ts';
import { isId, newId } from './ids.ts';
import { readPhoneNumber } from './phone-numbers.ts';
import { type Masking, MaskingError, type NewNumbers, type Pool, type VirtualNumber } from './service.ts';
import { checkPoolName } from './session-input.ts';

const mostNumbers = 10_000;
const knownCapabilities = new Set(['voice', 'sms', 'mms', 'whatsapp']);
/** Ten years: longer is a mistake, and a number would never come back. */
const longestCooldown = 315_360_000;

export function createNumbers(
  context: Context,
): Pick<
  Masking,
  'addNumbers' | 'listNumbers' | 'getNumber' | 'updateNumber' | 'deleteNumber' | 'listPools' | 'updatePool'
> {
  const { database, vault, doors } = context;

  async function addNumbers(tenant: string, add: NewNumbers): ReturnType<Masking['addNumbers']> {
    checkPoolName(add.pool, '/pool');
    checkCapabilities(add.capabilities);
    if (add.numbers.length < 1 || add.numbers.length > mostNumbers) {
      throw invalid('Give 1 to 10,000 numbers at once.', '/numbers');
    }
    const directory = await vault.unlock(installation);
    const seen = new Set<string>();
    const numbers = add.numbers.map((text, index) => {
      const pointer = `/numbers/${index}`;
      const { e164, country } = readPhoneNumber(text, pointer);
      if (seen.has(e164))
        throw new MaskingError('duplicate-number', 'The same number stands here twice.', pointer);
      seen.add(e164);
      return {
        number: newId(doors, 'num'),
        e164,
        country,
        directoryFingerprint: directory.fingerprint(e164),
      };
    });
    // Ids made in one millisecond come in the order of the request.
    const ids = numbers.map((one) => one.number).sort();
    const carrier = await readCarrier(database, tenant, add.carrier);
    if (carrier === undefined)
      throw new MaskingError('unknown-carrier', 'There is no such carrier.', '/carrier');
    const rows = await queries.addNumbers(
      database,
      tenant,
      { pool: add.pool, carrier: carrier.carrier, capabilities: [...new Set(add.capabilities)] },
      numbers.map((one, index) => ({ ...one, number: ids[index] ?? one.number })),
    );
    const shown = rows.map((row) => {
      if (row.failure === 'taken') {
        throw new MaskingError(
          'number-taken',
          'This number belongs to another pool, carrier or business already; nothing was added.',
          `/numbers/${row.position - 1}`,
        );
      }
      return row;
    });
    const added = shown.filter((row) => row.added).length;
    return { numbers: shown.map(toNumber), added, unchanged: shown.length - added };
  }

  async function getNumber(tenant: string, number: string): Promise<VirtualNumber> {
    const row = isId(number, 'num') ? await queries.readNumber(database, tenant, number) : undefined;
    if (row === undefined) throw notFound('number');
    return toNumber(row);
  }

  async function updatePool(
    tenant: string,
    pool: string,
    change: Parameters<Masking['updatePool']>[2],
  ): Promise<Pool> {
    for (const [role, seconds] of Object.entries(change.cooldown ?? {})) {
      if (!(role === '*' || /^[a-z][a-z0-9_-]{0,31}$/.test(role))) {
        throw invalid('Cooldown is given by role, or `*` for every other role.', '/cooldown');
      }
      if (!(Number.isFinite(seconds) && seconds >= 0 && seconds <= longestCooldown)) {
        throw invalid('A cooldown is 0 to 315,360,000 seconds.', `/cooldown/${role}`);
      }
    }
    if (change.exhaustion !== undefined && !['refuse', 'reuse-oldest'].includes(change.exhaustion)) {
      throw invalid('Exhaustion is `refuse` or `reuse-oldest`.', '/exhaustion');
    }
    await queries.updatePool(database, tenant, pool, {
      cooldown: change.cooldown && JSON.stringify(change.cooldown),
      exhaustion: change.exhaustion,
    });
    const found = (await listPools(tenant)).find((one) => one.name === pool);
    if (found === undefined) throw notFound('pool');
    return found;
  }

  async function listPools(tenant: string): Promise<readonly Pool[]> {
    const rows = await queries.listPools(database, tenant);
    return rows.map(({ pool, numbers, enabled, cooldown, exhaustion }) => ({
      name: pool,
      numbers,
      enabled,
      cooldown,
      exhaustion,
    }));
  }

  return {
    addNumbers,
    getNumber,
    updatePool,
    listPools,
    async listNumbers(tenant, filter, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listNumbers(database, tenant, filter.pool, after, limit + 1);
      return toPage(rows, limit, (row) => row.number, toNumber);
    },
    async updateNumber(tenant, number, change) {
      if (change.pool !== undefined) checkPoolName(change.pool, '/pool');
      if (change.capabilities !== undefined) checkCapabilities(change.capabilities);
      const row = isId(number, 'num')
        ? await queries.updateNumber(database, tenant, number, {
            enabled: change.enabled,
            pool: change.pool,
            capabilities: change.capabilities,
          })
        : undefined;
      if (row === undefined) throw notFound('number');
      return toNumber(row);
    },
    async deleteNumber(tenant, number) {
      const outcome = isId(number, 'num') ? await queries.deleteNumber(database, tenant, number) : 'missing';
      if (outcome === 'missing') throw notFound('number');
      if (outcome === 'in-use') {
        throw new MaskingError(
          'number-in-use',
          'A live session holds this number; disable it, and delete it later.',
        );
      }
    },
  };
}

function checkCapabilities(capabilities: readonly string[]): void {
  const unknown = capabilities.findIndex((one) => !knownCapabilities.has(one));
  if (unknown >= 0) {
    throw invalid('Capabilities are `voice`, `sms`, `mms` and `whatsapp`.', `/capabilities/${unknown}`);
  }
  if (capabilities.length === 0) throw invalid('Give at least one capability.', '/capabilities');
}

function toNumber(row: queries.NumberRow): VirtualNumber {
  return {
    id: row.number,
    number: row.e164,
    pool: row.pool,
    carrier: row.carrier,
    country: row.country,
    capabilities: row.capabilities,
    enabled: row.enabled,
    createdAt: row.created_at,
  };
}
