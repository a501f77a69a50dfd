import { Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { readPhoneNumber } from '../masking/parties/phone-numbers.ts';
import { type Masking, MaskingError } from '../masking/service.ts';

/**
 * `samar numbers import`: virtual numbers from a CSV file. Every line is checked before the first is written; every
 * complaint names its line and never repeats a number.
 *
 * The header names the columns, in any order: `number` (E.164), and where wanted `pool`, `carrier`, `capabilities`
 * (`voice`, `sms` or both). Commas, semicolons and tabs separate; quotes, a byte order mark and any line end are fine.
 */
export interface ImportOptions {
  /** UTF-8. At most 32 MiB and 100,000 lines below the header. */
  readonly csv: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  /** For lines that name none. */
  readonly pool: string;
  /** Id or name, for lines that name none. Without it each line must name one. */
  readonly carrier?: string;
  /** Ids and names of the carriers that exist. */
  readonly carriers: ReadonlySet<string>;
  /** `masking.addNumbers`, bound to the tenant. At most 10,000 numbers a call. */
  readonly add: (
    numbers: Parameters<Masking['addNumbers']>[1],
  ) => Promise<{ readonly added: number; readonly unchanged: number }>;
  /** Called after each batch. */
  readonly progress?: (done: number, total: number) => void;
}

export interface LineProblem {
  /** As an editor counts: the header is line 1. */
  readonly line: number;
  readonly message: string;
}

export type ImportResult =
  | { readonly kind: 'imported'; readonly added: number; readonly unchanged: number }
  /**
   * Nothing was written, unless `added` says otherwise: a batch before the refused one was. The same file can be
   * imported again once it is mended; what is there already counts as unchanged.
   */
  | {
      readonly kind: 'refused';
      /** In order of lines; the first hundred. */
      readonly problems: readonly LineProblem[];
      /** Problems beyond these. */
      readonly more: number;
      readonly added: number;
      readonly unchanged: number;
    };

interface Line {
  readonly line: number;
  readonly number: string;
  readonly pool: string;
  readonly carrier: string;
  readonly capabilities: readonly string[];
}

const columns = ['number', 'pool', 'carrier', 'capabilities'] as const;
type Column = (typeof columns)[number];

const MOST_LINES = 100_000;
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_BYTES_A_LINE = 10_000;
const MOST_PROBLEMS = 100;
const BATCH = 10_000;

const csvOptions: Options = {
  bom: true,
  delimiter: [',', ';', '\t'],
  info: true,
  max_record_size: MOST_BYTES_A_LINE,
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
};

/** Rejects only with what `add` or the source rejects with, when that is no fault of a line. */
export async function importNumbers(options: ImportOptions): Promise<ImportResult> {
  const problems = new Problems();
  const lines = await readLines(options, problems);
  if (problems.count > 0) return problems.result({ added: 0, unchanged: 0 });
  if (lines.length === 0) {
    problems.add(1, 'The file holds no numbers below its header.');
    return problems.result({ added: 0, unchanged: 0 });
  }
  return write(lines, options, problems);
}

async function readLines(options: ImportOptions, problems: Problems): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const firstSeen = new Map<string, number>();
  let header: readonly (Column | undefined)[] | undefined;
  const parser = Readable.from(bounded(options.csv))
    .on('error', (error) => parser.destroy(error))
    .pipe(parse(csvOptions));
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      if (header === undefined) {
        header = readHeader(record, info.lines, problems);
        if (header === undefined) break;
        continue;
      }
      if (lines.length >= MOST_LINES) {
        problems.add(info.lines, `More than ${MOST_LINES.toLocaleString('en')} numbers: split the file.`);
        break;
      }
      const line = readLine(record, info.lines, header, options, problems);
      if (line === undefined) continue;
      const before = firstSeen.get(line.number);
      if (before !== undefined) problems.add(line.line, `The same number stands in line ${before}.`);
      else firstSeen.set(line.number, line.line);
      lines.push(line);
    }
  } catch (error) {
    if (error instanceof UnusableFile) problems.add(1, error.message);
    else if (error instanceof CsvError) problems.add(lineOf(error), csvWords(error));
    else throw error;
  }
  if (header === undefined && problems.count === 0) problems.add(1, 'The file is empty.');
  return lines;
}

/** The message is for the person who imports. */
class UnusableFile extends Error {}

async function* bounded(source: ImportOptions['csv']): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (
      bytes === 0 &&
      ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff))
    ) {
      throw new UnusableFile('The file is UTF-16: save it as CSV in UTF-8.');
    }
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new UnusableFile('The file is larger than 32 MiB: split it.');
    yield chunk;
  }
}

function readHeader(
  record: readonly string[],
  line: number,
  problems: Problems,
): readonly (Column | undefined)[] | undefined {
  const names = record.map((name) => name.toLowerCase());
  const unknown = names.findIndex((name) => !columns.includes(name as Column));
  if (!names.includes('number')) {
    problems.add(
      line,
      'The first line must name the columns: number,pool,carrier,capabilities (number at least).',
    );
    return undefined;
  }
  if (unknown >= 0) {
    problems.add(
      line,
      `Column ${unknown + 1} of the header is not one of number, pool, carrier, capabilities.`,
    );
    return undefined;
  }
  if (new Set(names).size !== names.length) {
    problems.add(line, 'The header names a column twice.');
    return undefined;
  }
  return names as readonly Column[];
}

function readLine(
  record: readonly string[],
  line: number,
  header: readonly (Column | undefined)[],
  options: ImportOptions,
  problems: Problems,
): Line | undefined {
  if (record.length > header.length) {
    problems.add(line, `This line has ${record.length} fields, the header has ${header.length}.`);
    return undefined;
  }
  const field = (column: Column): string => record[header.indexOf(column)] ?? '';
  const before = problems.count;
  const number = readNumber(field('number'), line, problems);
  const carrier = field('carrier') || (options.carrier ?? '');
  const pool = field('pool') || options.pool;
  const capabilities = readCapabilities(field('capabilities'));
  if (carrier === '') problems.add(line, 'No carrier: name one in the column carrier, or give --carrier.');
  else if (!options.carriers.has(carrier))
    problems.add(line, 'This carrier does not exist: create it first.');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(pool)) {
    problems.add(line, 'A pool is named by 1 to 64 letters, digits, dots, dashes and underscores.');
  }
  if (capabilities === undefined) problems.add(line, 'Capabilities are voice, sms, or both ("voice sms").');
  if (problems.count > before || number === undefined || capabilities === undefined) return undefined;
  return { line, number, pool, carrier, capabilities };
}

function readNumber(text: string, line: number, problems: Problems): string | undefined {
  // Spaces and punctuation that people write, and the apostrophe by which spreadsheets keep text a text.
  const digits = text.replace(/^'/, '').replace(/[\s().-]/g, '');
  if (/^\d[\d.,]*e\+?\d+$/i.test(text)) {
    problems.add(
      line,
      'A spreadsheet has rounded this number (E+): format the column as text and export it again.',
    );
    return undefined;
  }
  try {
    return readPhoneNumber(digits, '').e164;
  } catch (error) {
    if (!(error instanceof MaskingError)) throw error;
    problems.add(line, text === '' ? 'The number is missing.' : error.message);
    return undefined;
  }
}

function readCapabilities(text: string): readonly string[] | undefined {
  const words = text
    .toLowerCase()
    .split(/[\s,;|+]+/)
    .filter((word) => word !== '');
  if (words.length === 0) return ['voice'];
  if (!words.every((word) => word === 'voice' || word === 'sms')) return undefined;
  return [...new Set(words)].sort().reverse();
}

async function write(
  lines: readonly Line[],
  options: ImportOptions,
  problems: Problems,
): Promise<ImportResult> {
  const groups = Map.groupBy(lines, ({ pool, carrier, capabilities }) =>
    JSON.stringify([pool, carrier, capabilities]),
  );
  let added = 0;
  let unchanged = 0;
  let done = 0;
  for (const group of groups.values()) {
    for (let from = 0; from < group.length; from += BATCH) {
      const batch = group.slice(from, from + BATCH);
      const [first] = batch;
      if (first === undefined) continue;
      const { pool, carrier, capabilities } = first;
      try {
        const result = await options.add({
          numbers: batch.map(({ number }) => number),
          pool,
          carrier,
          capabilities,
        });
        added += result.added;
        unchanged += result.unchanged;
      } catch (error) {
        if (!(error instanceof MaskingError)) throw error;
        problems.add(lineAt(error.pointer, batch), error.message);
        return problems.result({ added, unchanged });
      }
      done += batch.length;
      options.progress?.(done, lines.length);
    }
  }
  return { kind: 'imported', added, unchanged };
}

/** `/numbers/7` points into the batch. */
function lineAt(pointer: string | undefined, batch: readonly Line[]): number {
  const index = Number(/^\/numbers\/(\d+)$/.exec(pointer ?? '')?.[1] ?? 0);
  return (batch[index] ?? batch[0])?.line ?? 1;
}

class Problems {
  readonly #list: LineProblem[] = [];
  count = 0;

  add(line: number, message: string): void {
    this.count += 1;
    if (this.#list.length < MOST_PROBLEMS) this.#list.push({ line, message });
  }

  result(written: { readonly added: number; readonly unchanged: number }): ImportResult {
    return { kind: 'refused', problems: this.#list, more: this.count - this.#list.length, ...written };
  }
}

function lineOf(error: CsvError): number {
  const { lines } = error as unknown as { lines?: unknown };
  return typeof lines === 'number' ? lines : 1;
}

/** Our own words: the parser's may quote what stands in the line. */
function csvWords(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'A quotation mark is opened here or above and never closed.';
    case 'CSV_MAX_RECORD_SIZE':
      return 'This line is too long, or a quotation mark above is never closed.';
    default:
      return 'A quotation mark stands where none may stand: fields with quotation marks are quoted as a whole.';
  }
}
