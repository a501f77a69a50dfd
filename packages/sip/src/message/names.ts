/** Header field names: long and compact forms, and what each allows (IANA SIP parameters, header fields). */
import { isToken } from './chars.ts';

/** Which check a header's value gets while a message is read; see check.ts. */
export type Check =
  | 'via'
  | 'from'
  | 'to'
  | 'call-id'
  | 'cseq'
  | 'content-length'
  | 'max-forwards'
  | 'expires'
  | 'date'
  | 'contact'
  | 'route';

export interface HeaderKind {
  /** The long form in lower case: what headers are looked up by. */
  readonly key: string;
  /** Comma-separated values may share one line (RFC 3261 section 7.3.1). */
  readonly list: boolean;
  /** More than one is an error. A bit of its own each, so that a message's duplicates are found by one mask. */
  readonly singleBit: number;
  readonly check: Check | undefined;
}

const lists =
  'accept accept-contact accept-encoding accept-language alert-info allow allow-events call-info contact ' +
  'content-encoding content-language diversion error-info feature-caps geolocation history-info in-reply-to ' +
  'info-package p-asserted-identity p-associated-uri p-early-media p-preferred-identity p-visited-network-id ' +
  'path permission-missing proxy-require reason record-route recv-info reject-contact require ' +
  'request-disposition resource-priority accept-resource-priority route security-client security-server ' +
  'security-verify service-route supported trigger-consent unsupported user-to-user via warning';

// Those on which routing, framing, dialogs or sessions depend: two different readers must not see two values.
const singles =
  'from to call-id cseq max-forwards content-length content-type content-disposition expires date event ' +
  'min-expires min-se mime-version rack referred-by refer-to replaces retry-after rseq session-expires ' +
  'subscription-state target-dialog';

const others =
  'authentication-info authorization organization priority privacy proxy-authenticate proxy-authorization ' +
  'reply-to server subject timestamp user-agent www-authenticate identity identity-info p-access-network-info ' +
  'p-charging-vector session-id';

const compact: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const checks: Readonly<Record<string, Check>> = {
  via: 'via',
  from: 'from',
  to: 'to',
  'call-id': 'call-id',
  cseq: 'cseq',
  'content-length': 'content-length',
  'max-forwards': 'max-forwards',
  expires: 'expires',
  date: 'date',
  contact: 'contact',
  route: 'route',
  'record-route': 'route',
};

const usual = (key: string): string => {
  if (key === 'call-id') return 'Call-ID';
  if (key === 'cseq') return 'CSeq';
  if (key === 'rseq') return 'RSeq';
  if (key === 'rack') return 'RAck';
  if (key === 'mime-version') return 'MIME-Version';
  if (key === 'min-se') return 'Min-SE';
  if (key === 'www-authenticate') return 'WWW-Authenticate';
  return key.replace(/(^|-)([a-z])/g, (match) => match.toUpperCase());
};

/** Every spelling that is met on the wire without surprise; others go by `toLowerCase`. */
const known = new Map<string, HeaderKind>();
const singleNames = singles.split(' ');
for (const key of [...lists.split(' '), ...singleNames, ...others.split(' ')]) {
  const single = singleNames.indexOf(key);
  const kind: HeaderKind = {
    key,
    list: single < 0 && lists.split(' ').includes(key),
    singleBit: single < 0 ? 0 : 2 ** single,
    check: checks[key],
  };
  known.set(key, kind);
  known.set(usual(key), kind);
}
for (const [short, key] of Object.entries(compact)) {
  const kind = known.get(key);
  if (kind === undefined) throw new Error(`a compact form without a header: ${short}`);
  known.set(short, kind);
  known.set(short.toUpperCase(), kind);
}

/** The kind of a header by any of its spellings; undefined when the text is no header name at all. */
export const headerKind = (name: string): HeaderKind | undefined => {
  const kind = known.get(name);
  if (kind !== undefined) return kind;
  if (!isToken(name)) return undefined;
  const key = name.toLowerCase();
  return known.get(key) ?? { key, list: false, singleBit: 0, check: undefined };
};

/** The key of a header for look-ups. */
export const headerKey = (name: string): string => known.get(name)?.key ?? headerKind(name)?.key ?? '';
