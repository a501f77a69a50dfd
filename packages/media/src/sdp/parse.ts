import type { AudioDescription, Codec, DescriptionFailure, Direction } from '../types.ts';
import { connectionAddress } from './address.ts';
import { knownKind, knownProtocol } from './words.ts';

/** Far above any telephone's (1 to 3 KB with ICE), far below what would cost time. */
const BODY_BYTES = 16_384;
const LINES = 512;
const MEDIA_LINES = 16;
const FORMATS = 64;

type Failure = { readonly failure: DescriptionFailure };

/** One `m=` line with what belongs to it, still as text. */
interface Section {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  connection: string | undefined;
  direction: Direction | undefined;
  rtcpPort: number | undefined;
  /** Payload type → encoding name, clock rate and channels, in lower case. */
  readonly encodings: Map<number, string>;
}

interface Session {
  connection: string | undefined;
  direction: Direction | undefined;
  readonly sections: Section[];
}

function splitLines(body: Buffer): readonly string[] | undefined {
  const lines = body.toString('latin1').split('\n', LINES + 1);
  if (lines.length > LINES) return undefined;
  const clean = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  while (clean.at(-1) === '') clean.pop();
  // A line is one letter, "=", and text without NUL or a lone CR (RFC 8866 section 9: byte-string).
  return clean.every((line) => /^[a-z]=[^\0\r]*$/.test(line)) ? clean : undefined;
}

/** 1 to 5 digits, at most 65,535. */
function readPort(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function readPayloadType(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,3}$/.test(text)) return undefined;
  const type = Number(text);
  // 64 to 95 would be mistaken for RTCP on a shared port (RFC 5761 section 4).
  return type < 64 || (type >= 96 && type <= 127) ? type : undefined;
}

function openSection(value: string): Section | undefined {
  const [kind, portText, protocol, ...formats] = value.trimEnd().split(' ', FORMATS + 3);
  // "49170/2" asks for two ports; we use the first.
  const port = readPort(portText?.split('/', 1)[0]);
  if (!kind || !protocol || port === undefined || formats.length === 0) return undefined;
  return {
    kind,
    port,
    protocol,
    formats,
    connection: undefined,
    direction: undefined,
    rtcpPort: undefined,
    encodings: new Map(),
  };
}

function readAttribute(value: string, session: Session, section: Section | undefined): void {
  switch (value) {
    case 'sendrecv':
    case 'sendonly':
    case 'recvonly':
    case 'inactive':
      (section ?? session).direction ??= value;
      return;
    default:
  }
  if (section === undefined) return;
  if (value.startsWith('rtcp:')) {
    section.rtcpPort ??= readPort(value.slice(5).split(' ', 1)[0]) || undefined;
    return;
  }
  const mapping = /^rtpmap:(\d{1,3}) +([\w.+-]{1,32}\/\d{1,6}(?:\/\d{1,2})?) *$/.exec(value);
  const type = readPayloadType(mapping?.[1]);
  if (type === undefined || section.encodings.has(type)) return;
  section.encodings.set(type, (mapping?.[2] ?? '').toLowerCase().replace(/\/1$/, ''));
}

function readSession(lines: readonly string[]): Session | undefined {
  const session: Session = { connection: undefined, direction: undefined, sections: [] };
  if (lines[0] !== 'v=0' || !lines[1]?.startsWith('o=')) return undefined;
  for (const line of lines) {
    const value = line.slice(2);
    switch (line[0]) {
      case 'm': {
        const section = openSection(value);
        if (section === undefined || session.sections.length === MEDIA_LINES) return undefined;
        session.sections.push(section);
        break;
      }
      case 'c':
        (session.sections.at(-1) ?? session).connection ??= value;
        break;
      case 'a':
        readAttribute(value, session, session.sections.at(-1));
        break;
      default: // Nothing else is of use here, and what isn't read can't leak.
    }
  }
  return session;
}

const STATIC: ReadonlyMap<number, string> = new Map([
  [0, 'pcmu/8000'],
  [8, 'pcma/8000'],
]);
const CODEC: ReadonlyMap<string, Codec> = new Map([
  ['pcmu/8000', 'PCMU'],
  ['pcma/8000', 'PCMA'],
]);

function payloadTypes(section: Section): Pick<AudioDescription, 'codecs' | 'telephoneEvent'> {
  const codecs: { codec: Codec; payloadType: number }[] = [];
  let telephoneEvent: number | undefined;
  for (const format of section.formats) {
    const payloadType = readPayloadType(format);
    if (payloadType === undefined) continue;
    const fixed = STATIC.get(payloadType);
    const encoding = section.encodings.get(payloadType) ?? fixed ?? '';
    // A static type that is mapped to something else: whoever does that is not to be trusted with the others.
    if (fixed !== undefined && encoding !== fixed) continue;
    const codec = CODEC.get(encoding);
    if (codec !== undefined && !codecs.some((known) => known.codec === codec)) {
      codecs.push({ codec, payloadType });
    }
    if (encoding === 'telephone-event/8000') telephoneEvent ??= payloadType;
  }
  return { codecs, telephoneEvent };
}

function readConnection(text: string | undefined): string | undefined {
  const [network, type, address, ...rest] = text?.trimEnd().split(' ') ?? [];
  if (network !== 'IN' || type === undefined || address === undefined || rest.length > 0) return undefined;
  return connectionAddress(type, address);
}

function isUsable(section: Section): boolean {
  return (
    section.kind === 'audio' &&
    section.port !== 0 &&
    (section.protocol === 'RTP/AVP' || section.protocol === 'RTP/AVPF')
  );
}

function describe(session: Session, section: Section): AudioDescription | Failure {
  const types = payloadTypes(section);
  if (types.codecs.length === 0) return { failure: 'no-codec' };
  const address = readConnection(section.connection ?? session.connection);
  if (address === undefined) return { failure: 'bad-address' };
  return {
    address,
    port: section.port,
    // RFC 3605; without it the next port (RFC 3550 section 11), which the last port doesn't have.
    rtcpPort: section.rtcpPort ?? Math.min(section.port + 1, 65_535),
    ...types,
    direction: section.direction ?? session.direction ?? 'sendrecv',
    lines: session.sections.map((line) => ({
      kind: knownKind(line.kind),
      protocol: knownProtocol(line.protocol),
      formats: line.formats.filter((format) => readPayloadType(format) !== undefined).join(' '),
      audio: line === section,
    })),
  };
}

/**
 * Reads the one audio stream that we can use: the first `m=audio` over RTP/AVP or RTP/AVPF with PCMU or PCMA and
 * an IP literal to send to (RFC 8866). All else, unknown attributes included, is skipped. When no line will do,
 * the answer is the last reason found. Never throws.
 */
export function parseAudio(body: Buffer): AudioDescription | DescriptionFailure {
  if (body.length > BODY_BYTES) return 'too-large';
  const lines = splitLines(body);
  const session = lines === undefined ? undefined : readSession(lines);
  if (session === undefined) return 'malformed';
  let failure: DescriptionFailure = 'no-audio';
  for (const section of session.sections) {
    if (!isUsable(section)) continue;
    const described = describe(session, section);
    if (!('failure' in described)) return described;
    failure = described.failure;
  }
  return failure;
}
