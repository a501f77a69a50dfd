import { Type } from 'typebox';
import {
  id,
  nullable,
  oneOf,
  pageOf,
  patterned,
  poolName,
  shortReason,
  time,
  virtualNumberIn,
} from './common.ts';

const capability = oneOf(['voice', 'sms'], 'What the number can carry.');
const capabilities = Type.Array(capability, { minItems: 1, maxItems: 2, uniqueItems: true });

const use = oneOf(
  ['pool', 'reserved', 'display'],
  '`pool`: for any session. `reserved`: only for a participant who asks for it (a directory number). `display`: shown to participants who are reached by app.',
);
const area = patterned('^[0-9]{1,8}$', 'must be 1 to 8 digits', {
  description: 'Digits after the country code that participants nearby share, for `match`.',
  examples: ['21'],
});

export const newNumbersSchema = Type.Object(
  {
    numbers: Type.Array(virtualNumberIn, { minItems: 1, maxItems: 10_000 }),
    pool: Type.Optional(poolName),
    carrier: Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Id or name of the carrier that carries them.',
      examples: ['main trunk'],
    }),
    capabilities: Type.Optional(capabilities),
    area: Type.Optional(area),
  },
  {
    additionalProperties: false,
    title: 'NewNumbers',
    examples: [
      {
        numbers: ['+622150000001', '+622150000002'],
        pool: 'default',
        carrier: 'main trunk',
        capabilities: ['voice'],
      },
    ],
  },
);

export const virtualNumberSchema = Type.Object(
  {
    id: id('num', 'The virtual number.'),
    number: Type.String({ description: 'E.164.', examples: ['+622150000001'] }),
    pool: Type.String(),
    carrier: Type.String({ description: 'Id of its carrier.' }),
    country: Type.String({ description: 'ISO 3166.', examples: ['ID'] }),
    capabilities: Type.Array(Type.String()),
    enabled: Type.Boolean(),
    use,
    draining: Type.Boolean({ description: 'Takes no new sessions; live ones go on.' }),
    today: Type.Optional(
      Type.Integer({ description: 'Sessions taken today (UTC); counted where the pool has a `loadLimit`.' }),
    ),
    quarantinedUntil: Type.Optional(time('Takes no new sessions until then.')),
    area: Type.Optional(Type.String()),
    createdAt: time('When it was added.'),
  },
  { title: 'VirtualNumber' },
);

export const addedNumbersSchema = Type.Object(
  {
    numbers: Type.Array(virtualNumberSchema),
    added: Type.Integer({ description: 'How many are new.' }),
    unchanged: Type.Integer({ description: 'How many were there already, in the same pool and carrier.' }),
  },
  { title: 'AddedNumbers' },
);
export const numberPage = pageOf(virtualNumberSchema, 'VirtualNumberPage');

export const numberChangeSchema = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    pool: Type.Optional(poolName),
    capabilities: Type.Optional(capabilities),
    use: Type.Optional(use),
    draining: Type.Optional(Type.Boolean({ description: 'Takes no new sessions; live ones go on.' })),
    quarantinedUntil: Type.Optional(nullable(time('Takes no new sessions until then; null ends it.'))),
    area: Type.Optional(nullable(area)),
  },
  { additionalProperties: false, minProperties: 1, title: 'NumberChange', examples: [{ enabled: false }] },
);

export const deleteNumberQuery = Type.Object(
  {
    drain: Type.Optional(
      oneOf(
        ['true', 'false'],
        '`true`: while live sessions hold it, it takes no new one and goes by itself after the last.',
      ),
    ),
  },
  { additionalProperties: false },
);

export const replaceNumberSchema = Type.Object(
  {
    reason: shortReason,
    quarantineSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 315_360_000,
        description: 'How long it takes no new sessions.',
        examples: [604_800],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'ReplaceNumber',
    examples: [{ reason: 'marked as spam', quarantineSeconds: 604_800 }],
  },
);
export const replacedNumberSchema = Type.Object(
  {
    replaced: Type.Integer({ description: 'Live sessions that have another number now.' }),
    kept: Type.Integer({ description: 'Live sessions that keep it, as there is no other for them.' }),
  },
  { title: 'ReplacedNumber' },
);

const cooldown = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: { type: 'integer', minimum: 0, maximum: 315_360_000 },
  maxProperties: 50,
  description:
    'Seconds that a number stays away from a party after a session, by role; `*` is every other role. Empty: agents 86400, everyone else 2592000.',
  examples: [{ agent: 86_400, '*': 2_592_000 }],
});
const exhaustion = oneOf(
  ['refuse', 'reuse-oldest', 'disambiguate', 'pin'],
  'What happens when only cooling numbers are left: refuse the session; reuse the one that has cooled longest; let a number carry several live sessions of a person, who then picks one by a spoken menu (`disambiguate`) or by a code (`pin`).',
);
const match = oneOf(
  ['any', 'prefer-country', 'country', 'prefer-area', 'area'],
  'How near a number must be to a participant; `prefer-…` falls back to any.',
);
const spread = Type.Boolean({
  description: 'People start at different places of the pool, so that no number carries most of the calls.',
});
const loadLimit = Type.Integer({
  minimum: 1,
  maximum: 1_000_000,
  description: 'Sessions that a number takes a day (UTC) before others are tried.',
  examples: [200],
});

export const poolSchema = Type.Object(
  {
    name: Type.String(),
    numbers: Type.Integer({ description: 'Numbers in it.' }),
    enabled: Type.Integer({ description: 'Those of them that are enabled.' }),
    cooldown,
    exhaustion,
    match,
    spread,
    loadLimit: Type.Optional(loadLimit),
  },
  { title: 'Pool' },
);
export const poolList = Type.Object({ items: Type.Array(poolSchema) }, { title: 'PoolList' });
export const poolParams = Type.Object({
  name: Type.String({ description: 'The pool.', examples: ['default'] }),
});

export const poolChangeSchema = Type.Object(
  {
    cooldown: Type.Optional(cooldown),
    exhaustion: Type.Optional(exhaustion),
    match: Type.Optional(match),
    spread: Type.Optional(spread),
    loadLimit: Type.Optional(nullable(loadLimit)),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'PoolChange',
    examples: [{ cooldown: { agent: 43_200 } }],
  },
);

export const poolForecastSchema = Type.Object(
  {
    pool: Type.String(),
    numbers: Type.Integer({ description: 'Numbers that sessions can get.' }),
    needed: Type.Integer({
      description: 'Live and cooling numbers of the busiest person: what it needs now.',
    }),
    headroom: Type.Integer(),
    trendPerDay: Type.Number({
      description: 'Change of `needed` a day, over the samples of the last two weeks.',
    }),
    shortAt: Type.Optional(
      time('When `needed` reaches `numbers` if it goes on so; absent when it does not within a year.'),
    ),
    status: oneOf(['enough', 'low', 'short'], 'In a word.'),
    days: Type.Array(
      Type.Object({
        day: Type.String({ description: 'UTC.', examples: ['2026-01-31'] }),
        needed: Type.Integer({ description: 'The most that was needed on this day.' }),
        numbers: Type.Integer(),
      }),
      { description: 'Use over time: the last 60 days, oldest first.' },
    ),
  },
  { title: 'PoolForecast' },
);
