/**
 * Every place of a SIP message, a session description, an RTP packet and an RTCP report that could tell of its sender,
 * each filled with a canary of its own.
 */
import type { Aviary, Planted } from './canaries.ts';

/** IANA's registry of SIP header fields, and what else is met on the wire; without those that `leaky-peer.ts` writes. */
const generic =
  `Accept-Contact Additional-Identity Alert-Info Answer-Mode Attestation-Info Authentication-Info Call-Info
Cellular-Network-Info Content-ID Content-Language DC-Info Encryption Error-Info Event Feature-Caps Flow-Timer Geolocation
Geolocation-Error Geolocation-Routing Hide History-Info Identity Identity-Info In-Reply-To Info-Package Max-Breadth
Organization Origination-Id P-Access-Network-Info P-Answer-State P-Asserted-Service P-Associated-URI P-Called-Party-ID
P-Charge-Info P-Charging-Function-Addresses P-Charging-Vector P-DCS-Billing-Info P-DCS-LAES P-DCS-OSPS P-DCS-Redirect
P-DCS-Trace-Party-ID P-Early-Media P-Media-Authorization P-Preferred-Identity P-Preferred-Service
P-Private-Network-Indication P-Profile-Key P-Refused-URI-List P-Served-User P-User-Database P-Visited-Network-ID Path
Permission-Missing Policy-Contact Policy-ID Priority Priority-Share Priority-Verstat Priv-Answer-Mode Privacy Reason
Reason-Phrase Recv-Info Refer-Events-At Refer-Sub Refer-To Referred-By Reject-Contact Relayed-Charge Reply-To
Request-Disposition Resource-Priority Accept-Resource-Priority Resource-Share Response-Key Response-Source Restoration-Info
Security-Client Security-Server Security-Verify Service-Interact-Info Service-Route Session-ID SIP-ETag SIP-If-Match Subject
Subscription-State Suppress-If-Match Target-Dialog Trigger-Consent UE-Addr User-Agent Server User-to-User Warning
Remote-Party-ID Diversion Location P-Asserted-Identity-Hash P-KT-UE-IP P-Src-Device X-Call-ID X-CallerID X-Cisco-Identity
X-Device-Id X-Forwarded-For X-Original-To X-Twilio-CallSid X-UUID Thread-Topic Cisco-Guid MS-Conversation-ID Ms-Device-Info`
    .split(/\s+/)
    .filter((name) => name !== '');

/** Those whose grammar the reader checks, or acts on: a canary stands where the grammar has room for one. */
const particular: Readonly<Record<string, (planted: Planted) => string>> = {
  Accept: ({ name, uuid }) => `application/sdp;x="${name}", application/${uuid}`,
  'Accept-Encoding': ({ name }) => `identity, ${name}`,
  'Accept-Language': ({ name, uuid }) => `id;q=0.7;x="${uuid}", ${name}`,
  Allow: ({ name, uuid }) => `INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, ${name}, ${uuid}`,
  'Allow-Events': ({ name, uuid }) => `${name}, ${uuid}`,
  Authorization: digest,
  'Proxy-Authorization': digest,
  'Proxy-Authenticate': digest,
  'WWW-Authenticate': digest,
  'Content-Disposition': ({ name, uuid }) => `session;handling=optional;filename="${name}.vcf";x=${uuid}`,
  'MIME-Version': () => '1.0',
  Expires: () => '7200',
  'Min-Expires': () => '3600',
  'Retry-After': ({ number, uuid }) => `18000 (call ${number});duration=3600;x=${uuid}`,
  'Session-Expires': ({ uuid }) => `1800;x=${uuid}`,
  'Min-SE': ({ name }) => `90;x=${name}`,
  Supported: ({ name, uuid }) => `100rel, timer, ${name}, ${uuid}`,
  Unsupported: ({ name, uuid }) => `${name}, ${uuid}`,
};

function digest({ number, name, uuid, address }: Planted): string {
  return `Digest username="${number}", realm="${name}", nonce="${uuid}", uri="sip:${address}", response="00", opaque="${uuid}"`;
}

export const fieldNames: readonly string[] = [...generic, ...Object.keys(particular)];

export interface LeakyFields {
  /** Header lines; the same canary for a header in whatever message this side sends. */
  headers(names: readonly string[]): readonly string[];
  /** For any other place. */
  at(where: string): Planted;
  /** A session description with a canary in each line and attribute. */
  description(media: { readonly address: string; readonly port: number; readonly version: number }): string;
}

export function leakyFields(aviary: Aviary, side: string): LeakyFields {
  const known = new Map<string, Planted>();

  function at(where: string): Planted {
    const planted = known.get(where) ?? aviary.plant(`${where}, by the ${side}`);
    known.set(where, planted);
    return planted;
  }

  return {
    at,
    headers: (names) =>
      names.map((name) => {
        const planted = at(name);
        return `${name}: ${(particular[name] ?? anyValue)(planted)}`;
      }),
    description({ address, port, version }) {
      const lines: string[] = [];
      const line = (where: string, text: (planted: Planted) => string) =>
        lines.push(text(at(`SDP ${where}`)));
      lines.push('v=0');
      line('o=', (p) => `o=${p.name} ${p.number.slice(1)} ${version} IN IP4 ${p.address}`);
      line('s=', (p) => `s=${p.name} ${p.number}`);
      line('i=', (p) => `i=${p.name} ${p.number} ${p.uuid}`);
      line('u=', (p) => `u=http://${p.address}/${p.uuid}`);
      line('e=', (p) => `e=${p.name}@${p.address} (${p.uuid})`);
      line('p=', (p) => `p=${p.number} (${p.name})`);
      lines.push(`c=IN IP4 ${address}`);
      line('b=', (p) => `b=X-${p.name}:77`);
      lines.push('t=0 0');
      line('k=', (p) => `k=clear:${p.uuid}`);
      for (const attribute of sessionAttributes)
        line(`a=${attribute} of the session`, (p) => attributeLine(attribute, p));
      lines.push(`m=audio ${port} RTP/AVP 8 0 101`);
      line('media i=', (p) => `i=${p.name} ${p.number}`);
      line('media b=', (p) => `b=X-${p.name}:64`);
      line('media k=', (p) => `k=prompt:${p.uuid}`);
      lines.push('a=rtpmap:8 PCMA/8000', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000');
      line('a=fmtp', (p) => `a=fmtp:101 0-15;x=${p.uuid}`);
      for (const attribute of mediaAttributes) line(`a=${attribute}`, (p) => attributeLine(attribute, p));
      lines.push('a=sendrecv', 'a=ptime:30');
      lines.push('m=video 0 RTP/AVP 96');
      line('second media c=', (p) => `c=IN IP4 ${p.address}`);
      line('second media i=', (p) => `i=${p.name} ${p.number}`);
      line('second media a=rtpmap', (p) => `a=rtpmap:96 ${p.name}/90000`);
      line('a third media line', (p) => `m=application 0 ${p.name} ${p.uuid}`);
      line('third media c=', (p) => `c=IN IP4 ${p.address}`);
      return `${lines.join('\r\n')}\r\n`;
    },
  };
}

function anyValue({ number, name, address, uuid }: Planted): string {
  return `"${name}" <sip:${number}@${address};user=phone;gr=urn:uuid:${uuid}?Subject=${name}>;x=${uuid};y="${number}"`;
}

const sessionAttributes =
  'tool cat keywds orient type charset sdplang lang group msid-semantic ice-options X-anything'.split(' ');
const mediaAttributes =
  'candidate remote-candidates ice-ufrag ice-pwd rtcp fingerprint setup crypto ssrc ssrc-group msid mid extmap rtcp-fb rtcp-xr label tcap acap pcfg alt X-nat rtcp-rsize-by record quality maxptime-of imageattr zrtp-hash key-mgmt'.split(
    ' ',
  );

function attributeLine(attribute: string, { number, name, address, uuid }: Planted): string {
  switch (attribute) {
    case 'candidate':
      return `a=candidate:${name} 1 UDP 2130706431 ${address} 5004 typ srflx raddr ${address} rport 5004 x ${uuid}`;
    case 'rtcp':
      return `a=rtcp:5005 IN IP4 ${address}`;
    case 'ssrc':
      return `a=ssrc:77557755 cname:${name}@${address} ${uuid} ${number}`;
    case 'crypto':
      return `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.from(`${name}${uuid}`).toString('base64')}`;
    case 'extmap':
      return `a=extmap:1 urn:ietf:params:rtp-hdrext:${name} ${uuid}`;
    default:
      return `a=${attribute}:${name} ${number} ${address} ${uuid}`;
  }
}

// ---------------------------------------------------------------- media

/** Silence in a packet that has everything else: contributors, a header extension, padding. RFC 3550 section 5, RFC 8285. */
export function leakyRtp(
  fields: LeakyFields,
  place: { readonly sequence: number; readonly ssrc: number },
): Buffer {
  const contributors = [1, 2, 3].map((index) => addressBytes(fields.at(`CSRC ${index}`).address));
  const { uuid, number } = fields.at('RTP header extension');
  const extension = pad(Buffer.from(`${uuid.replaceAll('-', '')}${number}`));
  const padding = Buffer.alloc(32);
  padding.write(fields.at('RTP padding').name);
  padding[31] = 32;
  const header = Buffer.alloc(12);
  header[0] = 0x80 | 0x20 | 0x10 | contributors.length;
  header[1] = 8;
  header.writeUInt16BE(place.sequence & 0xffff, 2);
  header.writeUInt32BE((place.sequence * 160) >>> 0, 4);
  header.writeUInt32BE(place.ssrc, 8);
  const extensionHeader = Buffer.alloc(4);
  extensionHeader.writeUInt16BE(0xbede, 0);
  extensionHeader.writeUInt16BE(extension.length / 4, 2);
  return Buffer.concat([
    header,
    ...contributors,
    extensionHeader,
    extension,
    Buffer.alloc(160, 0xd5),
    padding,
  ]);
}

/** SR, SDES with each item, APP, XR and BYE with a reason, in one compound packet. RFC 3550 section 6, RFC 3611. */
export function leakyRtcp(fields: LeakyFields, ssrc: number): Buffer {
  const own = Buffer.alloc(4);
  own.writeUInt32BE(ssrc);
  const report = Buffer.alloc(24);
  own.copy(report);
  addressBytes(fields.at('NTP time in SR').address).copy(report, 4);
  const items = ['CNAME', 'NAME', 'EMAIL', 'PHONE', 'LOC', 'TOOL', 'NOTE', 'PRIV'].map((item, index) => {
    const { name, number, address } = fields.at(`SDES ${item}`);
    const text = Buffer.from(`${name} ${number}@${address}`);
    const value = item === 'PRIV' ? Buffer.concat([Buffer.from([4]), Buffer.from('priv'), text]) : text;
    return Buffer.concat([Buffer.from([index + 1, value.length]), value]);
  });
  const app = fields.at('RTCP APP');
  const reason = Buffer.from(fields.at('RTCP BYE').number);
  return Buffer.concat([
    rtcp(200, 0, report),
    rtcp(202, 1, pad(Buffer.concat([own, ...items, Buffer.alloc(1)]))),
    rtcp(204, 0, pad(Buffer.concat([own, Buffer.from('KNRI'), Buffer.from(app.uuid + app.number)]))),
    rtcp(
      207,
      0,
      pad(
        Buffer.concat([
          own,
          Buffer.from([4, 0, 0, 2]),
          Buffer.from(fields.at('RTCP XR').name).subarray(0, 8),
        ]),
      ),
    ),
    rtcp(203, 1, pad(Buffer.concat([own, Buffer.from([reason.length]), reason]))),
  ]);
}

function rtcp(type: number, count: number, content: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header[0] = 0x80 | count;
  header[1] = type;
  header.writeUInt16BE(content.length / 4, 2);
  return Buffer.concat([header, content]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}
