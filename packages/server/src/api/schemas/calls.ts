import { Type } from 'typebox';
import { id, oneOf, pageOf, pageQuery, time } from './common.ts';
import { traceSchema } from './program-tests.ts';

const quality = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: { type: 'number' },
  description: 'From RTCP: packets, loss, jitter and round trip in milliseconds.',
});

const legSchema = Type.Object(
  {
    participant: Type.Optional(Type.String()),
    number: Type.String({ description: 'The virtual number on this leg, E.164.' }),
    carrier: Type.String({ description: 'Id of the carrier.' }),
    direction: oneOf(['in', 'out'], 'Seen from the platform.'),
    sipStatus: Type.Optional(Type.Integer()),
    startedAt: time('When it began.'),
    answeredAt: Type.Optional(time('When it was answered.')),
    endedAt: Type.Optional(time('When it ended.')),
    quality: Type.Optional(quality),
  },
  { title: 'Leg' },
);

export const callSchema = Type.Object(
  {
    id: id('call', 'The call.'),
    kind: oneOf(['inbound', 'click-to-call'], 'Who began it: a caller, or your app through the platform.'),
    session: Type.Optional(Type.String({ description: 'Absent when the caller belonged to none.' })),
    participant: Type.Optional(Type.String({ description: 'Who called.' })),
    number: Type.String({ description: 'The virtual number that was called, E.164.' }),
    status: oneOf(['ringing', 'answered', 'ended'], 'Where it stands.'),
    outcome: Type.Optional(
      Type.String({
        description: 'connected, busy, no-answer, unavailable, cancelled, refused, interrupted, failed',
      }),
    ),
    refusal: Type.Optional(Type.String({ description: 'Why it was refused.' })),
    hangupBy: Type.Optional(Type.String()),
    hangupCause: Type.Optional(Type.String()),
    startedAt: time('When it reached us.'),
    answeredAt: Type.Optional(time('When both were joined.')),
    endedAt: Type.Optional(time('When it ended.')),
    legs: Type.Array(legSchema),
    survey: Type.Optional(
      Type.Object(
        {
          participant: Type.String({ description: 'Who was asked.' }),
          key: Type.String({ description: 'What they pressed.' }),
        },
        { title: 'SurveyAnswer' },
      ),
    ),
    voicemail: Type.Optional(
      Type.Object(
        {
          id: id('rec', 'The message; `GET /v1/calls/{id}/recording` plays it.'),
          milliseconds: Type.Optional(Type.Integer()),
          heardAt: Type.Optional(time('When the addressee heard it.')),
        },
        { title: 'Voicemail', description: 'A message that the caller left.' },
      ),
    ),
    recording: Type.Optional(
      Type.Object(
        {
          id: id('rec', 'The recording.'),
          status: Type.String({ description: 'recording, complete, interrupted, failed, deleted' }),
          milliseconds: Type.Optional(Type.Integer()),
          bytes: Type.Optional(Type.Integer({ description: 'Of the encrypted file.' })),
          sha256: Type.Optional(Type.String({ description: 'Of the encrypted file, hexadecimal.' })),
        },
        { title: 'Recording' },
      ),
    ),
  },
  { title: 'Call' },
);
export const explanationSchema = Type.Object(
  {
    trace: Type.Optional(traceSchema),
    steps: Type.Array(
      Type.Object(
        {
          place: Type.String({ description: 'JSON pointer into the program, or a word of ours.' }),
          verb: Type.String(),
          outcome: Type.String({
            description: 'answered, busy, no-answer, not-accepted, key-2, …',
            examples: ['answered'],
          }),
          participant: Type.Optional(Type.String({ description: 'Who was tried.' })),
        },
        { title: 'TakenStep' },
      ),
      { description: 'In order: which step, who was tried, and what came of it.' },
    ),
  },
  { title: 'CallExplanation' },
);
const period = {
  from: Type.Optional(time('Only calls that began at this time or later.')),
  to: Type.Optional(time('Only calls that began before this time.')),
};
export const callSummaryQuery = Type.Object(period, { additionalProperties: false });
export const callSummarySchema = Type.Object(
  {
    calls: Type.Integer({ description: 'How many began.' }),
    running: Type.Integer({ description: 'How many of them have not ended.' }),
    outcomes: Type.Record(Type.String(), Type.Integer(), {
      description: 'How many ended with which outcome.',
      examples: [{ connected: 812, 'no-answer': 96, refused: 14 }],
    }),
    complete: Type.Boolean({
      description: 'False when there are more: only the newest 100,000 are counted.',
    }),
  },
  { title: 'CallSummary' },
);
export const callPage = pageOf(callSchema, 'CallPage');
export const callQuery = Type.Object(
  {
    session: Type.Optional(id('ses', 'Only the calls of this session.')),
    status: Type.Optional(
      oneOf(
        ['running', 'ringing', 'answered', 'ended'],
        'Only calls that stand so now; `running` is ringing or answered.',
      ),
    ),
    ...period,
    ...pageQuery,
  },
  { additionalProperties: false },
);
export const recordingQuery = Type.Object(
  {
    reason: Type.Optional(
      Type.String({
        minLength: 3,
        maxLength: 500,
        description: 'Why it is listened to, for the ledger; or the X-Access-Reason header.',
      }),
    ),
    format: Type.Optional(
      oneOf(
        ['wav', 'pcm'],
        '`wav` (default): G.711 as it was recorded; `pcm`: WAV of 16-bit samples, for every player.',
      ),
    ),
  },
  { additionalProperties: false },
);
