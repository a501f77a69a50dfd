/**
 * A tenant's named programs. Every save is a new version; what a version says is fixed for good, so that it can be
 * kept compiled, and an explanation of last year's call still points at what was decided by.
 */
import { DatabaseError } from '../../store/errors.ts';
import { listDestinations } from '../../store/queries/destinations.ts';
import * as queries from '../../store/queries/programs.ts';
import { lockTenant, noteChange } from '../../store/queries/tenants.ts';
import type { Queries } from '../../store/types.ts';
import { currentActor } from '../actor.ts';
import { type Context, checkPage, invalid, notFound, toPage } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { checkProgram } from '../program/index.ts';
import type { ProgramDefinition } from '../program/types.ts';
import { type Masking, MaskingError, type Program } from '../service.ts';

export interface ProgramOptions {
  /** Names of prompts that a program may speak. */
  readonly prompts: ReadonlySet<string>;
  /** Why a decision webhook can't be at this URL. */
  readonly webhookProblem?: (url: string) => string | undefined;
}

const mostPrograms = 1_000;
const mostVersions = 1_000;

export function createPrograms(
  context: Context,
  options: ProgramOptions,
): Pick<Masking, 'createProgram' | 'listPrograms' | 'getProgram' | 'updateProgram' | 'deleteProgram'> {
  const { database, doors } = context;

  async function createProgram(
    tenant: string,
    program: Parameters<Masking['createProgram']>[1],
  ): Promise<Program> {
    checkName(program.name);
    const isDefault = program.default ?? false;
    const row = await changing(tenant, async (inside) => {
      const definition = await checkDefinition(inside, tenant, program.definition, options);
      if ((await queries.countPrograms(inside, tenant)) >= mostPrograms) {
        throw invalid('A business has at most 1,000 programs; delete some that nobody uses.');
      }
      if (isDefault) await queries.clearDefaultProgram(inside, tenant);
      const id = newId(doors, 'prg');
      const made = {
        tenant,
        program: id,
        name: program.name,
        version: 1,
        isDefault,
        definition,
        actor: currentActor(),
      };
      await queries.insertProgram(inside, made);
      await noteSaved(inside, tenant, id, { version: 1, default: isDefault });
      return queries.readProgram(inside, tenant, id);
    });
    return toProgram(row);
  }

  async function updateProgram(
    tenant: string,
    program: string,
    change: Parameters<Masking['updateProgram']>[2],
  ): Promise<Program> {
    if (change.name !== undefined) checkName(change.name);
    const row = await changing(tenant, async (inside) => {
      const before = await readProgram(inside, tenant, program);
      const id = before.program;
      const isDefault = change.default ?? before.is_default;
      let { version } = before;
      if (change.definition !== undefined) {
        const definition = await checkDefinition(inside, tenant, change.definition, options);
        const next = version + 1;
        const isNew = await queries.insertVersion(inside, {
          ...{ tenant, program: id, version: next, definition, actor: currentActor() },
        });
        if (isNew && version >= mostVersions) {
          throw invalid('A program has at most 1,000 versions; save it under another name.', '/definition');
        }
        if (isNew) version = next;
      }
      const name = change.name ?? before.name;
      if (name === before.name && version === before.version && isDefault === before.is_default)
        return before;
      if (isDefault && !before.is_default) await queries.clearDefaultProgram(inside, tenant);
      await queries.updateProgram(inside, tenant, id, { name, version, isDefault });
      const fields = Object.entries({
        name: name !== before.name,
        definition: version !== before.version,
        default: isDefault !== before.is_default,
      }).flatMap(([field, changed]) => (changed ? [field] : []));
      await noteSaved(inside, tenant, id, { version, default: isDefault, fields });
      return queries.readProgram(inside, tenant, id);
    });
    return toProgram(row);
  }

  /** One change of a tenant's programs at a time: limits, names and the default are looked at, then written. */
  async function changing<T>(tenant: string, work: (inside: Queries) => Promise<T>): Promise<T> {
    try {
      return await database.transaction(async (inside) => {
        if (!(await lockTenant(inside, tenant))) throw notFound('tenant');
        return work(inside);
      });
    } catch (error) {
      if (error instanceof DatabaseError && error.constraint === 'programs_name') {
        throw new MaskingError('program-taken', 'There is a program of this name already.', '/name');
      }
      throw error;
    }
  }

  return {
    createProgram,
    updateProgram,
    async listPrograms(tenant, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listPrograms(database, tenant, after, limit + 1);
      return toPage(rows, limit, (row) => row.program, toProgram);
    },
    getProgram: async (tenant, program, version) =>
      toProgram(await readProgram(database, tenant, program, version)),
    deleteProgram: (tenant, program) =>
      changing(tenant, async (inside) => {
        const { program: id, version } = await readProgram(inside, tenant, program);
        if (await queries.isProgramInUse(inside, tenant, id)) {
          throw new MaskingError(
            'program-in-use',
            'A live session names this program; close it, or give it another program.',
          );
        }
        await queries.removeProgram(inside, tenant, id);
        await noteChange(inside, {
          tenant,
          kind: 'program.deleted',
          actor: currentActor(),
          subject: id,
          data: { version },
        });
      }),
  };
}

/** By id or name. Throws `MaskingError` (unknown-program). */
export async function readProgram(
  database: Queries,
  tenant: string,
  program: string,
  version?: number,
): Promise<queries.ProgramRow> {
  const possible =
    isProgramName(program) &&
    (version === undefined || (Number.isInteger(version) && version >= 1 && version <= mostVersions));
  const row = possible ? await queries.readProgram(database, tenant, program, version) : undefined;
  if (row === undefined) {
    const what = version === undefined ? 'program' : 'program, or no such version of it';
    throw new MaskingError('unknown-program', `There is no such ${what}.`);
  }
  return row;
}

function toProgram(row: queries.ProgramRow | undefined): Program {
  if (row === undefined) throw new Error('a program vanished while it was locked');
  return {
    id: row.program,
    name: row.name,
    version: row.version,
    default: row.is_default,
    definition: row.definition as ProgramDefinition,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function noteSaved(
  inside: Queries,
  tenant: string,
  program: string,
  data: { readonly version: number; readonly default: boolean; readonly fields?: readonly string[] },
): Promise<void> {
  return noteChange(inside, { tenant, kind: 'program.saved', actor: currentActor(), subject: program, data });
}

function isProgramName(text: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/i.test(text);
}

function checkName(name: string): void {
  if (!isProgramName(name) || isId(name, 'prg')) {
    throw invalid('A program is named by up to 63 letters, digits, hyphens and underscores.', '/name');
  }
}

/**
 * The definition as JSON, as it was checked. Roles aren't known: any session may name the program. Throws
 * `MaskingError` (program-invalid).
 */
async function checkDefinition(
  inside: Queries,
  tenant: string,
  definition: unknown,
  options: ProgramOptions,
): Promise<string> {
  const destinations = await listDestinations(inside, tenant);
  const known = { ...options, destinations: new Set(destinations.map((one) => one.destination)) };
  return JSON.stringify(checkProgram(definition, known));
}
