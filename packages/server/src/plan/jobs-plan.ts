import { checkCooldown, checkSettings } from './check.ts';
import { changesOf, decider, telling } from './demand.ts';
import { durationNodes } from './durations.ts';
import type { Jobs } from './jobs-csv.ts';
import { loadCurve } from './load.ts';
import { needFor } from './need.ts';
import { type PartyCounts, partyCounts, shrunk } from './party-counts.ts';
import { type RoleRows, rowsByParty, sweep } from './sweep.ts';
import {
  type Alternative,
  defaultCooldownSeconds,
  type Plan,
  PlanError,
  type PlanSettings,
  type Reach,
  type RolePlan,
} from './types.ts';

export interface JobsSettings extends PlanSettings {
  /** Factor by which each party's sessions grow. Default 1. */
  readonly growth?: number;
  /** By role. Default: 24 h for the role `agent`, 30 days for every other; `*` stands for every role not named. */
  readonly cooldownSeconds?: Readonly<Record<string, number>>;
  /** Roles that are reached by app. */
  readonly app?: readonly string[];
}

interface JobsRole {
  readonly role: string;
  readonly reach: Reach;
  readonly cooldownSeconds: number;
}

interface Material {
  readonly jobs: Jobs;
  readonly rows: ReadonlyMap<string, RoleRows>;
  readonly counts: ReadonlyMap<string, PartyCounts>;
  readonly first: number;
  readonly last: number;
  readonly days: number;
  /** 24 weights from the hour of the first job on. */
  readonly profile: readonly number[] | undefined;
  readonly durations: readonly number[];
  readonly settings: Required<Pick<JobsSettings, 'growth' | 'horizonDays' | 'failureProbability'>>;
}

const BINS = 240;
const DAY = 86_400_000;

/**
 * How many numbers past jobs needed, exactly, and how many the time to come will. Throws `PlanError`.
 *
 * The exact count is what the busiest party held at once. What is to come is a model's: each party's sessions as a
 * Poisson stream, by the rate that the file shows of it. Where the file needed more than the model gives for the file
 * itself (weekends, batches), or less than could be luck (shifts are more regular than chance), the model's answer is
 * taken as many times as the exact count is of the model's.
 */
export function planJobs(jobs: Jobs, settings: JobsSettings = {}): Plan {
  checkSettings(settings);
  const { growth = 1, horizonDays = 30, failureProbability = 0.001, pricePerNumber } = settings;
  if (!(growth >= 0.1 && growth <= 100)) throw new PlanError('/growth', 'Growth lies between 0.1 and 100.');
  const roles = rolesOf(jobs, settings);
  const material = gather(jobs, { growth, horizonDays, failureProbability });
  const planned = roles.map((role) => planRole(material, role));
  const recommended = Math.max(0, ...planned.map((one) => one.recommended));
  const displayNumbers = displays(planned);
  const cost = (numbers: number, display: number) =>
    pricePerNumber === undefined ? undefined : pricePerNumber * (numbers + display);
  return {
    ...{ basis: 'jobs', horizonDays, failureProbability, roles: planned, ...decider(planned) },
    ...{ lowerBound: Math.max(0, ...planned.map((one) => one.lowerBound)), recommended, displayNumbers },
    monthlyCost: cost(recommended, displayNumbers),
    alternatives: telling(
      changesOf(roles, planned).map((change): Alternative => {
        const other = change.roles.map((role) => planRole(material, role));
        const most = Math.max(0, ...other.map((one) => one.recommended));
        return {
          change: change.change,
          lowerBound: Math.max(0, ...other.map((one) => one.lowerBound)),
          recommended: most,
          monthlyCost: cost(most, displays(other)),
        };
      }),
    ),
    curve: { over: 'days', points: pointsOf(material, roles, recommended) },
    jobs: { sessions: jobs.sessions, days: material.days, growth, stillOpen: jobs.stillOpen },
    notes: notesOf(material, roles, settings),
  };
}

function displays(roles: readonly RolePlan[]): number {
  return roles.some(({ reach }) => reach === 'app') ? 1 : 0;
}

function rolesOf(jobs: Jobs, settings: JobsSettings): readonly JobsRole[] {
  const { cooldownSeconds = {}, app = [] } = settings;
  const known = new Set(jobs.roles.map(({ role }) => role));
  for (const [role, seconds] of Object.entries(cooldownSeconds)) {
    if (role !== '*' && !known.has(role)) throw new PlanError('/cooldownSeconds', noSuchRole);
    checkCooldown(seconds, '/cooldownSeconds');
  }
  if (app.some((role) => !known.has(role))) throw new PlanError('/app', noSuchRole);
  return jobs.roles.map(({ role }) => ({
    role,
    reach: app.includes(role) ? 'app' : 'number',
    cooldownSeconds: cooldownSeconds[role] ?? cooldownSeconds['*'] ?? defaultCooldownSeconds(role),
  }));
}
const noSuchRole = 'A role is named for which the file has no column.';

function gather(jobs: Jobs, settings: Material['settings']): Material {
  const rows = new Map(jobs.roles.map((one) => [one.role, rowsByParty(one.party, one.parties)]));
  const counts = new Map([...rows].map(([role, of]) => [role, partyCounts(of)]));
  let first = Number.POSITIVE_INFINITY;
  let lastOpened = first * -1;
  let last = lastOpened;
  const durations = new Float64Array(jobs.sessions);
  const hours = new Float64Array(24);
  for (let row = 0; row < jobs.sessions; row++) {
    const opened = jobs.opened[row] ?? 0;
    const closed = jobs.closed[row] ?? 0;
    first = Math.min(first, opened);
    lastOpened = Math.max(lastOpened, opened);
    last = Math.max(last, closed);
    durations[row] = (closed - opened) / 1_000;
    const hour = Math.floor(opened / 3_600_000) % 24;
    hours[hour] = (hours[hour] ?? 0) + 1;
  }
  const days = Math.max(1 / 24, (lastOpened - first) / DAY);
  const begin = Math.floor(first / 3_600_000) % 24;
  const profile = Array.from(
    { length: 24 },
    (_, hour) => ((hours[(hour + begin) % 24] ?? 0) * 24) / jobs.sessions,
  );
  return {
    ...{ jobs, rows, counts, first, last, days, settings },
    // Less than two days say nothing of the hours of a day.
    profile: days < 2 ? undefined : profile,
    durations: durationNodes({ kind: 'observed', seconds: [...quantiles(durations.sort())] }),
  };
}

/** A thousand of them stand for millions. */
function* quantiles(sorted: Float64Array): Generator<number> {
  const steps = Math.min(1_000, sorted.length);
  for (let step = 0; step < steps; step++) {
    yield sorted[Math.floor(((step + 0.5) * sorted.length) / steps)] ?? 0;
  }
}

function planRole(material: Material, { role, reach, cooldownSeconds }: JobsRole): RolePlan {
  const { jobs, rows, counts, days, profile, durations, settings } = material;
  const ofRole = rows.get(role);
  const counted = counts.get(role);
  const plan = { role, reach, cooldownSeconds, parties: ofRole?.parties ?? 0 };
  const busiestSessionsPerDay = (counted?.most ?? 0) / Math.max(1, days);
  if (reach === 'app' || ofRole === undefined || counted === undefined || counted.most === 0) {
    return { ...plan, busiestSessionsPerDay, lowerBound: 0, recommended: 0 };
  }
  const lowerBound = sweep(jobs, ofRole, cooldownSeconds * 1_000).peak;
  const held = durations.map((seconds) => (seconds + cooldownSeconds) / 3_600);
  const then = loadCurve({ horizonHours: days * 24, start: 'empty', profile, held });
  const later = loadCurve({ horizonHours: settings.horizonDays * 24, start: 'running', profile, held });
  const classes = shrunk(counted, days * 24);
  const grown = classes.map((one) => ({ ...one, perHour: one.perHour * settings.growth }));
  const modelled = needFor(settings.failureProbability, grown, later);
  // More than the model's for the file is a reason to expect more (weekends, bursts); less may be luck, unless it is
  // less than the model gives in 98 of 100 files.
  const shown = lowerBound / Math.max(1, needFor(0.5, classes, then));
  const scale = shown < 1 && lowerBound >= needFor(0.98, classes, then) ? 1 : shown;
  const recommended = Math.max(settings.growth >= 1 ? lowerBound : 1, Math.ceil(modelled * scale - 1e-9));
  return { ...plan, busiestSessionsPerDay, lowerBound, recommended };
}

function pointsOf(material: Material, roles: readonly JobsRole[], recommended: number) {
  const { jobs, rows, first, last } = material;
  const bins = { count: BINS, from: first, to: Math.max(last, first + 1) };
  const most = new Uint32Array(BINS);
  for (const { role, reach, cooldownSeconds } of roles) {
    const ofRole = rows.get(role);
    if (reach === 'app' || ofRole === undefined) continue;
    sweep(jobs, ofRole, cooldownSeconds * 1_000, bins).bins.forEach((held, bin) => {
      if (held > (most[bin] ?? 0)) most[bin] = held;
    });
  }
  const perBin = (bins.to - first) / DAY / BINS;
  return [...most].map((lower, bin) => ({ x: (bin + 0.5) * perBin, lower, recommended }));
}

function notesOf(material: Material, roles: readonly JobsRole[], settings: JobsSettings): readonly string[] {
  const notes: string[] = [];
  const { days, jobs } = material;
  const rising = roles.filter((one) => one.reach === 'number' && one.cooldownSeconds > days * 86_400);
  if (rising.length > 0) {
    const names = rising.map(({ role }) => role).join(', ');
    notes.push(
      `The file covers ${rounded(days)} days, less than the cooldown of ${names}: what it shows was still rising, and the recommendation goes beyond it.`,
    );
  }
  const unset = settings.cooldownSeconds === undefined || Object.keys(settings.cooldownSeconds).length === 0;
  if (unset && !jobs.roles.some(({ role }) => role === 'agent')) {
    notes.push(
      'No role is called agent, so every role has the cooldown of 30 days: say which role meets new people all day.',
    );
  }
  if (jobs.stillOpen > 0) {
    notes.push(`${jobs.stillOpen} jobs have no closing time and count as running to the end of the file.`);
  }
  return notes;
}

function rounded(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}
