/** What a tenant is asked about as a whole: its settings, and the lock that its administration stands in line for. */
import type { Queries } from '../types.ts';

/**
 * Within a transaction: whoever changes programs, destinations or settings of the tenant does so one after another.
 * (Nothing else waits for this: a reference to the tenant takes a weaker lock.) False when there is no such tenant.
 */
export async function lockTenant(queries: Queries, tenant: string): Promise<boolean> {
  const rows = await queries.query(
    'lock_tenant',
    'select t.tenant from tenants t where t.tenant = $1 for no key update',
    [tenant],
  );
  return rows.length > 0;
}

/** An administrative change, in its own transaction: for the ledger and, with `data`, for the tenant's own systems. */
export async function noteChange(
  queries: Queries,
  change: {
    readonly tenant: string;
    readonly kind: string;
    readonly actor: string;
    readonly subject: string | undefined;
    readonly data: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await queries.query(
    'note_change',
    `with told as (
        insert into ledger (tenant, entry, kind, actor, subject, details)
          values ($1, new_id('led_'), $2, $3, $4, $5::jsonb)
      )
      select emit_event($1, $2, null, $4, $5::jsonb)`,
    [change.tenant, change.kind, change.actor, change.subject ?? null, JSON.stringify(change.data)],
  );
}

/** As stored: what was never set is not there. Undefined when there is no such tenant. */
export async function readSettings(
  queries: Queries,
  tenant: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const rows = await queries.query<{ readonly settings: Readonly<Record<string, unknown>> }>(
    'read_settings',
    'select t.settings from tenants t where t.tenant = $1',
    [tenant],
  );
  return rows[0]?.settings;
}

export async function writeSettings(
  queries: Queries,
  tenant: string,
  change: Readonly<Record<string, unknown>>,
): Promise<void> {
  await queries.query(
    'write_settings',
    'update tenants t set settings = t.settings || $2::jsonb where t.tenant = $1',
    [tenant, JSON.stringify(change)],
  );
}
