import { describe, expect, test } from 'vitest';
import { MaskingError, type NewNumbers } from '../masking/service.ts';
import { type ImportOptions, importNumbers } from './numbers.ts';

interface Written {
  readonly calls: NewNumbers[];
}

function options(csv: string | readonly (Uint8Array | string)[], written: Written): ImportOptions {
  return {
    csv: typeof csv === 'string' ? [csv] : csv,
    pool: 'default',
    carrier: 'trunk',
    carriers: new Set(['trunk', 'other trunk']),
    add: async (numbers) => {
      written.calls.push(numbers);
      return { added: numbers.numbers.length, unchanged: 0 };
    },
  };
}

function attempt(csv: string | readonly (Uint8Array | string)[], change: Partial<ImportOptions> = {}) {
  const written: Written = { calls: [] };
  return importNumbers({ ...options(csv, written), ...change }).then((result) => ({ result, written }));
}

/** Distinct Jakarta numbers. */
const number = (index: number) => `+6221${String(50_000_000 + index)}`;

describe('what is taken', () => {
  test('numbers alone, with the pool and carrier of the command line', async () => {
    const { result, written } = await attempt(`number\n${number(1)}\n${number(2)}\n`);
    expect(result).toEqual({ kind: 'imported', added: 2, unchanged: 0 });
    expect(written.calls).toEqual([
      { numbers: [number(1), number(2)], pool: 'default', carrier: 'trunk', capabilities: ['voice'] },
    ]);
  });

  test('columns in any order, each line with its own pool, carrier and capabilities', async () => {
    const csv = `pool,Number,capabilities,carrier\nrides,${number(1)},"sms, voice",other trunk\n,${number(2)},voice,\n`;
    const { written } = await attempt(csv);
    expect(written.calls).toEqual([
      { numbers: [number(1)], pool: 'rides', carrier: 'other trunk', capabilities: ['voice', 'sms'] },
      { numbers: [number(2)], pool: 'default', carrier: 'trunk', capabilities: ['voice'] },
    ]);
  });

  test.each([
    ['a byte order mark and CRLF', `\uFEFFnumber,pool\r\n${number(1)},rides\r\n`],
    ['semicolons', `number;pool\n${number(1)};rides\n`],
    ['tabs and no last line end', `number\tpool\n${number(1)}\trides`],
    ['quotes', `"number","pool"\n"${number(1)}","rides"\n`],
    ['empty lines and spaces', `\n number , pool \n\n  ${number(1)} , rides \n\n`],
    ['punctuation in numbers', `number,pool\n'+62 (21) 5000-0001,rides\n`],
  ])('%s', async (_what, csv) => {
    const { result, written } = await attempt(csv);
    expect(result).toEqual({ kind: 'imported', added: 1, unchanged: 0 });
    expect(written.calls).toEqual([
      { numbers: [number(1)], pool: 'rides', carrier: 'trunk', capabilities: ['voice'] },
    ]);
  });

  test('a character split between two pieces of the stream', async () => {
    const bytes = Buffer.from(`\uFEFFnumber\n${number(1)}\n`);
    const { result } = await attempt([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(result.kind).toBe('imported');
  });

  test('100,000 lines, in batches of at most 10,000, with progress', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => number(index));
    const seen: [number, number][] = [];
    const { result, written } = await attempt([`number\n`, ...lines.map((line) => `${line}\n`)], {
      progress: (done, total) => seen.push([done, total]),
    });
    expect(result).toEqual({ kind: 'imported', added: 100_000, unchanged: 0 });
    expect(written.calls.map(({ numbers }) => numbers.length)).toEqual(Array(10).fill(10_000));
    expect(seen.at(-1)).toEqual([100_000, 100_000]);
  });
});

describe('what is refused, by line, with nothing written', () => {
  test.each([
    ['an empty file', '', 1, /empty/],
    ['only a header', 'number,pool\n', 1, /no numbers/],
    ['no header', `${number(1)}\n${number(2)}\n`, 1, /first line must name the columns/],
    ['an unknown column', `number,colour\n${number(1)},red\n`, 1, /Column 2/],
    ['a column twice', `number,pool,pool\n${number(1)},a,b\n`, 1, /twice/],
    ['a number without plus', `number\n${number(1)}\n6221500001\n`, 3, /E\.164/],
    ['a number below empty lines', `number\r\n\r\n${number(1)}\r\n\r\n\r\n0800\r\n`, 6, /E\.164/],
    ['a number that a spreadsheet rounded', `number\n6.22E+11\n`, 2, /rounded/],
    ['a missing number', `number,pool\n${number(1)},a\n,b\n`, 3, /missing/],
    ['a satellite number', `number\n+870773123456\n`, 2, /country/],
    [
      'the same number in another spelling',
      `number\n${number(1)}\n${number(2)}\n+62 21 5000 0001\n`,
      4,
      /line 2/,
    ],
    ['an unknown carrier', `number,carrier\n${number(1)},nobody\n`, 2, /does not exist/],
    ['an impossible pool', `number,pool\n${number(1)},a b\n`, 2, /pool/],
    ['unknown capabilities', `number,capabilities\n${number(1)},fax\n`, 2, /voice, sms/],
    ['a field too many', `number,pool\n${number(1)},a,b\n`, 2, /3 fields/],
    ['an open quote', `number\n${number(1)}\n"${number(2)}\n`, 3, /quotation mark/],
    ['a quote inside', `number\n${number(1)}\n${number(2)}"x\n`, 3, /quotation mark/],
    ['a line without end', `number\n${'1'.repeat(20_000)}\n`, 2, /too long/],
  ])('%s', async (_what, csv, line, message) => {
    const { result, written } = await attempt(csv);
    expect(result).toMatchObject({ kind: 'refused', added: 0, more: 0, problems: [{ line }] });
    expect(result.kind === 'refused' && result.problems[0]?.message).toMatch(message);
    expect(written.calls).toEqual([]);
    expect(JSON.stringify(result)).not.toMatch(/\d{6}/);
  });

  test('no carrier anywhere', async () => {
    const written: Written = { calls: [] };
    const { carrier: _carrier, ...without } = options(`number\n${number(1)}\n`, written);
    const result = await importNumbers(without);
    expect(result).toMatchObject({
      kind: 'refused',
      problems: [{ line: 2, message: expect.stringMatching(/carrier/) }],
    });
  });

  test('UTF-16', async () => {
    const { result } = await attempt([Buffer.from(`\uFEFFnumber\n${number(1)}\n`, 'utf16le')]);
    expect(result).toMatchObject({ problems: [{ message: expect.stringMatching(/UTF-8/) }] });
  });

  test('every line’s problems, the first hundred of them in words', async () => {
    const { result } = await attempt(`number\n${'0800\n'.repeat(250)}`);
    expect(result).toMatchObject({ kind: 'refused', more: 150 });
    expect(result.kind === 'refused' && result.problems.map(({ line }) => line)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  test('more than 100,000 lines', async () => {
    const { result, written } = await attempt([
      'number\n',
      ...Array.from({ length: 100_001 }, (_, index) => `${number(index)}\n`),
    ]);
    expect(result).toMatchObject({ kind: 'refused', problems: [{ line: 100_002 }] });
    expect(written.calls).toEqual([]);
  });
});

describe('what the platform refuses', () => {
  test('is told by line, with what was written before', async () => {
    const lines = Array.from({ length: 10_005 }, (_, index) => `${number(index)}\n`);
    let calls = 0;
    const { result } = await attempt(['number\n', ...lines], {
      add: async ({ numbers }) => {
        calls += 1;
        if (calls === 2)
          throw new MaskingError('number-taken', 'Another pool has this number.', '/numbers/3');
        return { added: numbers.length - 1, unchanged: 1 };
      },
    });
    expect(result).toEqual({
      kind: 'refused',
      problems: [{ line: 10_005, message: 'Another pool has this number.' }],
      more: 0,
      added: 9_999,
      unchanged: 1,
    });
  });

  test('other failures are not swallowed', async () => {
    const failing = attempt(`number\n${number(1)}\n`, {
      add: () => Promise.reject(new Error('the database went away')),
    });
    await expect(failing).rejects.toThrow('the database went away');
  });
});
