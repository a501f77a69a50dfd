import { expect, test } from 'vitest';
import { checkPassword } from './password-rules.ts';

const user = { email: 'sari.dewi@marketplace.example', name: 'Sari Dewi' };
const refused = (password: string) => {
  try {
    checkPassword(password, user, '/password');
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

test.each([
  ...[
    'short',
    '12345678901',
    'x'.repeat(201),
    '            ',
    'aaaaaaaaaaaa',
    'abababababab',
    'abcabcabcabcabc',
  ],
  ...[
    '123456789012',
    '098765432109',
    'abcdefghijkl',
    'qwertyuiop12',
    'qwertyuiopasdfghjkl',
    '1234qwerasdfzxcv',
  ],
  ...['password1234', 'Password123!', 'P@ssw0rd1234', 'passwordpassword', 'iloveyou1234', 'welcome123456'],
  ...['correct horse battery staple', 'adminadmin2024', 'qwerty123456!', 'letmein123456', 'Samar-Console-1'],
  ...[
    'sari.dewi@marketplace.example',
    'i am SARI 4 ever',
    'dewi dan teman',
    '123456!@#$%^',
    '2024-2025-2026',
  ],
])('%s is refused', (password) => {
  expect(refused(password)).toBe('weak-password');
});

test.each([
  ...['sungai batu kertas', 'Kuda-lari-cepat-7', 'x9$kfm2!qpLw', 'purple turtle under the bridge'],
  ...['नदी के किनारे पुराना घर', `${'k'.repeat(3)}wpqmzx7 lagi ya`],
])('%s is taken', (password) => {
  expect(refused(password)).toBeUndefined();
});

test('the longest is taken, counted in characters', () => {
  const words = 'sungai batu kertas gunung ';
  expect(refused(words.repeat(8).slice(0, 200))).toBeUndefined();
  expect(refused(`${'🦊🐢🌊🪨🌋'.repeat(40)}`)).toBe('weak-password');
});
