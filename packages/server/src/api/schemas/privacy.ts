import { Type } from 'typebox';
import { id, oneOf, pageOf, pageQuery, patterned, phoneIn, time } from './common.ts';

const reason = (description: string) =>
  Type.String({ minLength: 3, maxLength: 500, description, examples: ['letter of 3 March'] });

export const subjectSchema = Type.Object(
  {
    phone: Type.Optional(phoneIn),
    participant: Type.Optional(
      patterned('^par_[0-9a-f]{32}$', 'must be the id of a participant', {
        description: 'Whoever was this participant of a session, with all of their phones.',
        examples: ['par_019b3c5e7a1048f2c6d0a4b8e1f35927'],
      }),
    ),
    reason: reason('Why it is done. Kept encrypted.'),
  },
  {
    additionalProperties: false,
    title: 'PrivacySubject',
    description: 'A person: exactly one of `phone` and `participant`.',
    examples: [{ participant: 'par_019b3c5e7a1048f2c6d0a4b8e1f35927', reason: 'letter of 3 March' }],
  },
);

const kind = oneOf(['export', 'erase', 'restrict'], 'What was asked for.');
const status = oneOf(
  ['asked', 'running', 'done', 'failed', 'refused', 'lifted'],
  '`asked`: by the person on their page; it waits for a decision.',
);

export const receiptSchema = Type.Object(
  {
    party: Type.String({ description: 'The id that stood for the person.' }),
    at: time('When it was signed.'),
    keysDestroyed: Type.Integer(),
    valuesUnreadable: Type.Integer({
      description: 'Numbers, names, exports and recordings that had these keys.',
    }),
    recordingsDeleted: Type.Integer(),
    recordingsHeld: Type.Integer({ description: 'Sealed until the hold on them is released.' }),
    recordingsLeft: Type.Integer({
      description: 'Their keys are destroyed; a file could not be removed yet, and goes later.',
    }),
    bindingsCut: Type.Integer({ description: 'Pairs of their phone and a virtual number.' }),
    disputesRedacted: Type.Integer({
      description: 'Resolved disputes by or about them: what was written in them is gone.',
    }),
    disputesKept: Type.Integer({ description: 'Open ones: what was written goes with the verdict.' }),
    keptUntil: Type.Optional(
      time('Until when number and call records stay sealed, where they must be kept.'),
    ),
    signature: Type.String({
      description: 'Ed25519, base64, over the lines that docs/privacy-rights.md names.',
    }),
    keyId: Type.String({ description: 'As of `GET /v1/ledger/public-key`.' }),
  },
  { title: 'ErasureReceipt' },
);

export const privacyRequestSchema = Type.Object(
  {
    id: id('prv', 'The request.'),
    kind,
    status,
    phone: Type.Optional(
      Type.String({ description: 'Masked. Absent once erased.', examples: ['+62•••••••0001'] }),
    ),
    party: Type.Optional(Type.String()),
    reason: Type.String(),
    requestedBy: Type.String(),
    requestedAt: time('When it was asked for.'),
    finishedAt: Type.Optional(time('When it was over.')),
    decision: Type.Optional(Type.Object({ by: Type.String(), reason: Type.String() })),
    receipt: Type.Optional(receiptSchema),
  },
  { title: 'PrivacyRequest' },
);
export const privacyRequestPage = pageOf(privacyRequestSchema, 'PrivacyRequestPage');

export const requestQuery = Type.Object(
  { ...pageQuery, kind: Type.Optional(kind), status: Type.Optional(status) },
  { additionalProperties: false },
);

export const exportQuery = Type.Object(
  { format: Type.Optional(oneOf(['json', 'html', 'csv'], 'Default `json`; `csv` has the calls.')) },
  { additionalProperties: false },
);

export const exportSchema = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: 'Of the format `samar-export/1`: see docs/privacy-rights.md.',
  examples: [{ format: 'samar-export/1', createdAt: '2026-01-31T09:30:00.000Z' }],
});

export const decideSchema = Type.Object(
  { grant: Type.Boolean({ description: 'True: it runs now.' }), reason: reason('Why. Kept encrypted.') },
  {
    additionalProperties: false,
    title: 'PrivacyDecision',
    examples: [{ grant: true, reason: 'no open complaint' }],
  },
);

export const liftSchema = Type.Object(
  {},
  { additionalProperties: false, title: 'PrivacyLift', description: 'Takes nothing.', examples: [{}] },
);

export const breachQuestionSchema = Type.Object(
  {
    from: time('From when.'),
    to: time('Until when; at most 400 days later.'),
    actor: Type.Optional(
      Type.String({ maxLength: 64, description: 'Who did it: `key_…`, `usr_…`, …', examples: ['admin'] }),
    ),
    kinds: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 20,
        description: 'Kinds of ledger entries, or families such as `recording.*`. Absent: all.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'BreachQuestion',
    examples: [
      {
        from: '2026-01-30T00:00:00Z',
        to: '2026-01-31T00:00:00Z',
        kinds: ['phone.revealed', 'recording.listened'],
      },
    ],
  },
);

export const breachQuery = Type.Object(
  { format: Type.Optional(oneOf(['json', 'csv'], 'Default `json`.')) },
  { additionalProperties: false },
);

export const breachReportSchema = Type.Object(
  {
    entries: Type.Integer({ description: 'Ledger entries that match.' }),
    people: Type.Array(
      Type.Object({
        party: Type.String(),
        phone: Type.Optional(Type.String({ description: 'Masked. Absent once erased.' })),
        sessions: Type.Integer(),
        first: time('Of the first entry.'),
        last: time('Of the last entry.'),
        kinds: Type.Array(Type.String()),
      }),
    ),
    cut: Type.Boolean({ description: 'More than 10,000 people were affected: ask for a shorter time.' }),
  },
  { title: 'BreachReport' },
);
