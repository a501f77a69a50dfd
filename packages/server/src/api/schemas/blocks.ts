import { Type } from 'typebox';
import { id, pageOf, patterned, phoneIn, time } from './common.ts';

const participantId = (description: string) =>
  patterned('^par_[0-9a-f]{32}$', 'must be the id of a participant', {
    description,
    examples: ['par_019b3c5e7a1048f2c6d0a4b8e1f35927'],
  });

export const newBlockSchema = Type.Object(
  {
    phone: Type.Optional(phoneIn),
    participant: Type.Optional(participantId('Whoever was this participant of a session.')),
    counterpartPhone: Type.Optional(phoneIn),
    counterpartParticipant: Type.Optional(participantId('Whom they may not reach any more.')),
    reason: Type.String({
      minLength: 3,
      maxLength: 200,
      description: 'Why. Kept with the block; put no personal data here.',
      examples: ['report 771: threats'],
    }),
    expiresAt: Type.Optional(time('Until when. Absent: until it is lifted.')),
  },
  {
    additionalProperties: false,
    title: 'NewBlock',
    description:
      'Across all sessions, in both directions. With exactly one of `phone` and `participant`, and at most one of `counterpartPhone` and `counterpartParticipant`; without a counterpart they reach nobody at all.',
    examples: [{ participant: 'par_019b3c5e7a1048f2c6d0a4b8e1f35927', reason: 'report 771: threats' }],
  },
);
export const blockSchema = Type.Object(
  {
    id: id('blk', 'The block.'),
    phone: Type.String({ description: 'Masked.', examples: ['+62•••••••0001'] }),
    counterpart: Type.Optional(Type.String({ description: 'Masked.' })),
    reason: Type.String(),
    createdAt: time('When it was made.'),
    expiresAt: Type.Optional(time('Until when.')),
    liftedAt: Type.Optional(time('When it was lifted.')),
  },
  { title: 'Block' },
);
export const blockPage = pageOf(blockSchema, 'BlockPage');
