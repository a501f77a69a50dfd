import { Type } from 'typebox';
import {
  id,
  metadata,
  nullable,
  oneOf,
  pageOf,
  pageQuery,
  participantOrRole,
  patterned,
  phoneIn,
  poolName,
  problemSchema,
  shortReason,
  time,
} from './common.ts';
import { newParticipant, participantSchema, participantsChange } from './participants.ts';
import { sessionProgram, spoken } from './programs.ts';
import { afterClose, limits, ongoingCalls, schedule, survey } from './terms.ts';

/** One year: longer links between two people are no job. */
const maxSeconds = 31_536_000;

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
const expiresAt = time('When the session expires; at most 365 days from now.');
const opensAt = time('Nothing connects before.');
const whisper = Type.Union([Type.Literal(true), spoken], { title: 'Whisper' });
const accept = Type.Boolean({
  description: 'Callees press 1 before anything is joined, so that no voicemail or forwarding takes a call.',
});

export const newSessionSchema = Type.Object(
  {
    reference: Type.Optional(reference),
    pool: Type.Optional(poolName),
    participants: Type.Array(newParticipant, { minItems: 2, maxItems: 10 }),
    opensAt: Type.Optional(opensAt),
    ttlSeconds: Type.Optional(ttlSeconds),
    expiresAt: Type.Optional(expiresAt),
    idleSeconds: Type.Optional(idleSeconds),
    recording: Type.Optional(recording),
    sharedNumber: Type.Optional(
      Type.Boolean({ description: 'Whether all participants dial and see the same virtual number.' }),
    ),
    sticky: Type.Optional(
      Type.Boolean({
        description: 'The same people get the numbers that they had together before, if free.',
      }),
    ),
    pin: Type.Optional(
      Type.Boolean({
        description:
          'Every participant gets a code as well, for calls whose number is withheld, unknown or not trusted.',
      }),
    ),
    program: Type.Optional(sessionProgram),
    schedule: Type.Optional(schedule),
    limits: Type.Optional(limits),
    ongoingCalls: Type.Optional(ongoingCalls),
    afterClose: Type.Optional(afterClose),
    whisper: Type.Optional(whisper),
    accept: Type.Optional(accept),
    survey: Type.Optional(survey),
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

const status = oneOf(
  ['scheduled', 'open', 'closed', 'expired'],
  'Calls are connected only while it is `open`; `scheduled` is open, but not before `opensAt`.',
);

export const sessionSchema = Type.Object(
  {
    id: id('ses', 'The session.'),
    reference: Type.Optional(Type.String()),
    pool: Type.String(),
    status,
    recording,
    sharedNumber: Type.Boolean(),
    createdAt: time('When it was opened.'),
    opensAt: Type.Optional(opensAt),
    expiresAt: time('When it expires.'),
    idleSeconds: Type.Optional(Type.Integer()),
    closedAt: Type.Optional(time('When it was closed.')),
    closeReason: Type.Optional(Type.String()),
    afterCloseUntil: Type.Optional(time('Until when `afterClose` still connects; absent when it does not.')),
    program: Type.Optional(sessionProgram),
    schedule: Type.Optional(schedule),
    limits: Type.Optional(limits),
    ongoingCalls,
    afterClose: Type.Optional(afterClose),
    whisper: Type.Optional(Type.Unsafe<unknown>({ title: 'Whisper' })),
    accept: Type.Optional(accept),
    survey: Type.Optional(
      Type.Object(
        {
          of: Type.String({ description: 'A participant’s id, or a role.' }),
          prompt: Type.Optional(Type.Unsafe<unknown>({ title: 'Spoken' })),
          keys: Type.Optional(Type.String()),
        },
        { title: 'SessionSurvey' },
      ),
    ),
    parent: Type.Optional(
      Type.String({ description: 'The session with an open side from which this one came.' }),
    ),
    metadata,
    participants: Type.Array(participantSchema, {
      description: 'Those who left stand last, with `leftAt`.',
    }),
  },
  { title: 'Session' },
);
export const sessionPage = pageOf(sessionSchema, 'SessionPage');

const filter = {
  reference: Type.Optional(reference),
  status: Type.Optional(status),
  number: Type.Optional(
    Type.String({ minLength: 1, maxLength: 40, description: 'A virtual number of ours that they use.' }),
  ),
  parent: Type.Optional(id('ses', 'Only those that came from this session with an open side.')),
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
    reference: Type.Optional(nullable(reference)),
    opensAt: Type.Optional(nullable(opensAt)),
    ttlSeconds: Type.Optional(ttlSeconds),
    expiresAt: Type.Optional(expiresAt),
    idleSeconds: Type.Optional(nullable(idleSeconds)),
    recording: Type.Optional(recording),
    program: Type.Optional(sessionProgram),
    schedule: Type.Optional(nullable(schedule)),
    limits: Type.Optional(nullable(limits)),
    ongoingCalls: Type.Optional(ongoingCalls),
    afterClose: Type.Optional(nullable(afterClose)),
    whisper: Type.Optional(nullable(whisper)),
    accept: Type.Optional(nullable(accept)),
    survey: Type.Optional(nullable(survey)),
    metadata: Type.Optional(metadata),
    participants: Type.Optional(participantsChange),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'SessionChange',
    description: 'Null takes a term away; what a session always has can only be changed.',
    examples: [{ ttlSeconds: 3600 }],
  },
);

export const closeSchema = Type.Object(
  {
    reason: shortReason,
    ongoingCalls: Type.Optional(ongoingCalls),
    afterClose: Type.Optional(Type.Boolean({ description: 'False: nothing of the session’s `afterClose`.' })),
  },
  {
    additionalProperties: false,
    title: 'CloseSession',
    description: '`ongoingCalls` when absent: what the session declared, else `finish`.',
    examples: [{ reason: 'resolved', ongoingCalls: 'finish' }],
  },
);

export const reopenSchema = Type.Object(
  { ttlSeconds: Type.Optional(ttlSeconds), expiresAt: Type.Optional(expiresAt) },
  { additionalProperties: false, title: 'ReopenSession', examples: [{ ttlSeconds: 3600 }] },
);

export const clickToCallSchema = Type.Object(
  { from: participantOrRole, to: Type.Optional(participantOrRole) },
  {
    additionalProperties: false,
    title: 'ClickToCall',
    description: '`from` is rung first. Without `to` the session’s program says who is rung then.',
    examples: [{ from: 'agent', to: 'customer' }],
  },
);

const sessionId = patterned('^ses_[0-9a-f]{32}$', 'must be the id of a session', {
  description: 'The session.',
  examples: ['ses_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
const strict = { additionalProperties: false } as const;
/** One item of a bulk, by its action. Each is checked on its own: what is wrong with one keeps no other from happening. */
export const bulkItemSchemas = {
  open: Type.Object({ action: Type.Literal('open'), session: newSessionSchema }, strict),
  change: Type.Object({ action: Type.Literal('change'), id: sessionId, change: sessionChangeSchema }, strict),
  close: Type.Object({ action: Type.Literal('close'), id: sessionId, close: closeSchema }, strict),
};
export const maxBulkItems = 500;
/** The items' own schemas stand in the document only (`bulkItemSchemas`). */
export const bulkSchema = Type.Object(
  { items: Type.Array(Type.Unsafe<unknown>({ title: 'BulkItem' }), { minItems: 1, maxItems: maxBulkItems }) },
  {
    additionalProperties: false,
    title: 'BulkSessions',
    examples: [
      {
        items: [
          {
            action: 'close',
            id: 'ses_019b3c5e7a1048f2c6d0a4b8e1f35927',
            close: { reason: 'resolved' },
          },
        ],
      },
    ],
  },
);
export const bulkResultSchema = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          status: Type.Integer({ description: 'As if the item had been a request of its own.' }),
          session: Type.Optional(sessionSchema),
          problem: Type.Optional(problemSchema),
        },
        { title: 'BulkResult', description: '`session` when it was done, else `problem`.' },
      ),
      { description: 'One an item, in order.' },
    ),
  },
  { title: 'BulkResults' },
);
