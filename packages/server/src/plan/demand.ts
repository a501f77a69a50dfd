import { checkDemand } from './check.ts';
import { durationNodes } from './durations.ts';
import { type LoadCurve, loadCurve } from './load.ts';
import { chanceOfAnyMoreThan, needFor, type PartyClass } from './need.ts';
import { partyClasses } from './spread.ts';
import {
  type Alternative,
  type CurvePoint,
  type Demand,
  defaultCooldownSeconds,
  type Plan,
  type Reach,
  type RoleDemand,
  type RolePlan,
} from './types.ts';

/** Shorter and longer cooldowns that are tried: an hour, six, a day, a week, a month. */
export const cooldownLadder: readonly number[] = [3_600, 21_600, 86_400, 604_800, 2_592_000];

/** How many numbers a demand needs, and what else it could need. Throws `PlanError`. */
export function planDemand(demand: Demand): Plan {
  checkDemand(demand);
  const loads: Loads = new Map();
  const here = size(demand, loads);
  const { horizonDays = 30, failureProbability = 0.001 } = demand;
  const displayNumbers = here.roles.some(({ reach }) => reach === 'app') ? 1 : 0;
  const cost = (numbers: number, display: number) =>
    demand.pricePerNumber === undefined ? undefined : demand.pricePerNumber * (numbers + display);
  return {
    ...{ basis: 'demand', horizonDays, failureProbability, roles: here.roles, decidedBy: here.decidedBy },
    lowerBound: here.lowerBound,
    recommended: here.recommended,
    displayNumbers,
    monthlyCost: cost(here.recommended, displayNumbers),
    alternatives: telling(
      changesOf(demand.roles, here.roles).map(({ change, roles }): Alternative => {
        const { lowerBound, recommended, roles: planned } = size({ ...demand, roles }, loads);
        const display = planned.some(({ reach }) => reach === 'app') ? 1 : 0;
        return { change, lowerBound, recommended, monthlyCost: cost(recommended, display) };
      }),
    ),
    curve: { over: 'sessions-per-hour', points: curveOf(demand, loads) },
    jobs: undefined,
    notes: [],
  };
}

interface Size {
  readonly roles: readonly RolePlan[];
  readonly decidedBy: string | undefined;
  readonly lowerBound: number;
  readonly recommended: number;
}

interface RoleModel {
  readonly plan: RolePlan;
  readonly classes: readonly PartyClass[];
  readonly curve: LoadCurve;
}

/** Load curves of one plan by cooldown: all else that they depend on stays the same in it. */
type Loads = Map<number, LoadCurve>;

function size(demand: Demand, loads: Loads): Size {
  const { failureProbability = 0.001 } = demand;
  const models = demand.roles.map((role, index) => modelOf(demand, role, index, loads));
  const roles = models.map(({ plan }) => plan);
  const holding = models.filter(({ plan }) => plan.reach === 'number');
  let recommended = Math.max(0, ...holding.map(({ plan }) => plan.recommended));
  // Each role keeps to the chance by itself; together they may need one more.
  const fails = (n: number) =>
    1 -
    holding.reduce(
      (none, one) => none * (1 - chanceOfAnyMoreThan(n, one.classes, one.curve, failureProbability)),
      1,
    );
  while (recommended > 0 && fails(recommended) > failureProbability) recommended++;
  return {
    roles,
    recommended,
    lowerBound: Math.max(0, ...roles.map((one) => one.lowerBound)),
    ...decider(roles),
  };
}

export function decider(roles: readonly RolePlan[]): { readonly decidedBy: string | undefined } {
  const holding = roles.filter(({ reach, recommended }) => reach === 'number' && recommended > 0);
  const most = Math.max(...holding.map(({ recommended }) => recommended));
  return { decidedBy: holding.find(({ recommended }) => recommended === most)?.role };
}

function modelOf(demand: Demand, role: RoleDemand, index: number, loads: Loads): RoleModel {
  const { failureProbability = 0.001 } = demand;
  const { perSession = 1, reach = 'number', cooldownSeconds = defaultCooldownSeconds(role.role) } = role;
  const perHour = demand.sessionsPerHour * perSession;
  const classes = partyClasses(role.spread, role.parties, perHour, `/roles/${index}/spread`);
  const curve = loads.get(cooldownSeconds) ?? loadOf(demand, cooldownSeconds);
  loads.set(cooldownSeconds, curve);
  const holds = reach === 'number';
  const plan: RolePlan = {
    ...{ role: role.role, reach, parties: role.parties, cooldownSeconds },
    busiestSessionsPerDay: (classes[0]?.perHour ?? 0) * 24,
    lowerBound: holds ? needFor(0.5, classes, curve) : 0,
    recommended: holds ? needFor(failureProbability, classes, curve) : 0,
  };
  return { plan, classes, curve };
}

function loadOf(
  { horizonDays = 30, start = 'running', ...demand }: Demand,
  cooldownSeconds: number,
): LoadCurve {
  return loadCurve({
    ...{ horizonHours: horizonDays * 24, start, profile: normalized(demand.dailyProfile) },
    held: durationNodes(demand.duration).map((seconds) => (seconds + cooldownSeconds) / 3_600),
  });
}

function normalized(profile: readonly number[] | undefined): readonly number[] | undefined {
  if (profile === undefined) return undefined;
  const mean = profile.reduce((sum, weight) => sum + weight, 0) / profile.length;
  return profile.map((weight) => weight / mean);
}

interface Changeable {
  readonly role: string;
  readonly reach?: Reach;
  readonly cooldownSeconds?: number;
}

/** What could be done otherwise: the deciding role on app, its cooldown shorter or longer, and both of the next role. */
export function changesOf<Role extends Changeable>(
  roles: readonly Role[],
  planned: readonly RolePlan[],
): readonly { readonly change: string; readonly roles: readonly Role[] }[] {
  const order = planned
    .map((plan, index) => ({ plan, index }))
    .filter(({ plan }) => plan.reach === 'number' && plan.recommended > 0)
    .sort((one, other) => other.plan.recommended - one.plan.recommended);
  const [first, second] = order;
  if (first === undefined) return [];
  const having = (changes: ReadonlyMap<number, Partial<Changeable>>) =>
    roles.map((role, index) => ({ ...role, ...changes.get(index) }));
  const cooled = (one: typeof first, seconds: number) =>
    `${one.plan.role}: cooldown ${hoursOrDays(seconds)} instead of ${hoursOrDays(one.plan.cooldownSeconds)}`;
  const changes = [];
  if (second !== undefined) {
    const app = new Map([[first.index, { reach: 'app' as const }]]);
    changes.push({ change: `${first.plan.role} on app`, roles: having(app) });
    const shorter = cooldownLadder.findLast((seconds) => seconds < second.plan.cooldownSeconds);
    if (shorter !== undefined && second.plan.recommended > 2) {
      const both = new Map<number, Partial<Changeable>>([
        ...app,
        [second.index, { cooldownSeconds: shorter }],
      ]);
      changes.push({ change: `${first.plan.role} on app, ${cooled(second, shorter)}`, roles: having(both) });
    }
  }
  const { cooldownSeconds } = first.plan;
  const steps = [
    ...cooldownLadder
      .filter((seconds) => seconds < cooldownSeconds)
      .slice(-2)
      .reverse(),
    ...cooldownLadder.filter((seconds) => seconds > cooldownSeconds).slice(0, 1),
  ];
  for (const seconds of steps) {
    const change = new Map([[first.index, { cooldownSeconds: seconds }]]);
    changes.push({ change: cooled(first, seconds), roles: having(change) });
  }
  return changes;
}

/** Without those that come to the same as the one before them. */
export function telling(alternatives: readonly Alternative[]): readonly Alternative[] {
  return alternatives.filter((one, index) => {
    const before = alternatives[index - 1];
    return one.lowerBound !== before?.lowerBound || one.recommended !== before.recommended;
  });
}

export function hoursOrDays(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${round(seconds / 60)} min`;
  if (seconds <= 48 * 3_600) return `${round(seconds / 3_600)} h`;
  return `${round(seconds / 86_400)} d`;
}

function round(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}

/** The same demand at other rates, each party doing more or less of it. */
function curveOf(demand: Demand, loads: Loads): readonly CurvePoint[] {
  return Array.from({ length: 13 }, (_, index) => {
    const factor = index / 6;
    const x = demand.sessionsPerHour * factor;
    if (factor === 0) return { x, lower: 0, recommended: 0 };
    const roles = demand.roles.map((role) =>
      role.spread.kind === 'busiest'
        ? { ...role, spread: { ...role.spread, sessionsPerDay: role.spread.sessionsPerDay * factor } }
        : role,
    );
    const { lowerBound, recommended } = size({ ...demand, sessionsPerHour: x, roles }, loads);
    return { x, lower: lowerBound, recommended };
  });
}
