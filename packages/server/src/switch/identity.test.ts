import { createHeaders, type SipRequest } from '@samar/sip';
import { describe, expect, test } from 'vitest';
import { calledNumber, callerNumber, formatNumber, isUnverified } from './identity.ts';

function invite(uri: string, headers: Readonly<Record<string, string>> = {}): SipRequest {
  return {
    kind: 'request',
    method: 'INVITE',
    uri,
    headers: createHeaders(Object.entries(headers)),
    body: Buffer.alloc(0),
  };
}

describe('the called number', () => {
  test.each([
    ['sip:+6221500001@samar', {}, '+6221500001'],
    ['sip:6221500001@samar', {}, '+6221500001'],
    ['sip:006221500001@samar', {}, '+6221500001'],
    ['sip:+62-21-500.001@samar;user=phone', {}, '+6221500001'],
    ['sip:+6221500001;npdi;rn=+6221999@samar', {}, '+6221500001'],
    ['tel:+62-21-500-001', {}, '+6221500001'],
    ['sip:021500001@samar', { inboundCountry: 'ID' }, '+6221500001'],
    ['sip:alice@samar', {}, undefined],
    ['sip:samar', {}, undefined],
    ['sip:+0221500001@samar', {}, undefined],
    ['sip:+62215000016221500001@samar', {}, undefined],
    ['sip:12@samar', {}, undefined],
  ])('of %s', (uri, format, expected) => {
    expect(calledNumber(invite(uri), format)).toBe(expected);
  });
});

describe('the caller', () => {
  test('is whom the trunk asserts, before whom the device claims to be', () => {
    const request = invite('sip:+6221500001@samar', {
      From: '"Mallory" <sip:+6281100000009@x>;tag=1',
      'P-Asserted-Identity': '<sip:+6281100000001@trunk>',
    });
    expect(callerNumber(request, {})).toBe('+6281100000001');
  });

  test('is From when nothing is asserted', () => {
    expect(callerNumber(invite('sip:1@x', { From: '<sip:+6281100000001@x>;tag=1' }), {})).toBe(
      '+6281100000001',
    );
  });

  test('is nobody when withheld', () => {
    const from = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1';
    expect(callerNumber(invite('sip:1@x', { From: from }), {})).toBeUndefined();
  });
});

describe('a caller whom the network could not verify', () => {
  test.each([
    ['P-Asserted-Identity', '<sip:+6281100000001;verstat=TN-Validation-Failed@trunk;user=phone>', true],
    ['P-Asserted-Identity', '<tel:+6281100000001;verstat=TN-Validation-Failed>', true],
    ['P-Asserted-Identity', '<sip:+6281100000001@trunk;verstat=tn-validation-failed>', true],
    ['From', '<sip:+6281100000001;verstat=TN-Validation-Failed@trunk>;tag=1', true],
    ['From', '<sip:+6281100000001;verstat=TN-Validation-Passed@trunk>;tag=1', false],
    ['From', '<sip:+6281100000001;verstat=No-TN-Validation@trunk>;tag=1', false],
    ['From', '"verstat=TN-Validation-Failed" <sip:+6281100000001@trunk>;tag=1', false],
    ['From', '<sip:+6281100000001@trunk>;tag=1', false],
  ])('%s: %s', (name, value, expected) => {
    const request = invite('sip:+6221500001@samar', { [name]: value });
    expect(isUnverified(request)).toBe(expected);
    // The number is read all the same.
    expect(callerNumber(request, {})).toBe('+6281100000001');
  });
});

test('numbers go out as the trunk wants them', () => {
  expect(formatNumber('+6221500001', {})).toBe('+6221500001');
  expect(formatNumber('+6221500001', { outbound: 'e164' })).toBe('6221500001');
  expect(formatNumber('+6281100000001', { outbound: 'national' })).toBe('081100000001');
});
