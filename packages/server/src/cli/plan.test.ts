import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../config.ts';
import { type PlanOptions, planCommand } from './plan.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'samar-plan-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(file: string | undefined, options: Partial<PlanOptions>) {
  const said: string[] = [];
  const complained: string[] = [];
  const output = {
    say: (line: string) => void said.push(line),
    complain: (line: string) => void complained.push(line),
    progress: () => {},
  };
  const code = await planCommand(file, { svg: false, ...options }, output);
  return { code, said: said.join('\n'), complained: complained.join('\n') };
}

const demand = {
  sessions: '500/h',
  duration: '40m',
  p95: '90m',
  role: ['agent:600:busiest=30', 'customer:40000'],
} as const;

function file(name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}
const header = 'opened_at,closed_at,agent,customer';
const rows = Array.from({ length: 40 }, (_, index) => {
  const day = String(1 + Math.floor(index / 4)).padStart(2, '0');
  return `2026-01-${day}T09:${index % 4}0:00Z,2026-01-${day}T11:00:00Z,+628110000000${index % 2},+62812000000${10 + index}`;
});

describe('from rates', () => {
  test('a table, what decides, what it costs, and what else could be done', async () => {
    const { code, said } = await run(undefined, { ...demand, price: '1.20' });
    expect(code).toBe(0);
    expect(said).toMatch(/^agent +600 +24 h +30 +\d+ +(\d+)$/m);
    const pool = Number(/^pool +\d+ +(\d+)$/m.exec(said)?.[1]);
    expect(said).toContain(
      `${pool} numbers: within 30 days a session finds none with a chance of 0.001 at most.`,
    );
    expect(said).toContain(`What agent needs decides. They cost ${(pool * 1.2).toFixed(2)} a month.`);
    expect(said).toMatch(/^agent on app +\d+ +\d+ +\d+\.\d\d$/m);
  });

  test('as JSON, and nothing else', async () => {
    const { said } = await run(undefined, { ...demand, json: true });
    expect(JSON.parse(said)).toMatchObject({ basis: 'demand', decidedBy: 'agent' });
  });

  test('drawn where it was asked', async () => {
    const svg = join(directory, 'plan.svg');
    const { said } = await run(undefined, { ...demand, svg });
    expect(said).toContain(`drawn: ${svg}`);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*virtual numbers recommended/s);
  });

  test('cooldowns, reach, horizon and chance are taken', async () => {
    const { said } = await run(undefined, {
      ...demand,
      cooldown: ['agent=1h', '*=7d'],
      app: ['agent'],
      horizon: '7d',
      failure: '1e-6',
      json: true,
    });
    expect(JSON.parse(said)).toMatchObject({
      horizonDays: 7,
      failureProbability: 1e-6,
      roles: [
        { reach: 'app', cooldownSeconds: 3_600, recommended: 0 },
        { reach: 'number', cooldownSeconds: 604_800 },
      ],
    });
  });

  test.each<[string, Partial<PlanOptions>]>([
    ['give --sessions', {}],
    ['--sessions is a rate', { ...demand, sessions: '500' }],
    ['--duration is a time', { ...demand, duration: 'long' }],
    ['--fixed and --p95', { ...demand, fixed: true }],
    ['--role is written', { ...demand, role: ['agent'] }],
    ['--role is not a number', { ...demand, role: ['agent:many'] }],
    ['after role:parties', { ...demand, role: ['agent:5:colour=red'] }],
    ['--cooldown is written', { ...demand, cooldown: ['24h'] }],
    ['names a role that --role does not', { ...demand, app: ['nobody'] }],
    ['--growth needs a file', { ...demand, growth: '2' }],
    ['cannot have fewer sessions', { ...demand, role: ['agent:600:busiest=1'] }],
    ['chance of a failure', { ...demand, failure: '2' }],
    ['24 weights', { ...demand, profile: '1,2' }],
  ])('%s: refused in words', async (message, options) => {
    await expect(run(undefined, options)).rejects.toThrow(ConfigError);
    await expect(run(undefined, options)).rejects.toThrow(message);
  });
});

describe('from a file', () => {
  test('counts exactly and shows no id', async () => {
    const { code, said } = await run(file('jobs.csv', [header, ...rows]), { growth: '2' });
    expect(code).toBe(0);
    expect(said).toMatch(/^Virtual numbers for 40 past jobs of 9 days, to grow by 2:/);
    // Two jobs a day each, whose cooldown reaches into the next morning's.
    expect(said).toMatch(/^agent +2 +24 h +2\.2 +4 +\d+$/m);
    expect(said).not.toMatch(/62811|62812/);
  });

  test('names bad rows and ends with 1; leaves them out when asked', async () => {
    const bad = file('bad.csv', [
      header,
      ...rows,
      'soon,,+6281100000009,',
      ...new Array<string>(20).fill(',,,'),
    ]);
    const refused = await run(bad, {});
    expect(refused.code).toBe(1);
    expect(refused.complained).toMatch(/^line 42: opened_at is no time/);
    expect(refused.complained).toContain('and 11 more');
    expect(refused.complained).toContain('--skip-bad-rows');
    expect(refused.complained).not.toMatch(/62811/);
    const skipped = await run(bad, { skipBadRows: true });
    expect(skipped.code).toBe(0);
    expect(skipped.complained).toContain('21 rows left out (34.4 %)');
  });

  test.each<[string, string, Partial<PlanOptions>]>([
    ['does not exist', 'nowhere.csv', {}],
    ['--sessions comes from the file', 'jobs.csv', { sessions: '5/h' }],
    ['for which the file has no column', 'jobs.csv', { app: ['driver'] }],
    ['Growth lies between', 'jobs.csv', { growth: '0' }],
  ])('%s: refused in words', async (message, name, options) => {
    file('jobs.csv', [header, ...rows]);
    await expect(run(join(directory, name), options)).rejects.toThrow(message);
  });
});
