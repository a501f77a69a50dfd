import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import { toTag } from './message/index.ts';
import { answer, inviteOptions, offer, place, simulatedStack } from './testing.ts';
import type { IncomingInvite, StackOptions } from './types.ts';
import { requestLines, wirePeer } from './wire.ts';

/** Gaps between consecutive times, rounded to the wheel's tick of 10 ms. */
const gaps = (times: readonly number[]) =>
  times.slice(1).map((at, index) => Math.round((at - (times[index] ?? 0)) / 20) * 20);

async function scene(options: Partial<StackOptions> = {}) {
  const world = simulatedDoors(7);
  const stack = await simulatedStack(world, '192.0.2.2', options);
  const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
  const target = { host: '192.0.2.9', port: 5060, transport: 'udp' as const };
  return { world, stack, peer, target };
}

/** RFC 3261 table 4, with T1 = 500 ms, T2 = 4 s, T4 = 5 s. */
describe('timers', () => {
  it('A doubles and B ends an INVITE without any answer after 64 × T1', async () => {
    const { world, stack, peer, target } = await scene();
    const { outcome } = place(stack, { ...inviteOptions(stack), target });
    await world.advance(31_990);
    expect(outcome.failure).toBeUndefined();
    await world.advance(100);
    expect(gaps(peer.times('INVITE'))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(outcome.failure).toEqual({ kind: 'timeout' });
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('D keeps an INVITE that was refused for 32 s, to acknowledge repetitions', async () => {
    const { world, stack, peer, target } = await scene();
    place(stack, { ...inviteOptions(stack), target });
    await world.advance(1);
    const invite = peer.requests('INVITE')[0];
    if (!invite) throw new Error('no INVITE');
    peer.respond(invite, 486);
    await world.advance(20_000);
    peer.respond(invite, 486);
    await world.advance(11_900);
    expect(peer.requests('ACK')).toHaveLength(2);
    expect(peer.requests('ACK')[0]?.headers.get('Via')).toBe(invite.headers.get('Via'));
    expect(stack.counts.transactions).toBe(1);
    await world.advance(200);
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('E doubles up to T2 and F ends any other request after 64 × T1', async () => {
    const { world, stack, peer, target } = await scene();
    const { body: _, ...options } = inviteOptions(stack);
    const outcome = stack.request({ ...options, target, method: 'OPTIONS' });
    await world.advance(32_100);
    expect(gaps(peer.times('OPTIONS'))).toEqual([
      500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000,
    ]);
    expect(await outcome).toEqual({ kind: 'timeout' });
    expect(world.pending).toBe(0);
  });

  it('E runs at T2 after a provisional response; K keeps the transaction for T4', async () => {
    const { world, stack, peer, target } = await scene();
    const { body: _, ...options } = inviteOptions(stack);
    const outcome = stack.request({ ...options, target, method: 'OPTIONS' });
    await world.advance(1);
    const request = peer.requests('OPTIONS')[0];
    if (!request) throw new Error('no OPTIONS');
    peer.respond(request, 100);
    await world.advance(9_000);
    expect(gaps(peer.times('OPTIONS'))).toEqual([500, 4_000, 4_000]);
    peer.respond(request, 200);
    await world.advance(4_900);
    expect((await outcome).kind).toBe('response');
    expect(stack.counts.transactions).toBe(1);
    await world.advance(200);
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('G doubles up to T2 and H gives up the ACK of a refusal after 64 × T1', async () => {
    const { world, stack, peer } = await scene({ onInvite: (invite) => invite.reject(486) });
    peer.send(requestLines('INVITE'), offer.toString());
    await world.advance(32_100);
    expect(gaps(peer.times('486 INVITE'))).toEqual([
      500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000,
    ]);
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('I absorbs further ACKs for T4', async () => {
    const { world, stack, peer } = await scene({ onInvite: (invite) => invite.reject(486) });
    peer.send(requestLines('INVITE'), offer.toString());
    await world.advance(1);
    const tag = toTag(peer.responses('INVITE').at(-1) as never);
    const ack = requestLines('ACK', { branch: 'z9hG4bK-INVITE-1', toTag: tag });
    peer.send(ack);
    await world.advance(4_900);
    expect(peer.times('486 INVITE')).toHaveLength(1);
    expect(stack.counts.transactions).toBe(1);
    await world.advance(200);
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('J keeps the answer to any other request for 64 × T1 and repeats it', async () => {
    const { world, stack, peer } = await scene();
    peer.send(requestLines('OPTIONS'));
    await world.advance(31_000);
    peer.send(requestLines('OPTIONS'));
    await world.advance(900);
    expect(peer.times('200 OPTIONS')).toHaveLength(2);
    await world.advance(200);
    expect([stack.counts.transactions, world.pending]).toEqual([0, 0]);
  });

  it('a 2xx is repeated until 64 × T1, then the dialog ends with BYE; L absorbs the INVITE (RFC 6026)', async () => {
    const ends: string[] = [];
    const onInvite = (invite: IncomingInvite) => invite.answer(answer).onEnd((cause) => ends.push(cause));
    const { world, stack, peer } = await scene({ onInvite });
    peer.send(requestLines('INVITE'), offer.toString());
    await world.advance(31_000);
    peer.send(requestLines('INVITE'), offer.toString());
    await world.advance(900);
    expect(gaps(peer.times('200 INVITE'))).toEqual([
      500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000, 4_000,
    ]);
    expect([ends, peer.requests('BYE').length]).toEqual([[], 0]);
    await world.advance(200);
    expect([ends, peer.requests('BYE').length]).toEqual([['no-ack'], 1]);
    await world.advance(40_000);
    expect([stack.counts.transactions, stack.counts.dialogs, world.pending]).toEqual([0, 0, 0]);
  });

  it('M keeps an answered INVITE for 64 × T1: each repeated 2xx is acknowledged, a forked one ended', async () => {
    const { world, stack, peer, target } = await scene({ session: { expires: 0 } });
    const { outcome } = place(stack, { ...inviteOptions(stack), target });
    await world.advance(1);
    const invite = peer.requests('INVITE')[0];
    if (!invite) throw new Error('no INVITE');
    const contact = ['Contact: <sip:callee@192.0.2.9:5060>'];
    peer.respond(invite, 200, contact, answer.toString(), 'one');
    await world.advance(500);
    peer.respond(invite, 200, contact, answer.toString(), 'one');
    await world.advance(500);
    peer.respond(invite, 200, contact, answer.toString(), 'two');
    await world.advance(500);
    expect(outcome.dialog?.ended).toBe(false);
    expect(peer.requests('ACK').map(toTag)).toEqual(['one', 'one', 'two']);
    const bye = peer.requests('BYE');
    expect(bye.map(toTag)).toContain('two');
    for (const request of bye.slice(0, 1)) peer.respond(request, 200);
    await world.advance(32_000);
    expect([stack.counts.transactions, stack.counts.dialogs, world.pending]).toEqual([0, 1, 0]);
  });
});
