import { expect, it } from 'vitest';
import { ownPath } from '../shell/come-back.ts';
import { mayBePhone } from '../shell/searched.ts';
import { asHeader } from './listen/fetch-recording.ts';
import { asE164 } from './phone-once.tsx';

it('reads numbers as people write them, and nothing else', () => {
  expect(asE164(' +62 811-0000-0001 ')).toBe('+6281100000001');
  expect(asE164('+62 (21) 5000.0001')).toBe('+622150000001');
  for (const text of ['0811 0000 0001', '+0811000001', '+62', '+62811000000o1', '']) {
    expect(asE164(text)).toBeUndefined();
  }
});
it('takes for a number of a person whatever may be one, so that it stays out of addresses', () => {
  for (const text of ['+6281100000001', '081100000001', '(0811) 000-0001', '1234567']) {
    expect(mayBePhone(text)).toBe(true);
  }
  for (const text of ['order-1009', '100912', 'ses_0001', '2026-W03']) expect(mayBePhone(text)).toBe(false);
});
it('puts a reason into a header as bytes of UTF-8', () => {
  const header = asHeader('ancaman – “dispute”');
  expect(() => new Headers({ 'x-access-reason': header })).not.toThrow();
  expect(Buffer.from(header, 'latin1').toString('utf8')).toBe('ancaman – “dispute”');
});
it('comes back after a log-in to pages of ours only', () => {
  expect(ownPath('/sessions?status=open')).toBe('/sessions?status=open');
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '',
    undefined,
  ]) {
    expect(ownPath(next)).toBe('/');
  }
});
