import { Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { isRoleName } from './check.ts';
import { type IdTable, idTable } from './id-table.ts';
import { readTime } from './times.ts';

/**
 * Past jobs from a CSV file. The header names the columns, in any order: `opened_at`, `closed_at` (empty: still open),
 * and one column a role, whose fields are ids of parties (empty: nobody). Commas, semicolons and tabs separate; quotes,
 * a byte order mark and any line end are fine. Rows may come in any order.
 *
 * Ids may be phone numbers: none is kept or repeated, not even in a complaint.
 */
export interface JobsCsvOptions {
  /** UTF-8. */
  readonly csv: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  /** Only these columns are roles. Default: every column that is no time. */
  readonly roles?: readonly string[];
  /** Leave bad rows out instead of refusing the file. */
  readonly skipBadRows?: boolean;
  /** Default and maximum 5,000,000. */
  readonly mostRows?: number;
  /** Called now and then. */
  readonly progress?: (rows: number, bytes: number) => void;
}

export interface JobProblem {
  readonly kind:
    | 'header'
    | 'empty'
    | 'time'
    | 'order'
    | 'nobody'
    | 'fields'
    | 'quotes'
    | 'encoding'
    | 'too-long';
  /** As an editor counts: the header is line 1. */
  readonly line: number;
  readonly message: string;
}

export type JobsRead =
  | {
      readonly kind: 'read';
      readonly jobs: Jobs;
      readonly skipped: readonly JobProblem[];
      readonly skippedRows: number;
    }
  /** `problems`: the first ten, in order of lines; `more` came after them. */
  | { readonly kind: 'refused'; readonly problems: readonly JobProblem[]; readonly more: number };

/** Columns of equal length. */
export interface Jobs {
  readonly sessions: number;
  /** Milliseconds since 1970. */
  readonly opened: Float64Array;
  /** Where a job is still open: the last time in the file. */
  readonly closed: Float64Array;
  readonly stillOpen: number;
  readonly roles: readonly {
    readonly role: string;
    readonly parties: number;
    /** 1…`parties`; 0: nobody. */
    readonly party: Uint32Array;
  }[];
}

const MOST_ROWS = 5_000_000;
const MOST_ROLES = 10;
const MOST_PROBLEMS = 10;
const MOST_BYTES_A_LINE = 10_000;
const ROWS_A_PROGRESS = 50_000;

const openedNames: ReadonlySet<string> = new Set([
  'opened_at',
  'opened',
  'created_at',
  'started_at',
  'start',
]);
const closedNames: ReadonlySet<string> = new Set(['closed_at', 'closed', 'ended_at', 'completed_at', 'end']);

const csvOptions: Options = {
  bom: true,
  delimiter: [',', ';', '\t'],
  max_record_size: MOST_BYTES_A_LINE,
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
};

/** Rejects only with what the source rejects with. */
export async function readJobs(options: JobsCsvOptions): Promise<JobsRead> {
  const problems = problemList();
  const mostRows = Math.min(options.mostRows ?? MOST_ROWS, MOST_ROWS);
  let columns: Columns | undefined;
  let table: Table | undefined;
  let bytes = 0;
  let rows = 0;
  const source = Readable.from(bytesOf(options.csv, (count) => (bytes = count)));
  const parser = parse({
    ...csvOptions,
    // Called while parsing: rows are taken over one by one and none is kept.
    on_record: (record: string[], { lines }: { readonly lines: number }) => {
      if (columns === undefined) {
        columns = readHeader(record, lines, options.roles, problems);
        if (columns === undefined) throw new Stop();
        table = newTable(columns.roles.map(({ role }) => role));
        return null;
      }
      if (rows >= mostRows) {
        problems.add('too-long', lines, `More than ${mostRows.toLocaleString('en')} rows: split the file.`);
        throw new Stop();
      }
      rows++;
      if (table !== undefined) readRow(record, lines, columns, table, problems);
      if (rows % ROWS_A_PROGRESS === 0) options.progress?.(rows, bytes);
      return null;
    },
  });
  const fatal = await drained(source, parser, problems);
  options.progress?.(rows, bytes);
  if (columns === undefined && problems.count === 0) problems.add('empty', 1, 'The file is empty.');
  const refused = fatal || table === undefined || (problems.count > 0 && options.skipBadRows !== true);
  if (refused || table === undefined) return problems.refused();
  if (table.rows === 0) {
    problems.add('empty', 1, 'The file holds no jobs below its header.');
    return problems.refused();
  }
  return { kind: 'read', jobs: table.jobs(), skipped: problems.list, skippedRows: problems.count };
}

/** Thrown out of the parser when there is nothing more to read; what is wrong has been said. */
class Stop extends Error {}
class Encoding extends Error {}

/** Reads all of it. True: it could not be read to its end. */
async function drained(
  source: Readable,
  parser: ReturnType<typeof parse>,
  problems: Problems,
): Promise<boolean> {
  try {
    const all = source.on('error', (error) => parser.destroy(error)).pipe(parser);
    for await (const _ of all);
    return false;
  } catch (error) {
    source.destroy();
    if (error instanceof Stop) return true;
    if (error instanceof Encoding) problems.add('encoding', 1, error.message);
    else if (error instanceof CsvError) problems.add(...csvWords(error));
    else throw error;
    return true;
  }
}

async function* bytesOf(
  source: JobsCsvOptions['csv'],
  counted: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    const [first, second] = chunk;
    if (bytes === 0 && ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))) {
      throw new Encoding('The file is UTF-16: save it as CSV in UTF-8.');
    }
    bytes += chunk.length;
    counted(bytes);
    yield chunk;
  }
}

interface Columns {
  readonly opened: number;
  readonly closed: number;
  readonly roles: readonly { readonly role: string; readonly column: number }[];
  readonly count: number;
}

function readHeader(
  record: readonly string[],
  line: number,
  wanted: readonly string[] | undefined,
  problems: Problems,
): Columns | undefined {
  const names = record.map((name) => name.toLowerCase().replace(/[\s.]+/g, '_'));
  const complain = (message: string): undefined => problems.add('header', line, message);
  const opened = names.findIndex((name) => openedNames.has(name));
  const closed = names.findIndex((name) => closedNames.has(name));
  if (opened < 0 || closed < 0) {
    return complain('The first line must name the columns: opened_at,closed_at and one for each role.');
  }
  const roles: { role: string; column: number }[] = [];
  for (const [column, name] of names.entries()) {
    const role = name.replace(/(?<=.)_id$/, '');
    if (column === opened || column === closed) continue;
    if (wanted !== undefined && !wanted.includes(role) && !wanted.includes(name)) continue;
    if (!isRoleName(role)) {
      return complain(
        `Column ${column + 1} of the header is no role: a lower-case word of at most 32 letters.`,
      );
    }
    if (roles.some((one) => one.role === role)) return complain(`Column ${column + 1} names a role twice.`);
    roles.push({ role, column });
  }
  const missing = wanted?.filter(
    (name) => !roles.some(({ role }) => role === name.replace(/(?<=.)_id$/, '')),
  );
  if (missing !== undefined && missing.length > 0) {
    return complain('The header has no column for one of the roles that were asked for.');
  }
  if (roles.length === 0) return complain('The header names no role beside opened_at and closed_at.');
  if (roles.length > MOST_ROLES) {
    return complain(`The header names more than ${MOST_ROLES} roles: say which columns are roles.`);
  }
  return { opened, closed, roles, count: names.length };
}

function readRow(
  record: readonly string[],
  line: number,
  columns: Columns,
  table: Table,
  problems: Problems,
): void {
  if (record.length > columns.count) {
    problems.add('fields', line, `This line has ${record.length} fields, the header has ${columns.count}.`);
    return;
  }
  const opened = readTime(record[columns.opened] ?? '');
  const end = record[columns.closed] ?? '';
  const closed = end === '' ? Number.NaN : readTime(end);
  if (opened === undefined || closed === undefined) {
    const which = opened === undefined ? 'opened_at' : 'closed_at';
    problems.add('time', line, `${which} is no time such as 2026-01-31T09:30:00Z.`);
    return;
  }
  if (closed < opened) {
    problems.add('order', line, 'The job was closed before it was opened.');
    return;
  }
  if (columns.roles.every(({ column }) => (record[column] ?? '') === '')) {
    problems.add('nobody', line, 'The row names nobody.');
    return;
  }
  table.add(
    opened,
    closed,
    columns.roles.map(({ column }) => record[column] ?? ''),
  );
}

interface Table {
  readonly rows: number;
  add(opened: number, closed: number, ids: readonly string[]): void;
  jobs(): Jobs;
}

function newTable(roles: readonly string[]): Table {
  let capacity = 4_096;
  let opened = new Float64Array(capacity);
  let closed = new Float64Array(capacity);
  let parties = roles.map(() => new Uint32Array(capacity));
  const ids: readonly IdTable[] = roles.map(() => idTable());
  let rows = 0;
  let last = Number.NEGATIVE_INFINITY;

  function grow(): void {
    capacity *= 2;
    opened = grown(opened, new Float64Array(capacity));
    closed = grown(closed, new Float64Array(capacity));
    parties = parties.map((column) => grown(column, new Uint32Array(capacity)));
  }

  return {
    get rows() {
      return rows;
    },
    add(from, to, names) {
      if (rows === capacity) grow();
      opened[rows] = from;
      closed[rows] = to;
      last = Math.max(last, from, Number.isNaN(to) ? from : to);
      parties.forEach((column, index) => {
        const name = names[index] ?? '';
        column[rows] = name === '' ? 0 : (ids[index]?.numberOf(name) ?? 0);
      });
      rows++;
    },
    jobs() {
      let stillOpen = 0;
      for (let row = 0; row < rows; row++) {
        if (!Number.isNaN(closed[row])) continue;
        closed[row] = last;
        stillOpen++;
      }
      return {
        ...{ sessions: rows, stillOpen },
        opened: opened.subarray(0, rows),
        closed: closed.subarray(0, rows),
        roles: roles.map((role, index) => ({
          role,
          parties: ids[index]?.count ?? 0,
          party: (parties[index] ?? new Uint32Array(0)).subarray(0, rows),
        })),
      };
    },
  };
}

function grown<Column extends Float64Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

interface Problems {
  readonly list: readonly JobProblem[];
  readonly count: number;
  add(kind: JobProblem['kind'], line: number, message: string): undefined;
  refused(): JobsRead;
}

function problemList(): Problems {
  const list: JobProblem[] = [];
  let count = 0;
  return {
    list,
    get count() {
      return count;
    },
    add(kind, line, message) {
      count++;
      if (list.length < MOST_PROBLEMS) list.push({ kind, line, message });
    },
    refused: () => ({ kind: 'refused', problems: list, more: count - list.length }),
  };
}

/** Our own words: the parser's may quote what stands in the line. */
function csvWords(error: CsvError): readonly [JobProblem['kind'], number, string] {
  const { lines } = error as unknown as { lines?: unknown };
  const line = typeof lines === 'number' ? lines : 1;
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return ['quotes', line, 'A quotation mark is opened here or above and never closed.'];
    case 'CSV_MAX_RECORD_SIZE':
      return ['quotes', line, 'This line is too long, or a quotation mark above is never closed.'];
    default:
      return ['quotes', line, 'A quotation mark stands where none may stand: quote the whole field.'];
  }
}
