import type { Queries } from '../types.ts';

export interface CarrierRow {
  readonly tenant: string;
  readonly carrier: string;
  readonly name: string;
  readonly kind: 'sip';
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly allowed_sources: readonly string[];
  readonly auth: Buffer | null;
  readonly number_format: Readonly<Record<string, string>>;
  readonly caller_trust: 'trusted' | 'untrusted';
  readonly enabled: boolean;
  readonly created_at: Date;
}

const columns = `c.tenant, c.carrier, c.name, c.kind, c.host, c.port, c.transport, c.allowed_sources::text[] as allowed_sources,
  c.auth, c.number_format, c.caller_trust, c.enabled, c.created_at`;

/** `23505` on `carriers_tenant_name_key` when the name is taken. */
export async function insertCarrier(
  queries: Queries,
  row: Omit<CarrierRow, 'created_at' | 'enabled'>,
  actor: string,
): Promise<CarrierRow> {
  const rows = await queries.query<CarrierRow>(
    'insert_carrier',
    `with c as (
        insert into carriers (tenant, carrier, name, kind, host, port, transport, allowed_sources, auth, number_format,
            caller_trust)
          values ($1, $2, $3, $4, $5, $6, $7, $8::text[]::cidr[], $9, $10::jsonb, $11) returning *
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject) select $1, new_id('led_'), 'carrier.created', $12, $2
      )
      select ${columns} from c`,
    [...carrierValues(row), actor],
  );
  return one(rows);
}

export async function updateCarrier(
  queries: Queries,
  row: Omit<CarrierRow, 'created_at'>,
  /** Who changes it, and the names of the fields that change. */
  change: { readonly actor: string; readonly fields: readonly string[] },
): Promise<CarrierRow | undefined> {
  const rows = await queries.query<CarrierRow>(
    'update_carrier',
    `with c as (
        update carriers set name = $3, kind = $4, host = $5, port = $6, transport = $7,
            allowed_sources = $8::text[]::cidr[], auth = $9, number_format = $10::jsonb, caller_trust = $11, enabled = $12
          where tenant = $1 and carrier = $2 and deleted_at is null returning *
      ), told as (
        insert into ledger (tenant, entry, kind, actor, subject, details)
          select $1, new_id('led_'), 'carrier.changed', $13, c.carrier, jsonb_build_object('fields', $14::text[]) from c
      )
      select ${columns} from c`,
    [...carrierValues(row), row.enabled, change.actor, change.fields],
  );
  return rows[0];
}

function carrierValues(row: Omit<CarrierRow, 'created_at' | 'enabled'>): unknown[] {
  return [
    row.tenant,
    row.carrier,
    row.name,
    row.kind,
    row.host,
    row.port,
    row.transport,
    row.allowed_sources,
    row.auth,
    JSON.stringify(row.number_format),
    row.caller_trust,
  ];
}

/** By id or by name. */
export async function readCarrier(
  queries: Queries,
  tenant: string,
  carrier: string,
): Promise<CarrierRow | undefined> {
  const rows = await queries.query<CarrierRow>(
    'read_carrier',
    `select ${columns} from carriers c where c.tenant = $1 and (c.carrier = $2 or c.name = $2) and c.deleted_at is null
      order by c.carrier = $2 desc limit 1`,
    [tenant, carrier],
  );
  return rows[0];
}

/** Oldest first. */
export function listCarriers(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly CarrierRow[]> {
  return queries.query<CarrierRow>(
    'list_carriers',
    `select ${columns} from carriers c where c.tenant = $1 and c.carrier > $2 and c.deleted_at is null order by c.carrier limit $3`,
    [tenant, after ?? '', limit],
  );
}

/** Of every tenant. */
export function allCarriers(queries: Queries): Promise<readonly CarrierRow[]> {
  return queries.query<CarrierRow>(
    'all_carriers',
    `select ${columns} from carriers c where c.enabled order by c.tenant, c.carrier`,
    [],
  );
}

/** `in-use` while numbers belong to it. */
export async function deleteCarrier(
  queries: Queries,
  tenant: string,
  carrier: string,
  actor: string,
): Promise<'deleted' | 'in-use' | 'missing'> {
  const rows = await queries.query<{ readonly outcome: 'deleted' | 'in-use' | 'missing' }>(
    'delete_carrier',
    `select delete_carrier($1, $2, $3) as outcome`,
    [tenant, carrier, actor],
  );
  return one(rows).outcome;
}

function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('the statement answered nothing');
  return row;
}
