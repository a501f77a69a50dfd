import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JobsCsvOptions, readJobs } from './jobs-csv.ts';
import { planJobs } from './jobs-plan.ts';
import { readTime } from './times.ts';

const header = 'opened_at,closed_at,agent,customer';
const row = (agent: string, customer: string, hour = 9) =>
  `2026-01-31T${String(hour).padStart(2, '0')}:00:00Z,2026-01-31T${String(hour).padStart(2, '0')}:30:00Z,${agent},${customer}`;

const read = (csv: string | readonly (Uint8Array | string)[], more: Partial<JobsCsvOptions> = {}) =>
  readJobs({ csv: typeof csv === 'string' ? [csv] : csv, ...more });

async function jobs(csv: string | readonly (Uint8Array | string)[], more: Partial<JobsCsvOptions> = {}) {
  const result = await read(csv, more);
  if (result.kind !== 'read') throw new Error(JSON.stringify(result));
  return result.jobs;
}

describe('what is taken', () => {
  test('parties are numbered by role, in the order in which they come', async () => {
    const { sessions, roles, opened, closed } = await jobs(
      [header, row('a', 'x'), row('b', 'x', 10), row('a', 'y', 8), ''].join('\n'),
    );
    expect(sessions).toBe(3);
    expect(roles.map(({ role, parties, party }) => [role, parties, [...party]])).toEqual([
      ['agent', 2, [1, 2, 1]],
      ['customer', 2, [1, 1, 2]],
    ]);
    expect((closed[2] ?? 0) - (opened[2] ?? 0)).toBe(1_800_000);
    expect((opened[1] ?? 0) - (opened[0] ?? 0)).toBe(3_600_000);
  });

  test.each([
    ['a byte order mark and CRLF', `\uFEFF${header}\r\n${row('a', 'x')}\r\n`],
    ['semicolons', `${header}\n${row('a', 'x')}`.replaceAll(',', ';')],
    ['tabs', `${header}\n${row('a', 'x')}`.replaceAll(',', '\t')],
    [
      'quotes and empty lines',
      `"opened_at","closed_at","agent","customer"\n\n"2026-01-31 09:00","2026-01-31 09:30","a","x"\n`,
    ],
    ['other words for the columns', `Start, Ended At ,agent_id,Customer ID\n${row('a', 'x')}`],
    [
      'other order, a role more and nobody in it',
      `customer,helper,closed,opened,agent\nx,,2026-01-31T09:30Z,2026-01-31T09:00Z,a`,
    ],
    ['Unix time', `${header}\n1769850000,1769851800000,a,x`],
    [
      'pieces that cut a line',
      [`${header}\n2026-01-31T09:0`, Buffer.from('0:00Z,2026-01-31T09:30:00Z,a,x\n')],
    ],
  ])('%s', async (_what, csv) => {
    const { sessions, roles, opened, closed } = await jobs(csv);
    expect(sessions).toBe(1);
    expect((closed[0] ?? 0) - (opened[0] ?? 0)).toBe(1_800_000);
    expect(
      roles
        .filter(({ parties }) => parties === 1)
        .map(({ role }) => role)
        .sort(),
    ).toEqual(['agent', 'customer']);
  });

  test('only the roles asked for; other columns may hold anything', async () => {
    const csv = `opened_at,closed_at,Rider (hashed),driver,city\n2026-01-31,2026-02-01,r,d,Ünïted\n`;
    expect((await jobs(csv, { roles: ['driver'] })).roles.map(({ role }) => role)).toEqual(['driver']);
  });

  test('a job without an end lasts to the end of the file', async () => {
    const { closed, stillOpen } = await jobs(`${header}\n2026-01-01,,a,x\n2026-01-05,2026-01-09,a,x\n`);
    expect(stillOpen).toBe(1);
    expect(closed[0]).toBe(Date.UTC(2026, 0, 9));
  });

  test('a hundred thousand rows and ids', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => row(`a${index % 1_000}`, `c${index}`));
    const seen: number[] = [];
    const all = await jobs(`${header}\n${lines.join('\n')}`, { progress: (rows) => seen.push(rows) });
    expect(all.roles.map(({ parties }) => parties)).toEqual([1_000, 100_000]);
    expect(seen).toEqual([50_000, 100_000, 100_000]);
  });
});

describe('what is refused, by line and kind, without an id', () => {
  test.each<[string, string | readonly Uint8Array[], number, string]>([
    ['nothing', '', 1, 'empty'],
    ['a header only', `${header}\n`, 1, 'empty'],
    ['no header', `${row('6281100000001', 'x')}\n`, 1, 'header'],
    ['no role', 'opened_at,closed_at\n', 1, 'header'],
    ['a role that is no word', 'opened_at,closed_at,+6281100000001\n', 1, 'header'],
    ['a role twice', 'opened_at,closed_at,agent,agent_id\n', 1, 'header'],
    ['too many roles', `opened_at,closed_at,${'abcdefghijk'.split('').join(',')}\n`, 1, 'header'],
    ['a time that is none', `${header}\n${row('a', 'x')}\n6281100000001x,2026-01-31,a,x\n`, 3, 'time'],
    ['a day that is none', `${header}\n2026-02-29,2026-03-01,a,x\n`, 2, 'time'],
    ['an end before the beginning', `${header}\n2026-02-02,2026-02-01,6281100000001,x\n`, 2, 'order'],
    ['nobody', `${header}\n2026-02-01,2026-02-02,,\n`, 2, 'nobody'],
    ['too many fields', `${header}\n${row('a', 'x')},6281100000001\n`, 2, 'fields'],
    ['a quote that stays open', `${header}\n"2026-02-01,6281100000001`, 2, 'quotes'],
    ['a quote within', `${header}\n2026-02-01,2026-02-02,62811"00000001,x\n`, 2, 'quotes'],
    ['an endless line', `${header}\n${'6281100000001'.repeat(2_000)}\n`, 1, 'quotes'],
    ['UTF-16', [Buffer.from(`\uFEFF${header}\n`, 'utf16le')], 1, 'encoding'],
  ])('%s', async (_what, csv, line, kind) => {
    const result = await read(csv);
    expect(result).toMatchObject({
      kind: 'refused',
      problems: [{ kind, line: kind === 'quotes' ? expect.any(Number) : line }],
    });
    expect(JSON.stringify(result)).not.toMatch(/62811/);
  });

  test('the first ten are named, the others counted; they can be left out', async () => {
    const csv = [header, row('a', 'x'), ...new Array<string>(14).fill('soon,,a,x')].join('\n');
    const result = await read(csv);
    if (result.kind !== 'refused') throw new Error('read');
    expect(result.problems.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(result.more).toBe(4);
    expect(await read(csv, { skipBadRows: true })).toMatchObject({
      kind: 'read',
      skippedRows: 14,
      jobs: { sessions: 1 },
    });
  });

  test('more rows than may be', async () => {
    const csv = [header, row('a', 'x'), row('b', 'y'), row('c', 'z')].join('\n');
    expect(await read(csv, { mostRows: 2 })).toMatchObject({
      kind: 'refused',
      problems: [{ kind: 'too-long', line: 4 }],
    });
    expect(await read(csv, { mostRows: 2, skipBadRows: true })).toMatchObject({ kind: 'refused' });
    expect(await read(csv, { mostRows: 3 })).toMatchObject({ kind: 'read' });
  });

  test('a role that was asked for and has no column', async () => {
    expect(await read(`${header}\n`, { roles: ['driver'] })).toMatchObject({
      problems: [{ kind: 'header' }],
    });
  });

  test('a source that fails is not the file’s fault', async () => {
    async function* broken() {
      yield header;
      throw new Error('the disk is gone');
    }
    await expect(readJobs({ csv: broken() })).rejects.toThrow('the disk is gone');
  });
});

test('times are read as the calendar has them', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('2199-12-31T23:59:59.999Z'), noInvalidDate: true }),
      fc.integer({ min: -18 * 60, max: 18 * 60 }),
      (date, zone) => {
        const at = date.getTime();
        expect(readTime(date.toISOString())).toBeCloseTo(at, 3);
        const local = new Date(at + zone * 60_000).toISOString().slice(0, -1);
        if (at + zone * 60_000 < 0) return;
        const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60];
        const two = (value: number) => String(value).padStart(2, '0');
        const written = `${local.replace('T', ' ')}${zone < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
        expect(readTime(written)).toBeCloseTo(at, 3);
      },
    ),
  );
  for (const wrong of [
    '',
    'now',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '1900-02-29',
    '2026-01-01T24:00',
    '31.01.2026',
    '12',
  ]) {
    expect(readTime(wrong), wrong).toBeUndefined();
  }
});

test('whatever comes is read or refused, and what is read can be planned', async () => {
  const field = fc.oneof(
    fc.constantFrom(
      '',
      'a',
      'b',
      '"',
      '"a,b"',
      '2026-01-01',
      '2026-01-02T10:00:00Z',
      '1769850000',
      '\n',
      ';',
      '\t',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const text = fc.array(
    fc.array(field, { maxLength: 5 }).map((fields) => fields.join(',')),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), text, fc.boolean(), async (headed, lines, skipBadRows) => {
      const csv = [...(headed ? [header] : []), ...lines].join('\n');
      const result = await read(csv, { skipBadRows });
      if (result.kind === 'refused') {
        expect(result.problems.length).toBeGreaterThan(0);
        return;
      }
      const plan = planJobs(result.jobs);
      expect(plan.lowerBound).toBeGreaterThanOrEqual(1);
      expect(plan.recommended).toBeGreaterThanOrEqual(plan.lowerBound);
      expect(Number.isSafeInteger(plan.recommended)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
