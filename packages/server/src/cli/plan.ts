/** `samar plan`: asks the plan room, prints a table, draws a picture. */
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { ConfigError } from '../config.ts';
import {
  type Demand,
  type Duration,
  drawPlan,
  hoursOrDays,
  type JobProblem,
  type JobsRead,
  type Plan,
  PlanError,
  planDemand,
  planJobs,
  readJobs,
  type Spread,
} from '../plan/index.ts';

/** As commander reads them (`plan-command.ts`). */
export interface PlanOptions {
  readonly sessions?: string;
  readonly duration?: string;
  readonly p95?: string;
  readonly fixed?: boolean;
  readonly role?: readonly string[];
  readonly profile?: string;
  readonly fromEmpty?: boolean;
  readonly growth?: string;
  readonly skipBadRows?: boolean;
  readonly cooldown?: readonly string[];
  readonly app?: readonly string[];
  readonly horizon?: string;
  readonly failure?: string;
  readonly price?: string;
  /** False: `--no-svg`. */
  readonly svg: string | false;
  readonly json?: boolean;
}

export interface Output {
  say(line: string): void;
  complain(line: string): void;
  /** A line that is overwritten by the next; nothing where nobody watches. */
  progress(line: string): void;
}

const terminal: Output = {
  say: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`samar: ${line}\n`),
  progress: (line) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  },
};

/** Resolves to the exit code. Throws `ConfigError` when the question is wrong. */
export async function planCommand(
  file: string | undefined,
  options: PlanOptions,
  output: Output = terminal,
): Promise<number> {
  let plan: Plan;
  try {
    const made = file === undefined ? planDemand(demandOf(options)) : await planFile(file, options, output);
    if (made === undefined) return 1;
    plan = made;
  } catch (error) {
    if (error instanceof PlanError) throw new ConfigError(error.message);
    throw error;
  }
  if (options.json === true) output.say(JSON.stringify(plan, null, 2));
  else for (const line of planLines(plan)) output.say(line);
  if (options.svg !== false) {
    writeFileSync(options.svg, drawPlan(plan));
    if (options.json !== true) output.say(`\ndrawn: ${options.svg}`);
  }
  return 0;
}

async function planFile(file: string, options: PlanOptions, output: Output): Promise<Plan | undefined> {
  refuse(options, ['sessions', 'duration', 'p95', 'fixed', 'profile', 'fromEmpty'], 'comes from the file');
  if (file !== '-' && !existsSync(file)) throw new ConfigError(`the file ${file} does not exist`);
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  const growth = options.growth === undefined ? undefined : numberOf(options.growth, '--growth');
  const settings = {
    ...settingsOf(options),
    ...(growth === undefined ? {} : { growth }),
    cooldownSeconds: Object.fromEntries(cooldownsOf(options)),
    app: options.app ?? [],
  };
  const read = await readJobs({
    csv: source,
    ...(options.role === undefined ? {} : { roles: options.role }),
    skipBadRows: options.skipBadRows === true,
    progress: (rows, bytes) =>
      output.progress(`${counted(rows)} jobs, ${counted(Math.round(bytes / 1e6))} MB`),
  });
  output.progress('');
  if (read.kind === 'refused') {
    complainOf(read.problems, read.more, output);
    return undefined;
  }
  sayWhatWasSkipped(read, output);
  return planJobs(read.jobs, settings);
}

function complainOf(problems: readonly JobProblem[], more: number, output: Output): void {
  for (const { line, message } of problems) output.complain(`line ${line}: ${message}`);
  if (more > 0) output.complain(`and ${counted(more)} more`);
  const rows = problems.some(({ kind }) => ['time', 'order', 'nobody', 'fields'].includes(kind));
  output.complain(rows ? 'no plan; mend the file, or give --skip-bad-rows' : 'no plan');
}

function sayWhatWasSkipped(read: JobsRead & { kind: 'read' }, output: Output): void {
  if (read.skippedRows === 0) return;
  for (const { line, message } of read.skipped) output.complain(`line ${line} left out: ${message}`);
  const share = ((100 * read.skippedRows) / (read.skippedRows + read.jobs.sessions)).toFixed(1);
  output.complain(`${counted(read.skippedRows)} rows left out (${share} %)`);
}

function demandOf(options: PlanOptions): Demand {
  refuse(options, ['growth', 'skipBadRows'], 'needs a file of past jobs');
  const { sessions, duration, role = [], profile } = options;
  if (sessions === undefined || duration === undefined || role.length === 0) {
    throw new ConfigError(
      'give --sessions, --duration and --role, or a CSV file of past jobs; `samar plan --help` has examples',
    );
  }
  const cooldowns = cooldownsOf(options);
  const app = new Set(options.app);
  const roles = role.map((words) => {
    const one = roleOf(words);
    const cooldownSeconds = cooldowns.get(one.role) ?? cooldowns.get('*');
    return {
      ...one,
      ...(cooldownSeconds === undefined ? {} : { cooldownSeconds }),
      reach: app.has(one.role) ? ('app' as const) : ('number' as const),
    };
  });
  const names = new Set(roles.map((one) => one.role));
  if (![...cooldowns.keys(), ...app].every((name) => name === '*' || names.has(name))) {
    throw new ConfigError('--cooldown or --app names a role that --role does not');
  }
  return {
    ...settingsOf(options),
    sessionsPerHour: rateOf(sessions),
    duration: durationOf(duration, options),
    roles,
    ...(profile === undefined
      ? {}
      : { dailyProfile: profile.split(',').map((one) => numberOf(one, '--profile')) }),
    start: options.fromEmpty === true ? 'empty' : 'running',
  };
}

function refuse(options: PlanOptions, names: readonly (keyof PlanOptions)[], why: string): void {
  const given = names.find((name) => options[name] !== undefined && options[name] !== false);
  if (given === undefined) return;
  throw new ConfigError(`--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${why}`);
}

function settingsOf({ horizon, failure, price }: PlanOptions) {
  return {
    ...(horizon === undefined ? {} : { horizonDays: secondsOf(horizon, '--horizon') / 86_400 }),
    ...(failure === undefined ? {} : { failureProbability: numberOf(failure, '--failure') }),
    ...(price === undefined ? {} : { pricePerNumber: numberOf(price, '--price') }),
  };
}

function durationOf(mean: string, { p95, fixed }: PlanOptions): Duration {
  const meanSeconds = secondsOf(mean, '--duration');
  if (fixed === true && p95 !== undefined) throw new ConfigError('--fixed and --p95 contradict one another');
  if (fixed === true) return { kind: 'fixed', meanSeconds };
  if (p95 === undefined) return { kind: 'exponential', meanSeconds };
  return { kind: 'lognormal', meanSeconds, p95Seconds: secondsOf(p95, '--p95') };
}

function roleOf(words: string): { role: string; parties: number; spread: Spread; perSession?: number } {
  const [role = '', parties, ...rest] = words.split(':');
  if (parties === undefined) throw new ConfigError('--role is written role:parties, such as agent:600');
  let spread: Spread = { kind: 'even' };
  let perSession: number | undefined;
  for (const one of rest) {
    const [name, value = ''] = one.split('=');
    if (name === 'busiest')
      spread = { kind: 'busiest', sessionsPerDay: numberOf(value.replace(/\/d$/, ''), 'busiest') };
    else if (name === 'zipf') spread = { kind: 'zipf', exponent: numberOf(value, 'zipf') };
    else if (name === 'each') perSession = numberOf(value, 'each');
    else
      throw new ConfigError(
        'after role:parties may stand busiest=…, zipf=… and each=… (participants a session)',
      );
  }
  const more = perSession === undefined ? {} : { perSession };
  return { role, parties: numberOf(parties, '--role'), spread, ...more };
}

function cooldownsOf({ cooldown = [] }: PlanOptions): ReadonlyMap<string, number> {
  return new Map(
    cooldown.map((words) => {
      const [role, time] = words.split('=');
      if (role === undefined || role === '' || time === undefined) {
        throw new ConfigError('--cooldown is written role=time, such as agent=24h');
      }
      return [role, secondsOf(time, '--cooldown')];
    }),
  );
}

function rateOf(words: string): number {
  const [, value = '', unit] = /^(.*?)\/?([hd])$/.exec(words) ?? [];
  if (unit === undefined) throw new ConfigError('--sessions is a rate such as 500/h or 12000/d');
  return numberOf(value, '--sessions') / (unit === 'd' ? 24 : 1);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function secondsOf(words: string, option: string): number {
  const [, value = '', unit = ''] = /^([\d.]+)([smhd])$/.exec(words) ?? [];
  const factor = units[unit];
  if (factor === undefined) throw new ConfigError(`${option} is a time such as 90s, 40m, 24h or 30d`);
  return numberOf(value, option) * factor;
}

function numberOf(words: string, option: string): number {
  if (!/^\s*\d+(\.\d+)?(e-?\d+)?\s*$/i.test(words))
    throw new ConfigError(`${option} is not a number of 0 or more`);
  return Number(words);
}

/** The plan as a table. */
export function planLines(plan: Plan): readonly string[] {
  const heads = ['', 'parties', 'cooldown', 'busiest/day', 'lower bound', 'recommended'];
  const roles = plan.roles.map((one) => [
    one.role,
    counted(one.parties),
    one.reach === 'app' ? 'app' : hoursOrDays(one.cooldownSeconds),
    one.busiestSessionsPerDay.toLocaleString('en', { maximumFractionDigits: 1 }),
    counted(one.lowerBound),
    counted(one.recommended),
  ]);
  const pool = ['pool', '', '', '', counted(plan.lowerBound), counted(plan.recommended)];
  return [
    ...introduction(plan),
    '',
    ...columns([heads, ...roles, pool]),
    '',
    ...conclusion(plan),
    ...(plan.alternatives.length === 0 ? [] : ['', ...columns(alternativeRows(plan))]),
    ...plan.notes.flatMap((note) => ['', `! ${note}`]),
  ];
}

function introduction({ jobs }: Plan): readonly string[] {
  if (jobs === undefined) return ['Virtual numbers for this demand:'];
  const days = jobs.days.toLocaleString('en', { maximumFractionDigits: 1 });
  const growth = jobs.growth === 1 ? '' : `, to grow by ${jobs.growth}`;
  return [`Virtual numbers for ${counted(jobs.sessions)} past jobs of ${days} days${growth}:`];
}

function conclusion(plan: Plan): readonly string[] {
  const days = plan.horizonDays.toLocaleString('en', { maximumFractionDigits: 1 });
  const display = plan.displayNumbers === 0 ? '' : `, and ${plan.displayNumbers} to show for those on app`;
  const cost = plan.monthlyCost === undefined ? '' : ` They cost ${money(plan.monthlyCost)} a month.`;
  const decided = plan.decidedBy === undefined ? '' : ` What ${plan.decidedBy} needs decides.`;
  return [
    `${counted(plan.recommended)} numbers${display}: within ${days} days a session finds none with a chance of ${plan.failureProbability} at most.${decided}${cost}`,
  ];
}

function alternativeRows(plan: Plan): readonly (readonly string[])[] {
  const priced = plan.monthlyCost !== undefined;
  return [
    ['instead', 'lower bound', 'recommended', ...(priced ? ['a month'] : [])],
    ...plan.alternatives.map((one) => [
      one.change,
      counted(one.lowerBound),
      counted(one.recommended),
      ...(priced ? [money(one.monthlyCost ?? 0)] : []),
    ]),
  ];
}

/** The first column to the left, all others to the right. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2),
      )
      .join(''),
  );
}

function counted(value: number): string {
  return value.toLocaleString('en');
}

function money(value: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
