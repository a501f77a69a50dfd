/** How long a session lives. */
export type Duration =
  | { readonly kind: 'fixed'; readonly meanSeconds: number }
  | { readonly kind: 'exponential'; readonly meanSeconds: number }
  /** The 95th percentile lies above the mean and at most 3.8 times as high: no lognormal distribution has another. */
  | { readonly kind: 'lognormal'; readonly meanSeconds: number; readonly p95Seconds: number }
  /** Equally likely values, in rising order. */
  | { readonly kind: 'observed'; readonly seconds: readonly number[] };

/** How unevenly the sessions fall on a role's parties. */
export type Spread =
  | { readonly kind: 'even' }
  /** The n-th busiest party has 1/n^exponent of what the busiest has. */
  | { readonly kind: 'zipf'; readonly exponent: number }
  /** The busiest party's sessions a day; the others follow by the Zipf law that fits. */
  | { readonly kind: 'busiest'; readonly sessionsPerDay: number }
  /** Groups of equal parties, by their share of all sessions of the role. */
  | { readonly kind: 'groups'; readonly groups: readonly PartyGroup[] };

export interface PartyGroup {
  readonly parties: number;
  /** Of each of them: 0 to 1 of the role's sessions. */
  readonly share: number;
}

/** `app`: starts calls from the business's app and holds no number. */
export type Reach = 'number' | 'app';

export interface RoleDemand {
  readonly role: string;
  readonly parties: number;
  readonly spread: Spread;
  /** Participants of this role in a session, on average. Default 1. */
  readonly perSession?: number;
  /** Default: 24 h for the role `agent`, 30 days for every other. */
  readonly cooldownSeconds?: number;
  /** Default `number`. */
  readonly reach?: Reach;
}

/** What is asked of a plan, however the demand is described. */
export interface PlanSettings {
  /** Days for which the pool is to suffice. Default 30, at most 3,660. */
  readonly horizonDays?: number;
  /** Chance that within the horizon any session finds no number. Default 0.001. */
  readonly failureProbability?: number;
  /** A number's price a month, in whatever currency. */
  readonly pricePerNumber?: number;
}

export interface Demand extends PlanSettings {
  /** Average over the day. */
  readonly sessionsPerHour: number;
  /** 24 weights, one an hour of the day. Default: the same all day. */
  readonly dailyProfile?: readonly number[];
  readonly duration: Duration;
  readonly roles: readonly RoleDemand[];
  /** `empty`: nobody has had a number before. Default `running`: as if it had gone on like this for ever. */
  readonly start?: 'empty' | 'running';
}

export interface Plan {
  readonly basis: 'demand' | 'jobs';
  readonly horizonDays: number;
  readonly failureProbability: number;
  readonly roles: readonly RolePlan[];
  /** The role that needs most; undefined when nobody holds a number. */
  readonly decidedBy: string | undefined;
  /** Of the pool: with fewer it is as likely as not (`demand`), or certain (`jobs`), that a session finds no number. */
  readonly lowerBound: number;
  readonly recommended: number;
  /** Numbers that are shown for participants who are reached by app, and never allocated. */
  readonly displayNumbers: number;
  /** Of recommended and display numbers. */
  readonly monthlyCost: number | undefined;
  readonly alternatives: readonly Alternative[];
  readonly curve: Curve;
  /** Present when `basis` is `jobs`. */
  readonly jobs: JobsSummary | undefined;
  /** What to know before relying on it, in sentences. */
  readonly notes: readonly string[];
}

export interface RolePlan {
  readonly role: string;
  readonly reach: Reach;
  readonly parties: number;
  readonly cooldownSeconds: number;
  readonly busiestSessionsPerDay: number;
  /** Numbers that the busiest party holds at once: as likely less as more (`demand`), or what it was (`jobs`). */
  readonly lowerBound: number;
  readonly recommended: number;
}

export interface Alternative {
  readonly change: string;
  readonly lowerBound: number;
  readonly recommended: number;
  readonly monthlyCost: number | undefined;
}

/** What the plot shows. `lower` and `recommended` are counts of numbers for each x. */
export type Curve =
  | { readonly over: 'sessions-per-hour'; readonly points: readonly CurvePoint[] }
  /** x: days since the first job. `recommended` is the same everywhere. */
  | { readonly over: 'days'; readonly points: readonly CurvePoint[] };

export interface CurvePoint {
  readonly x: number;
  readonly lower: number;
  readonly recommended: number;
}

export interface JobsSummary {
  readonly sessions: number;
  readonly days: number;
  /** Factor by which each party's sessions are expected to grow. */
  readonly growth: number;
  /** Rows without a closing time: counted as running to the end of the file. */
  readonly stillOpen: number;
}

/** Something in the question is wrong. `pointer` (RFC 6901) says where in the demand, or names the setting. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly pointer: string;
  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

export function defaultCooldownSeconds(role: string): number {
  return role === 'agent' ? 86_400 : 2_592_000;
}
