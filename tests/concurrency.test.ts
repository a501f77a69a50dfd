import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runningEmbeddedUrl } from '../packages/server/src/store/embedded/running.ts';
import { type ApiAnswer, connectTrunk, type Platform, startPlatform } from './support/platform.ts';
import { rowsOf } from './support/sql.ts';

/** Law 1 over HTTP: 32 clients at once, and hardly a number to be had. */
let platform: Platform;
const clients = Array.from({ length: 32 }, (_, index) => index);
const phone = (index: number) => `+62812${10_000_000 + index}`;

beforeAll(async () => {
  platform = await startPlatform({ rateLimit: 100_000 });
  await connectTrunk(platform.call, 5_062, [`+622150060000`]);
});

afterAll(async () => {
  await platform?.stop();
});

/** A new pool of so many numbers, without cooldown. */
async function pool(name: string, count: number, first: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => `+62215006${first + index}`);
  const added = await platform.call('POST', '/v1/numbers', {
    numbers,
    pool: name,
    carrier: 'test',
    capabilities: ['voice'],
  });
  expect(added.status).toBe(201);
  expect((await platform.call('PATCH', `/v1/pools/${name}`, { cooldown: { '*': 0 } })).status).toBe(200);
}

function open(
  name: string,
  parties: readonly number[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<ApiAnswer> {
  return platform.call('POST', '/v1/sessions', {
    pool: name,
    participants: parties.map((party, index) => ({
      role: index === 0 ? 'agent' : 'customer',
      phone: phone(party),
    })),
    ...more,
  });
}

/** Each party with the number that the answer gave them. */
function pairsOf(parties: readonly number[], { body }: ApiAnswer): string[] {
  return parties.map((party, index) => `${party} ${body.participants[index].dial}`);
}

function expectRefusals(answers: readonly ApiAnswer[]): void {
  for (const answer of answers) {
    expect(answer.status).toBe(409);
    expect(answer.body.type).toBe('/problems/pool-exhausted');
  }
}

function ask<Row>(statement: string): Promise<readonly Row[]> {
  return rowsOf(runningEmbeddedUrl(join(platform.directory, 'data')) ?? '', statement);
}

/** Live bindings of a pool: (party, number) with the sessions that claim it; `doubles`: what two claim. */
async function bindings(name: string) {
  const rows = await ask<{ party: string; number: string; sessions: string }>(
    `select h.party, p.number, count(distinct s.session) as sessions
      from sessions s
      join participants p on p.tenant = s.tenant and p.session = s.session
      join participant_phones h on h.tenant = p.tenant and h.session = p.session and h.participant = p.participant
      where s.pool = '${name}' and s.status = 'open' group by h.party, p.number`,
  );
  const bound = await ask<{ party: string; number: string }>(
    `select b.party, b.number from bindings b
      join sessions s on s.tenant = b.tenant and s.session = b.session
      where s.pool = '${name}' and b.released_at is null`,
  );
  const keys = (list: readonly { party: string; number: string }[]) =>
    list.map(({ party, number }) => `${party} ${number}`).sort();
  return {
    live: bound.length,
    doubles: rows.filter(({ sessions }) => Number(sessions) > 1),
    /** What sessions promise and what the table holds. */
    promised: keys(rows),
    kept: keys(bound),
  };
}

test.each([
  ['each their own number', 'scarce', false, 1_000],
  ['one shared number', 'shared', true, 1_100],
] as const)(
  'the same two parties, %s: as many sessions as there are numbers, the rest is refused',
  async (_, name, sharedNumber, first) => {
    await pool(name, 5, first);
    // Either may be named first: the order in which their rows are met must not matter.
    const parties = (client: number) => (client % 2 === 0 ? [1, 2] : [2, 1]);
    const answers = await Promise.all(clients.map((client) => open(name, parties(client), { sharedNumber })));
    const opened = answers.filter(({ status }) => status === 201);
    expect(opened).toHaveLength(5);
    expectRefusals(answers.filter(({ status }) => status !== 201));
    const pairs = answers.flatMap((answer, client) =>
      answer.status === 201 ? pairsOf(parties(client), answer) : [],
    );
    expect(new Set(pairs).size).toBe(10);
    const held = await bindings(name);
    expect(held).toMatchObject({ live: 10, doubles: [] });
    expect(held.kept).toEqual(held.promised);
  },
);

test('overlapping parties: who is refused has every number already, and nobody has one twice', async () => {
  const count = 4;
  await pool('overlap', count, 1_200);
  // Seven people, two or three in a session: 96 sessions wanted, room for ten or so.
  const wanted = Array.from({ length: 96 }, (_, index) => {
    const a = index % 7;
    const b = (a + 1 + (index % 3)) % 7;
    const c = (b + 1 + (index % 2)) % 7;
    return [...new Set(index % 4 === 0 ? [a, b, c] : [a, b])].map((party) => 100 + party);
  });
  const answers: ApiAnswer[] = [];
  let next = 0;
  await Promise.all(
    clients.map(async () => {
      while (next < wanted.length) {
        const index = next++;
        answers[index] = await open('overlap', wanted[index] ?? []);
      }
    }),
  );
  const held = new Map<number, number>();
  const pairs: string[] = [];
  for (const [index, answer] of answers.entries()) {
    if (answer.status !== 201) continue;
    pairs.push(...pairsOf(wanted[index] ?? [], answer));
    for (const party of wanted[index] ?? []) held.set(party, (held.get(party) ?? 0) + 1);
  }
  expect(new Set(pairs).size).toBe(pairs.length);
  expect(Math.max(...held.values())).toBe(count);
  expectRefusals(answers.filter(({ status }) => status !== 201));
  for (const [index, answer] of answers.entries()) {
    // Nothing was closed: who had no number free then has none free now.
    if (answer.status !== 201) {
      expect(Math.max(...(wanted[index] ?? []).map((party) => held.get(party) ?? 0))).toBe(count);
    }
  }
  const kept = await bindings('overlap');
  expect(kept).toMatchObject({ live: pairs.length, doubles: [] });
  expect(kept.kept).toEqual(kept.promised);
});

test('closed and opened again without a pause: a number is given away only after it came back', async () => {
  await pool('turning', 3, 1_300);
  /** From the answer to the opening until the closing is asked for, nobody else may have it. */
  const held = new Set<string>();
  const twice: string[] = [];
  let opened = 0;
  let refused = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let turn = 0; turn < 12; turn++) {
        // Two agents for all, so that both run out of numbers all the time.
        const parties = [200 + (client % 2), 210 + ((client + turn) % 5)];
        const answer = await open('turning', parties);
        if (answer.status !== 201) {
          expectRefusals([answer]);
          refused += 1;
          continue;
        }
        opened += 1;
        const pairs = pairsOf(parties, answer);
        twice.push(...pairs.filter((pair) => held.has(pair)));
        for (const pair of pairs) held.add(pair);
        if (turn % 4 === 0) {
          const now = await bindings('turning');
          expect(now.doubles).toEqual([]);
        }
        for (const pair of pairs) held.delete(pair);
        const closed = await platform.call('POST', `/v1/sessions/${answer.body.id}/close`, {
          reason: 'resolved',
        });
        expect(closed.status).toBe(200);
      }
    }),
  );
  expect(twice).toEqual([]);
  expect(opened).toBeGreaterThan(40);
  expect(refused).toBeGreaterThan(10);
  expect((await bindings('turning')).live).toBe(0);
  // All of it is free again, to the last number.
  const again = await Promise.all([0, 1, 2, 3].map(() => open('turning', [200, 210])));
  expect(again.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409]);
});

test('one key, 32 clients: one session', async () => {
  await pool('keyed', 5, 1_400);
  const body = {
    pool: 'keyed',
    reference: 'job-1',
    participants: [
      { role: 'agent', phone: phone(300) },
      { role: 'customer', phone: phone(301) },
    ],
  };
  const ask = () => platform.call('POST', '/v1/sessions', body, { 'idempotency-key': 'once' });
  const answers = await Promise.all(clients.map(ask));
  // While the first is at work, others may be asked to come again; nobody gets another session.
  const ids = new Set(answers.filter(({ status }) => status === 201).map((answer) => answer.body.id));
  expect(ids.size).toBe(1);
  for (const { status, body: problem } of answers) {
    if (status !== 201)
      expect({ status, type: problem.type }).toEqual({
        status: 409,
        type: '/problems/idempotency-in-progress',
      });
  }
  expect([...ids]).toEqual([(await ask()).body.id]);
  expect(await bindings('keyed')).toMatchObject({ live: 2, doubles: [] });
});
