import { expect, test } from 'vitest';
import { ProblemError } from '../../api.ts';
import { batchesOf, type ImportLine, type LineResult, readNumbers, sendBatch } from './importing.ts';

const fallback = { pool: 'default', carrier: 'main' };
const lines = (count: number): readonly ImportLine[] =>
  readNumbers(
    `number\n${Array.from({ length: count }, (_, index) => `+62215${String(index).padStart(6, '0')}`).join('\n')}`,
    fallback,
  ).lines;

test('reads what stands in the file, and the fallback where nothing does', () => {
  const text = 'Number,pool,capabilities,area\n+62 21-500 0001,,voice sms,21\n+6221500002,taxi,,\n';
  expect(readNumbers(text, fallback).lines).toEqual([
    {
      line: 2,
      number: '+62215000001',
      pool: 'default',
      carrier: 'main',
      capabilities: ['voice', 'sms'],
      area: '21',
    },
    { line: 3, number: '+6221500002', pool: 'taxi', carrier: 'main', capabilities: [], area: '' },
  ]);
  expect(readNumbers('phone\n+62', fallback).fault).toBe('noNumber');
  expect(readNumbers(`number\n${'1\n'.repeat(100_001)}`, fallback).fault).toBe('tooLong');
});

test('batches have at most 500 lines of one kind', () => {
  expect(batchesOf(lines(1_201)).map(({ length }) => length)).toEqual([500, 500, 201]);
  const two = readNumbers('number,pool\n1,a\n2,b\n3,a\n', fallback).lines;
  expect(batchesOf(two).map((batch) => batch.map(({ number }) => number))).toEqual([['1', '3'], ['2']]);
});

const refusal = (errors: readonly { pointer: string; detail: string }[]) =>
  new ProblemError({ code: 'invalid', status: 422, title: 'no', detail: 'not valid', errors });

test.each([true, false])('every bad line is found and every good one kept (named: %s)', async (named) => {
  const all = lines(500);
  const bad = new Set([0, 7, 8, 250, 499].map((index) => all[index]?.number));
  const results = new Map<number, LineResult>();
  let requests = 0;
  await sendBatch(
    all,
    async (batch) => {
      requests += 1;
      const wrong = batch.flatMap(({ number }, index) => (bad.has(number) ? [index] : []));
      if (wrong.length > 0) {
        throw refusal(
          named ? wrong.slice(0, 2).map((index) => ({ pointer: `/numbers/${index}`, detail: 'bad' })) : [],
        );
      }
      return { added: batch.length, unchanged: 0 };
    },
    (told, result) => {
      for (const { line } of told) {
        expect(results.has(line)).toBe(false);
        results.set(line, result);
      }
    },
    () => false,
  );
  expect(results.size).toBe(500);
  for (const line of all) {
    expect(results.get(line.line)?.result).toBe(bad.has(line.number) ? 'failed' : 'added');
  }
  expect(requests).toBeLessThan(100);
});

test('what is no refusal stops it, and so does whoever asked for it', async () => {
  const network = new ProblemError({ code: 'network', status: 0, title: 'network', detail: 'network' });
  const failing = sendBatch(
    lines(3),
    () => Promise.reject(network),
    () => {},
    () => false,
  );
  await expect(failing).rejects.toBe(network);
  let sent = 0;
  await sendBatch(
    lines(3),
    async () => {
      sent += 1;
      return { added: 1, unchanged: 0 };
    },
    () => {},
    () => true,
  );
  expect(sent).toBe(0);
});
