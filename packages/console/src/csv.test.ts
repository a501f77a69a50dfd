import { expect, test } from 'vitest';
import { readCsv, writeCsv } from './csv.ts';

test.each([
  ['', []],
  [
    'a,b\r\nc,d\r\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    '\uFEFFnumber;pool\n+6221;default',
    [
      ['number', 'pool'],
      ['+6221', 'default'],
    ],
  ],
  ['"a,""b""\n",c\n\n', [['a,"b"\n', 'c']]],
  ['"never closed', [['never closed']]],
])('reads %j', (text, rows) => {
  expect(readCsv(text)).toEqual(rows);
});

test('what is written is read again, and never a formula', () => {
  const rows = [['=1+1', '+cmd|x', '@a', '-2+3', '-7', 'a,"b"', 'line\nbreak', "it's", '\t=1']];
  const written = writeCsv(rows);
  const [read = []] = readCsv(written);
  expect(read).toEqual(["'=1+1", "'+cmd|x", "'@a", "'-2+3", '-7', 'a,"b"', 'line\nbreak', "it's", "'\t=1"]);
  for (const field of read) expect(field).not.toMatch(/^[=+@\t]/);
});
