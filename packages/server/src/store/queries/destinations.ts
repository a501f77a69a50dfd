import type { Queries } from '../types.ts';

export interface DestinationRow {
  readonly destination: string;
  readonly phone: Buffer;
  readonly country: string;
}

const columns = 'd.destination, d.phone, d.country';

/** True when it is a new one. */
export async function writeDestination(
  queries: Queries,
  tenant: string,
  row: DestinationRow,
): Promise<boolean> {
  const rows = await queries.query<{ readonly made: boolean }>(
    'write_destination',
    `insert into destinations as d (tenant, destination, phone, country) values ($1, $2, $3, $4)
      on conflict (tenant, destination) do update set phone = excluded.phone, country = excluded.country
      returning d.xmax = 0 as made`,
    [tenant, row.destination, row.phone, row.country],
  );
  return rows[0]?.made ?? false;
}

/** By name. */
export function listDestinations(queries: Queries, tenant: string): Promise<readonly DestinationRow[]> {
  return queries.query<DestinationRow>(
    'list_destinations',
    `select ${columns} from destinations d where d.tenant = $1 order by d.destination`,
    [tenant],
  );
}

export async function readDestination(
  queries: Queries,
  tenant: string,
  destination: string,
): Promise<DestinationRow | undefined> {
  const rows = await queries.query<DestinationRow>(
    'read_destination',
    `select ${columns} from destinations d where d.tenant = $1 and d.destination = $2`,
    [tenant, destination],
  );
  return rows[0];
}

export async function deleteDestination(
  queries: Queries,
  tenant: string,
  destination: string,
): Promise<boolean> {
  const rows = await queries.query(
    'delete_destination',
    'delete from destinations d where d.tenant = $1 and d.destination = $2 returning d.destination',
    [tenant, destination],
  );
  return rows.length > 0;
}

/**
 * The name of a program that forwards there: the newest version of a saved one, or a version that a live session
 * holds on to.
 */
export async function programForwardingTo(
  queries: Queries,
  tenant: string,
  destination: string,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly name: string }>(
    'program_forwarding_to',
    `with used as (
        select p.program, p.version from programs p where p.tenant = $1 and p.deleted_at is null
        union
        select s.program, s.program_version from sessions s
          where s.tenant = $1 and s.program is not null and (s.status = 'open' or s.after_until is not null)
            and s.program_version is not null
      )
      select p.name from used u
        join program_versions v on v.tenant = $1 and v.program = u.program and v.version = u.version
        join programs p on p.tenant = $1 and p.program = u.program
        where jsonb_path_exists(v.definition, '$.**.forward ? (@ == $to || @.to == $to)',
          jsonb_build_object('to', $2::text))
        order by p.name limit 1`,
    [tenant, destination],
  );
  return rows[0]?.name;
}

/** Whether a number is in the directory of virtual numbers, by its fingerprint under the installation's key. */
export async function isVirtualNumber(queries: Queries, directoryFingerprint: Buffer): Promise<boolean> {
  const rows = await queries.query(
    'is_virtual_number',
    'select d.number from number_directory d where d.fingerprint = $1',
    [directoryFingerprint],
  );
  return rows.length > 0;
}
