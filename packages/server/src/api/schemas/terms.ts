/** What a session declares of its life and its calls: the same words in opening, changing and reading it. */
import { Type } from 'typebox';
import { oneOf, patterned, role, shortReason, timeZone } from './common.ts';
import { spoken } from './programs.ts';

const clock = (description: string) =>
  patterned('^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', 'must be a time of day such as 08:30', {
    description,
    examples: ['08:30'],
  });
const hours = {
  from: clock('Local wall time.'),
  to: clock('Local wall time; before `from`: it ends on the next day.'),
};
const weekday = oneOf(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], 'A day of the week.');

export const schedule = Type.Object(
  {
    timeZone,
    windows: Type.Array(
      Type.Object(
        {
          days: Type.Optional(
            Type.Array(weekday, {
              minItems: 1,
              maxItems: 7,
              uniqueItems: true,
              description: 'Every day when absent.',
            }),
          ),
          ...hours,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50, description: 'When calls are carried. None may overlap another.' },
    ),
    exceptions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            date: patterned('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'must be a date such as 2026-12-25', {
              description: 'Local date.',
              examples: ['2026-12-25'],
            }),
            closed: Type.Optional(Type.Literal(true)),
            windows: Type.Optional(
              Type.Array(Type.Object(hours, { additionalProperties: false }), { minItems: 1, maxItems: 50 }),
            ),
          },
          {
            additionalProperties: false,
            description: 'Either `closed: true`, or the `windows` of that day instead of the week’s.',
          },
        ),
        { maxItems: 400 },
      ),
    ),
  },
  {
    additionalProperties: false,
    title: 'Schedule',
    description: 'Weekly windows with exceptions. Outside of them the program’s `closed` steps are taken.',
    examples: [
      {
        timeZone: 'Asia/Jakarta',
        windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '20:00' }],
        exceptions: [{ date: '2026-12-25', closed: true }],
      },
    ],
  },
);

export const limits = Type.Object(
  {
    callSeconds: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 86_400,
        description: 'Longest call. Both hear a warning a minute before.',
      }),
    ),
    calls: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Connected calls of the session.' }),
    ),
    minutes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000, description: 'Talking of the session, altogether.' }),
    ),
    attempts: Type.Optional(
      Type.Object(
        {
          calls: Type.Integer({ minimum: 1, maximum: 10_000 }),
          perMinutes: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 43_200, description: '60 when absent.' }),
          ),
        },
        {
          additionalProperties: false,
          description: 'What one participant may try: so many calls in so many minutes.',
        },
      ),
    ),
    quietHours: Type.Optional(
      Type.Object(hours, {
        additionalProperties: false,
        description: 'Nobody is rung then, by the callee’s own time zone.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'Limits',
    description: 'How long, how often, and when not.',
    examples: [{ callSeconds: 600, calls: 20, quietHours: { from: '22:00', to: '07:00' } }],
  },
);

export const ongoingCalls = oneOf(
  ['finish', 'warn', 'hangup'],
  'What becomes of calls that are running when the session closes; `warn`: both are told, and a minute later the call ends.',
);

export const afterClose = Type.Object(
  {
    seconds: Type.Integer({
      minimum: 60,
      maximum: 2_592_000,
      description: 'For how long after the close.',
      examples: [86_400],
    }),
    allow: Type.Array(Type.Object({ from: role, to: role }, { additionalProperties: false }), {
      minItems: 1,
      maxItems: 20,
      description: 'Who may call whom, by role. One direction each.',
    }),
    reasons: Type.Optional(
      Type.Array(shortReason, {
        minItems: 1,
        maxItems: 20,
        description: 'Only after a close for one of these reasons. Absent: after every close.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'AfterClose',
    description: 'Who may still call whom once the session is closed (a lost item). Not after an expiry.',
    examples: [{ seconds: 86_400, allow: [{ from: 'customer', to: 'agent' }], reasons: ['resolved'] }],
  },
);

export const survey = Type.Object(
  {
    of: role,
    prompt: Type.Optional(spoken),
    keys: Type.Optional(
      patterned('^[0-9*#]{1,12}$', 'must be 1 to 12 keys: digits, * or #', {
        description: 'Keys that answer; `12345` when absent.',
        examples: ['12345'],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'Survey',
    description: 'One question after the talk, for who has the role `of`.',
    examples: [{ of: 'customer', prompt: 'survey' }],
  },
);
