import { Type } from 'typebox';
import { id, oneOf, pageOf, patterned, time } from './common.ts';

const host = patterned('^[A-Za-z0-9._:-]{1,253}$', 'must be a host name or an IP address without brackets', {
  description: 'Host name or IP address of the trunk.',
  examples: ['sip.carrier.example'],
});
const name = Type.String({ minLength: 1, maxLength: 100, examples: ['main trunk'] });
const port = Type.Integer({ minimum: 1, maximum: 65_535, examples: [5060] });
const transport = oneOf(['udp', 'tcp', 'tls'], 'How SIP is carried; `udp` when absent.');
const sources = Type.Array(Type.String({ minLength: 2, maxLength: 49 }), {
  maxItems: 100,
  description: 'Networks (CIDR) or addresses that calls may come from. Absent: the host itself.',
  examples: [['203.0.113.0/28']],
});
const callerTrust = oneOf(
  ['trusted', 'untrusted'],
  '`untrusted`: its callers’ numbers are not believed, they prove themselves by a code. `trusted` when absent.',
);
const auth = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 200 }),
    password: Type.String({ minLength: 1, maxLength: 200, writeOnly: true }),
    realm: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  },
  { additionalProperties: false, description: 'SIP digest credentials. Encrypted; never shown again.' },
);
const numberFormat = Type.Object(
  {
    outbound: Type.Optional(
      oneOf(['+e164', 'e164', 'national'], 'How numbers are sent; `+e164` when absent.'),
    ),
    inboundCountry: Type.Optional(
      patterned('^[A-Z]{2}$', 'must be a country code of two capital letters', {
        description: 'ISO 3166 country by which national digits from the trunk are read.',
        examples: ['ID'],
      }),
    ),
  },
  { additionalProperties: false },
);

export const newCarrierSchema = Type.Object(
  {
    name,
    kind: oneOf(['sip'], 'A SIP trunk.'),
    host,
    port: Type.Optional(port),
    transport: Type.Optional(transport),
    allowedSources: Type.Optional(sources),
    callerTrust: Type.Optional(callerTrust),
    auth: Type.Optional(auth),
    numberFormat: Type.Optional(numberFormat),
  },
  {
    additionalProperties: false,
    title: 'NewCarrier',
    examples: [
      { name: 'main trunk', kind: 'sip', host: 'sip.carrier.example', port: 5060, transport: 'udp' },
    ],
  },
);

export const carrierChangeSchema = Type.Object(
  {
    name: Type.Optional(name),
    host: Type.Optional(host),
    port: Type.Optional(port),
    transport: Type.Optional(transport),
    allowedSources: Type.Optional(sources),
    callerTrust: Type.Optional(callerTrust),
    auth: Type.Optional(auth),
    numberFormat: Type.Optional(numberFormat),
    enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, minProperties: 1, title: 'CarrierChange', examples: [{ enabled: false }] },
);

export const carrierSchema = Type.Object(
  {
    id: id('car', 'The carrier.'),
    name,
    kind: oneOf(['sip'], 'A SIP trunk.'),
    host: Type.String(),
    port: Type.Optional(port),
    transport: oneOf(['udp', 'tcp', 'tls'], 'How SIP is carried.'),
    allowedSources: Type.Array(Type.String()),
    callerTrust,
    hasAuth: Type.Boolean({ description: 'Whether credentials are stored.' }),
    numberFormat: Type.Optional(
      Type.Object({
        outbound: Type.Optional(oneOf(['+e164', 'e164', 'national'], 'How numbers are sent.')),
        inboundCountry: Type.Optional(Type.String()),
      }),
    ),
    enabled: Type.Boolean(),
    createdAt: time('When it was made.'),
  },
  { title: 'Carrier' },
);
export const carrierPage = pageOf(carrierSchema, 'CarrierPage');
