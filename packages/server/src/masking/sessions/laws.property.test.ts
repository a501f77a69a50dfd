/**
 * Random histories of opening, changing, closing, reopening, calling and time, against a model that knows nothing of
 * the tables: who may call whom, through which number. In every state:
 *
 *   law 1   a caller and a called number mean one live session, or a question which one
 *   law 2   nobody is connected but in a session that is open, or in the direction and time declared for after it
 *   law 4   what is shown is the callee's own number of that session
 */
import { nodeDoors } from '@samar/doors';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../store/testing.ts';
import { createVault, type OpenVault } from '../../vault/index.ts';
import { newId } from '../ids.ts';
import { createMasking } from '../masking.ts';
import { type Masking, MaskingError, type NewSession, type Session } from '../service.ts';
import { phone, targetsOf } from '../testing.ts';
import type { CallMasking, Decision } from '../types.ts';

const runs = Number(process.env['LAWS_RUNS'] ?? 25);
const agents = [0, 1, 2];
const customers = [10, 11, 12, 13];
const minute = 60_000;
const start = Date.parse('2030-03-01T00:00:00Z');

type Operation =
  | {
      readonly kind: 'open';
      readonly agent: number;
      readonly customer: number;
      readonly ttlMinutes: number;
      readonly after: boolean;
      readonly shared: boolean;
      readonly sticky: boolean;
      readonly silent: boolean;
    }
  | { readonly kind: 'replace' | 'add'; readonly session: number; readonly agent: number }
  | { readonly kind: 'remove'; readonly session: number; readonly seat: number }
  | { readonly kind: 'close'; readonly session: number; readonly after: boolean }
  | { readonly kind: 'reopen'; readonly session: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'call'; readonly caller: number; readonly number: number };

const session = fc.nat({ max: 15 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      agent: fc.constantFrom(...agents),
      customer: fc.constantFrom(...customers),
      ttlMinutes: fc.constantFrom(5, 60, 2_880),
      after: fc.boolean(),
      shared: fc.boolean(),
      sticky: fc.boolean(),
      silent: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('replace' as const, 'add' as const),
      session,
      agent: fc.constantFrom(...agents),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), session, seat: fc.nat({ max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), session, after: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), session }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      minutes: fc.constantFrom(1, 4, 61, 24 * 60, 31 * 24 * 60),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      caller: fc.constantFrom(...agents, ...customers, 99),
      number: fc.nat({ max: 5 }),
    }),
  },
);

describe.each(['refuse', 'reuse-oldest', 'disambiguate'] as const)(
  'laws 1, 2 and 4, with %s',
  (exhaustion) => {
    let test: TestDatabase;
    let vault: OpenVault;
    let carrier = '';
    let now = start;
    let pools = 0;
    let masking: Masking & CallMasking;
    const doors = { ...nodeDoors(), clock: { now: () => now, monotonic: () => performance.now() } };

    beforeAll(async () => {
      // One connection, whose clock is ours.
      test = await testDatabase({ maxConnections: 1 });
      vault = await createVault({
        database: test.database,
        masterKey: '07'.repeat(32),
        dataDir: '/nonexistent',
      });
      masking = createMasking({ database: test.database, vault, doors });
      carrier = (
        await masking.createCarrier('default', {
          name: 'trunk',
          kind: 'sip',
          host: '192.0.2.1',
          transport: 'udp',
        })
      ).id;
    });
    afterAll(() => test.drop());

    async function setClock(to: number): Promise<void> {
      now = to;
      await test.database.query('', `select set_config('samar.now', $1, false)`, [
        new Date(to).toISOString(),
      ]);
    }

    it('holds in every state of a random history', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
          await setClock(start + pools * 400 * 24 * 60 * minute);
          const pool = `${exhaustion}-${pools++}`;
          const numbers = Array.from({ length: 6 }, (_, index) => `+6221${pools}${String(500_000 + index)}`);
          await masking.addNumbers('default', { numbers, pool, carrier, capabilities: ['voice'] });
          await masking.updatePool('default', pool, { cooldown: { agent: 3_600, '*': 86_400 }, exhaustion });
          await history(operations, pool, numbers);
        }),
        { numRuns: runs },
      );
    }, 300_000);

    /** Runs the operations, and checks each call against what the model says of the sessions. */
    async function history(
      operations: readonly Operation[],
      pool: string,
      numbers: readonly string[],
    ): Promise<void> {
      const ids: string[] = [];
      /** By participant. */
      const phones = new Map<string, string>();
      const ofRun = (index: number) => ids[index % Math.max(1, ids.length)];
      /** Each run has people of its own. */
      const person = (index: number) => phone(pools * 1_000 + index);
      for (const one of operations) {
        switch (one.kind) {
          case 'open': {
            const opened = await attempt(() =>
              masking.createSession('default', newSession(one, pool, person)),
            );
            if (opened === undefined) break;
            ids.push(opened.id);
            const [first, second] = opened.participants;
            phones.set(first?.id ?? '', person(one.agent)).set(second?.id ?? '', person(one.customer));
            break;
          }
          case 'replace':
          case 'add': {
            const id = ofRun(one.session);
            if (id === undefined) break;
            const who = { role: 'agent', phones: [person(one.agent)] };
            const participants =
              one.kind === 'add' ? { add: [who] } : { replace: [{ participant: 'agent', with: who }] };
            const changed = await attempt(() => masking.updateSession('default', id, { participants }));
            for (const seat of changed?.participants ?? []) {
              if (!phones.has(seat.id)) phones.set(seat.id, person(one.agent));
            }
            break;
          }
          case 'remove': {
            const id = ofRun(one.session);
            const found = id === undefined ? undefined : await masking.getSession('default', id);
            const leaving = found?.participants[one.seat]?.id;
            if (id !== undefined && leaving !== undefined) {
              await attempt(() =>
                masking.updateSession('default', id, { participants: { remove: [leaving] } }),
              );
            }
            break;
          }
          case 'close': {
            const id = ofRun(one.session);
            if (id === undefined) break;
            await masking.closeSession('default', id, { reason: 'resolved', afterClose: one.after });
            break;
          }
          case 'reopen': {
            const id = ofRun(one.session);
            if (id !== undefined)
              await attempt(() => masking.reopenSession('default', id, { ttlSeconds: 3_600 }));
            break;
          }
          case 'wait':
            await setClock(now + one.minutes * minute);
            break;
          case 'sweep':
            await test.database.query('', 'select expire_sessions(500)', []);
            break;
          case 'call':
            await checkCall(person(one.caller), numbers[one.number] ?? '', ids, phones);
        }
        await checkBindings();
      }
      for (const caller of [...agents, ...customers]) {
        for (const number of numbers) await checkCall(person(caller), number, ids, phones);
      }
    }

    function newSession(
      one: Extract<Operation, { readonly kind: 'open' }>,
      pool: string,
      person: (index: number) => string,
    ): NewSession {
      return {
        pool,
        participants: [
          { role: 'agent', phones: [person(one.agent)] },
          { role: 'customer', phones: [person(one.customer)], mayStart: !one.silent },
        ],
        ttlSeconds: one.ttlMinutes * 60,
        sharedNumber: one.shared,
        sticky: one.sticky,
        ...(one.after ? { afterClose: { seconds: 7_200, allow: [{ from: 'customer', to: 'agent' }] } } : {}),
      };
    }

    /** A refusal in words is fine; anything else is not. */
    async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
      try {
        return await work();
      } catch (error) {
        if (error instanceof MaskingError) return undefined;
        throw error;
      }
    }

    /** Law 1 as the table has it: two live rows of a party and number only where the pool shares numbers. */
    async function checkBindings(): Promise<void> {
      const rows = await test.database.query<{ readonly live: number; readonly shared: boolean }>(
        '',
        `select count(*)::integer as live, bool_and(b.shared) as shared from bindings b
        where b.released_at is null group by b.party, b.number having count(*) > 1`,
        [],
      );
      for (const row of rows) expect(exhaustion === 'disambiguate' && row.live <= 9).toBe(true);
    }

    async function checkCall(
      caller: string,
      number: string,
      ids: readonly string[],
      phones: ReadonlyMap<string, string>,
    ): Promise<void> {
      const call = newId(doors, 'call');
      const inbound = {
        kind: 'call' as const,
        carriers: [{ tenant: 'default', carrier }],
        called: number,
        caller,
        call,
      };
      const decision = await masking.decide(inbound);
      const sessions = await Promise.all(ids.map((id) => masking.getSession('default', id)));
      const mine = sessions.flatMap((one) =>
        one.participants
          .filter(
            (seat) => seat.number === number && seat.leftAt === undefined && phones.get(seat.id) === caller,
          )
          .map((seat) => ({ session: one, seat })),
      );
      const live = mine.filter(
        ({ session: one }) => one.status === 'open' || one.afterCloseUntil !== undefined,
      );
      if (decision.kind === 'choose') {
        // Of one only where another one of theirs on this number ended lately.
        expect(exhaustion).toBe('disambiguate');
        expect(new Set(decision.options.map((option) => option.session))).toEqual(
          new Set(live.map(({ session: one }) => one.id)),
        );
        const chosen = decision.options[0]?.session ?? '';
        const made = await masking.choose({ inbound, session: chosen });
        return checkConnected(
          made,
          live.filter(({ session: one }) => one.id === chosen),
          phones,
        );
      }
      expect(live.length).toBeLessThan(2);
      checkConnected(decision, live, phones);
    }

    function checkConnected(
      decision: Decision,
      live: readonly { readonly session: Session; readonly seat: Session['participants'][number] }[],
      phones: ReadonlyMap<string, string>,
    ): void {
      const targets = targetsOf(decision);
      const [only] = live;
      if (only === undefined) return void expect(targets).toEqual([]);
      const { session: of, seat } = only;
      const reachable = of.participants.filter(
        (other) =>
          other.leftAt === undefined &&
          other.id !== seat.id &&
          (of.status === 'open' || (seat.role === 'customer' && other.role === 'agent')),
      );
      const allowed = seat.mayStart ? reachable : [];
      expect(targets.map((one) => [one.participant, one.phone, one.callerId])).toEqual(
        allowed.map((other) => [other.id, phones.get(other.id), other.number]),
      );
      if (decision.kind === 'run')
        expect(decision).toMatchObject({ session: of.id, caller: { participant: seat.id } });
    }
  },
);
