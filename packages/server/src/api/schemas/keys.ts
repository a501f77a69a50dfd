import { Type } from 'typebox';
import { scopes } from '../../masking/service.ts';
import { id, oneOf, pageOf, time } from './common.ts';

const name = Type.String({ minLength: 1, maxLength: 100, examples: ['checkout service'] });
const scope = oneOf(
  scopes,
  'What the key may do. `admin` includes every scope but `recordings:listen` and `pii:reveal`, which are always named on their own.',
);

export const newKeySchema = Type.Object(
  {
    name,
    scopes: Type.Array(scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
    expiresAt: Type.Optional(time('After this the key is refused. Absent: it works until it is revoked.')),
  },
  {
    additionalProperties: false,
    title: 'NewApiKey',
    examples: [{ name: 'checkout service', scopes: ['sessions:write', 'sessions:read'] }],
  },
);

const key = {
  id: id('key', 'The API key.'),
  name,
  scopes: Type.Array(Type.String()),
  createdAt: time('When it was made.'),
  expiresAt: Type.Optional(time('When it expires.')),
  revokedAt: Type.Optional(time('When it was revoked.')),
};
export const keySchema = Type.Object(key, { title: 'ApiKey' });
export const createdKeySchema = Type.Object(
  { ...key, secret: Type.String({ description: 'Give it as the bearer. Shown this once.' }) },
  { title: 'CreatedApiKey' },
);
export const keyPage = pageOf(keySchema, 'ApiKeyPage');
