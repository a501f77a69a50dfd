import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import { answer, answering, countEvents, inviteOptions, offer, place, simulatedStack } from './testing.ts';
import type { Dialog, DialogEnd, IncomingInvite, StackOptions } from './types.ts';
import { requestLines, wirePeer } from './wire.ts';

async function pair(near: Partial<StackOptions> = {}, far: Partial<StackOptions> = {}) {
  const world = simulatedDoors(21);
  world.faults.minimumDelay = 10;
  world.faults.maximumDelay = 10;
  const events = countEvents();
  const dialogs: Dialog[] = [];
  const ends: DialogEnd[] = [];
  const callee = await simulatedStack(world, '192.0.2.2', {
    onInvite: answering(dialogs, ends),
    onEvent: events.onEvent,
    ...far,
  });
  const caller = await simulatedStack(world, '192.0.2.1', { onEvent: events.onEvent, ...near });
  const settled = () => {
    expect([caller.counts.transactions, callee.counts.transactions, world.pending]).toEqual([0, 0, 0]);
    expect(events.counts.get('internal-error')).toBeUndefined();
    expect(events.counts.get('handler-error')).toBeUndefined();
  };
  return { world, caller, callee, dialogs, ends, events, settled };
}

describe('session timers (RFC 4028)', () => {
  it('a call of two hours is refreshed and stays', async () => {
    const { world, caller, callee, dialogs, ends, settled } = await pair();
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(7_200_000);
    expect([outcome.end, ends, outcome.dialog?.ended]).toEqual([undefined, [], false]);
    dialogs[0]?.bye();
    await world.advance(40_000);
    settled();
  });

  it('the interval is raised by 422 when the callee wants more', async () => {
    const { world, caller, callee } = await pair(
      { session: { expires: 100 } },
      { session: { expires: 1_800, minimum: 600 } },
    );
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(1_000);
    expect(outcome.failure).toBeUndefined();
    expect(outcome.dialog?.ended).toBe(false);
  });

  it('a callee that vanished is noticed, and the dialog ends', async () => {
    const { world, caller, callee, settled } = await pair();
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(1_000);
    world.faults.loss = 1;
    await world.advance(3_600_000);
    expect(outcome.end).toBe('peer-gone');
    await world.advance(100_000);
    settled();
  });

  it('a peer that should refresh and does not is sent BYE', async () => {
    const { world, caller, callee, ends } = await pair({ session: { expires: 200 } });
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(1_000);
    await caller.close();
    expect(outcome.end).toBe('closed');
    await world.advance(200_000);
    expect(ends).toEqual(['session-expired']);
    expect(callee.counts.dialogs).toBe(0);
  });

  it('without UPDATE at the peer, the last SDP is offered again', async () => {
    const world = simulatedDoors(3);
    const stack = await simulatedStack(world, '192.0.2.2');
    const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
    const { outcome } = place(stack, { ...inviteOptions(stack), target: { host: '192.0.2.9', port: 5060 } });
    const headers = [
      'Contact: <sip:callee@192.0.2.9>',
      'Session-Expires: 90;refresher=uac',
      'Allow: INVITE, ACK, BYE',
    ];
    peer.onMessage = (message) => {
      if (message.kind === 'request' && message.method === 'INVITE')
        peer.respond(message, 200, headers, answer.toString());
    };
    await world.advance(120_000);
    expect(peer.requests('INVITE').map(({ body }) => body.toString())).toEqual(
      [1, 2, 3].map(() => offer.toString()),
    );
    expect(peer.requests('INVITE')[1]?.headers.get('Session-Expires')).toBe('90;refresher=uac');
    expect(outcome.dialog?.ended).toBe(false);
  });
});

describe('reliable provisional responses (RFC 3262)', () => {
  it('are acknowledged by PRACK, and the answer waits for that when SDP was in them', async () => {
    let dialog: Dialog | undefined;
    const onInvite = (invite: IncomingInvite) => {
      invite.progress(183, { reliable: true, body: answer });
      dialog = invite.answer(answer);
    };
    const { world, caller, callee, settled } = await pair({}, { onInvite });
    world.faults.loss = 0.3;
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(60_000);
    expect(outcome.progress).toEqual([183]);
    expect(outcome.dialog?.ended).toBe(false);
    expect(dialog?.ended).toBe(false);
    outcome.dialog?.bye();
    await world.advance(100_000);
    settled();
  });

  it('that nobody acknowledges end the call with 504', async () => {
    let cancelled = 0;
    const world = simulatedDoors(5);
    await simulatedStack(world, '192.0.2.2', {
      onInvite(invite) {
        invite.onCancelled(() => cancelled++);
        invite.progress(183, { reliable: true });
      },
    });
    const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
    peer.send(requestLines('INVITE', { extra: ['Supported: 100rel'] }), offer.toString());
    await world.advance(33_000);
    expect(peer.times('183 INVITE')).toHaveLength(7);
    expect([peer.responses('INVITE').at(-1)?.status, cancelled]).toEqual([504, 1]);
    expect(peer.responses('INVITE')[1]?.headers.get('Require')).toBe('100rel');
  });
});

describe('CANCEL', () => {
  it('before any answer waits for the first provisional response', async () => {
    let cancelled = 0;
    const onInvite = (invite: IncomingInvite) => invite.onCancelled(() => cancelled++);
    const { world, caller, callee, settled } = await pair({}, { onInvite });
    const { call, outcome } = place(caller, inviteOptions(callee));
    call.cancel();
    await world.advance(1_000);
    expect([outcome.failure, cancelled]).toEqual([{ kind: 'cancelled' }, 1]);
    await world.advance(60_000);
    settled();
  });

  it('that crosses the answer ends the answered call by BYE', async () => {
    const { world, caller, callee, dialogs, ends, settled } = await pair();
    const { call, outcome } = place(caller, inviteOptions(callee));
    await world.advance(15);
    expect(dialogs).toHaveLength(1);
    call.cancel();
    await world.advance(1_000);
    expect([outcome.failure, outcome.dialog, ends]).toEqual([
      { kind: 'cancelled' },
      undefined,
      ['remote-bye'],
    ]);
    await world.advance(60_000);
    settled();
  });
});

describe('BYE', () => {
  it('right after the answer waits for the ACK', async () => {
    const onInvite = (invite: IncomingInvite) => invite.answer(answer).bye();
    const { world, caller, callee, settled } = await pair({}, { onInvite });
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(1_000);
    expect(outcome.end).toBe('remote-bye');
    await world.advance(60_000);
    settled();
  });

  it('of both sides at once ends both', async () => {
    const { world, caller, callee, dialogs, ends, settled } = await pair();
    const { outcome } = place(caller, inviteOptions(callee));
    await world.advance(1_000);
    outcome.dialog?.bye();
    dialogs[0]?.bye();
    await world.advance(60_000);
    expect([outcome.end, ends]).toEqual(['local-bye', ['local-bye']]);
    settled();
  });
});

describe('credentials', () => {
  const challenge = ['WWW-Authenticate: Digest realm="trunk", nonce="abc", qop="auth", algorithm=SHA-256'];
  const credentials = { username: 'samar', password: 'secret' };

  async function challenged(responder = '192.0.2.9') {
    const world = simulatedDoors(9);
    const events = countEvents();
    const stack = await simulatedStack(world, '192.0.2.2', { onEvent: events.onEvent });
    const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
    const other =
      responder === peer.address
        ? peer
        : await wirePeer(world, responder, { address: '192.0.2.2', port: 5060 });
    const { outcome } = place(stack, { ...inviteOptions(stack), target: { host: '192.0.2.9' }, credentials });
    peer.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      if (message.headers.has('Authorization'))
        peer.respond(message, 200, ['Contact: <sip:a@192.0.2.9>'], answer.toString());
      else other.respond(message, 401, challenge);
    };
    await world.advance(1_000);
    return { world, peer, outcome, events };
  }

  it('answer a challenge of the target once, with a higher sequence number', async () => {
    const { peer, outcome } = await challenged();
    expect(outcome.dialog?.ended).toBe(false);
    expect(peer.requests('INVITE')).toHaveLength(2);
    expect(peer.requests('INVITE')[1]?.headers.get('Authorization')).toMatch(/^Digest username="samar"/);
  });

  it('answer no challenge from elsewhere', async () => {
    const { peer, outcome, events } = await challenged('192.0.2.66');
    expect(outcome.failure?.kind).toBe('response');
    expect([peer.requests('INVITE').length, events.counts.get('challenge-refused')]).toEqual([1, 1]);
  });

  it('never answer a challenge to BYE', async () => {
    const { peer, outcome, world } = await challenged();
    peer.onMessage = (message) => message.kind === 'request' && peer.respond(message, 401, challenge);
    outcome.dialog?.bye();
    await world.advance(40_000);
    expect(peer.requests('BYE').filter(({ headers }) => headers.has('Authorization'))).toEqual([]);
    expect(new Set(peer.requests('BYE').map(({ headers }) => headers.get('CSeq'))).size).toBe(1);
  });
});

describe('what leaves us', () => {
  it('is the same set of headers whatever the peer sends, and names nobody', async () => {
    const world = simulatedDoors(13);
    const stack = await simulatedStack(world, '192.0.2.2');
    const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
    place(stack, { ...inviteOptions(stack), target: { host: '192.0.2.9' } });
    place(stack, { ...inviteOptions(stack), target: { host: '192.0.2.9' } });
    await world.advance(1);
    const [one, two] = peer.requests('INVITE');
    if (!one || !two) throw new Error('no INVITE');
    expect([...one.headers.entries()].map(([name]) => name)).toEqual(
      [...two.headers.entries()].map(([name]) => name),
    );
    for (const name of ['Call-ID', 'CSeq', 'Via', 'From', 'Contact']) {
      expect(one.headers.get(name)).not.toBe(two.headers.get(name));
    }
    expect(one.headers.get('Call-ID')).toMatch(/^[0-9a-f]{32}$/);
    expect(one.headers.get('User-Agent')).toBe('Samar');
  });

  it('cannot be broken by values given', async () => {
    const { caller, callee } = await pair();
    const options = inviteOptions(callee);
    const broken = 'x\r\nP-Asserted-Identity: <sip:me@example.invalid>';
    expect(() => caller.invite({ ...options, headers: [['X-One', broken]] })).toThrow(TypeError);
    expect(() => caller.invite({ ...options, uri: `sip:${broken}` })).toThrow(TypeError);
    expect(() => caller.invite({ ...options, from: { uri: `sip:${broken}` } })).toThrow(TypeError);
    expect(() => caller.invite({ ...options, headers: [['Via', 'x']] })).toThrow(TypeError);
  });
});
