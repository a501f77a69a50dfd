import { parseNameAddress, parseUri, type SipRequest, type SipUri } from '@samar/sip';
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Carrier } from '../masking/service.ts';

/**
 * Who calls, and which number was called, read from an INVITE of a trunk that we trust; and the way back:
 * E.164 into what a trunk wants to see. Nothing else of an INVITE is ever looked at for identity.
 */
export type NumberFormat = NonNullable<Carrier['numberFormat']>;

/** E.164 with `+`, or undefined when the Request-URI holds no telephone number. */
export function calledNumber(request: SipRequest, format: NumberFormat): string | undefined {
  return readNumber(parseUri(request.uri), format);
}

/**
 * P-Asserted-Identity (RFC 3325) before From: the trunk vouches for the first, the caller's device for the second.
 * Undefined when withheld or unreadable.
 */
export function callerNumber(request: SipRequest, format: NumberFormat): string | undefined {
  for (const value of request.headers.all('P-Asserted-Identity')) {
    const number = readAddress(value, format);
    if (number) return number;
  }
  const from = request.headers.get('From');
  return from === undefined ? undefined : readAddress(from, format);
}

/**
 * The network checked the caller's number and says that it is not theirs: `verstat=TN-Validation-Failed` (3GPP TS
 * 24.229 section 7.2A.20), among the number's parameters or the URI's, in what the trunk asserts or in From.
 */
export function isUnverified(request: SipRequest): boolean {
  const from = request.headers.get('From');
  return (
    (from !== undefined && hasFailed(from)) || request.headers.all('P-Asserted-Identity').some(hasFailed)
  );
}

function hasFailed(value: string): boolean {
  // Nearly every call: no need to read the address again.
  if (!/verstat/i.test(value)) return false;
  const uri = parseUri(parseNameAddress(value)?.uri ?? '');
  if (!uri) return false;
  const [, ...ofNumber] = uri.user.toLowerCase().split(';');
  const verdict = uri.parameters.get('verstat')?.toLowerCase();
  return verdict === 'tn-validation-failed' || ofNumber.includes('verstat=tn-validation-failed');
}

function readAddress(value: string, format: NumberFormat): string | undefined {
  const address = parseNameAddress(value);
  return address && readNumber(parseUri(address.uri), format);
}

/** RFC 3966 visual separators, which people and trunks put into numbers. */
const separators = /[-.() ]/g;

function readNumber(uri: SipUri | undefined, format: NumberFormat): string | undefined {
  if (!uri) return undefined;
  // `user;npdi;rn=…` (RFC 4694) and passwords: the number ends at the first semicolon or colon.
  const digits = uri.user.split(/[;:]/, 1)[0]?.replace(separators, '') ?? '';
  if (/^\+[1-9]\d{4,14}$/.test(digits)) return digits;
  if (!/^\d{3,18}$/.test(digits)) return undefined;
  if (format.inboundCountry !== undefined) {
    return parsePhoneNumberFromString(digits, format.inboundCountry as CountryCode)?.number;
  }
  const international = digits.startsWith('00') ? digits.slice(2) : digits;
  return /^[1-9]\d{4,14}$/.test(international) ? `+${international}` : undefined;
}

/** The user part for a trunk. `e164` has the plus sign. */
export function formatNumber(e164: string, format: NumberFormat): string {
  switch (format.outbound ?? '+e164') {
    case '+e164':
      return e164;
    case 'e164':
      return e164.slice(1);
    case 'national':
      return parsePhoneNumberFromString(e164)?.formatNational().replace(/\D/g, '') ?? e164.slice(1);
  }
}
