/**
 * Phone numbers at the door: what is one, whose country it is, and how it is shown. Errors never repeat the number.
 */
import { type CountryCode, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { MaskingError } from '../service.ts';

export interface PhoneNumber {
  readonly e164: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** Satellite and international networks: they have a calling code but no country, and some read as mobiles. */
const networksWithoutCountry = /^\+(?:87[08]|88[1238]|800|808|979|991)/;

/** Calls to these cost the caller a surcharge, or don't reach one person. */
const refusedTypes = new Set(['PREMIUM_RATE', 'SHARED_COST', 'UAN', 'PAGER', 'VOICEMAIL']);

/**
 * E.164 with `+`, possible by the length rules of its country, and not of a refused type. It need not be assigned by
 * the full metadata: test and drama ranges, and ranges newer than the metadata, pass.
 * Throws `MaskingError`: invalid-number, number-without-country, number-not-allowed.
 */
export function readPhoneNumber(text: string, pointer: string): PhoneNumber {
  if (!/^\+[1-9]\d{6,14}$/.test(text)) {
    throw new MaskingError(
      'invalid-number',
      'Give the number in E.164: a plus sign, the country calling code and the number, digits only.',
      pointer,
    );
  }
  if (networksWithoutCountry.test(text)) throw withoutCountry(pointer);
  const phone = parsePhoneNumberFromString(text);
  if (!phone?.isPossible() || phone.number !== text) {
    throw new MaskingError(
      'invalid-number',
      'This cannot be a phone number: its length or calling code does not exist.',
      pointer,
    );
  }
  const country = phone.country ?? phone.getPossibleCountries()[0];
  if (country === undefined) throw withoutCountry(pointer);
  if (refusedTypes.has(phone.getType() ?? '')) {
    throw new MaskingError(
      'number-not-allowed',
      'Premium, shared-cost, universal-access, pager and voicemail numbers are not allowed.',
      pointer,
    );
  }
  return { e164: text, country };
}

function withoutCountry(pointer: string): MaskingError {
  return new MaskingError(
    'number-without-country',
    'The number belongs to no country (satellite or international network); give a number of a country.',
    pointer,
  );
}

/** `+62•••••••0001`: calling code, a dot for each hidden digit, the last four digits. */
export function maskPhoneNumber(e164: string, country: string): string {
  const code = getCountryCallingCode(country as CountryCode);
  const digits = e164.slice(1 + code.length);
  return `+${code}${'•'.repeat(Math.max(0, digits.length - 4))}${digits.slice(-4)}`;
}

/** Shown where a number was erased or can't be read any more. */
export const unreadablePhoneNumber = '•••';

/** Nine digits or more, however they are grouped: for words that people write and that are kept or shown in clear. */
export function holdsPhoneNumber(text: string): boolean {
  return /\p{Nd}{9}/u.test(text.replace(/(?<=\p{Nd})[\s().-]+(?=[\p{Nd}(])/gu, ''));
}
