import { Type } from 'typebox';
import { id, oneOf, pageOf, pageQuery, patterned, time } from './common.ts';

const url = Type.String({
  minLength: 1,
  maxLength: 2_048,
  description:
    'Begins with https:// and leads to the public internet (port 443 or 8443), or to a network named in SAMAR_WEBHOOK_ALLOW.',
  examples: ['https://backend.example.com/samar'],
});
const description = Type.String({
  maxLength: 200,
  description: 'Words of yours. Put no personal data here: it is not encrypted.',
  examples: ['order service'],
});
const kinds = Type.Array(
  patterned(
    '^(?:\\*|[a-z]+(?:-[a-z]+)*\\.(?:\\*|[a-z]+(?:-[a-z]+)*))$',
    'must be *, a family such as session.*, or a kind such as session.closed',
    { description: 'What it hears of.', examples: ['session.*'], maxLength: 64 },
  ),
  { minItems: 1, maxItems: 50, description: 'What it hears of; everything when absent.' },
);

export const newEndpointSchema = Type.Object(
  { url, description: Type.Optional(description), kinds: Type.Optional(kinds) },
  {
    additionalProperties: false,
    title: 'NewWebhook',
    examples: [{ url: 'https://backend.example.com/samar', kinds: ['session.*', 'call.ended'] }],
  },
);
export const endpointChangeSchema = Type.Object(
  {
    url: Type.Optional(url),
    description: Type.Optional(description),
    kinds: Type.Optional(kinds),
    enabled: Type.Optional(
      Type.Boolean({
        description: 'False: nothing is sent, and of what happens meanwhile nothing will be unless replayed.',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'WebhookChange',
    description: 'Only what is given changes.',
    examples: [{ enabled: true }],
  },
);

const endpoint = {
  id: id('whk', 'The endpoint.'),
  url: Type.String({ examples: ['https://backend.example.com/samar'] }),
  description: Type.Optional(Type.String()),
  kinds: Type.Array(Type.String(), { examples: [['session.*']] }),
  enabled: Type.Boolean(),
  disabledBecause: Type.Optional(
    oneOf(
      ['gone', 'failing'],
      'Why the platform turned it off: it answered 410, or nothing was delivered in five days.',
    ),
  ),
  publicKey: Type.String({
    description: '`whpk_…`: checks the ed25519 signature (`v1a`).',
    examples: ['whpk_MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  }),
  createdAt: time('When it was made.'),
  lastDeliveredAt: Type.Optional(time('When something was last delivered.')),
  pending: Type.Integer({ description: 'Deliveries on their way; counted up to 10,000.' }),
  dead: Type.Integer({ description: 'Deliveries that were given up; counted up to 10,000.' }),
};
const secret = Type.String({
  description: '`whsec_…`: checks the HMAC signature (`v1`).',
  examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
});
export const endpointSchema = Type.Object(endpoint, { title: 'Webhook' });
export const createdEndpointSchema = Type.Object({ ...endpoint, secret }, { title: 'CreatedWebhook' });
export const endpointPage = pageOf(endpointSchema, 'WebhookPage');
export const endpointSecretSchema = Type.Object({ secret }, { title: 'WebhookSecret' });

const statuses = ['pending', 'delivered', 'dead'] as const;
export const deliverySchema = Type.Object(
  {
    id: id('dlv', 'The delivery, within its endpoint.'),
    event: id('evt', 'The event; also `webhook-id`.'),
    kind: Type.String({ examples: ['session.closed'] }),
    session: Type.Optional(Type.String()),
    status: oneOf(statuses, '`dead`: given up after the last attempt.'),
    attempts: Type.Integer(),
    nextAttemptAt: Type.Optional(time('When it is tried (again).')),
    lastAnswer: Type.Optional(
      Type.String({
        description:
          'HTTP status of the last answer, or why there was none: `timeout`, `unreachable`, `refused-address`, `busy`; `disabled` when it was never tried.',
        examples: ['503'],
      }),
    ),
    at: time('When it was put into the queue.'),
  },
  { title: 'WebhookDelivery' },
);
export const deliveryPage = pageOf(deliverySchema, 'WebhookDeliveryPage');
export const deliveryQuery = Type.Object(
  { status: Type.Optional(oneOf(statuses, 'Only these.')), ...pageQuery },
  { additionalProperties: false },
);

export const replaySchema = Type.Object(
  {
    dead: Type.Optional(Type.Literal(true, { description: 'Everything that was given up.' })),
    event: Type.Optional(id('evt', 'This event, whether it was delivered or not.')),
    since: Type.Optional(time('Every event from then on, delivered or not; at most 30 days back.')),
  },
  {
    additionalProperties: false,
    title: 'WebhookReplay',
    description: 'Exactly one of them.',
    examples: [{ dead: true }],
  },
);
export const replayedSchema = Type.Object(
  { queued: Type.Integer({ description: 'Deliveries that were put into the queue.' }) },
  { title: 'WebhookReplayed' },
);
