/** Carriers: whoever carries our calls. Their passwords are sealed under the tenant's key. */
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import ipaddr from 'ipaddr.js';
import { DatabaseError } from '../../store/errors.ts';
import * as queries from '../../store/queries/carriers.ts';
import type { TenantVault } from '../../vault/types.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, invalid, notFound, toPage, withKeys } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { type Carrier, type Masking, MaskingError, type NewCarrier, type Trunk } from '../service.ts';

const mostSources = 100;

export function createCarriers(
  context: Context,
): Pick<
  Masking,
  'createCarrier' | 'listCarriers' | 'getCarrier' | 'updateCarrier' | 'deleteCarrier' | 'trunks'
> {
  const { database, vault, doors } = context;

  async function createCarrier(tenant: string, carrier: NewCarrier): Promise<Carrier> {
    const sources = checkCarrier(carrier);
    const keys = await vault.unlock(tenant);
    const id = newId(doors, 'car');
    const row = toColumns(keys, id, carrier, sources);
    return toCarrier(await unlessTaken(() => queries.insertCarrier(database, row, currentActor())));
  }

  async function updateCarrier(
    tenant: string,
    carrier: string,
    change: Partial<NewCarrier> & { readonly enabled?: boolean },
  ): Promise<Carrier> {
    const before = await read(tenant, carrier);
    const auth = await withKeys(context, tenant, (keys) => openAuth(keys, before));
    const { enabled, ...rest } = change;
    const { auth: _auth, ...shown } = toTrunk(before, auth);
    // A new host without sources of its own brings its own address.
    const sourcesBefore = rest.host === undefined ? { allowedSources: before.allowed_sources } : {};
    const next: NewCarrier = { ...shown, ...(auth === undefined ? {} : { auth }), ...sourcesBefore, ...rest };
    const { allowedSources: _sources, ...bare } = next;
    const chosen = rest.allowedSources ?? sourcesBefore.allowedSources;
    const checked: NewCarrier = chosen === undefined ? bare : { ...bare, allowedSources: chosen };
    const sources = checkCarrier(checked);
    const keys = await vault.unlock(tenant);
    const row = { ...toColumns(keys, before.carrier, checked, sources), enabled: enabled ?? before.enabled };
    const fields = changedFields(before, row, change);
    const updated = await unlessTaken(() =>
      queries.updateCarrier(database, row, { actor: currentActor(), fields }),
    );
    if (updated === undefined) throw notFound('carrier');
    return toCarrier(updated);
  }

  async function read(tenant: string, carrier: string): Promise<queries.CarrierRow> {
    const row = isId(carrier, 'car') ? await queries.readCarrier(database, tenant, carrier) : undefined;
    if (row === undefined) throw notFound('carrier');
    return row;
  }

  return {
    createCarrier,
    updateCarrier,
    getCarrier: async (tenant, carrier) => toCarrier(await read(tenant, carrier)),
    async listCarriers(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listCarriers(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.carrier, toCarrier);
    },
    async deleteCarrier(tenant, carrier) {
      const outcome = isId(carrier, 'car')
        ? await queries.deleteCarrier(database, tenant, carrier, currentActor())
        : 'missing';
      if (outcome === 'missing') throw notFound('carrier');
      if (outcome === 'in-use') {
        throw new MaskingError(
          'carrier-in-use',
          'Numbers belong to this carrier; move or delete them first.',
        );
      }
    },
    async trunks() {
      const rows = await queries.allCarriers(database);
      const trunks: Trunk[] = [];
      for (const row of rows) {
        trunks.push(toTrunk(row, await withKeys(context, row.tenant, (keys) => openAuth(keys, row))));
      }
      return trunks;
    },
  };
}

const columnsOf = {
  name: 'name',
  host: 'host',
  port: 'port',
  transport: 'transport',
  allowedSources: 'allowed_sources',
  numberFormat: 'number_format',
  callerTrust: 'caller_trust',
  enabled: 'enabled',
} as const;

/** For the ledger. Credentials that are given again may be the same ones: giving them is what counts. */
function changedFields(
  before: queries.CarrierRow,
  after: Omit<queries.CarrierRow, 'created_at'>,
  change: Partial<NewCarrier>,
): readonly string[] {
  const fields = Object.entries(columnsOf)
    .filter(([, column]) => !isDeepStrictEqual(before[column], after[column]))
    .map(([field]) => field);
  return change.auth === undefined ? fields : [...fields, 'auth'];
}

async function unlessTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '23505') {
      throw new MaskingError('carrier-taken', 'There is a carrier of this name already.', '/name');
    }
    throw error;
  }
}

/** Returns the sources as networks. Throws `MaskingError` (invalid). */
function checkCarrier(carrier: NewCarrier): readonly string[] {
  if (
    !/^[\p{L}\p{N}](?:[\p{L}\p{N} ._-]{0,62}[\p{L}\p{N}])?$/u.test(carrier.name) ||
    isId(carrier.name, 'car')
  ) {
    throw invalid('A name has 1 to 64 letters, digits, spaces, dots, hyphens and underscores.', '/name');
  }
  if (carrier.kind !== 'sip') throw invalid('The kind is `sip`.', '/kind');
  if (!['udp', 'tcp', 'tls'].includes(carrier.transport)) {
    throw invalid('The transport is `udp`, `tcp` or `tls`.', '/transport');
  }
  const isAddress = isIP(carrier.host) !== 0;
  const isName =
    carrier.host.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i.test(carrier.host);
  if (!isAddress && !isName)
    throw invalid('The host is a name or an address, without port or scheme.', '/host');
  if (
    carrier.port !== undefined &&
    !(Number.isInteger(carrier.port) && carrier.port > 0 && carrier.port < 65_536)
  ) {
    throw invalid('A port is a whole number from 1 to 65535.', '/port');
  }
  const { auth, numberFormat } = carrier;
  if (auth !== undefined) {
    for (const part of ['username', 'password', 'realm'] as const) {
      const text = auth[part];
      if (text === undefined && part === 'realm') continue;
      if (text === undefined || text === '' || text.length > 256 || /\p{Cc}/u.test(text)) {
        throw invalid('1 to 256 characters, no control characters.', `/auth/${part}`);
      }
    }
  }
  if (numberFormat?.inboundCountry !== undefined && !/^[A-Z]{2}$/.test(numberFormat.inboundCountry)) {
    throw invalid('A country is two capital letters (ISO 3166-1).', '/numberFormat/inboundCountry');
  }
  const given = carrier.allowedSources ?? (isAddress ? [carrier.host] : []);
  if (given.length > mostSources) throw invalid('At most 100 sources.', '/allowedSources');
  return given.map((source, index) => toNetwork(source, `/allowedSources/${index}`));
}

/** `192.0.2.1` → `192.0.2.1/32`, `192.0.2.77/24` → `192.0.2.0/24`. */
function toNetwork(source: string, pointer: string): string {
  try {
    const [address, bits] = source.includes('/')
      ? ipaddr.parseCIDR(source)
      : [ipaddr.parse(source), ipaddr.parse(source).kind() === 'ipv4' ? 32 : 128];
    const range = `${address.toString()}/${bits}`;
    const network =
      address.kind() === 'ipv4'
        ? ipaddr.IPv4.networkAddressFromCIDR(range)
        : ipaddr.IPv6.networkAddressFromCIDR(range);
    if (isIP(source.split('/')[0] ?? '') === 0) throw new TypeError('not an address in its usual form');
    return `${network.toString()}/${bits}`;
  } catch {
    throw invalid('A source is an IP address or a network such as `192.0.2.0/24`.', pointer);
  }
}

function authField(tenant: string, carrier: string) {
  return { tenant, table: 'carriers', column: 'auth', row: carrier };
}

function openAuth(keys: TenantVault, row: queries.CarrierRow): NewCarrier['auth'] {
  if (row.auth === null) return undefined;
  return JSON.parse(keys.open(row.auth, authField(row.tenant, row.carrier)).toString('utf8'));
}

function toColumns(
  keys: TenantVault,
  id: string,
  carrier: NewCarrier,
  sources: readonly string[],
): Omit<queries.CarrierRow, 'created_at' | 'enabled'> {
  const { tenant } = keys;
  const { auth } = carrier;
  return {
    tenant,
    carrier: id,
    name: carrier.name,
    kind: carrier.kind,
    host: carrier.host,
    port: carrier.port ?? null,
    transport: carrier.transport,
    allowed_sources: sources,
    auth: auth === undefined ? null : keys.seal(Buffer.from(JSON.stringify(auth)), authField(tenant, id)),
    number_format: { ...carrier.numberFormat },
    caller_trust: carrier.callerTrust ?? 'trusted',
  };
}

function toCarrier(row: queries.CarrierRow): Carrier {
  return {
    id: row.carrier,
    name: row.name,
    kind: row.kind,
    host: row.host,
    ...(row.port === null ? {} : { port: row.port }),
    transport: row.transport,
    allowedSources: row.allowed_sources,
    hasAuth: row.auth !== null,
    ...(Object.keys(row.number_format).length === 0 ? {} : { numberFormat: row.number_format }),
    callerTrust: row.caller_trust,
    enabled: row.enabled,
    createdAt: row.created_at,
  };
}

function toTrunk(row: queries.CarrierRow, auth: NewCarrier['auth']): Trunk {
  return { ...toCarrier(row), tenant: row.tenant, ...(auth === undefined ? {} : { auth }) };
}
