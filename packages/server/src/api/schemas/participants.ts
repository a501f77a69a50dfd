import { Type } from 'typebox';
import {
  id,
  oneOf,
  participantOrRole,
  patterned,
  phoneIn,
  role,
  time,
  timeZone,
  virtualNumberIn,
} from './common.ts';

const locale = patterned(
  '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$',
  'must be a language tag such as en or id-ID',
  { description: 'Language of prompts, BCP 47.', examples: ['id'] },
);
const reach = oneOf(
  ['number', 'app'],
  '`number` (default): dials a virtual number of their own. `app`: starts calls from your app by click-to-call and holds no number; sees the pool’s display number.',
);

export const newParticipant = Type.Object(
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
    timeZone: Type.Optional(timeZone),
    number: Type.Optional(virtualNumberIn),
    reach: Type.Optional(reach),
    mayStart: Type.Optional(
      Type.Boolean({ description: 'False: may be called, but not call. True when absent.' }),
    ),
    open: Type.Optional(
      Type.Boolean({
        description:
          'A place for whoever calls, without a phone: each caller gets a session of their own with the others (a listing’s number). It takes a number of the pool whose `use` is `reserved`.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'NewParticipant',
    description:
      'With exactly one of `phone` and `phones`; with neither when `open`. `number` is a virtual number that this participant shall have (a directory number).',
    examples: [{ role: 'agent', phone: '+6281100000001', locale: 'id' }],
  },
);

export const participantsChange = Type.Object(
  {
    add: Type.Optional(Type.Array(newParticipant, { minItems: 1, maxItems: 8 })),
    replace: Type.Optional(
      Type.Array(
        Type.Object(
          { participant: participantOrRole, with: newParticipant },
          { additionalProperties: false },
        ),
        {
          minItems: 1,
          maxItems: 10,
          description:
            'The new one takes the place; the others keep their numbers. Whoever leaves is cut off at once.',
        },
      ),
    ),
    remove: Type.Optional(Type.Array(participantOrRole, { minItems: 1, maxItems: 8 })),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'ParticipantsChange',
    examples: [{ replace: [{ participant: 'agent', with: { role: 'agent', phone: '+6281100000003' } }] }],
  },
);

export const participantSchema = Type.Object(
  {
    id: id('par', 'The participant.'),
    role: Type.String(),
    dial: Type.String({
      description:
        'What this participant dials to reach the others. With a code: `+62…,,123456#`, which phones dial in one tap. Empty with `reach: app`.',
      examples: ['+622150000001'],
    }),
    number: Type.String({
      description: 'The virtual number that they see when they are called.',
      examples: ['+622150000001'],
    }),
    phone: Type.String({
      description: 'Their first real number, masked. Empty for an open side.',
      examples: ['+62•••••••0001'],
    }),
    phones: Type.Array(Type.String(), { description: 'All of them, masked.' }),
    locale: Type.Optional(Type.String()),
    timeZone: Type.Optional(Type.String()),
    reach,
    mayStart: Type.Boolean({ description: 'Whether they may call, and not only be called.' }),
    open: Type.Boolean({ description: 'A place for whoever calls.' }),
    pin: Type.Optional(
      Type.String({ description: 'Their code, where they have one.', examples: ['123456'] }),
    ),
    joinedAt: time('When their period began.'),
    leftAt: Type.Optional(time('When it ended.')),
    leaveReason: Type.Optional(oneOf(['replaced', 'removed'], 'How it ended.')),
    transparencyUrl: Type.Optional(
      Type.String({
        description: 'Link for this participant alone. Only in the answer that made the session.',
        examples: ['https://masking.example/t/2Yx0…'],
      }),
    ),
  },
  { title: 'Participant' },
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

export const transparencyLinkSchema = Type.Object(
  {
    transparencyUrl: Type.String({
      description: 'Link for this participant alone. Shown once: only its digest is kept.',
      examples: ['https://masking.example/t/2Yx0…'],
    }),
  },
  { title: 'TransparencyLink' },
);

export const claimSchema = Type.Object(
  {
    code: Type.String({ description: 'Six digits, good once.', examples: ['123456'] }),
    dial: Type.String({
      description: 'The virtual number to call from the phone that is to be added.',
      examples: ['+622150000001'],
    }),
    expiresAt: time('Until when the code works.'),
  },
  { title: 'Claim' },
);
