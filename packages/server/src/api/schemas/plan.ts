import { Type } from 'typebox';
import { oneOf, patterned } from './common.ts';

const decimal = (description: string, example: string) =>
  patterned('^[0-9]{1,10}([.][0-9]{1,12})?$', 'must be a decimal number of 0 or more', {
    description,
    examples: [example],
  });
const reach = oneOf(['number', 'app'], '`app`: calls from your app and holds no number.');
const role = patterned(
  '^[a-z][a-z0-9_-]{0,31}$',
  'must be a lower-case word of 1 to 32 letters, digits, hyphens or underscores that begins with a letter',
  { description: '`agent`, `customer`, or any word.', examples: ['agent'] },
);

const settingsQuery = {
  horizonDays: Type.Optional(decimal('Days for which the pool is to suffice; 30 when absent.', '30')),
  failureProbability: Type.Optional(
    decimal('Chance that within the horizon any session finds no number; 0.001 when absent.', '0.001'),
  ),
  pricePerNumber: Type.Optional(decimal('What a number costs a month.', '1.20')),
};

export const planQuery = Type.Object(
  {
    sessionsPerHour: decimal('Sessions opened, on average over the day.', '500'),
    durationSeconds: decimal('How long a session lives on average.', '2400'),
    durationLongSeconds: Type.Optional(
      decimal('95 of 100 sessions are shorter (lognormal); exponential when absent.', '5400'),
    ),
    agents: Type.Integer({ minimum: 1, maximum: 100_000_000, description: 'Parties.', examples: [600] }),
    customers: Type.Integer({
      minimum: 1,
      maximum: 100_000_000,
      description: 'Parties.',
      examples: [40_000],
    }),
    busiestAgentPerDay: Type.Optional(
      decimal('Sessions a day of the busiest agent; all do the same when absent.', '30'),
    ),
    busiestCustomerPerDay: Type.Optional(decimal('Sessions a day of the busiest customer.', '2')),
    agentCooldownSeconds: Type.Optional(decimal('86400 when absent.', '86400')),
    customerCooldownSeconds: Type.Optional(decimal('2592000 when absent.', '2592000')),
    agentReach: Type.Optional(reach),
    customerReach: Type.Optional(reach),
    ...settingsQuery,
  },
  { additionalProperties: false },
);

export const jobsQuery = Type.Object(
  {
    growth: Type.Optional(decimal('For a CSV: each party will do so many times as much.', '1.3')),
    roles: Type.Optional(
      Type.String({
        maxLength: 400,
        description:
          'For a CSV: columns that are roles, with commas; every column but the times when absent.',
        examples: ['agent,customer'],
      }),
    ),
    app: Type.Optional(
      Type.String({
        maxLength: 400,
        description: 'For a CSV: roles on app, with commas.',
        examples: ['agent'],
      }),
    ),
    cooldowns: Type.Optional(
      Type.String({
        maxLength: 400,
        description: 'For a CSV: seconds by role, with commas; `*` is every other role.',
        examples: ['agent=86400,*=2592000'],
      }),
    ),
    skipBadRows: Type.Optional(oneOf(['true', 'false'], 'For a CSV: leave out rows that cannot be read.')),
    ...settingsQuery,
  },
  { additionalProperties: false },
);

const duration = Type.Object(
  {
    meanSeconds: Type.Number({ minimum: 0, maximum: 316_224_000, examples: [2_400] }),
    longSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 316_224_000,
        description: '95 of 100 sessions are shorter (lognormal).',
        examples: [5_400],
      }),
    ),
    distribution: Type.Optional(
      oneOf(
        ['exponential', 'lognormal', 'fixed'],
        'When absent: lognormal where longSeconds is given, else exponential.',
      ),
    ),
  },
  { additionalProperties: false },
);

const roleDemand = Type.Object(
  {
    role,
    parties: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    busiestPerDay: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'Sessions a day of the busiest party; the others follow by Zipf’s law.',
      }),
    ),
    zipf: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 10,
        description: 'The n-th busiest party has 1/n^zipf of what the busiest has. 0: all the same.',
      }),
    ),
    perSession: Type.Optional(
      Type.Number({
        minimum: 0.001,
        maximum: 10,
        description: 'Participants of this role in a session; 1.',
      }),
    ),
    cooldownSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 315_360_000,
        description: 'When absent: 86400 for agents, 2592000 for everyone else.',
      }),
    ),
    reach: Type.Optional(reach),
  },
  { additionalProperties: false },
);

export const demandSchema = Type.Object(
  {
    sessionsPerHour: Type.Number({ minimum: 1e-6, maximum: 10_000_000 }),
    dailyProfile: Type.Optional(
      Type.Array(Type.Number({ minimum: 0, maximum: 1e9 }), {
        minItems: 24,
        maxItems: 24,
        description: 'Weights of the hours of a day.',
      }),
    ),
    duration,
    roles: Type.Array(roleDemand, { minItems: 1, maxItems: 10 }),
    start: Type.Optional(
      oneOf(['running', 'empty'], '`empty`: nobody has had a number before. When absent: `running`.'),
    ),
    horizonDays: Type.Optional(Type.Number({ minimum: 0.01, maximum: 3_660 })),
    failureProbability: Type.Optional(Type.Number({ minimum: 1e-12, maximum: 0.5 })),
    pricePerNumber: Type.Optional(Type.Number({ minimum: 0, maximum: 1e9 })),
  },
  {
    additionalProperties: false,
    title: 'Demand',
    examples: [
      {
        sessionsPerHour: 500,
        duration: { meanSeconds: 2_400, longSeconds: 5_400 },
        roles: [
          { role: 'agent', parties: 600, busiestPerDay: 30 },
          { role: 'customer', parties: 40_000 },
        ],
        pricePerNumber: 1.2,
      },
    ],
  },
);

/** The body of `POST /v1/plan`, by its content type. */
export const demandOrJobs = {
  content: {
    'application/json': { schema: demandSchema },
    'text/csv': {
      schema: {
        type: 'string',
        description:
          'Past jobs: columns `opened_at`, `closed_at` (empty: still open) and one for each role, with ids of any kind. At most 8 MB. No id is kept or repeated.',
        examples: [
          'opened_at,closed_at,agent,customer\n2026-01-31T09:30:00Z,2026-01-31T10:05:00Z,a17,c2001\n',
        ],
      },
    },
  },
};

const numbers = (description: string) => Type.Integer({ description });
const cost = Type.Optional(Type.Number({ description: 'A month; where a price was given.' }));

export const planSchema = Type.Object(
  {
    basis: oneOf(['demand', 'jobs'], 'What was asked about.'),
    horizonDays: Type.Number(),
    failureProbability: Type.Number(),
    roles: Type.Array(
      Type.Object({
        role: Type.String(),
        reach,
        parties: Type.Integer(),
        cooldownSeconds: Type.Number(),
        busiestSessionsPerDay: Type.Number(),
        lowerBound: numbers('Numbers that the busiest party holds at once, live and cooling.'),
        recommended: numbers('So many keep to the chosen chance of a failure.'),
      }),
    ),
    decidedBy: Type.Optional(Type.String({ description: 'The role that needs most.' })),
    lowerBound: numbers(
      'Of the pool. From rates: an even chance of a failure; from jobs: what they needed exactly.',
    ),
    recommended: numbers('How many numbers the pool should have.'),
    displayNumbers: numbers('Numbers to show for participants on app, beside the pool.'),
    monthlyCost: cost,
    alternatives: Type.Array(
      Type.Object({
        change: Type.String(),
        lowerBound: Type.Integer(),
        recommended: Type.Integer(),
        monthlyCost: cost,
      }),
    ),
    curve: Type.Object({
      over: oneOf(['sessions-per-hour', 'days'], 'What x is.'),
      points: Type.Array(
        Type.Object({ x: Type.Number(), lower: Type.Integer(), recommended: Type.Integer() }),
      ),
    }),
    jobs: Type.Optional(
      Type.Object({
        sessions: Type.Integer(),
        days: Type.Number(),
        growth: Type.Number(),
        stillOpen: Type.Integer(),
      }),
    ),
    notes: Type.Array(Type.String()),
  },
  { title: 'Plan' },
);
