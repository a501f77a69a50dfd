import { describe, expect, it } from 'vitest';
import { chainDigest, emptyChain, type LedgerHead, type SealedEntry } from '../../store/queries/ledger.ts';
import { createChainCheck } from './chain.ts';

const entries = 10_000;

/** The same every time: a linear congruential generator (Numerical Recipes). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const hex = (below: (most: number) => number) =>
  Array.from({ length: 32 }, () => below(16).toString(16)).join('');

function makeChain(count: number): readonly SealedEntry[] {
  const next = random(7);
  let previous = emptyChain.digest;
  return Array.from({ length: count }, (_, index) => {
    const bare = {
      tenant: 'default',
      entry: `led_${hex(next)}`,
      at: new Date(Date.UTC(2026, 0, 1) + index * 977).toISOString().replace('Z', `${100 + next(900)}Z`),
      kind: ['connection', 'recording.listened', 'phone.revealed'][index % 3] ?? '',
      actor: `key_${hex(next)}`,
      party: index % 5 === 0 ? `pty_${hex(next)}` : null,
      session: index % 7 === 0 ? null : `ses_${hex(next)}`,
      subject: index % 11 === 0 ? null : `call_${hex(next)}`,
      details: `{"big": 9007199254740993, "rate": 2.50, "call": "call_${hex(next)}", "list": [${1 + next(9)}, {"ü": "é"}], "reason": "ticket ${1_000 + next(9_000)}"}`,
    };
    const digest = chainDigest(previous, bare);
    const sealed = { ...bare, sequence: String(index + 1), previous, digest };
    previous = digest;
    return sealed;
  });
}

const columns = [
  ...(['tenant', 'entry', 'at', 'kind', 'actor', 'party', 'session', 'subject', 'details'] as const),
  ...(['sequence', 'previous', 'digest'] as const),
];

/** One byte of one column is another one. */
function changed(
  entry: SealedEntry,
  column: (typeof columns)[number],
  next: (below: number) => number,
): SealedEntry {
  switch (column) {
    case 'previous':
    case 'digest': {
      const bytes = Buffer.from(entry[column]);
      const at = next(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << next(8));
      return { ...entry, [column]: bytes };
    }
    // Two entries at one place are refused by the database: of a number's bytes only those that lead beyond the end.
    case 'sequence':
      return {
        ...entry,
        sequence: String(Number(entry.sequence) + (1 + next(255)) * 2 ** (8 * (2 + next(3)))),
      };
    default:
      return { ...entry, [column]: entry[column] === null ? 'x' : otherCharacter(entry[column], next) };
  }
}

/** A letter becomes another letter and a digit another one, so that JSON stays JSON (the database takes no other). */
function otherCharacter(text: string, next: (below: number) => number): string {
  for (;;) {
    const at = next(text.length);
    const before = text[at] ?? '';
    const alphabet = /[1-9]/.test(before)
      ? '123456789'
      : /[a-z]/.test(before)
        ? 'abcdefghijklmnopqrstuvwxyz'
        : '';
    if (alphabet === '') continue;
    const after = alphabet[(alphabet.indexOf(before) + 1 + next(alphabet.length - 1)) % alphabet.length];
    return text.slice(0, at) + after + text.slice(at + 1);
  }
}

const inOrder = (chain: readonly SealedEntry[]) =>
  [...chain].sort((a, b) => Number(a.sequence) - Number(b.sequence));

describe('a chain of 10,000 entries', () => {
  const chain = makeChain(entries);
  const head: LedgerHead = { sequence: entries, digest: chain.at(-1)?.digest ?? emptyChain.digest };

  it('is intact', () => {
    const check = createChainCheck(head, [{ sequence: 5_000, digest: chain[4_999]?.digest ?? head.digest }]);
    expect(check.read(chain)).toBeUndefined();
    expect(check.end(head)).toBeUndefined();
    expect(check.last()).toEqual(head);
  });

  it('tells of one changed byte of any column of any entry, and names the entry', { timeout: 60_000 }, () => {
    const next = random(11);
    let before: LedgerHead = emptyChain;
    let found = 0;
    chain.forEach((entry, index) => {
      for (const column of columns) {
        const other = changed(entry, column, next);
        // What comes before is unchanged: it is read once for all, and every five-hundredth time again.
        const whole = index % 500 === 0 && column === columns[(index / 500) % columns.length];
        const check = createChainCheck(head, [], whole ? emptyChain : before);
        const rest = [...(whole ? chain.slice(0, index) : []), other, ...chain.slice(index + 1, index + 4)];
        const fault = check.read(inOrder(rest)) ?? check.end(head);
        const expected = {
          ok: false,
          fault: column === 'sequence' ? 'removed' : 'changed',
          sequence: index + 1,
        };
        const named = column === 'sequence' ? {} : { entry: other.entry };
        if (fault === undefined || fault.sequence !== index + 1)
          expect(fault).toEqual({ ...expected, ...named });
        found += 1;
        if (whole) expect(fault).toEqual({ ...expected, ...named });
      }
      before = { sequence: index + 1, digest: entry.digest };
    });
    expect(found).toBe(entries * columns.length);
  });

  it('tells of an entry that is gone, at any place, and of two that changed places', () => {
    for (let index = 0; index < entries; index += 37) {
      const from = { sequence: index, digest: chain[index - 1]?.digest ?? emptyChain.digest };
      const gone = createChainCheck(head, [], from);
      const fault = gone.read(chain.slice(index + 1, index + 3)) ?? gone.end(head);
      expect(fault).toEqual({ ok: false, fault: 'removed', sequence: index + 1 });
      const [one, two] = chain.slice(index, index + 2);
      if (one === undefined || two === undefined) continue;
      const swapped = createChainCheck(head, [], from);
      const places = [
        { ...two, sequence: one.sequence },
        { ...one, sequence: two.sequence },
      ];
      expect(swapped.read(places)).toEqual({
        ok: false,
        fault: 'moved',
        sequence: index + 1,
        entry: two.entry,
      });
    }
  });

  it('keeps every digit of a number, and is not moved by the order of keys', () => {
    const [entry] = chain;
    if (entry === undefined) throw new Error('no entry');
    const digest = (details: string) => chainDigest(emptyChain.digest, { ...entry, details }).toString('hex');
    expect(digest('{"a": 9007199254740993}')).not.toBe(digest('{"a": 9007199254740992}'));
    expect(digest('{"a": 1.0}')).not.toBe(digest('{"a": 1.00}'));
    expect(digest('{"a": 1}')).not.toBe(digest('{"a": "1"}'));
    expect(digest('{"a": 1, "b": 2}')).toBe(digest('{"b": 2, "a": 1}'));
  });
});
