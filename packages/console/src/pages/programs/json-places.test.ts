import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonPlaces, lineOf, placeOf } from './json-places.ts';

test('every value of any JSON is found by its pointer', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 2), (text, indent) => {
      const written = JSON.stringify(JSON.parse(text), null, indent);
      const { places, fault } = jsonPlaces(written);
      expect(fault).toBeUndefined();
      for (const [pointer, { from, to }] of places) {
        expect(JSON.parse(written.slice(from, to))).toEqual(resolve(JSON.parse(written), pointer));
      }
    }),
  );
});

function resolve(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((inner, part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      return (inner as Record<string, unknown>)[name];
    }, value);
}

test('whatever JSON.parse refuses is refused, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((text) => text.slice(0, -1)),
      ),
      (text) => {
        let good = true;
        try {
          JSON.parse(text);
        } catch {
          good = false;
        }
        expect(jsonPlaces(text).fault === undefined).toBe(good);
      },
    ),
  );
});

test('a fault is placed by line, and a missing place by what is around it', () => {
  const text = '{\n  "rules": [\n    { "then": }\n  ]\n}';
  const read = jsonPlaces(text);
  expect(lineOf(text, read.fault?.at ?? 0)).toBe(3);
  const good = jsonPlaces('{"rules":[{"when":"x"}]}');
  expect(placeOf(good, '/rules/0/then/0')).toEqual({ from: 10, to: 22 });
  expect(placeOf(good, '/nothing')).toEqual({ from: 0, to: 24 });
});
