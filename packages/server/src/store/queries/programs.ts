/** Named programs and their versions. A version is written once and never changed. */
import type { Queries } from '../types.ts';

/** `version` and `definition` are of one version, mostly the newest. */
export interface ProgramRow {
  readonly program: string;
  readonly name: string;
  readonly version: number;
  readonly is_default: boolean;
  readonly definition: unknown;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const columns = `p.program, p.name, v.version, p.is_default, v.definition, p.created_at,
  case when v.version = p.version then p.updated_at else v.created_at end as updated_at`;

/** By id or name, its newest version unless one is named. Those that were deleted are not there. */
export async function readProgram(
  queries: Queries,
  tenant: string,
  program: string,
  version?: number,
): Promise<ProgramRow | undefined> {
  const rows = await queries.query<ProgramRow>(
    'read_program',
    `select ${columns} from programs p
      join program_versions v on v.tenant = p.tenant and v.program = p.program and v.version = coalesce($3, p.version)
      where p.tenant = $1 and (p.program = $2 or p.name = $2) and p.deleted_at is null`,
    [tenant, program, version ?? null],
  );
  return rows[0];
}

/** Oldest first. */
export function listPrograms(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly ProgramRow[]> {
  return queries.query<ProgramRow>(
    'list_programs',
    `select ${columns} from programs p
      join program_versions v on v.tenant = p.tenant and v.program = p.program and v.version = p.version
      where p.tenant = $1 and p.program > $2 and p.deleted_at is null order by p.program limit $3`,
    [tenant, after ?? '', limit],
  );
}

export async function countPrograms(queries: Queries, tenant: string): Promise<number> {
  const rows = await queries.query<{ readonly count: number }>(
    'count_programs',
    'select count(*)::integer as count from programs p where p.tenant = $1 and p.deleted_at is null',
    [tenant],
  );
  return rows[0]?.count ?? 0;
}

export interface SavedVersion {
  readonly tenant: string;
  readonly program: string;
  readonly version: number;
  /** JSON. */
  readonly definition: string;
  readonly actor: string;
}

/** `23505` on `programs_name` when the name is taken. */
export async function insertProgram(
  queries: Queries,
  program: SavedVersion & { readonly name: string; readonly isDefault: boolean },
): Promise<void> {
  await queries.query(
    'insert_program',
    `with p as (
        insert into programs (tenant, program, name, version, is_default) values ($1, $2, $3, $4, $5)
      )
      insert into program_versions (tenant, program, version, definition, actor) values ($1, $2, $4, $6::jsonb, $7)`,
    [
      program.tenant,
      program.program,
      program.name,
      program.version,
      program.isDefault,
      program.definition,
      program.actor,
    ],
  );
}

/** False, and nothing is written, when this is what `version - 1` says already. */
export async function insertVersion(queries: Queries, saved: SavedVersion): Promise<boolean> {
  const rows = await queries.query(
    'insert_program_version',
    `insert into program_versions (tenant, program, version, definition, actor)
      select $1, $2, $3, $4::jsonb, $5
        where not exists (select from program_versions v
          where v.tenant = $1 and v.program = $2 and v.version = $3::integer - 1 and v.definition = $4::jsonb)
      returning version`,
    [saved.tenant, saved.program, saved.version, saved.definition, saved.actor],
  );
  return rows.length > 0;
}

/** `23505` on `programs_name` when the name is taken. */
export async function updateProgram(
  queries: Queries,
  tenant: string,
  program: string,
  to: { readonly name: string; readonly version: number; readonly isDefault: boolean },
): Promise<void> {
  await queries.query(
    'update_program',
    `update programs p set name = $3, version = $4, is_default = $5, updated_at = now()
      where p.tenant = $1 and p.program = $2`,
    [tenant, program, to.name, to.version, to.isDefault],
  );
}

/** No program is the default any more. */
export async function clearDefaultProgram(queries: Queries, tenant: string): Promise<void> {
  await queries.query(
    'clear_default_program',
    `update programs p set is_default = false, updated_at = now()
      where p.tenant = $1 and p.is_default and p.deleted_at is null`,
    [tenant],
  );
}

/** Whether a session that lives, or may still connect after its close, names it. */
export async function isProgramInUse(queries: Queries, tenant: string, program: string): Promise<boolean> {
  const rows = await queries.query(
    'is_program_in_use',
    `select s.session from sessions s
      where s.tenant = $1 and s.program = $2 and s.program is not null
        and (s.status = 'open' or s.after_until is not null)
        and (s.after_until > platform_now() or (s.status = 'open'
          and s.expires_at > platform_now() and (s.idle_expires_at is null or s.idle_expires_at > platform_now())))
      limit 1`,
    [tenant, program],
  );
  return rows.length > 0;
}

/** Its versions stay: calls and sessions of the past refer to them. */
export async function removeProgram(queries: Queries, tenant: string, program: string): Promise<void> {
  await queries.query(
    'remove_program',
    `update programs p set deleted_at = now(), is_default = false where p.tenant = $1 and p.program = $2`,
    [tenant, program],
  );
}

/** For decisions: also of a program that was deleted meanwhile, as a session that names it goes on. */
export async function currentVersion(
  queries: Queries,
  tenant: string,
  program: string,
): Promise<number | undefined> {
  const rows = await queries.query<{ readonly version: number }>(
    'current_program_version',
    'select p.version from programs p where p.tenant = $1 and p.program = $2',
    [tenant, program],
  );
  return rows[0]?.version;
}

export async function readDefinition(
  queries: Queries,
  tenant: string,
  program: string,
  version: number,
): Promise<unknown> {
  const rows = await queries.query<{ readonly definition: unknown }>(
    'read_program_definition',
    'select v.definition from program_versions v where v.tenant = $1 and v.program = $2 and v.version = $3',
    [tenant, program, version],
  );
  return rows[0]?.definition;
}
