import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMasking } from '../masking.ts';
import type { CreatedSession, Masking } from '../service.ts';
import { MaskingError } from '../service.ts';
import { phone, type TestMasking, testMasking } from '../testing.ts';

describe('many clients at once, on two nodes', () => {
  let heart: TestMasking;
  let nodes: readonly Masking[];
  beforeAll(async () => {
    heart = await testMasking();
    const { vault, doors, test } = heart;
    nodes = [heart.masking, createMasking({ database: test.database, vault, doors })];
  });
  afterAll(() => heart.close());

  const node = (index: number) => nodes[index % 2] ?? heart.masking;
  const exhausted = (error: unknown) => {
    if (error instanceof MaskingError && error.code === 'pool-exhausted') return undefined;
    throw error;
  };

  it('share out a nearly empty pool to the last number, and no number twice', async () => {
    await heart.stock({ count: 20, first: 100, pool: 'scarce' });
    const openOne = (index: number) =>
      node(index)
        .createSession('default', {
          pool: 'scarce',
          participants: [
            { role: 'agent', phones: [phone(index % 2 === 0 ? 1 : 2)], name: 'Wayan' },
            { role: 'customer', phones: [phone(index % 2 === 0 ? 2 : 1)] },
          ],
        })
        .catch(exhausted);
    const clients = Array.from({ length: 32 }, (_, index) => index);

    const first = (await Promise.all(clients.map(openOne))).filter((one) => one !== undefined);
    expect(first).toHaveLength(20);
    for (const masked of ['+62•••••••0001', '+62•••••••0002']) {
      const dials = first.map((one) => one.participants.find((person) => person.phone === masked)?.dial);
      expect(new Set(dials).size).toBe(20);
    }
    await Promise.all(
      first.slice(0, 5).map((one) => node(0).closeSession('default', one.id, { reason: 'resolved' })),
    );
    const second = (await Promise.all(clients.map(openOne))).filter((one) => one !== undefined);
    expect(second).toHaveLength(5);
    expect(await bound(heart)).toBe(40);
  });

  it('are never refused while the pool has a number for them', async () => {
    await heart.stock({ count: 32, first: 200, pool: 'busy' });
    // Sixteen sessions live at once take at most two numbers each from anybody's choice.
    const client = async (index: number): Promise<CreatedSession[]> => {
      const sessions: CreatedSession[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const [a, b, c] = [0, 1, 2].map((offset) => phone(50 + ((index + offset * (turn + 1)) % 7)));
        const phones = [...new Set([a ?? '', b ?? '', c ?? ''])];
        if (phones.length < 3) continue;
        const session = await node(index + turn).createSession('default', {
          pool: 'busy',
          sharedNumber: turn === 3,
          participants: [
            { role: 'agent', phones: phones.slice(0, 2) },
            { role: 'customer', phones: phones.slice(2) },
          ],
        });
        sessions.push(session);
        await node(index).closeSession('default', session.id, { reason: 'resolved' });
      }
      return sessions;
    };
    const all = (await Promise.all(Array.from({ length: 16 }, (_, index) => client(index)))).flat();
    expect(all.length).toBeGreaterThan(80);
  });

  it('open one session for one idempotency key', async () => {
    await heart.stock({ count: 40, first: 300, pool: 'idempotent' });
    const digest = Buffer.alloc(32, 7);
    const asked = {
      pool: 'idempotent',
      participants: [
        { role: 'agent', phones: [phone(81)], name: 'Ketut' },
        { role: 'customer', phones: [phone(82)] },
      ],
    };
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        node(index).createSession('default', asked, { key: 'order 81', digest }),
      ),
    );
    expect(new Set(answers.map((one) => one.id)).size).toBe(1);
    expect(answers.filter((one) => !one.replayed)).toHaveLength(1);
    const [first, second] = answers;
    expect(second?.transparencyTokens).toEqual(first?.transparencyTokens);
    expect(second?.participants).toEqual(first?.participants);
    await expect(
      node(0).createSession('default', asked, { key: 'order 81', digest: Buffer.alloc(32, 8) }),
    ).rejects.toMatchObject({ code: 'idempotency-mismatch' });
    // Refused requests don't use the key up.
    const none = { ...asked, pool: 'no-such-pool' };
    await expect(node(0).createSession('default', none, { key: 'order 82', digest })).rejects.toMatchObject({
      code: 'unknown-pool',
    });
    const later = await node(0).createSession('default', asked, { key: 'order 82', digest });
    expect(later.replayed).toBe(false);
  });

  it('never join a call after the close was acknowledged', async () => {
    const { masking } = heart;
    await heart.stock({ count: 5, first: 400, pool: 'gate' });
    for (let round = 0; round < 10; round++) {
      const session = await masking.createSession('default', {
        pool: 'gate',
        participants: [
          { role: 'agent', phones: [phone(91)] },
          { role: 'customer', phones: [phone(92)] },
        ],
      });
      const [agent, customer] = session.participants;
      const calls = await Promise.all(
        Array.from({ length: 6 }, () => heart.dial(phone(91), agent?.dial ?? '')),
      );
      const gate = (call: string) =>
        masking.answered({ tenant: 'default', session: session.id, call, participant: customer?.id ?? '' });
      const early = calls.slice(0, 3).map((one) => gate(one.call));
      await node(1).closeSession('default', session.id, { reason: 'resolved', ongoingCalls: 'hangup' });
      expect(await Promise.all(calls.slice(3).map((one) => gate(one.call)))).toEqual([false, false, false]);
      await Promise.all(early);
      const toEnd = await masking.callsToEnd();
      for (const { call } of calls)
        expect(toEnd).toContainEqual({ tenant: 'default', call, ongoingCalls: 'hangup' });
    }
  });
});

async function bound(heart: TestMasking): Promise<number> {
  const rows = await heart.test.database.query<{ readonly count: number }>(
    '',
    'select count(*)::integer as count from bindings where released_at is null',
    [],
  );
  return rows[0]?.count ?? -1;
}
