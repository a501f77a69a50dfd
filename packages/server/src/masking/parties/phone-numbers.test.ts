import { describe, expect, it } from 'vitest';
import { MaskingError } from '../service.ts';
import { maskPhoneNumber, readPhoneNumber } from './phone-numbers.ts';

describe('a phone number', () => {
  it.each([
    ['+6281100000001', 'ID', '+62•••••••0001'],
    ['+6221500001', 'ID', '+62••••0001'],
    ['+919876543210', 'IN', '+91••••••3210'],
    ['+14155550100', 'US', '+1••••••0100'],
    // A drama range: possible, and its country's, but assigned to nobody.
    ['+441632960001', 'GB', '+44••••••0001'],
    ['+6565550001', 'SG', '+65••••0001'],
  ])('%s is of %s and is shown as %s', (e164, country, masked) => {
    expect(readPhoneNumber(e164, '')).toEqual({ e164, country });
    expect(maskPhoneNumber(e164, country)).toBe(masked);
  });

  it.each([
    ['without plus', '6281100000001', 'invalid-number'],
    ['with spaces', '+62 811 0000 0001', 'invalid-number'],
    ['in national form', '081100000001', 'invalid-number'],
    ['in other digits', '+٦٢٨١١٠٠٠٠٠٠٠١', 'invalid-number'],
    ['too short for its country', '+628110', 'invalid-number'],
    ['too long for its country', '+141555501001', 'invalid-number'],
    ['under no calling code', '+999123456789', 'invalid-number'],
    ['with something behind it', '+6281100000001;ext=1', 'invalid-number'],
    ['of Inmarsat', '+870773111632', 'number-without-country'],
    ['of Iridium', '+881612345678', 'number-without-country'],
    ['of an international network', '+88213300000', 'number-without-country'],
    ['of an international network', '+883510012345', 'number-without-country'],
    ['of international freephone', '+80012345678', 'number-without-country'],
    ['of international premium rate', '+979123456789', 'number-without-country'],
    ['of premium rate', '+19005550123', 'number-not-allowed'],
    ['of premium rate', '+449098790000', 'number-not-allowed'],
    ['of shared cost', '+491806123456', 'number-not-allowed'],
  ])('%s (%s) is refused as %s, and the refusal does not repeat it', (_what, text, code) => {
    const refusal = (() => {
      try {
        return readPhoneNumber(text, '/participants/0/phones/0');
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(MaskingError);
    expect(refusal).toMatchObject({ code, pointer: '/participants/0/phones/0' });
    expect(String(refusal)).not.toMatch(/\d{4}/);
  });
});
