import { Type } from 'typebox';
import { scopes } from '../../masking/service.ts';
import { roles } from '../../users/service.ts';
import { id, oneOf, pageOf, time } from './common.ts';

const email = Type.String({
  minLength: 3,
  maxLength: 254,
  description: 'E-mail address; upper and lower case are the same.',
  examples: ['sari@marketplace.example'],
});
const name = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'How colleagues call them.',
  examples: ['Sari'],
});
const role = oneOf(
  roles,
  '`admin`: everything but hearing, seeing and taking out what people said and their numbers. `operator`: sessions, calls, blocks, disputes. `investigator`: listens, reveals, decides disputes. `auditor`: reads.',
);
const locale = oneOf(['en', 'id'] as const, 'Language of the console. Default `en`.');

const user = {
  id: id('usr', 'The user.'),
  email,
  name,
  role,
  locale,
  status: oneOf(['invited', 'active', 'disabled'] as const, 'Whether they can log in.'),
  totp: Type.Boolean({ description: 'Has an authenticator app.' }),
  passkeys: Type.Array(
    Type.Object({
      id: id('psk', 'The passkey.'),
      name: Type.String({ examples: ['Laptop'] }),
      createdAt: time('When it was added.'),
      lastUsedAt: Type.Optional(time('When it was used last.')),
    }),
  ),
  createdAt: time('When they were invited first.'),
  lastLoginAt: Type.Optional(time('When they logged in last.')),
};
export const userSchema = Type.Object(user, { title: 'User' });
export const userPage = pageOf(userSchema, 'UserPage');

export const newUserSchema = Type.Object(
  { email, name, role, locale: Type.Optional(locale) },
  {
    additionalProperties: false,
    title: 'NewUser',
    examples: [{ email: 'sari@marketplace.example', name: 'Sari', role: 'operator', locale: 'id' }],
  },
);
export const userChangeSchema = Type.Object(
  {
    name: Type.Optional(name),
    role: Type.Optional(role),
    locale: Type.Optional(locale),
    disabled: Type.Optional(Type.Boolean({ description: 'True: logged out at once, and cannot log in.' })),
  },
  { additionalProperties: false, minProperties: 1, title: 'UserChange', examples: [{ disabled: true }] },
);
export const newInvitationSchema = Type.Object(
  {
    secondFactor: Type.Optional(
      Type.Literal(true, {
        description: 'When the link is used, the authenticator app and passkeys are removed as well.',
      }),
    ),
  },
  { additionalProperties: false, title: 'NewInvitation', examples: [{ secondFactor: true }] },
);
export const invitedSchema = Type.Object(
  {
    user: userSchema,
    invitationUrl: Type.String({
      description: 'Give it to the person. Works once, and is shown in this answer only.',
      examples: ['https://masking.example/console/invitation#default.Zm9yIHlvdXIgZXllcyBvbmx5'],
    }),
    expiresAt: time('After this the link does not work.'),
  },
  { title: 'InvitedUser' },
);

// ---------------------------------------------------------------- log-in

/** Longer than any password may be, so that a long one is refused with its own words. */
const maxSecret = 1024;
const password = Type.String({
  minLength: 1,
  maxLength: maxSecret,
  writeOnly: true,
  description: '12 to 200 characters.',
});
const ticket = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Of the step before; five minutes, one use.',
});
const code = Type.String({
  minLength: 6,
  maxLength: 12,
  description: 'Six digits of the authenticator app.',
  examples: ['492039'],
});
const response = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: 'What `navigator.credentials` answered, as JSON (WebAuthn level 3).',
});
const closed = { additionalProperties: false } as const;

export const loginSchema = Type.Object(
  { email: Type.String({ minLength: 1, maxLength: 254 }), password },
  {
    ...closed,
    title: 'LogIn',
    examples: [{ email: 'sari@marketplace.example', password: 'sungai batu kertas' }],
  },
);
export const secondFactorSchema = Type.Object(
  {
    ticket,
    totp: Type.Optional(code),
    recoveryCode: Type.Optional(
      Type.String({ minLength: 1, maxLength: 40, description: 'Instead of `totp`; works once.' }),
    ),
  },
  { ...closed, title: 'SecondFactor', examples: [{ ticket: 'default.0mXW8m6b', totp: '492039' }] },
);
export const passkeyOptionsSchema = Type.Object(
  { ticket: Type.Optional(ticket) },
  { ...closed, title: 'PasskeyQuestion', examples: [{}] },
);
export const passkeyLoginSchema = Type.Object(
  { ticket, response },
  { ...closed, title: 'PasskeyLogIn', examples: [{ ticket: 'default.0mXW8m6b', response: {} }] },
);
export const acceptInvitationSchema = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 200 }), password },
  {
    ...closed,
    title: 'AcceptedInvitation',
    examples: [{ token: 'default.Zm9yIHlvdXIg', password: 'sungai batu kertas' }],
  },
);
export const passwordChangeSchema = Type.Object(
  { present: password, next: password },
  {
    ...closed,
    title: 'PasswordChange',
    examples: [{ present: 'sungai batu kertas', next: 'langit biru di atas' }],
  },
);
export const totpCodeSchema = Type.Object(
  { code },
  { ...closed, title: 'TotpCode', examples: [{ code: '492039' }] },
);
export const totpRemovalSchema = Type.Object(
  { password },
  { ...closed, title: 'TotpRemoval', examples: [{ password: 'sungai batu kertas' }] },
);
export const newPasskeySchema = Type.Object(
  { ticket, name, response },
  {
    ...closed,
    title: 'NewPasskey',
    examples: [{ ticket: 'default.0mXW8m6b', name: 'Laptop', response: {} }],
  },
);
export const profileChangeSchema = Type.Object(
  { name: Type.Optional(name), locale: Type.Optional(locale) },
  { ...closed, minProperties: 1, title: 'ProfileChange', examples: [{ locale: 'id' }] },
);
export const invitationHeader = Type.Object({
  'x-invitation': Type.Optional(
    Type.String({ description: 'The token of the link, after its `#`.', examples: ['default.Zm9yIHlvdXIg'] }),
  ),
});

/** Logged in, or asked for a second factor. */
export const loginStepSchema = Type.Object(
  {
    status: oneOf(['logged-in', 'second-factor'] as const, 'What comes next.'),
    user: Type.Optional(userSchema),
    csrf: Type.Optional(Type.String({ description: 'Send it as X-CSRF-Token with all but GET and HEAD.' })),
    expiresAt: Type.Optional(time('When the log-in ends; after 60 minutes without use it ends earlier.')),
    ticket: Type.Optional(Type.String({ description: 'For the second factor; five minutes.' })),
    methods: Type.Optional(
      Type.Array(oneOf(['totp', 'passkey', 'recovery-code'] as const, 'A way to prove it.')),
    ),
  },
  { title: 'LogInStep' },
);
export const meSchema = Type.Object(
  {
    user: userSchema,
    tenant: Type.Object({ id: Type.String({ examples: ['default'] }), name: Type.String() }),
    role,
    scopes: Type.Array(oneOf(scopes, 'What the role may do; of `admin` all that it includes.')),
    csrf: Type.String({ description: 'Send it as X-CSRF-Token with all but GET and HEAD.' }),
    expiresAt: time('When the log-in ends; after 60 minutes without use it ends earlier.'),
  },
  { title: 'Me' },
);
export const challengeSchema = Type.Object(
  {
    ticket: Type.String({ description: 'Send it with the answer; five minutes, one use.' }),
    options: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'For `navigator.credentials` (WebAuthn level 3).',
    }),
  },
  { title: 'PasskeyChallenge' },
);
export const invitationSchema = Type.Object({ email, name }, { title: 'Invitation' });
export const totpSecretSchema = Type.Object(
  {
    secret: Type.String({ description: 'Base 32, for typing into the app.' }),
    uri: Type.String({ description: '`otpauth://…`, for a QR code.' }),
  },
  { title: 'TotpSecret' },
);
export const recoveryCodesSchema = Type.Object(
  {
    recoveryCodes: Type.Array(Type.String({ examples: ['k7wq-90ds-3fxm-2hbe'] }), {
      description: 'Ten, each for one log-in without the app. Shown in this answer only.',
    }),
  },
  { title: 'RecoveryCodes' },
);
