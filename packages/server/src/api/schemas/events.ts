import { Type } from 'typebox';
import { id, pageOf, pageQuery, patterned, time } from './common.ts';

export const eventSchema = Type.Object(
  {
    id: id('evt', 'The event.'),
    kind: Type.String({ examples: ['participant.replaced'] }),
    at: time('When it happened.'),
    session: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String({ description: 'Id of what it happened to.' })),
    order: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Its number within the session: 1, 2, 3, … Given within a second.',
      }),
    ),
    data: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'By kind. Ids and words of ours, never a person’s data.',
    }),
  },
  { title: 'Event' },
);
export const eventPage = pageOf(eventSchema, 'EventPage');
export const eventQuery = Type.Object(
  {
    session: Type.Optional(id('ses', 'Only those of this session.')),
    kind: Type.Optional(
      patterned('^[a-z][a-z-]{0,31}(?:\\.[a-z-]{1,32}){0,3}$', 'must be a kind such as session.opened', {
        description: 'Only these.',
        examples: ['session.opened'],
      }),
    ),
    ...pageQuery,
  },
  { additionalProperties: false },
);
