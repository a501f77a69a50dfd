/** Everything that can happen to a heart, at random and at once, on several instances of it: see `storm.test.ts`. */
import type { Doors } from '@samar/doors';
import { DatabaseError } from '../../store/errors.ts';
import type { Queries } from '../../store/types.ts';
import { newId } from '../ids.ts';
import { type Masking, MaskingError, type NewParticipant, type NewSession } from '../service.ts';
import { phone } from '../testing.ts';
import type { CallMasking, Decision, Inbound } from '../types.ts';

export type Heart = Masking & CallMasking;
export const pools = ['refuse', 'reuse-oldest', 'disambiguate', 'pin'] as const;
export const people = 24;

export interface Storm {
  readonly hearts: readonly [Heart, ...Heart[]];
  readonly database: Queries;
  readonly doors: Doors;
  readonly carrier: string;
  readonly numbers: readonly { readonly id: string; readonly e164: string; readonly pool: string }[];
  readonly random: Random;
}

export interface Random {
  below(most: number): number;
  chance(probability: number): boolean;
  of<T>(list: readonly T[]): T;
}

/** xorshift: the choices can be had again by their seed, though not the order in which they meet. */
export function seededRandom(seed: number): Random {
  let state = seed | 1;
  const below = (most: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
  return {
    below,
    chance: (probability) => below(10_000) < probability * 10_000,
    of<T>(list: readonly T[]): T {
      const one = list[below(list.length)];
      if (one === undefined) throw new Error('nothing to choose from');
      return one;
    },
  };
}

/** Refusals that a client can meet when others do at the same moment what they like. */
const refusals: Readonly<Record<string, readonly string[]>> = {
  open: [
    'pool-exhausted',
    'empty-pool',
    'blocked',
    'no-display-number',
    'number-not-available',
    'pin-unavailable',
    'idempotency-mismatch',
  ],
  change: [
    'session-closed',
    'pool-exhausted',
    'empty-pool',
    'blocked',
    'no-display-number',
    'number-not-available',
    'pin-unavailable',
    'unknown-participant',
    'participant-taken',
    'participant-unreachable',
    'duplicate-number',
    'invalid',
  ],
  reopen: [
    'session-open',
    'pool-exhausted',
    'number-not-available',
    'pin-unavailable',
    'blocked',
    'no-display-number',
  ],
  claim: ['session-closed', 'unknown-participant', 'participant-unreachable', 'pin-unavailable'],
  care: ['number-in-use', 'number-taken', 'not-found'],
};

export interface Outcome {
  readonly done: Map<string, number>;
  /** What must not have been. */
  readonly wrong: Map<string, number>;
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** Runs `clients` at once until `until` (milliseconds of the monotonic clock). */
export async function storm(given: Storm, clients: number, until: number): Promise<Outcome> {
  const outcome: Outcome = { done: new Map(), wrong: new Map() };
  const { random, doors } = given;
  const acts = actions(given);
  const weighted = acts.flatMap((act) => Array.from({ length: act.weight }, () => act));
  async function client(): Promise<void> {
    while (doors.clock.monotonic() < until) {
      const act = random.of(weighted);
      try {
        await act.run(random.of(given.hearts));
        count(outcome.done, act.name);
      } catch (error) {
        const code = codeOf(error);
        if (error instanceof MaskingError && (refusals[act.kind] ?? []).includes(code)) {
          count(outcome.done, `${act.name}: ${code}`);
        } else count(outcome.wrong, `${act.name}: ${code}`);
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  return outcome;
}

function codeOf(error: unknown): string {
  if (error instanceof MaskingError) return error.code;
  if (error instanceof DatabaseError) return `${error.code} in ${error.statement}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

interface Action {
  readonly name: string;
  readonly kind: string;
  readonly weight: number;
  run(heart: Heart): Promise<unknown>;
}

function actions(given: Storm): readonly Action[] {
  const { random, database, doors, numbers, carrier } = given;
  /** Lately opened ones: most of what is done meets others at the same session. */
  const sessions: string[] = [];
  const codes: { readonly dial: string; readonly code: string }[] = [];
  const blocks: string[] = [];

  const someone = (): string => phone(random.below(people));
  const remember = <T>(list: T[], one: T, most = 40): void => {
    list.push(one);
    if (list.length > most) list.shift();
  };
  const session = (): string | undefined => (sessions.length === 0 ? undefined : random.of(sessions));

  function person(role: string): NewParticipant {
    return {
      role,
      phones: random.chance(0.15) ? [someone(), someone()] : [someone()],
      ...(random.chance(0.3) ? { name: 'Wayan' } : {}),
      ...(random.chance(0.05) ? { mayStart: false } : {}),
      ...random.of([{}, {}, {}, {}, {}, {}, {}, {}, { reach: 'app' }, { number: random.of(numbers).e164 }]),
    };
  }

  function newSession(): NewSession {
    const listing = random.chance(0.08);
    const others = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => person('agent'));
    return {
      pool: random.of(pools),
      participants: [...others, listing ? { role: 'buyer', phones: [], open: true } : person('customer')],
      ttlSeconds: random.of([1, 2, 3, 5, 8, 60]),
      sharedNumber: !listing && random.chance(0.15),
      sticky: random.chance(0.3),
      ...(random.chance(0.15) ? { pin: true } : {}),
      ...(random.chance(0.2) ? { idleSeconds: random.of([1, 3, 30]) } : {}),
      ...(random.chance(0.2) ? { afterClose: { seconds: 60, allow: [{ from: 'agent', to: 'agent' }] } } : {}),
    };
  }

  async function open(heart: Heart): Promise<void> {
    const asked = newSession();
    const phones = asked.participants.flatMap((one) => one.phones);
    if (new Set(phones).size < phones.length) return;
    const key = random.chance(0.2)
      ? { key: `key ${random.below(200)}`, digest: Buffer.alloc(32, random.below(2)) }
      : undefined;
    const opened = await heart.createSession('default', asked, key);
    remember(sessions, opened.id);
    for (const one of opened.participants) {
      if (one.pin !== undefined) remember(codes, { dial: one.number, code: one.pin });
    }
  }

  async function change(heart: Heart): Promise<void> {
    const id = session();
    if (id === undefined) return;
    const what = random.below(5);
    if (what === 0) {
      await heart.updateSession('default', id, {
        ttlSeconds: random.of([1, 4, 20]),
        idleSeconds: random.of([null, 2]),
        metadata: { changed: random.below(100) },
      });
      return;
    }
    const active = (await heart.getSession('default', id)).participants.filter(
      (one) => one.leftAt === undefined,
    );
    if (active.length === 0) return;
    const who = random.of(active);
    if (what === 1) await heart.updateSession('default', id, { participants: { remove: [who.id] } });
    else if (what === 2) {
      await heart.updateSession('default', id, { participants: { add: [person('agent')] } });
    } else {
      await heart.updateSession('default', id, {
        participants: { replace: [{ participant: who.id, with: person(who.role) }] },
      });
    }
  }

  async function close(heart: Heart): Promise<void> {
    const id = session();
    if (id === undefined) return;
    await heart.closeSession('default', id, {
      reason: 'resolved',
      ongoingCalls: random.of(['finish', 'warn', 'hangup']),
      afterClose: random.chance(0.6),
    });
  }

  /** A call from its ring to its end. */
  async function call(heart: Heart): Promise<void> {
    const inbound: Inbound = {
      kind: 'call',
      carriers: [{ tenant: 'default', carrier }],
      called: random.of(numbers).e164,
      caller: random.chance(0.05) ? undefined : someone(),
      call: newId(doors, 'call'),
    };
    let decision = await heart.decide(inbound);
    if (decision.kind === 'choose') {
      decision = await heart.choose({ inbound, session: random.of(decision.options).session });
    } else if (decision.kind === 'pin' && codes.length > 0) {
      const { code } = random.of(codes);
      const entered = await random.of(given.hearts).enterPin({ inbound, code, attempt: 1 });
      if (entered.kind === 'accepted') decision = entered.decision;
    }
    await finish(heart, inbound.call, decision);
  }

  async function finish(heart: Heart, id: string, decision: Decision): Promise<void> {
    const [step] = decision.kind === 'run' ? decision.steps : [];
    if (decision.kind === 'run' && step?.kind === 'connect') {
      const { session: of } = decision;
      const participant = random.of(step.targets).participant;
      if (random.chance(0.2)) await heart.hangUpCall('default', id);
      await heart.answered({ tenant: 'default', call: id, session: of, participant });
    }
    if (random.chance(0.1)) return;
    await heart.ended({
      tenant: 'default',
      call: id,
      outcome: 'connected',
      hangupBy: 'caller',
      hangupCause: 'bye',
      endedAt: doors.clock.now(),
      legs: [],
    });
  }

  async function pin(heart: Heart): Promise<void> {
    if (codes.length === 0) return;
    const { dial, code } = random.of(codes);
    const inbound: Inbound = {
      kind: 'call',
      carriers: [{ tenant: 'default', carrier }],
      called: dial,
      caller: random.chance(0.2) ? undefined : someone(),
      call: newId(doors, 'call'),
    };
    const outcome = await heart.enterPin({ inbound, code, attempt: 1 });
    if (outcome.kind === 'accepted') await finish(heart, inbound.call, outcome.decision);
  }

  async function claim(heart: Heart): Promise<void> {
    const id = session();
    if (id === undefined) return;
    const of = await heart.getSession('default', id);
    const who = random.of(of.participants);
    const { code } = await heart.createClaim('default', id, who.id);
    remember(codes, { dial: who.number, code });
  }

  async function block(heart: Heart): Promise<void> {
    const [one, other] = [someone(), someone()];
    if (one === other) return;
    const made = await heart.createBlock(
      'default',
      { phone: one, ...(random.chance(0.8) ? { counterpartPhone: other } : {}), reason: 'rude' },
      'api',
    );
    blocks.push(made.id);
  }

  async function lift(heart: Heart): Promise<void> {
    const oldest = blocks.length > 3 ? blocks.shift() : undefined;
    if (oldest !== undefined) await heart.liftBlock('default', oldest);
  }

  async function number(heart: Heart): Promise<void> {
    const { id } = random.of(numbers);
    const soon = () => new Date(doors.clock.now() + random.of([50, 500, 2_000]));
    switch (random.below(6)) {
      case 0:
        return void (await heart.updateNumber('default', id, { draining: random.chance(0.3) }));
      case 1:
        return void (await heart.updateNumber('default', id, { enabled: random.chance(0.8) }));
      case 2:
        return void (await heart.updateNumber('default', id, {
          quarantinedUntil: random.chance(0.5) ? soon() : null,
        }));
      case 3:
        return void (await heart.updateNumber('default', id, {
          use: random.of(['pool', 'pool', 'pool', 'reserved', 'reserved', 'display']),
        }));
      case 4:
        return void (await heart.replaceNumber('default', id, { reason: 'spam', quarantineSeconds: 1 }));
      default:
        return void (await heart.updateNumber('default', id, { pool: random.of(pools) }));
    }
  }

  /** Given back, and had again under another id. */
  async function giveBack(heart: Heart): Promise<void> {
    const pool = random.of(pools);
    const added = await heart.addNumbers('default', {
      numbers: [`+62216${String(random.below(20)).padStart(6, '0')}`],
      pool: `extra-${pool}`,
      carrier,
      capabilities: ['voice'],
    });
    const id = added.numbers[0]?.id ?? '';
    await heart.updateNumber('default', id, { pool });
    await heart.deleteNumber('default', id, { drain: random.chance(0.7) });
  }

  async function policy(heart: Heart): Promise<void> {
    await heart.updatePool('default', random.of(pools), {
      loadLimit: random.of([null, 3, 50]),
      spread: random.chance(0.3),
      match: random.of(['any', 'prefer-country', 'prefer-area']),
      cooldown: { '*': random.of([0, 1, 2]) },
    });
  }

  const ask = (text: string) => async () => void (await database.query('', text, []));
  const act = (name: string, kind: string, weight: number, run: Action['run']): Action => ({
    name,
    kind,
    weight,
    run,
  });
  return [
    act('open', 'open', 26, open),
    act('change', 'change', 12, change),
    act('close', 'close', 8, close),
    act('reopen', 'reopen', 4, async (heart) => {
      const id = session();
      if (id !== undefined) await heart.reopenSession('default', id, { ttlSeconds: random.of([2, 30]) });
    }),
    act('call', 'call', 26, call),
    act('pin', 'call', 3, pin),
    act('claim', 'claim', 3, claim),
    act('block', 'block', 1, block),
    act('lift', 'block', 1, lift),
    act('number', 'care', 4, number),
    act('give back', 'care', 1, giveBack),
    act('policy', 'policy', 2, policy),
    act('expire', 'sweep', 5, ask('select expire_sessions(20)')),
    act(
      'tend',
      'sweep',
      2,
      ask('select end_quarantines(50), remove_idle_numbers(50), forget_codes(50, platform_now())'),
    ),
    act('to end', 'sweep', 1, (heart) => heart.callsToEnd()),
  ];
}
