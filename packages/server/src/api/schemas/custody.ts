/** JSON of custody: downloads, marks on a recording, holds. */
import { Type } from 'typebox';
import { id, oneOf, pageOf, pageQuery, patterned, time } from './common.ts';

const reason = (description: string, most: number, example: string) =>
  Type.String({ minLength: 3, maxLength: most, description, examples: [example] });

export const downloadStatus = oneOf(
  ['pending', 'approved', 'refused', 'expired'],
  'Waits for a second person, can be fetched, was refused, or is over.',
);
export const newDownloadSchema = Type.Object(
  {
    reason: reason(
      'Why it leaves the house. The people concerned may read it.',
      500,
      'police request 4711/2026',
    ),
  },
  {
    additionalProperties: false,
    title: 'NewDownload',
    examples: [{ reason: 'police request 4711/2026' }],
  },
);
export const downloadSchema = Type.Object(
  {
    id: id('dwn', 'The request.'),
    call: id('call', 'Whose recording.'),
    reason: Type.String(),
    status: downloadStatus,
    requestedBy: Type.String({ description: 'Only they can fetch it.' }),
    requestedAt: time('When it was asked for.'),
    decidedBy: Type.Optional(Type.String({ description: 'Absent when nobody had to approve.' })),
    decidedAt: Type.Optional(time('When it was decided.')),
    expiresAt: Type.Optional(time('Until when it can be fetched.')),
  },
  { title: 'Download' },
);
export const downloadPage = pageOf(downloadSchema, 'DownloadPage');
export const downloadQuery = Type.Object(
  { status: Type.Optional(downloadStatus), ...pageQuery },
  { additionalProperties: false },
);

export const newMarkSchema = Type.Object(
  {
    milliseconds: Type.Integer({
      minimum: 0,
      maximum: 86_400_000,
      description: 'Where in the recording.',
      examples: [61_500],
    }),
    note: Type.String({
      minLength: 1,
      maxLength: 2_000,
      description: 'What is there.',
      examples: ['threat'],
    }),
  },
  { additionalProperties: false, title: 'NewMark', examples: [{ milliseconds: 61_500, note: 'threat' }] },
);
export const markSchema = Type.Object(
  {
    id: id('mrk', 'The mark.'),
    milliseconds: Type.Integer(),
    note: Type.String(),
    by: Type.String({ description: 'Who made it.' }),
    at: time('When it was made.'),
  },
  { title: 'Mark' },
);
export const markList = Type.Object({ items: Type.Array(markSchema) }, { title: 'MarkList' });
export const markParams = Type.Object({
  id: id('call', "The call's id."),
  mark: id('mrk', "The mark's id."),
});

const sessionId = patterned('^ses_[0-9a-f]{32}$', 'must be the id of a session', {
  description: 'The session.',
  examples: ['ses_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
export const newHoldSchema = Type.Object(
  { session: sessionId, reason: reason('Why.', 2_000, 'claim 88 of the insurance') },
  {
    additionalProperties: false,
    title: 'NewHold',
    examples: [{ session: 'ses_019b3c5e7a1048f2c6d0a4b8e1f35927', reason: 'claim 88 of the insurance' }],
  },
);
export const holdSchema = Type.Object(
  {
    id: id('hld', 'The hold.'),
    session: Type.String(),
    reason: Type.String(),
    dispute: Type.Optional(Type.String({ description: 'The dispute that placed it.' })),
    placedBy: Type.String(),
    placedAt: time('When it was placed.'),
    releasedAt: Type.Optional(time('When it was released; absent while it stands.')),
  },
  { title: 'Hold' },
);
export const holdPage = pageOf(holdSchema, 'HoldPage');
export const holdQuery = Type.Object(
  {
    session: Type.Optional(id('ses', 'Only those of this session.')),
    active: Type.Optional(
      oneOf(['true', 'false'], 'Only those that stand, or only those that were released.'),
    ),
    ...pageQuery,
  },
  { additionalProperties: false },
);
