import { Type } from 'typebox';
import { id, oneOf, pageOf, poolName, time, virtualNumberIn } from './common.ts';

const capability = oneOf(['voice', 'sms'], 'What the number can carry.');
const capabilities = Type.Array(capability, { minItems: 1, maxItems: 2, uniqueItems: true });

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
  },
  { additionalProperties: false, minProperties: 1, title: 'NumberChange', examples: [{ enabled: false }] },
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
  ['refuse', 'reuse-oldest'],
  'What happens when only cooling numbers are left: refuse the session, or reuse the one that has cooled longest.',
);

export const poolSchema = Type.Object(
  {
    name: Type.String(),
    numbers: Type.Integer({ description: 'Numbers in it.' }),
    enabled: Type.Integer({ description: 'Those of them that are enabled.' }),
    cooldown,
    exhaustion,
  },
  { title: 'Pool' },
);
export const poolList = Type.Object({ items: Type.Array(poolSchema) }, { title: 'PoolList' });
export const poolParams = Type.Object({
  name: Type.String({ description: 'The pool.', examples: ['default'] }),
});

export const poolChangeSchema = Type.Object(
  { cooldown: Type.Optional(cooldown), exhaustion: Type.Optional(exhaustion) },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'PoolChange',
    examples: [{ cooldown: { agent: 43_200 } }],
  },
);
