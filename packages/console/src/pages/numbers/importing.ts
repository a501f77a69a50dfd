/** Virtual numbers from a CSV to the API: read here, sent 500 at a time, and what became of each line. */
import { isProblem, type ProblemError } from '../../api.ts';
import { readCsv } from '../../csv.ts';

export const mostLines = 100_000;
const batchSize = 500;

export interface ImportLine {
  /** As an editor counts. */
  readonly line: number;
  readonly number: string;
  readonly pool: string;
  readonly carrier: string;
  readonly capabilities: readonly string[];
  readonly area: string;
}
export type LineResult =
  | { readonly result: 'waiting' | 'added' | 'unchanged' }
  | { readonly result: 'failed'; readonly detail: string };

export interface ReadFile {
  readonly fault?: 'noNumber' | 'tooLong';
  readonly lines: readonly ImportLine[];
}

export function readNumbers(
  text: string,
  fallback: { readonly pool: string; readonly carrier: string },
): ReadFile {
  const [head = [], ...rows] = readCsv(text);
  const names = head.map((name) => name.trim().toLowerCase());
  if (!names.includes('number')) return { fault: 'noNumber', lines: [] };
  if (rows.length > mostLines) return { fault: 'tooLong', lines: [] };
  const field = (row: readonly string[], name: string) => row[names.indexOf(name)]?.trim() ?? '';
  const lines = rows.map((row, index) => ({
    line: index + 2,
    number: field(row, 'number').replaceAll(/[\s().-]/g, ''),
    pool: field(row, 'pool') || fallback.pool,
    carrier: field(row, 'carrier') || fallback.carrier,
    capabilities: field(row, 'capabilities')
      .split(/[\s|/]+/)
      .filter(Boolean),
    area: field(row, 'area'),
  }));
  return { lines };
}

/** Lines that can go in one request: same pool, carrier, capabilities and area; in the order of the file. */
export function batchesOf(lines: readonly ImportLine[]): readonly (readonly ImportLine[])[] {
  const groups = new Map<string, ImportLine[]>();
  for (const line of lines) {
    const key = JSON.stringify([line.pool, line.carrier, line.capabilities, line.area]);
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / batchSize) }, (_, index) =>
      group.slice(index * batchSize, (index + 1) * batchSize),
    ),
  );
}

export type Send = (
  lines: readonly ImportLine[],
) => Promise<{ readonly added: number; readonly unchanged: number }>;
type Tell = (lines: readonly ImportLine[], result: LineResult) => void;

/**
 * A request takes all of its numbers or none: those that it names are put aside and the rest is sent again, and where it
 * names none, halves are tried. Each round is smaller, so it ends. Throws what is no refusal (the network, a 5xx).
 */
export async function sendBatch(
  lines: readonly ImportLine[],
  send: Send,
  tell: Tell,
  stopped: () => boolean,
): Promise<void> {
  const waiting: (readonly ImportLine[])[] = [lines];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.length === 0) continue;
    if (stopped()) return;
    try {
      const { unchanged } = await send(next);
      tell(next, { result: unchanged === 0 ? 'added' : 'unchanged' });
    } catch (error) {
      if (!isProblem(error) || error.status < 400 || error.status >= 500 || error.status === 429) throw error;
      waiting.push(...afterRefusal(next, error, tell));
    }
  }
}

function afterRefusal(
  lines: readonly ImportLine[],
  problem: ProblemError,
  tell: Tell,
): readonly (readonly ImportLine[])[] {
  const named = new Map(
    problem.errors.flatMap(({ pointer, detail }) => {
      const index = /^\/numbers\/(\d+)$/.exec(pointer ?? '')?.[1];
      return index === undefined ? [] : [[Number(index), detail] as const];
    }),
  );
  for (const [index, detail] of named) tell(lines.slice(index, index + 1), { result: 'failed', detail });
  if (named.size > 0) return [lines.filter((_, index) => !named.has(index))];
  if (lines.length === 1) {
    tell(lines, { result: 'failed', detail: problem.errors[0]?.detail ?? problem.detail });
    return [];
  }
  const half = Math.ceil(lines.length / 2);
  return [lines.slice(half), lines.slice(0, half)];
}
