/** Settings of the business, and its own numbers that programs forward to. */
import { type Static, type TSchema, Type } from 'typebox';
import { nullable, oneOf, patterned, phoneIn, timeZone } from './common.ts';

export const destinationName = patterned(
  '^[A-Za-z][A-Za-z0-9_-]{0,62}$',
  'must be 1 to 63 letters, digits, hyphens or underscores that begin with a letter',
  { description: 'A destination, by name.', examples: ['support'] },
);
export const destinationParams = Type.Object({ name: destinationName });
export const destinationInSchema = Type.Object(
  { phone: phoneIn },
  { additionalProperties: false, title: 'NewDestination', examples: [{ phone: '+622150990000' }] },
);
export const destinationSchema = Type.Object(
  {
    name: Type.String({ examples: ['support'] }),
    phone: Type.String({ description: 'Masked.', examples: ['+62••••••0000'] }),
  },
  { title: 'Destination' },
);
export const destinationList = Type.Object(
  { items: Type.Array(destinationSchema) },
  { title: 'DestinationList' },
);

const days = (least: number, description: string) =>
  Type.Integer({ minimum: least, maximum: 3_660, description });
const byCountry = <Value extends TSchema>(value: Value, description: string) =>
  Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    additionalProperties: value,
    maxProperties: 260,
    description,
  });

const policy = {
  default: oneOf(
    ['session', 'off', 'announce', 'consent'],
    '`session`: what each session says. `off` forbids recording, the others ask for it in every session.',
  ),
  countries: byCountry(
    oneOf(['off', 'announce', 'consent'], 'What this country asks for.'),
    'By the country of a participant’s number (ISO 3166-1 alpha-2). The strictest wins: `announce`, then `consent`, and `off` forbids. A country never makes a call recorded that wasn’t going to be.',
  ),
};
const retention = {
  recordingDays: days(1, 'Days that recordings are kept.'),
  countries: byCountry(
    days(1, 'Days.'),
    'Instead, for recordings with a participant of this country (ISO 3166-1 alpha-2); of several the longest.',
  ),
  callDays: days(
    1,
    'Days that calls and ended sessions are kept; absent: for ever. Nothing of them is deleted unless this is set.',
  ),
  ledgerDays: days(365, 'Days that the ledger is kept; absent: for ever.'),
  legalFloorDays: days(0, 'Days for which erased data is kept sealed, where the law asks for it.'),
};

const settings = {
  businessName: Type.String({
    maxLength: 80,
    description: 'What participants read on their page. Empty: the name of the tenant.',
    examples: ['Jalan Express'],
  }),
  timeZone,
  ringSeconds: Type.Integer({
    minimum: 5,
    maximum: 120,
    description: 'How long somebody is rung where no program says it.',
    examples: [25],
  }),
  maxSeconds: Type.Integer({
    minimum: 10,
    maximum: 86_400,
    description: 'Longest call where no session says it.',
    examples: [3600],
  }),
  accept: Type.Boolean({ description: 'Callees press 1 before anything is joined.' }),
  abuseThreshold: Type.Integer({
    minimum: 1,
    maximum: 1000,
    description:
      'Calls after the end, of one caller to one number within a day, that raise `abuse.suspected`.',
    examples: [5],
  }),
  recordingPolicy: Type.Object(policy, { title: 'RecordingPolicy' }),
  retention: Type.Object(
    {
      ...retention,
      callDays: Type.Optional(retention.callDays),
      ledgerDays: Type.Optional(retention.ledgerDays),
    },
    { title: 'Retention' },
  ),
  downloadApproval: Type.Boolean({
    description: 'A recording is taken out of the house only when a second person approves.',
  }),
  reportAfterCall: Type.Boolean({
    description:
      'Whoever stays when the other has hung up hears that `*9` reports the call, and is hung up 5 seconds later.',
  }),
};
export const settingsSchema = Type.Object(settings, { title: 'Settings' });
export const settingsChangeSchema = Type.Object(
  {
    businessName: Type.Optional(settings.businessName),
    timeZone: Type.Optional(settings.timeZone),
    ringSeconds: Type.Optional(settings.ringSeconds),
    maxSeconds: Type.Optional(settings.maxSeconds),
    accept: Type.Optional(settings.accept),
    abuseThreshold: Type.Optional(settings.abuseThreshold),
    recordingPolicy: Type.Optional(
      Type.Object(
        { default: Type.Optional(policy.default), countries: Type.Optional(policy.countries) },
        {
          additionalProperties: false,
          title: 'RecordingPolicyChange',
          description: 'What is left out stays; `countries` is replaced as a whole.',
        },
      ),
    ),
    retention: Type.Optional(
      Type.Object(
        {
          recordingDays: Type.Optional(retention.recordingDays),
          countries: Type.Optional(retention.countries),
          callDays: Type.Optional(nullable(retention.callDays)),
          ledgerDays: Type.Optional(nullable(retention.ledgerDays)),
          legalFloorDays: Type.Optional(retention.legalFloorDays),
        },
        {
          additionalProperties: false,
          title: 'RetentionChange',
          description: 'What is left out stays; `countries` is replaced as a whole.',
        },
      ),
    ),
    downloadApproval: Type.Optional(settings.downloadApproval),
    reportAfterCall: Type.Optional(settings.reportAfterCall),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'SettingsChange',
    examples: [{ timeZone: 'Asia/Jakarta', accept: true }],
  },
);
export const decisionSecretSchema = Type.Object(
  { secret: Type.String({ description: 'Standard Webhooks; it begins with `whsec_`.' }) },
  { title: 'DecisionSecret' },
);
