import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import { answer, inviteOptions, place, simulatedStack } from '../testing.ts';
import { arrange, createResolver } from './resolve.ts';

function resolverIn(world: ReturnType<typeof simulatedDoors>) {
  const { clock, random } = world;
  return createResolver({ dns: world.network.dns, clock, random, reaches: () => true });
}
const text = (hops: readonly { transport: string; address: string; port: number }[]) =>
  hops.map(({ transport, address, port }) => `${transport} ${address} ${port}`);

describe('targets (RFC 3263)', () => {
  it('that are addresses need no look-up', () => {
    const resolver = resolverIn(simulatedDoors(1));
    expect(resolver.resolve({ host: '192.0.2.1' })).toEqual([
      { transport: 'udp', address: '192.0.2.1', port: 5060 },
    ]);
    expect(resolver.resolve({ host: '[2001:DB8::1]', transport: 'tls' })).toEqual([
      { transport: 'tls', address: '2001:db8::1', port: 5061 },
    ]);
  });

  it('with a port go to A and AAAA; without, to SRV by priority; else to the default port', async () => {
    const world = simulatedDoors(1);
    world.records.a.set('one.example', ['192.0.2.1']);
    world.records.a.set('two.example', ['192.0.2.2']);
    world.records.aaaa.set('two.example', ['2001:db8::2']);
    world.records.srv.set('_sip._udp.trunk.example', [
      { name: 'two.example', port: 5082, priority: 20, weight: 0 },
      { name: 'one.example', port: 5081, priority: 10, weight: 0 },
    ]);
    const resolver = resolverIn(world);
    expect(text(await resolver.resolve({ host: 'two.example', port: 5070 }))).toEqual([
      'udp 192.0.2.2 5070',
      'udp 2001:db8::2 5070',
    ]);
    expect(text(await resolver.resolve({ host: 'trunk.example' }))).toEqual([
      'udp 192.0.2.1 5081',
      'udp 192.0.2.2 5082',
      'udp 2001:db8::2 5082',
    ]);
    expect(text(await resolver.resolve({ host: 'one.example', transport: 'tcp' }))).toEqual([
      'tcp 192.0.2.1 5060',
    ]);
    expect(await resolver.resolve({ host: 'nowhere.example' })).toEqual([]);
  });

  it('answers are kept for half a minute and no longer', async () => {
    const world = simulatedDoors(1);
    const resolver = resolverIn(world);
    world.records.a.set('one.example', ['192.0.2.1']);
    await resolver.resolve({ host: 'one.example', port: 1 });
    world.records.a.set('one.example', ['192.0.2.9']);
    expect(text(await resolver.resolve({ host: 'one.example', port: 1 }))).toEqual(['udp 192.0.2.1 1']);
    await world.advance(30_001);
    expect(text(await resolver.resolve({ host: 'one.example', port: 1 }))).toEqual(['udp 192.0.2.9 1']);
  });

  it('equal priorities are drawn by weight', () => {
    const { random } = simulatedDoors(4);
    const records = [
      { name: 'heavy', port: 1, priority: 1, weight: 90 },
      { name: 'light', port: 1, priority: 1, weight: 10 },
    ];
    let heavy = 0;
    for (let draw = 0; draw < 1_000; draw++) if (arrange(records, random)[0]?.name === 'heavy') heavy++;
    expect(heavy).toBeGreaterThan(820);
    expect(heavy).toBeLessThan(970);
  });
});

describe('fail-over (RFC 3263 section 4.3)', () => {
  it('goes to the next address when one is silent, and avoids it for a while', async () => {
    const world = simulatedDoors(2);
    world.records.a.set('trunk.example', ['192.0.2.77', '192.0.2.2']);
    const callee = await simulatedStack(world, '192.0.2.2', {
      onInvite: (invite) => void invite.answer(answer),
    });
    const caller = await simulatedStack(world, '192.0.2.1');
    const options = { ...inviteOptions(callee), target: { host: 'trunk.example', port: 5060 } };
    const first = place(caller, options);
    await world.advance(32_100);
    expect(first.outcome.dialog?.ended).toBe(false);
    const second = place(caller, options);
    await world.advance(100);
    expect(second.outcome.dialog?.ended).toBe(false);
  });

  it('goes to the next address after 503 and after a refused connection', async () => {
    const world = simulatedDoors(2);
    world.records.a.set('trunk.example', ['192.0.2.3', '192.0.2.2']);
    await simulatedStack(world, '192.0.2.3', { onInvite: (invite) => invite.reject(503) });
    const callee = await simulatedStack(world, '192.0.2.2', {
      onInvite: (invite) => void invite.answer(answer),
      listen: [
        { transport: 'udp', address: '192.0.2.2', port: 5060 },
        { transport: 'tcp', address: '192.0.2.2', port: 5060 },
      ],
    });
    const caller = await simulatedStack(world, '192.0.2.1');
    for (const transport of ['udp', 'tcp'] as const) {
      const { outcome } = place(caller, {
        ...inviteOptions(callee),
        target: { host: 'trunk.example', port: 5060, transport },
      });
      await world.advance(100);
      expect(outcome.dialog?.ended).toBe(false);
    }
  });

  it('a target that is not there fails the call, and nothing stays', async () => {
    const world = simulatedDoors(2);
    const caller = await simulatedStack(world, '192.0.2.1');
    const { outcome } = place(caller, { ...inviteOptions(caller), target: { host: 'nowhere.example' } });
    await world.advance(1);
    expect(outcome.failure).toEqual({ kind: 'unreachable' });
    expect([caller.counts.transactions, world.pending]).toEqual([0, 0]);
  });
});
