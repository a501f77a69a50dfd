import { describe, expect, test } from 'vitest';
import { planDemand } from './demand.ts';
import { planJobs } from './jobs-plan.ts';
import { drawPlan } from './svg.ts';
import type { Plan } from './types.ts';

const roles = (parties: number) => [{ role: 'agent', parties, spread: { kind: 'even' as const } }];
const duration = { kind: 'exponential', meanSeconds: 2_400 } as const;
const hour = 3_600_000;
const opened = Float64Array.from({ length: 500 }, (_, index) => Date.UTC(2026, 0, 1) + index * hour);
const pictures: readonly (readonly [string, Plan])[] = [
  ['a demand', planDemand({ sessionsPerHour: 500, duration, roles: roles(600) })],
  ['a tiny demand', planDemand({ sessionsPerHour: 0.01, duration, roles: roles(1) })],
  ['a huge demand', planDemand({ sessionsPerHour: 1e6, duration, roles: roles(1_000) })],
  [
    'nobody with a number',
    planDemand({
      sessionsPerHour: 5,
      duration,
      roles: [{ ...roles(9)[0], role: 'agent', parties: 9, spread: { kind: 'even' }, reach: 'app' }],
    }),
  ],
  [
    'past jobs',
    planJobs({
      ...{ sessions: 500, stillOpen: 0, opened, closed: opened.map((time) => time + hour) },
      roles: [
        {
          role: 'agent',
          parties: 5,
          party: Uint32Array.from({ length: 500 }, (_, index) => 1 + (index % 5)),
        },
      ],
    }),
  ],
];

describe.each(pictures)('%s', (_name, plan) => {
  const svg = drawPlan(plan);

  test('is well-formed', () => {
    const open: string[] = [];
    for (const [, closing, name = '', rest = ''] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (!rest.endsWith('/')) open.push(name);
      expect(
        rest
          .replace(/\s[a-zA-Z:-]+="[^"<]*"/g, '')
          .replace('/', '')
          .trim(),
      ).toBe('');
    }
    expect(open).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('says the same in words, for whoever does not see it', () => {
    expect(svg).toMatch(/role="img" aria-labelledby="plan-title plan-description"/);
    expect(svg).toMatch(
      new RegExp(
        `<title id="plan-title">${plan.recommended.toLocaleString('en')} virtual numbers recommended</title>`,
      ),
    );
    expect(svg).toMatch(/<desc id="plan-description">[^<]{40,}<\/desc>/);
    expect(svg).toContain('prefers-color-scheme:dark');
  });

  test('keeps all of it within the frame', () => {
    for (const [, x, y] of svg.matchAll(/[MLH](-?[\d.]+)(?: (-?[\d.]+))?/g)) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThanOrEqual(760);
      if (y !== undefined) expect(Number(y)).toBeGreaterThanOrEqual(60);
      if (y !== undefined) expect(Number(y)).toBeLessThanOrEqual(440);
    }
  });
});
