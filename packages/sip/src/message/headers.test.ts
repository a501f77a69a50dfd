import { describe, expect, test } from 'vitest';
import { createHeaders, UnsafeHeaderError } from './index.ts';

describe('look-up', () => {
  const pairs =
    'a Accept-Contact b Referred-By c Content-Type d Request-Disposition e Content-Encoding f From i Call-ID j Reject-Contact k Supported l Content-Length m Contact n Identity-Info o Event r Refer-To s Subject t To u Allow-Events v Via x Session-Expires y Identity'.split(
      ' ',
    );
  test.each(Array.from({ length: pairs.length / 2 }, (_, at) => pairs.slice(2 * at, 2 * at + 2)))(
    '%s is %s',
    (short, long) => {
      const headers = createHeaders([[short as string, 'one']]);
      expect(headers.get(long as string)).toBe('one');
      expect(headers.get((long as string).toUpperCase())).toBe('one');
      expect([...headers.entries()]).toEqual([[short, 'one']]);
    },
  );

  test('by any case, in order, spelled as given', () => {
    const headers = createHeaders([
      ['x-A', '1'],
      ['X-B', '2'],
      ['X-a', '3'],
    ]);
    expect(headers.all('X-A')).toEqual(['1', '3']);
    expect(headers.has('X-C')).toBe(false);
    expect(headers.get('X-C')).toBeUndefined();
    headers.set('x-a', '4');
    expect([...headers.entries()]).toEqual([
      ['x-a', '4'],
      ['X-B', '2'],
    ]);
    headers.add('x-b', '5');
    headers.remove('X-b');
    expect([...headers.entries()]).toEqual([['x-a', '4']]);
  });
});

describe('lists on one line', () => {
  test('are split where the header allows it', () => {
    const headers = createHeaders([
      ['Contact', '"a, \\"b" <sip:a,b@example.com>;x="1,2" , <sip:c@example.com>'],
      ['m', '<sip:d@example.com>'],
      ['Allow', 'INVITE,ACK , BYE'],
    ]);
    expect(headers.all('contact')).toEqual([
      '"a, \\"b" <sip:a,b@example.com>;x="1,2"',
      '<sip:c@example.com>',
      '<sip:d@example.com>',
    ]);
    expect(headers.get('Contact')).toBe('"a, \\"b" <sip:a,b@example.com>;x="1,2"');
    expect(headers.all('Allow')).toEqual(['INVITE', 'ACK', 'BYE']);
  });

  test.each(['WWW-Authenticate', 'Authorization', 'Date', 'Subject', 'User-Agent', 'X-Unknown'])(
    'not of %s',
    (name) => {
      const headers = createHeaders([[name, 'a, b']]);
      expect(headers.all(name)).toEqual(['a, b']);
      expect(headers.get(name)).toBe('a, b');
    },
  );
});

describe('injection', () => {
  const values = ['a\r\nX: b', 'a\nb', 'a\rb', 'a\0b', '\x7f', '"\\\r\n"', '"\\\n"', '\\\0'];
  test.each(values)('value %j', (value) => {
    const headers = createHeaders();
    expect(() => createHeaders([['Subject', value]])).toThrow(UnsafeHeaderError);
    expect(() => headers.set('Subject', value)).toThrow(UnsafeHeaderError);
    expect(() => headers.add('Subject', value)).toThrow(UnsafeHeaderError);
    expect([...headers.entries()]).toEqual([]);
  });

  test.each(['', 'a b', 'a:', 'a\r\n', 'é', 'a\0'])('name %j', (name) => {
    expect(() => createHeaders([[name, 'x']])).toThrow(UnsafeHeaderError);
  });

  test('the error quotes nothing', () => {
    expect(() => createHeaders([['Subject', '+6281234567890\r\n']])).toThrow(/^(?!.*628)/);
  });
});
