/** Virtual numbers: adding, changing, giving back, and replacing a sick one while sessions live on it. */

import { readCarrier } from '../../store/queries/carriers.ts';
import * as queries from '../../store/queries/numbers.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, installation, invalid, notFound, toPage } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { holdsPhoneNumber, readPhoneNumber } from '../parties/phone-numbers.ts';
import {
  type Masking,
  MaskingError,
  type NewNumbers,
  type NumberChange,
  type VirtualNumber,
} from '../service.ts';
import { defaultArea } from './places.ts';
import { checkPoolName } from './pool-name.ts';
import { createPools } from './pools.ts';

const mostNumbers = 10_000;
const knownCapabilities = new Set(['voice', 'sms', 'mms', 'whatsapp']);

/** Thirty days: as long as whoever had it may still call back. */
const defaultQuarantine = 2_592_000;
const longestQuarantine = 315_360_000;
/** Sessions a transaction: their parties are locked meanwhile. */
const replacedAtOnce = 200;
/** A number carries no more than this times `replacedAtOnce` live sessions. */
const mostBatches = 5_000;
/** Sessions that found no other number, or changed at that moment, are tried again. */
const mostSweeps = 3;

export function createNumbers(
  context: Context,
): Pick<
  Masking,
  | 'addNumbers'
  | 'listNumbers'
  | 'getNumber'
  | 'updateNumber'
  | 'deleteNumber'
  | 'replaceNumber'
  | 'listPools'
  | 'updatePool'
  | 'poolForecast'
> {
  const { database, vault, doors } = context;

  async function addNumbers(tenant: string, add: NewNumbers): ReturnType<Masking['addNumbers']> {
    checkPoolName(add.pool, '/pool');
    checkCapabilities(add.capabilities);
    checkArea(add.area);
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
        area: add.area ?? defaultArea(e164, country),
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
      currentActor(),
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

  async function replaceNumber(
    tenant: string,
    number: string,
    { reason, quarantineSeconds = defaultQuarantine }: Parameters<Masking['replaceNumber']>[2],
  ): ReturnType<Masking['replaceNumber']> {
    if (!/^[a-z0-9][a-z0-9 ._-]{0,63}$/i.test(reason)) {
      throw invalid(
        'The reason is a word of up to 64 letters, digits, spaces, dots, hyphens and underscores.',
        '/reason',
      );
    }
    // It stands in the ledger and in events.
    if (holdsPhoneNumber(reason)) throw invalid('A reason holds no phone number.', '/reason');
    if (
      !Number.isInteger(quarantineSeconds) ||
      quarantineSeconds < 1 ||
      quarantineSeconds > longestQuarantine
    ) {
      throw invalid('A quarantine is 1 to 315,360,000 seconds.', '/quarantineSeconds');
    }
    const why = { reason, actor: currentActor() };
    const found =
      isId(number, 'num') &&
      (await queries.quarantineNumber(database, tenant, number, { ...why, seconds: quarantineSeconds }));
    if (!found) throw notFound('number');
    let replaced = 0;
    let kept = 0;
    for (let sweep = 0; sweep < mostSweeps; sweep++) {
      let after: string | null = '';
      kept = 0;
      for (let batch = 0; after !== null && batch < mostBatches; batch++) {
        const done: queries.ReplacedRow = await queries.replaceNumber(
          database,
          tenant,
          number,
          why,
          after,
          replacedAtOnce,
        );
        replaced += done.replaced;
        kept += done.kept;
        after = done.last;
      }
      if (kept === 0) break;
    }
    return { replaced, kept };
  }

  return {
    ...createPools(context),
    addNumbers,
    getNumber,
    replaceNumber,
    async listNumbers(tenant, filter, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listNumbers(database, tenant, filter.pool, after, limit + 1);
      return toPage(rows, limit, (row) => row.number, toNumber);
    },
    async updateNumber(tenant, number, change) {
      checkChange(change);
      const { enabled, pool, capabilities, use, draining, quarantinedUntil, area } = change;
      const row = isId(number, 'num')
        ? await queries.updateNumber(
            database,
            tenant,
            number,
            JSON.stringify({ enabled, pool, capabilities, use, draining, quarantinedUntil, area }),
            currentActor(),
          )
        : undefined;
      if (row === undefined) throw notFound('number');
      return toNumber(row);
    },
    async deleteNumber(tenant, number, { drain = false } = {}) {
      const outcome = isId(number, 'num')
        ? await queries.deleteNumber(database, tenant, number, drain, currentActor())
        : 'missing';
      switch (outcome) {
        case 'deleted':
        case 'draining':
          return outcome;
        case 'missing':
          throw notFound('number');
        case 'in-use':
          throw new MaskingError(
            'number-in-use',
            'A live session holds this number; drain it, and it goes by itself after the last one.',
          );
      }
    },
  };
}

function checkChange(change: NumberChange): void {
  if (change.pool !== undefined) checkPoolName(change.pool, '/pool');
  if (change.capabilities !== undefined) checkCapabilities(change.capabilities);
  checkArea(change.area ?? undefined);
  if (change.use !== undefined && !['pool', 'reserved', 'display'].includes(change.use)) {
    throw invalid('Use is `pool`, `reserved` or `display`.', '/use');
  }
  if (change.quarantinedUntil != null && !Number.isFinite(change.quarantinedUntil.getTime())) {
    throw invalid('`quarantinedUntil` is a time.', '/quarantinedUntil');
  }
}

function checkArea(area: string | undefined): void {
  if (area !== undefined && !/^\d{1,8}$/.test(area)) {
    throw invalid('An area is the 1 to 8 digits that follow the country code.', '/area');
  }
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
    use: row.use,
    draining: row.draining,
    ...(row.today === null ? {} : { today: row.today }),
    ...(row.quarantined_until === null ? {} : { quarantinedUntil: row.quarantined_until }),
    ...(row.area === null ? {} : { area: row.area }),
    createdAt: row.created_at,
  };
}
