import { expect, it } from 'vitest';
import { csvOf } from './csv.ts';

it('quotes what would break a line, and keeps formulas from running', () => {
  expect(
    csvOf([
      ['a', 'b,c'],
      ['say "no"', 'x\ny'],
      ['=1+1', '@sum'],
      ['-3', '+62•••0001'],
    ]),
  ).toBe('a,"b,c"\r\n"say ""no""","x\ny"\r\n\'=1+1,\'@sum\r\n\'-3,\'+62•••0001\r\n');
});
