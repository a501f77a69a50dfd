import type { FastifyPluginAsync } from 'fastify';
import {
  createPlanner,
  type Duration,
  type JobProblem,
  type Plan,
  PlannerBusy,
  type Spread,
} from '../../plan/index.ts';
import type { PlanTask } from '../../plan/task.ts';
import { invalid, invalidParameter } from '../input.ts';
import { Problem, type ProblemPlace } from '../problem.ts';
import { type Api, present, words } from '../route.ts';
import type { Json } from '../schemas/common.ts';
import { demandOrJobs, type demandSchema, jobsQuery, planQuery, planSchema } from '../schemas/plan.ts';

/** A hundred thousand jobs; larger files are for `samar plan`. */
const mostBytes = 8 * 1_048_576;

type Planned = (task: PlanTask, parameterOf?: (pointer: string) => string) => Promise<RenderedPlan>;
type RenderedPlan = ReturnType<typeof renderPlan>;

export function planRoutes(app: Api): void {
  const planner = createPlanner();
  const planned: Planned = async (task, parameterOf) => {
    const answer = await planner.answer(task).catch((error: unknown) => {
      if (!(error instanceof PlannerBusy)) throw error;
      throw new Problem('unavailable', error.message, { retryAfterSeconds: 5 });
    });
    switch (answer.kind) {
      case 'plan':
        return renderPlan(answer.plan);
      case 'refused':
        throw refused(answer.problems, answer.more);
      case 'wrong': {
        const detail = answer.message.replace(/\.$/, '');
        if (parameterOf !== undefined) throw invalidParameter(parameterOf(answer.pointer), detail);
        throw invalid([{ pointer: renamed(answer.pointer), detail }]);
      }
    }
  };

  app.get(
    '/v1/plan',
    {
      config: { scope: 'numbers:read', problems: ['invalid'] },
      schema: {
        ...words('Numbers', 'planNumbers', 'How many numbers agents and customers need', explanation),
        querystring: planQuery,
        response: { 200: planSchema },
      },
    },
    async (request) => planned({ kind: 'demand', demand: demandOfQuery(request.query) }, parameterOfQuery),
  );

  // In a scope of its own: only here a body may be a CSV.
  const withCsv: FastifyPluginAsync = async (scope) => {
    scope.addContentTypeParser(
      'text/csv',
      { parseAs: 'string', bodyLimit: mostBytes },
      (_request, csv, done) => done(null, csv),
    );
    postRoute(scope as unknown as Api, planned);
  };
  void app.register(withCsv);
}

function postRoute(app: Api, planned: Planned): void {
  app.post(
    '/v1/plan',
    {
      config: { scope: 'numbers:read', idempotency: 'repeat', problems: ['invalid'] },
      schema: {
        ...words('Numbers', 'planDemand', 'How many numbers a demand or past jobs need', explanation),
        querystring: jobsQuery,
        body: demandOrJobs,
        response: { 200: planSchema },
      },
      errorHandler: (error, request) => {
        const tooLarge = (error as { code?: unknown }).code === 'FST_ERR_CTP_BODY_TOO_LARGE';
        if (!tooLarge || !request.headers['content-type']?.startsWith('text/csv')) throw error;
        throw new Problem('too-large', 'The CSV is larger than 8 MB: use `samar plan` for such files.');
      },
    },
    async (request) => {
      const body = request.body as unknown;
      const query = request.query as Json<typeof jobsQuery>;
      if (typeof body === 'string') return planned(jobsTask(body, query), parameterOfJobs);
      const [parameter] = Object.keys(query);
      if (parameter !== undefined) {
        throw invalidParameter(parameter, 'is for a CSV; a demand says it in its JSON');
      }
      if (body === undefined) throw invalid([{ pointer: '', detail: 'is missing' }]);
      return planned({ kind: 'demand', demand: demandOfBody(body as Json<typeof demandSchema>) });
    },
  );
}

const explanation =
  'A pool is as large as the busiest party needs at once: numbers of live sessions and of those that cool. Nothing is changed or kept.';

function demandOfQuery(query: Json<typeof planQuery>) {
  const meanSeconds = Number(query.durationSeconds);
  const role = (name: 'agent' | 'customer', parties: number, busiest: string | undefined) => ({
    ...{ role: name, parties, spread: spreadOf(numeric(busiest), undefined) },
    ...present({ reach: query[`${name}Reach`], cooldownSeconds: numeric(query[`${name}CooldownSeconds`]) }),
  });
  return {
    ...settingsOf(query),
    sessionsPerHour: Number(query.sessionsPerHour),
    duration: durationOf(meanSeconds, numeric(query.durationLongSeconds), undefined),
    roles: [
      role('agent', query.agents, query.busiestAgentPerDay),
      role('customer', query.customers, query.busiestCustomerPerDay),
    ],
  };
}

function demandOfBody(body: Json<typeof demandSchema>) {
  const { duration, roles, sessionsPerHour, ...settings } = body;
  return {
    ...present(settings),
    sessionsPerHour,
    duration: durationOf(duration.meanSeconds, duration.longSeconds, duration.distribution),
    roles: roles.map(({ role, parties, busiestPerDay, zipf, ...rest }, index) => {
      if (busiestPerDay !== undefined && zipf !== undefined) {
        throw invalid([{ pointer: `/roles/${index}/zipf`, detail: 'contradicts busiestPerDay' }]);
      }
      return { role, parties, spread: spreadOf(busiestPerDay, zipf), ...present(rest) };
    }),
  };
}

function jobsTask(csv: string, query: Json<typeof jobsQuery>): PlanTask {
  const list = (text: string | undefined) => text?.split(',').map((one) => one.trim());
  return {
    ...{ kind: 'jobs', csv, skipBadRows: query.skipBadRows === 'true' },
    ...present({ roles: list(query.roles) }),
    settings: {
      ...settingsOf(query),
      ...present({
        growth: numeric(query.growth),
        app: list(query.app),
        cooldownSeconds: cooldownsOf(query),
      }),
    },
  };
}

function cooldownsOf({ cooldowns }: Json<typeof jobsQuery>): Readonly<Record<string, number>> | undefined {
  if (cooldowns === undefined) return undefined;
  const pairs = cooldowns.split(',').map((one) => /^\s*([a-z][a-z0-9_-]{0,31}|\*)=(\d{1,10})\s*$/.exec(one));
  if (pairs.some((pair) => pair === null)) {
    throw invalidParameter(
      'cooldowns',
      'must be written role=seconds, with commas, such as agent=86400,*=2592000',
    );
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', Number(pair?.[2])]));
}

function settingsOf(query: {
  readonly horizonDays?: string;
  readonly failureProbability?: string;
  readonly pricePerNumber?: string;
}) {
  return present({
    horizonDays: numeric(query.horizonDays),
    failureProbability: numeric(query.failureProbability),
    pricePerNumber: numeric(query.pricePerNumber),
  });
}

function numeric(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function spreadOf(busiestPerDay: number | undefined, zipf: number | undefined): Spread {
  if (busiestPerDay !== undefined) return { kind: 'busiest', sessionsPerDay: busiestPerDay };
  return zipf === undefined ? { kind: 'even' } : { kind: 'zipf', exponent: zipf };
}

function durationOf(
  meanSeconds: number,
  p95Seconds: number | undefined,
  distribution: 'exponential' | 'lognormal' | 'fixed' | undefined,
): Duration {
  const kind = distribution ?? (p95Seconds === undefined ? 'exponential' : 'lognormal');
  if (kind !== 'lognormal') {
    if (p95Seconds === undefined) return { kind, meanSeconds };
    throw invalid([{ pointer: '/duration/longSeconds', detail: 'is for a lognormal distribution' }]);
  }
  if (p95Seconds === undefined) throw invalid([{ pointer: '/duration/longSeconds', detail: 'is missing' }]);
  return { kind, meanSeconds, p95Seconds };
}

/** The planner's places, in the words of the body. */
function renamed(pointer: string): string {
  return pointer
    .replace('/p95Seconds', '/longSeconds')
    .replace('/spread/sessionsPerDay', '/busiestPerDay')
    .replace('/spread/exponent', '/zipf')
    .replace(/\/spread$/, '');
}

const parameters: Readonly<Record<string, string>> = {
  '/duration/meanSeconds': 'durationSeconds',
  '/duration/p95Seconds': 'durationLongSeconds',
  '/roles/0/spread/sessionsPerDay': 'busiestAgentPerDay',
  '/roles/1/spread/sessionsPerDay': 'busiestCustomerPerDay',
  '/roles/0/cooldownSeconds': 'agentCooldownSeconds',
  '/roles/1/cooldownSeconds': 'customerCooldownSeconds',
};
function parameterOfQuery(pointer: string): string {
  return parameters[pointer] ?? pointer.slice(1);
}
function parameterOfJobs(pointer: string): string {
  return pointer === '/cooldownSeconds' ? 'cooldowns' : pointer.slice(1);
}

function refused(problems: readonly JobProblem[], more: number): Problem {
  const errors: ProblemPlace[] = problems.map(({ line, message }) => ({
    pointer: '',
    detail: `line ${line}: ${message.replace(/\.$/, '')}`,
  }));
  const first = errors[0]?.detail ?? 'it could not be read';
  const others = problems.length - 1 + more;
  return new Problem('invalid', `The CSV, ${first}${others > 0 ? ` (and ${others} more)` : ''}.`, { errors });
}

function renderPlan({ roles, alternatives, curve, jobs, notes, decidedBy, monthlyCost, ...plan }: Plan) {
  return {
    ...plan,
    ...present({ decidedBy, monthlyCost, jobs }),
    roles: roles.map((one) => ({ ...one })),
    alternatives: alternatives.map(({ monthlyCost: cost, ...one }) => ({
      ...one,
      ...present({ monthlyCost: cost }),
    })),
    curve: { over: curve.over, points: curve.points.map((point) => ({ ...point })) },
    notes: [...notes],
  };
}
