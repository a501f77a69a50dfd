/**
 * Saved programs for decisions. A version never changes, so what is kept here is never stale; which version a
 * session follows is not kept at all, but comes with each decision from the database.
 */
import * as queries from '../../store/queries/programs.ts';
import type { Context } from '../context.ts';
import type { ProgramDefinition } from '../program/types.ts';

export interface CachedProgram {
  readonly id: string;
  readonly version: number;
  readonly definition: ProgramDefinition;
}

export interface ProgramCache {
  /**
   * `program` is an id. Without `version`, the newest one, which costs a look-up. Undefined when there is none;
   * programs that were deleted are there, as sessions that name them go on.
   */
  get(tenant: string, program: string, version: number | undefined): Promise<CachedProgram | undefined>;
}

const mostPrograms = 1_000;

export function createProgramCache({ database }: Pick<Context, 'database'>): ProgramCache {
  /** The least recently used stands first. */
  const cache = new Map<string, Promise<CachedProgram | undefined>>();

  async function load(tenant: string, id: string, version: number): Promise<CachedProgram | undefined> {
    const definition = await queries.readDefinition(database, tenant, id, version);
    if (definition === undefined) return undefined;
    return { id, version, definition: definition as ProgramDefinition };
  }

  return {
    async get(tenant, program, version) {
      const wanted = version ?? (await queries.currentVersion(database, tenant, program));
      if (wanted === undefined) return undefined;
      const key = `${tenant} ${program} ${wanted}`;
      const known = cache.get(key);
      const found = known ?? load(tenant, program, wanted);
      cache.delete(key);
      for (const oldest of cache.keys()) {
        if (cache.size < mostPrograms) break;
        cache.delete(oldest);
      }
      cache.set(key, found);
      // Only what is there is kept: neither a failure nor a version that may still come.
      const forget = () => {
        if (cache.get(key) === found) cache.delete(key);
      };
      if (known === undefined) void found.then((program) => program ?? forget(), forget);
      return found;
    },
  };
}
