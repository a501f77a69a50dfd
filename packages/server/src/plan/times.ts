const calendar =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(?:([zZ]|UTC)|([+-])(\d\d):?(\d\d)?)?$/;
const MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Milliseconds since 1970, or undefined when it is no time. Read are RFC 3339, the way databases write it (a space, a
 * zone of hours only, no zone: UTC), a date alone, and Unix time in seconds or milliseconds.
 */
export function readTime(text: string): number | undefined {
  if (/^\d{9,13}(\.\d{1,9})?$/.test(text)) {
    const value = Number(text);
    return value < 1e11 ? value * 1_000 : value;
  }
  const match = calendar.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '0',
    ,
    sign,
    zoneHours = '0',
  ] = match;
  const zoneMinutes = match[11] ?? '0';
  const parts = [year, month, day, hour, minute, second].map(Number);
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = parts;
  const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  const last = mo === 2 && !leap ? 28 : (MONTHS[mo - 1] ?? 0);
  if (y < 1970 || d < 1 || d > last || h > 23 || mi > 59 || s > 60) return undefined;
  if (Number(zoneHours) > 18 || Number(zoneMinutes) > 59) return undefined;
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return Date.UTC(y, mo - 1, d, h, mi, s) + Number(`0.${fraction}`) * 1_000 - zone;
}
