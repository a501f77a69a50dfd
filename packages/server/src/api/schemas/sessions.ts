import { Type } from 'typebox';
import { id, metadata, oneOf, pageOf, pageQuery, patterned, phoneIn, poolName, time } from './common.ts';

/** One year: longer links between two people are no job. */
const maxSeconds = 31_536_000;

const role = patterned(
  '^[a-z][a-z0-9_-]{0,31}$',
  'must be a lower-case word of 1 to 32 letters, digits, hyphens or underscores that begins with a letter',
  { description: '`agent`, `customer`, or any word.', examples: ['agent'] },
);
const reference = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Your own id of the job. Put no personal data here: it is not encrypted.',
  examples: ['order-1009'],
});
const recording = oneOf(
  ['off', 'announce', 'consent'],
  'Whether calls are recorded, after both have heard an announcement (`announce`) or agreed (`consent`).',
);
const ttlSeconds = Type.Integer({
  minimum: 1,
  maximum: maxSeconds,
  description:
    'Seconds from now until the session expires; not together with `expiresAt`. Default: 24 hours.',
  examples: [7200],
});
const idleSeconds = Type.Integer({
  minimum: 10,
  maximum: maxSeconds,
  description: 'The session expires when nothing was carried for this long.',
  examples: [3600],
});
const locale = patterned(
  '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$',
  'must be a language tag such as en or id-ID',
  { description: 'Language of prompts, BCP 47.', examples: ['id'] },
);
const expiresAt = time('When the session expires; at most 365 days from now.');

const newParticipant = Type.Object(
  {
    role,
    phone: Type.Optional(phoneIn),
    phones: Type.Optional(
      Type.Array(phoneIn, {
        minItems: 1,
        maxItems: 5,
        description: 'Several, instead of `phone`; rung in this order.',
      }),
    ),
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Encrypted; never shown.' }),
    ),
    locale: Type.Optional(locale),
  },
  {
    additionalProperties: false,
    title: 'NewParticipant',
    description: 'With exactly one of `phone` and `phones`.',
  },
);

export const newSessionSchema = Type.Object(
  {
    reference: Type.Optional(reference),
    pool: Type.Optional(poolName),
    participants: Type.Array(newParticipant, { minItems: 2, maxItems: 10 }),
    ttlSeconds: Type.Optional(ttlSeconds),
    expiresAt: Type.Optional(expiresAt),
    idleSeconds: Type.Optional(idleSeconds),
    recording: Type.Optional(recording),
    sharedNumber: Type.Optional(
      Type.Boolean({ description: 'Whether all participants dial and see the same virtual number.' }),
    ),
    metadata: Type.Optional(metadata),
  },
  {
    additionalProperties: false,
    title: 'NewSession',
    examples: [
      {
        reference: 'order-1009',
        participants: [
          { role: 'agent', phone: '+6281100000001', locale: 'id' },
          { role: 'customer', phone: '+6281200000002', locale: 'id' },
        ],
        ttlSeconds: 7200,
        recording: 'announce',
      },
    ],
  },
);

const participantSchema = Type.Object(
  {
    id: id('par', 'The participant.'),
    role: Type.String(),
    dial: Type.String({
      description:
        'Their virtual number: what this participant dials to reach the others, and what they see.',
      examples: ['+622150000001'],
    }),
    phone: Type.String({ description: 'Their first real number, masked.', examples: ['+62•••••••0001'] }),
    phones: Type.Array(Type.String(), { description: 'All of them, masked.' }),
    locale: Type.Optional(Type.String()),
    transparencyUrl: Type.Optional(
      Type.String({
        description: 'Link for this participant alone. Only in the answer that made the session.',
        examples: ['https://masking.example/t/2Yx0…'],
      }),
    ),
  },
  { title: 'Participant' },
);

export const sessionSchema = Type.Object(
  {
    id: id('ses', 'The session.'),
    reference: Type.Optional(Type.String()),
    pool: Type.String(),
    status: oneOf(['open', 'closed', 'expired'], 'Calls are connected only while it is `open`.'),
    recording,
    sharedNumber: Type.Boolean(),
    createdAt: time('When it was opened.'),
    expiresAt: time('When it expires.'),
    idleSeconds: Type.Optional(Type.Integer()),
    closedAt: Type.Optional(time('When it was closed.')),
    closeReason: Type.Optional(Type.String()),
    metadata,
    participants: Type.Array(participantSchema),
  },
  { title: 'Session' },
);
export const sessionPage = pageOf(sessionSchema, 'SessionPage');

const filter = {
  reference: Type.Optional(reference),
  status: Type.Optional(oneOf(['open', 'closed', 'expired'], 'Only these.')),
  number: Type.Optional(
    Type.String({ minLength: 1, maxLength: 40, description: 'A virtual number of ours that they use.' }),
  ),
  createdAfter: Type.Optional(time('Opened at or after.')),
  createdBefore: Type.Optional(time('Opened before.')),
};
export const sessionQuery = Type.Object({ ...filter, ...pageQuery }, { additionalProperties: false });
export const sessionSearchSchema = Type.Object(
  { phone: Type.Optional(phoneIn), ...filter, ...pageQuery },
  {
    additionalProperties: false,
    title: 'SessionSearch',
    description: 'As the list, and by a participant’s real number, which must not stand in a URL.',
    examples: [{ phone: '+6281100000001', status: 'open' }],
  },
);

export const sessionChangeSchema = Type.Object(
  {
    reference: Type.Optional(reference),
    ttlSeconds: Type.Optional(ttlSeconds),
    expiresAt: Type.Optional(expiresAt),
    idleSeconds: Type.Optional(Type.Union([idleSeconds, Type.Null()])),
    recording: Type.Optional(recording),
    metadata: Type.Optional(metadata),
  },
  { additionalProperties: false, minProperties: 1, title: 'SessionChange', examples: [{ ttlSeconds: 3600 }] },
);

export const closeSchema = Type.Object(
  {
    reason: patterned(
      '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$',
      'must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores that begin with a letter or digit',
      { description: '`resolved`, `cancelled`, or words of your own.', examples: ['resolved'] },
    ),
    ongoingCalls: Type.Optional(
      oneOf(['finish', 'hangup'], 'What becomes of calls that are running; `finish` when absent.'),
    ),
  },
  {
    additionalProperties: false,
    title: 'CloseSession',
    examples: [{ reason: 'resolved', ongoingCalls: 'finish' }],
  },
);

export const participantParams = Type.Object({
  id: id('ses', "The session's id."),
  participant: id('par', "The participant's id."),
});
export const revealSchema = Type.Object(
  {
    reason: Type.String({
      minLength: 3,
      maxLength: 500,
      description: 'Why the number is needed. Written to the ledger, where the person concerned may read it.',
      examples: ['ticket 4411: lost phone in the car'],
    }),
  },
  { additionalProperties: false, title: 'RevealRequest', examples: [{ reason: 'ticket 4411: lost item' }] },
);
export const revealedSchema = Type.Object(
  {
    participant: id('par', 'The participant.'),
    phones: Type.Array(Type.String(), { description: 'Real numbers, E.164.' }),
  },
  { title: 'RevealedPhones' },
);
