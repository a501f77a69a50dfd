import { Type } from 'typebox';
import { id, pageOf, pageQuery, patterned, phoneIn, time } from './common.ts';

const digest = (description: string) =>
  Type.String({
    description,
    examples: ['5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9'],
  });
const day = patterned('^\\d{4}-\\d{2}-\\d{2}$', 'must be a day such as 2026-01-31', {
  description: 'The day (UTC) whose end it is.',
  examples: ['2026-01-31'],
});

export const entrySchema = Type.Object(
  {
    id: id('led', 'The entry.'),
    sequence: Type.Optional(
      Type.Integer({ description: 'Its place in the chain; absent for the seconds before it is sealed.' }),
    ),
    at: time('When it happened.'),
    kind: Type.String({ examples: ['recording.listened'] }),
    actor: Type.String({
      description:
        '`key_…`, `usr_…`, `par_…` (a participant on their page), `admin`, or a part of the platform such as `switch`.',
      examples: ['key_019b3c5e7a1048f2c6d0a4b8e1f35927'],
    }),
    party: Type.Optional(id('pty', 'The person whom it is about, where it is one alone.')),
    session: Type.Optional(id('ses', 'The session that it belongs to.')),
    subject: Type.Optional(
      Type.String({
        description: 'Id of what it is about.',
        examples: ['rec_019b3c5e7a1048f2c6d0a4b8e1f35927'],
      }),
    ),
    details: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'By kind: ids, reasons, names of fields. Never a person’s number or name.',
    }),
    digest: Type.Optional(digest('SHA-256 over the digest of the entry before and this one’s content.')),
  },
  { title: 'LedgerEntry' },
);
export const entryPage = pageOf(entrySchema, 'LedgerPage');

const filters = {
  session: Type.Optional(id('ses', 'Only those of this session.')),
  subject: Type.Optional(
    patterned('^(?!\\d+$)[A-Za-z0-9][A-Za-z0-9_-]{0,79}$', 'must be the id or the name of what it is about', {
      description: 'Only those about this: `call_…`, `rec_…`, `num_…`, `dsp_…`, `usr_…`, a pool’s name.',
      examples: ['call_019b3c5e7a1048f2c6d0a4b8e1f35927'],
    }),
  ),
  actor: Type.Optional(
    patterned('^[a-z][a-z-]{0,31}(?:_[0-9a-f]{32})?$', 'must be an actor such as key_… or switch', {
      description: 'Only what this one did.',
      examples: ['key_019b3c5e7a1048f2c6d0a4b8e1f35927'],
    }),
  ),
  kind: Type.Optional(
    patterned(
      '^[a-z][a-z-]{0,31}(?:\\.[a-z-]{1,32}){0,3}(?:\\.\\*)?$',
      'must be a kind such as recording.listened, or a family such as recording.*',
      { description: 'Only this kind, or this family of kinds.', examples: ['recording.*'] },
    ),
  ),
  from: Type.Optional(time('Only from this time on.')),
  to: Type.Optional(time('Only before this time.')),
};

export const entryQuery = Type.Object({ ...filters, ...pageQuery }, { additionalProperties: false });
export const entrySearchSchema = Type.Object(
  {
    phone: Type.Optional(phoneIn),
    participant: Type.Optional(
      patterned('^par_[0-9a-f]{32}$', 'must be the id of a participant', {
        description: 'Whoever was this participant of a session.',
        examples: ['par_019b3c5e7a1048f2c6d0a4b8e1f35927'],
      }),
    ),
    ...filters,
    ...pageQuery,
  },
  {
    additionalProperties: false,
    title: 'LedgerSearch',
    description:
      'With `phone` or `participant` (at most one of them): everything that concerns this person, across sessions.',
    examples: [{ phone: '+6281100000001', kind: 'recording.*' }],
  },
);

export const checkSchema = Type.Object(
  {
    ok: Type.Boolean({ description: 'True: the whole chain is what was sealed, and agrees with its roots.' }),
    entries: Type.Optional(Type.Integer({ description: 'Sealed entries that were checked.' })),
    unsealed: Type.Optional(
      Type.Integer({ description: 'Entries of the last seconds, not yet in the chain.' }),
    ),
    digest: Type.Optional(digest('Of the last entry.')),
    roots: Type.Optional(Type.Integer({ description: 'Signed days that the chain was compared with.' })),
    fault: Type.Optional(
      Type.Unsafe<'changed' | 'removed' | 'moved' | 'root-mismatch' | 'root-forged'>({
        type: 'string',
        enum: ['changed', 'removed', 'moved', 'root-mismatch', 'root-forged'],
        description:
          'The first fault. `changed`: its content is not what was sealed. `removed`: none stands at this place. `moved`: genuine, but not at its place. `root-mismatch`: the chain is not the one that was signed. `root-forged`: a root’s signature is not ours.',
      }),
    ),
    sequence: Type.Optional(Type.Integer({ description: 'Its place in the chain.' })),
    entry: Type.Optional(id('led', 'The entry at that place, where there is one.')),
  },
  { title: 'LedgerCheck' },
);

export const rootSchema = Type.Object(
  {
    day,
    sequence: Type.Integer({ description: 'Place of the last entry that it covers.' }),
    entries: Type.Integer({ description: 'Entries since the root before it.' }),
    digest: digest('Of that entry.'),
    signature: Type.String({
      description:
        'Ed25519, base64, over five lines joined by a line feed: `samar-ledger-root`, tenant, day, sequence, digest.',
    }),
    keyId: Type.String({ description: 'Which public key checks it.', examples: ['9f86d081884c7d65'] }),
  },
  { title: 'LedgerRoot' },
);
export const rootPage = pageOf(rootSchema, 'LedgerRootPage');
export const rootQuery = Type.Object(
  {
    limit: pageQuery.limit,
    after: Type.Optional(
      patterned('^\\d{4}-\\d{2}-\\d{2}$', 'must be the `next` of the page before', {
        description: 'The `next` of the page before.',
        examples: ['2026-01-31'],
      }),
    ),
  },
  { additionalProperties: false },
);

export const publicKeySchema = Type.Object(
  {
    keyId: Type.String({
      description: 'First 16 hexadecimal digits of the SHA-256 of the key (SPKI, DER).',
      examples: ['9f86d081884c7d65'],
    }),
    pem: Type.String({ description: 'SPKI, PEM.', examples: ['-----BEGIN PUBLIC KEY-----\n…'] }),
  },
  { title: 'LedgerPublicKey' },
);
