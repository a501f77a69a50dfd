import { expect, it } from 'vitest';
import { createBounded } from './bounded.ts';

it('keeps what was used last, and makes the rest again', () => {
  const made: string[] = [];
  const keep = createBounded<string>(2);
  const get = (key: string) =>
    keep(key, (name) => {
      made.push(name);
      return name.toUpperCase();
    });
  expect(get('a')).toBe('A');
  get('b');
  get('a');
  // `b` was used longest ago.
  get('c');
  get('a');
  expect(made).toEqual(['a', 'b', 'c']);
  get('b');
  expect(made).toEqual(['a', 'b', 'c', 'b']);
});

it('weighs: one heavy value takes the place of many', () => {
  const made: string[] = [];
  const keep = createBounded<number>(10, (value) => value);
  const get = (key: string, weight: number) =>
    keep(key, () => {
      made.push(key);
      return weight;
    });
  for (const key of ['a', 'b', 'c']) get(key, 3);
  get('heavy', 9);
  expect(made).toHaveLength(4);
  get('heavy', 9);
  expect(made).toHaveLength(4);
  get('a', 3);
  expect(made).toHaveLength(5);
  // Even what weighs more than all is kept until the next one comes.
  get('huge', 99);
  get('huge', 99);
  expect(made).toHaveLength(6);
  get('a', 1);
  get('a', 1);
  expect(made).toHaveLength(7);
});

it('keeps nothing that could not be made', () => {
  const keep = createBounded<number>(2);
  const fail = () => {
    throw new Error('no');
  };
  expect(() => keep('a', fail)).toThrow('no');
  expect(keep('a', () => 1)).toBe(1);
});
