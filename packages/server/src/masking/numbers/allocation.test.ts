import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireSessions } from '../../store/queries/sessions.ts';
import { MaskingError, type Session } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

/**
 * Random histories of opening, closing, expiring and calling, beside a model that knows by plain sets who holds which
 * number. The model decides when a pool is exhausted (law 8: exactly when no number is left for a participant), which
 * number comes next, and what every call must meet (laws 1 and 2).
 */
type Step =
  | { readonly kind: 'open'; readonly people: readonly (readonly number[])[]; readonly shared: boolean }
  | { readonly kind: 'close'; readonly which: number }
  | { readonly kind: 'expire'; readonly which: number; readonly sweep: boolean }
  | { readonly kind: 'call'; readonly party: number; readonly number: number };

const parties = 5;
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2, maxLength: 4 }), fc.boolean(), fc.nat(4))
      .map(([who, twoPhones, shared]): Step => {
        const [first = 0, second = 1, third, ...rest] = who;
        const people = twoPhones && third !== undefined ? [[first, third], [second]] : [[first], [second]];
        return { kind: 'open', people: [...people, ...rest.map((one) => [one])], shared: shared === 0 };
      }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), which: fc.nat(20), sweep: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      party: fc.nat(parties - 1),
      number: fc.nat(9),
    }),
  },
);

interface Slot {
  readonly session: string;
  readonly peers: readonly number[];
  live: boolean;
  /** Of the sweeper's view: expired, and its numbers not yet given back. */
  unswept: boolean;
  cooling: boolean;
  released: number;
}

describe('allocation', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
  });
  afterAll(() => heart.close());

  let world = 0;

  async function live(steps: readonly Step[], size: number): Promise<void> {
    const { masking, test } = heart;
    const here = world++;
    const pool = `world-${here}`;
    // Agents' numbers cool for ever, as far as a test lives; customers' don't.
    const { numbers } = await heart.stock({
      count: size,
      first: 1 + here * 10,
      pool,
      cooldown: { agent: 3_600, '*': 0 },
    });
    const phoneOf = (party: number) => phone(here * parties + party);
    const slots = new Map<string, Slot>();
    const slot = (party: number, number: string) => slots.get(`${party} ${number}`);
    const open: { readonly session: Session; readonly people: readonly (readonly number[])[] }[] = [];
    let clock = 0;

    const taken = (party: number, number: string) => {
      const held = slot(party, number);
      return held !== undefined && (held.live || held.cooling);
    };
    const release = (id: string, swept: boolean) => {
      clock++;
      for (const [key, held] of slots) {
        if (held.session !== id || !held.live) continue;
        held.live = false;
        held.unswept = !swept;
        held.cooling = agents.get(key) ?? false;
        held.released = clock;
      }
    };
    const agents = new Map<string, boolean>();

    for (const one of steps) {
      if (one.kind === 'open') {
        const everybody = one.people.flat();
        const groups = one.shared ? [everybody] : one.people;
        const free = groups.map((who) =>
          numbers.filter((number) => !who.some((party) => taken(party, number))),
        );
        const outcome = await masking
          .createSession('default', {
            pool,
            sharedNumber: one.shared,
            participants: one.people.map((who, index) => ({
              role: index === 0 ? 'agent' : 'customer',
              phones: who.map(phoneOf),
            })),
          })
          .catch((error: unknown) => error);
        const full = free.findIndex((choices) => choices.length === 0);
        if (outcome instanceof Error) {
          expect(outcome).toBeInstanceOf(MaskingError);
          expect(outcome).toMatchObject({
            code: 'pool-exhausted',
            pointer: one.shared ? '/participants' : `/participants/${full}`,
          });
          expect(full).toBeGreaterThanOrEqual(0);
          // Looking for a number gave back what had run out.
          for (const held of slots.values()) held.unswept = false;
          continue;
        }
        expect(full).toBe(-1);
        const session = outcome as Session;
        session.participants.forEach((participant, index) => {
          const who = one.people[index] ?? [];
          const group = one.shared ? everybody : who;
          const choices = free[one.shared ? 0 : index] ?? [];
          expect(choices).toContain(participant.dial);
          const seen = (number: string) =>
            Math.max(0, ...group.map((party) => slot(party, number)?.released ?? 0));
          const unswept = [...slots.values()].some((held) => held.unswept);
          if (!unswept && (!one.shared || index === 0)) {
            const best = [...choices].sort((a, b) => seen(a) - seen(b) || (a < b ? -1 : 1))[0];
            expect(seen(participant.dial)).toBe(seen(best ?? ''));
            if (seen(participant.dial) === 0) expect(participant.dial).toBe(best);
          }
        });
        session.participants.forEach((participant, index) => {
          for (const party of one.people[index] ?? []) {
            const key = `${party} ${participant.dial}`;
            const peers = one.people.filter((_, other) => other !== index).flat();
            slots.set(key, {
              session: session.id,
              peers,
              live: true,
              unswept: false,
              cooling: false,
              released: 0,
            });
            agents.set(key, index === 0);
          }
        });
        open.push({ session, people: one.people });
      } else if (one.kind === 'close' || one.kind === 'expire') {
        const chosen = open[one.which % Math.max(1, open.length)];
        if (chosen === undefined) continue;
        if (one.kind === 'close') {
          await masking.closeSession('default', chosen.session.id, { reason: 'resolved' });
          for (const held of slots.values()) if (held.session === chosen.session.id) held.unswept = false;
          release(chosen.session.id, true);
        } else {
          await test.database.query(
            '',
            `update sessions set expires_at = clock_timestamp() where tenant = $1 and session = $2 and status = 'open'
                and expires_at > clock_timestamp()`,
            ['default', chosen.session.id],
          );
          release(chosen.session.id, false);
          if (one.sweep) {
            await expireSessions(test.database, 100);
            for (const held of slots.values()) held.unswept = false;
          }
        }
      } else {
        const number = numbers[one.number % numbers.length] ?? '';
        const held = slot(one.party, number);
        const decision = await heart.dial(phoneOf(one.party), number);
        if (held === undefined) {
          expect(decision).toMatchObject({ kind: 'refuse', reason: 'not-connected' });
        } else if (!held.live) {
          expect(decision).toMatchObject({ kind: 'refuse', reason: 'ended' });
        } else {
          expect(decision).toMatchObject({ kind: 'run', session: held.session });
          expect(targetsOf(decision).map((target) => target.phone)).toEqual(held.peers.map(phoneOf));
          for (const target of targetsOf(decision)) {
            const party = held.peers.find((peer) => phoneOf(peer) === target.phone) ?? -1;
            // Law 4, and law 1 from the other side: what is shown leads back into this session.
            expect(slot(party, target.callerId)).toMatchObject({ session: held.session, live: true });
          }
        }
      }
    }
  }

  it('never confuses two sessions, never connects an ended one, and needs no number more than the busiest party', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 15, maxLength: 50 }),
        fc.integer({ min: 1, max: 5 }),
        live,
      ),
      { numRuns: 40 },
    );
  }, 120_000);
});
