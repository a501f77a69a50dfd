/** Settings of the business, and its own numbers that programs forward to. */
import { Type } from 'typebox';
import { patterned, phoneIn, timeZone } from './common.ts';

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

const settings = {
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
};
export const settingsSchema = Type.Object(settings, { title: 'Settings' });
export const settingsChangeSchema = Type.Object(
  {
    timeZone: Type.Optional(settings.timeZone),
    ringSeconds: Type.Optional(settings.ringSeconds),
    maxSeconds: Type.Optional(settings.maxSeconds),
    accept: Type.Optional(settings.accept),
    abuseThreshold: Type.Optional(settings.abuseThreshold),
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
