/**
 * Which passwords are refused: the short, the best known, and those that are made of the user's own name or of a
 * pattern. Length does most of the work (NIST SP 800-63B section 3.1.1.2); no rules on kinds of characters.
 */
import { MaskingError } from '../masking/service.ts';

const shortest = 12;
export const longestPassword = 200;
const fewestCharacters = 5;
/** A pattern repeated: `abcabcabcabc`. */
const longestPeriod = 6;

/** What best-known passwords are made of; also those of Indonesian and Indian lists. */
const knownWords = [
  ...[
    'password',
    'passw',
    'passwort',
    'passphrase',
    'pass',
    'word',
    'letmein',
    'welcome',
    'iloveyou',
    'love',
  ],
  ...['admin', 'administrator', 'root', 'user', 'login', 'secret', 'changeme', 'default', 'test', 'testing'],
  ...[
    'qwerty',
    'qwertyuiop',
    'qwertz',
    'azerty',
    'asdf',
    'asdfgh',
    'asdfghjkl',
    'zxcvbn',
    'zxcvbnm',
    'qazwsx',
  ],
  ...[
    'qaz',
    'wsx',
    'edc',
    'dragon',
    'monkey',
    'football',
    'baseball',
    'princess',
    'sunshine',
    'superman',
    'batman',
  ],
  ...[
    'master',
    'shadow',
    'michael',
    'jordan',
    'trustno',
    'starwars',
    'computer',
    'internet',
    'samsung',
    'google',
  ],
  ...[
    'samar',
    'console',
    'operator',
    'investigator',
    'auditor',
    'company',
    'office',
    'support',
    'hello',
    'world',
  ],
  ...[
    'rahasia',
    'sayang',
    'bismillah',
    'indonesia',
    'jakarta',
    'india',
    'bharat',
    'krishna',
    'correct',
    'horse',
  ],
  ...[
    'battery',
    'staple',
    'abc',
    'abcd',
    'abcdef',
    'abcdefgh',
    'my',
    'is',
    'the',
    'new',
    'i',
    'a',
    'you',
    'me',
  ],
] as const;
const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'azertyuiop',
];
const leet: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Throws `weak-password`; the message never repeats it. */
export function checkPassword(
  password: string,
  user: { readonly email: string; readonly name: string },
  pointer: string,
): void {
  const words = weakness(password.normalize('NFC'), user);
  if (words !== undefined) throw new MaskingError('weak-password', words, pointer);
}

function weakness(
  password: string,
  user: { readonly email: string; readonly name: string },
): string | undefined {
  const length = [...password].length;
  if (length < shortest) return `A password has at least ${shortest} characters.`;
  if (length > longestPassword) return `A password has at most ${longestPassword} characters.`;
  const plain = password.toLowerCase();
  if (new Set(plain).size < fewestCharacters || repeats(plain) || runs(plain)) {
    return 'It is a repetition or a sequence.';
  }
  const own = [
    user.email,
    ...user.email.replace(/@.*$/, '').split(/[^\p{L}\p{N}]+/u),
    ...user.name.split(/\s+/),
  ];
  if (own.some((part) => part.length >= 4 && plain.includes(part.toLowerCase()))) {
    return 'It holds your name or address.';
  }
  return wellKnown(plain) ? 'It is one of the best-known passwords.' : undefined;
}

function repeats(text: string): boolean {
  for (let period = 1; period <= Math.min(longestPeriod, text.length / 2); period++) {
    if (
      text ===
      text
        .slice(0, period)
        .repeat(Math.ceil(text.length / period))
        .slice(0, text.length)
    )
      return true;
  }
  return false;
}

/** Whether it is nothing but rows of the keyboard, the alphabet or digits, forwards or backwards, of four or more. */
function runs(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    let longest = 0;
    for (const row of rows) {
      for (const way of [row, [...row].reverse().join('')]) {
        for (let end = at + 1; end <= text.length && way.includes(text.slice(at, end)); end++) {
          longest = Math.max(longest, end - at);
        }
      }
    }
    // A tail of fewer belongs to the run before it: `qwertyuiop12`.
    if (longest < 4 && !(at > 0 && at + longest >= text.length)) return false;
    at += longest;
  }
  return true;
}

/** Nothing but known words, once digits and signs around them are gone and look-alikes are read as letters. */
function wellKnown(text: string): boolean {
  if (/[^a-z]/.test(text.replaceAll(/[^\p{L}]/gu, ''))) return false;
  const trimmed = text.replace(/^[^a-z]+|[^a-z@$!]+$/g, '');
  const readings = [trimmed, [...trimmed].map((sign) => leet[sign] ?? sign).join('')];
  return readings.some((reading) => {
    const letters = reading.replaceAll(/[^a-z]/g, '');
    if (letters === '') return true;
    // reachable[n]: the first n letters are words.
    const reachable = new Set([0]);
    for (let start = 0; start < letters.length; start++) {
      if (!reachable.has(start)) continue;
      for (const word of knownWords) if (letters.startsWith(word, start)) reachable.add(start + word.length);
    }
    return reachable.has(letters.length);
  });
}
