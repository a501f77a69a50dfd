import { Type } from 'typebox';
import { id, nullable, oneOf, pageOf, pageQuery, patterned, time } from './common.ts';

const sessionIn = patterned('^ses_[0-9a-f]{32}$', 'must be the id of a session', {
  description: 'The session that it is about.',
  examples: ['ses_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
const callIn = patterned('^call_[0-9a-f]{32}$', 'must be the id of a call', {
  description: 'The call that it began with; gives the session as well.',
  examples: ['call_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
const againstIn = patterned('^par_[0-9a-f]{32}$', 'must be the id of a participant', {
  description: 'Whom it is about: a participant of the session.',
  examples: ['par_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
const assigneeIn = patterned('^usr_[0-9a-f]{32}$', 'must be the id of a user', {
  description: 'Who looks at it.',
  examples: ['usr_019b3c5e7a1048f2c6d0a4b8e1f35927'],
});
const versionIn = Type.Integer({
  minimum: 1,
  maximum: 2_147_483_647,
  description: 'The `version` that you read. Refused (`dispute-changed`) when it is not the present one.',
  examples: [1],
});
const category = oneOf(
  ['harassment', 'fraud', 'safety', 'quality', 'other'],
  'What kind of complaint it is.',
);
const statuses = ['open', 'investigating', 'resolved'] as const;
const verdicts = ['upheld', 'rejected', 'inconclusive'] as const;

export const newDisputeSchema = Type.Object(
  {
    session: Type.Optional(sessionIn),
    call: Type.Optional(callIn),
    category,
    statement: Type.String({
      minLength: 1,
      maxLength: 4_000,
      description: 'What is complained of, in the words of whoever complains. Kept sealed.',
      examples: ['The driver shouted at me and called again after the ride.'],
    }),
    against: Type.Optional(againstIn),
  },
  {
    additionalProperties: false,
    title: 'NewDispute',
    description: 'With `session`, or with `call`, or with both where the call is the session’s.',
    examples: [
      {
        session: 'ses_019b3c5e7a1048f2c6d0a4b8e1f35927',
        category: 'harassment',
        statement: 'The driver shouted at me and called again after the ride.',
      },
    ],
  },
);

export const disputeChangeSchema = Type.Object(
  {
    version: versionIn,
    status: Type.Optional(
      oneOf(['open', 'investigating'], '`investigating` also takes a resolved dispute up again.'),
    ),
    assignee: Type.Optional(nullable(assigneeIn)),
    category: Type.Optional(category),
    against: Type.Optional(nullable(againstIn)),
  },
  {
    additionalProperties: false,
    title: 'DisputeChange',
    examples: [{ version: 1, status: 'investigating' }],
  },
);

export const newNoteSchema = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      maxLength: 10_000,
      description: 'Kept sealed; read by whoever may read disputes.',
      examples: ['Listened to the call of 9:30: no threat in it.'],
    }),
  },
  {
    additionalProperties: false,
    title: 'NewDisputeNote',
    examples: [{ text: 'Listened to the call of 9:30: no threat in it.' }],
  },
);

export const verdictSchema = Type.Object(
  {
    version: versionIn,
    verdict: oneOf(verdicts, 'What was found.'),
    text: Type.String({
      minLength: 1,
      maxLength: 10_000,
      description: 'Why. Kept sealed.',
      examples: ['Threats at 0:42 of the second call.'],
    }),
    block: Type.Optional(
      Type.Object(
        {
          towards: oneOf(
            ['others', 'everybody'],
            'Whom the person that the dispute is about may not reach any more: the others of the session, or anybody at all.',
          ),
          expiresAt: Type.Optional(time('Until when. Absent: until it is lifted.')),
        },
        { additionalProperties: false, title: 'VerdictBlock' },
      ),
    ),
  },
  {
    additionalProperties: false,
    title: 'NewVerdict',
    examples: [{ version: 2, verdict: 'upheld', text: 'Threats at 0:42.', block: { towards: 'others' } }],
  },
);

const disputeFields = {
  id: id('dsp', 'The dispute.'),
  session: id('ses', 'The session that it is about.'),
  call: Type.Optional(id('call', 'The call that it began with.')),
  category,
  status: oneOf(statuses, 'Where it stands.'),
  version: Type.Integer({ description: 'Give it back with a change.' }),
  openedBy: Type.Object(
    {
      kind: oneOf(['operator', 'participant', 'call'], 'Where it was opened: here, on the page, by a key.'),
      id: Type.String({ description: 'Who: a key, a user, or a participant.' }),
    },
    { title: 'DisputeOpener' },
  ),
  openedAt: time('When it was opened.'),
  against: Type.Optional(id('par', 'Whom it is about.')),
  statement: Type.String({ description: 'Written by a person: show it as text, never as markup.' }),
  assignee: Type.Optional(id('usr', 'Who looks at it.')),
  redactedAt: Type.Optional(
    time('Somebody of it was erased: then what was written in it went with them. `statement` is empty.'),
  ),
  verdict: Type.Optional(
    Type.Object(
      {
        verdict: oneOf(verdicts, 'What was found.'),
        text: Type.String({ description: 'Written by a person: show it as text, never as markup.' }),
        by: Type.String({ description: 'Who decided.' }),
        at: time('When.'),
        block: Type.Optional(id('blk', 'The block that it made.')),
      },
      { title: 'Verdict' },
    ),
  ),
  updatedAt: time('When it last changed, or got a note.'),
};
export const disputeSchema = Type.Object(disputeFields, { title: 'Dispute' });
export const disputePage = pageOf(disputeSchema, 'DisputePage');

export const noteSchema = Type.Object(
  {
    id: id('nte', 'The note.'),
    by: Type.String({ description: 'Who wrote it.' }),
    at: time('When.'),
    text: Type.String({ description: 'Written by a person: show it as text, never as markup.' }),
  },
  { title: 'DisputeNote' },
);

const historyEntry = Type.Object(
  {
    id: id('led', 'The entry of the ledger.'),
    sequence: Type.Optional(Type.Integer({ description: 'Its place in the chain, once it is sealed.' })),
    at: time('When.'),
    kind: Type.String({
      description: 'dispute.opened, dispute.changed, dispute.note-added, dispute.decided',
    }),
    actor: Type.String({ description: 'Who.' }),
    party: Type.Optional(Type.String()),
    session: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    details: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'What changed, never what was written.',
    }),
    digest: Type.Optional(Type.String({ description: 'SHA-256 of the chain up to here, hexadecimal.' })),
  },
  { title: 'DisputeEntry' },
);

export const disputeFileSchema = Type.Object(
  {
    ...disputeFields,
    notes: Type.Array(noteSchema, { description: 'Oldest first.' }),
    calls: Type.Array(Type.String(), {
      description: 'Ids of the session’s calls, oldest first, at most 500: `GET /v1/calls/{id}`.',
    }),
    hold: Type.Optional(id('hld', 'The hold that keeps its records, while it stands.')),
    history: Type.Array(historyEntry, {
      description: 'Its entries in the ledger, oldest first, at most 200.',
    }),
  },
  { title: 'DisputeFile' },
);

export const disputeQuery = Type.Object(
  {
    status: Type.Optional(oneOf(statuses, 'Only those that stand there.')),
    assignee: Type.Optional(id('usr', 'Only those that this user looks at; `none`: that nobody has taken.')),
    session: Type.Optional(id('ses', 'Only those of this session.')),
    ...pageQuery,
  },
  { additionalProperties: false },
);
