import type { Queries } from '../types.ts';

/** What `samar doctor` asks of a database that it must not change. */
export interface ServerRow {
  /** `server_version_num`: 180004 is 18.4. */
  readonly version: number;
  readonly now: Date;
  readonly migrated: boolean;
}

export async function readServer(queries: Queries): Promise<ServerRow> {
  const [row] = await queries.query<ServerRow>(
    '',
    `select current_setting('server_version_num')::integer as version, clock_timestamp() as now,
        to_regclass('schema_migrations') is not null as migrated`,
    [],
  );
  if (row === undefined) throw new Error('the statement answered nothing');
  return row;
}

export async function appliedMigrations(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.query<{ readonly name: string }>(
    '',
    'select name from schema_migrations order by version',
    [],
  );
  return rows.map(({ name }) => name);
}

export interface CarrierUseRow {
  readonly name: string;
  readonly host: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly enabled: boolean;
  /** Enabled virtual numbers that belong to it. */
  readonly numbers: number;
}

/** Of every tenant, the oldest thousand. */
export function carrierUse(queries: Queries): Promise<readonly CarrierUseRow[]> {
  return queries.query<CarrierUseRow>(
    '',
    `select c.name, c.host, c.transport, c.enabled, count(n.number)::integer as numbers
      from carriers c
      left join numbers n on n.tenant = c.tenant and n.carrier = c.carrier and n.enabled and n.deleted_at is null
      where c.deleted_at is null
      group by c.tenant, c.carrier, c.name, c.host, c.transport, c.enabled
      order by c.tenant, c.carrier limit 1000`,
    [],
  );
}
