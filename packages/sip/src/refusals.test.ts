import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import { toTag } from './message/index.ts';
import { answer, countEvents, offer, simulatedStack } from './testing.ts';
import type { StackOptions } from './types.ts';
import { requestLines, wirePeer } from './wire.ts';

async function scene(options: Partial<StackOptions> = {}) {
  const world = simulatedDoors(11);
  const events = countEvents();
  const stack = await simulatedStack(world, '192.0.2.2', {
    onEvent: events.onEvent,
    onInvite: (invite) => void invite.answer(answer),
    ...options,
  });
  const peer = await wirePeer(world, '192.0.2.9', { address: '192.0.2.2', port: 5060 });
  const ask = async (lines: readonly string[], body = '') => {
    const before = peer.received.length;
    peer.send(lines, body);
    await world.advance(5);
    const found = peer.received
      .slice(before)
      .flatMap(({ message }) => (message.kind === 'response' && message.status > 100 ? [message] : []));
    return found[0];
  };
  /** A confirmed dialog, its To tag. */
  const dialog = async () => {
    const response = await ask(requestLines('INVITE'), offer.toString());
    const tag = response ? toTag(response) : '';
    peer.send(requestLines('ACK', { branch: 'z9hG4bK-ack', toTag: tag }));
    await world.advance(5);
    return tag;
  };
  return { world, stack, peer, events, ask, dialog };
}

const sdp = offer.toString();

describe('requests outside dialogs', () => {
  it.each([
    ['Max-Forwards 0', requestLines('INVITE', { maxForwards: 0 }), 483, undefined],
    ['an unknown Require', requestLines('INVITE', { extra: ['Require: foo'] }), 420, ['Unsupported', 'foo']],
    [
      'Replaces',
      requestLines('INVITE', { extra: ['Require: replaces', 'Replaces: a;to-tag=b;from-tag=c'] }),
      481,
      undefined,
    ],
    ['no Contact', requestLines('INVITE', { contact: false }), 400, undefined],
    [
      'a short session',
      requestLines('INVITE', { extra: ['Supported: timer', 'Session-Expires: 60'] }),
      422,
      ['Min-SE', '90'],
    ],
    ['a dialog nobody knows', requestLines('INVITE', { toTag: 'nobody' }), 481, undefined],
    ['BYE to nobody', requestLines('BYE', { toTag: 'nobody' }), 481, undefined],
    ['REFER', requestLines('REFER'), 603, undefined],
    ['REGISTER', requestLines('REGISTER'), 405, undefined],
    ['an invented method', requestLines('DANCE'), 501, undefined],
    ['CANCEL of nothing', requestLines('CANCEL'), 481, undefined],
    ['a branch without the cookie', requestLines('OPTIONS', { branch: '1234' }), 400, undefined],
  ] as const)('%s', async (_, lines, status, header) => {
    const { ask, world, stack } = await scene();
    const response = await ask(lines, lines[0]?.startsWith('INVITE') ? sdp : '');
    expect(response?.status).toBe(status);
    if (header) expect(response?.headers.get(header[0])).toBe(header[1]);
    await world.advance(40_000);
    expect([stack.counts.transactions, stack.counts.dialogs, world.pending]).toEqual([0, 0, 0]);
  });

  it('answers an INVITE that came by two ways only once', async () => {
    const { ask } = await scene();
    expect((await ask(requestLines('INVITE', { branch: 'z9hG4bK-one' }), sdp))?.status).toBe(200);
    expect((await ask(requestLines('INVITE', { branch: 'z9hG4bK-two' }), sdp))?.status).toBe(482);
  });

  it('takes no body but SDP', async () => {
    const { ask } = await scene();
    const lines = [...requestLines('INVITE'), 'Content-Type: text/plain'];
    const response = await ask(lines, 'x');
    expect([response?.status, response?.headers.get('Accept')]).toEqual([415, 'application/sdp']);
  });

  it('answers OPTIONS with what it can', async () => {
    const { ask } = await scene();
    const response = await ask(requestLines('OPTIONS'));
    expect(response?.status).toBe(200);
    expect(response?.headers.all('Allow').join()).toContain('UPDATE');
    expect(response?.headers.get('Server')).toBe('Samar');
  });

  it('drops what is not admitted, unread and unanswered', async () => {
    const { ask, events, peer, stack } = await scene({ admit: () => false });
    expect(await ask(requestLines('OPTIONS'))).toBeUndefined();
    expect([peer.received.length, events.counts.get('dropped-source'), stack.counts.transactions]).toEqual([
      0, 1, 0,
    ]);
  });

  it('answers what is malformed and yet readable with 400, and counts it', async () => {
    const { ask, events } = await scene();
    const lines = requestLines('OPTIONS').map((line) =>
      line.startsWith('Max') ? 'Max-Forwards: many' : line,
    );
    expect((await ask(lines))?.status).toBe(400);
    expect(await ask(['hello'])).toBeUndefined();
    expect(events.counts.get('malformed')).toBe(2);
  });

  it('past the limit answers 503 with Retry-After without keeping anything', async () => {
    const { ask, stack, events } = await scene({ limits: { transactions: 1 }, onInvite: () => {} });
    expect(await ask(requestLines('INVITE'), sdp)).toBeUndefined();
    const refused = await ask(requestLines('INVITE', { callId: 'other', branch: 'z9hG4bK-b' }), sdp);
    expect([refused?.status, refused?.headers.get('Retry-After')]).toEqual([503, '5']);
    expect([stack.counts.transactions, events.counts.get('overload')]).toEqual([1, 1]);
  });

  it('draining refuses new calls and goes on with those that are', async () => {
    const { ask, dialog, stack } = await scene();
    const tag = await dialog();
    stack.drain();
    expect((await ask(requestLines('INVITE', { callId: 'other', branch: 'z9hG4bK-b' }), sdp))?.status).toBe(
      503,
    );
    expect((await ask(requestLines('INFO', { toTag: tag, sequence: 2 })))?.status).toBe(200);
    expect((await ask(requestLines('BYE', { toTag: tag, sequence: 3 })))?.status).toBe(200);
  });

  it.each([
    ['nothing', undefined, 199, []],
    ['nothing, for 200 ms', undefined, 211, [100]],
    ['180 at once', 180, 1_000, [180]],
  ] as const)('says 100 to an INVITE only when it is due: %s', async (_, status, milliseconds, said) => {
    const { peer, world } = await scene({
      onInvite(invite) {
        if (status !== undefined) invite.progress(status);
      },
    });
    peer.send(requestLines('INVITE'), sdp);
    await world.advance(milliseconds);
    expect(peer.responses('INVITE').map((response) => response.status)).toEqual(said);
  });

  it('says 100 at once when the INVITE comes again, and once', async () => {
    const { peer, world } = await scene({ onInvite() {} });
    peer.send(requestLines('INVITE'), sdp);
    await world.advance(50);
    peer.send(requestLines('INVITE'), sdp);
    await world.advance(1_000);
    expect(peer.responses('INVITE').map((response) => response.status)).toEqual([100]);
  });

  it('CANCEL ends a call that rings', async () => {
    let cancelled = 0;
    const { ask, peer, stack, world } = await scene({
      onInvite(invite) {
        invite.progress(180);
        invite.onCancelled(() => cancelled++);
      },
    });
    expect((await ask(requestLines('INVITE'), sdp))?.status).toBe(180);
    expect((await ask(requestLines('CANCEL', { branch: 'z9hG4bK-INVITE-1' })))?.status).toBe(200);
    expect(peer.responses('INVITE').map(({ status }) => status)).toEqual([180, 487]);
    expect(cancelled).toBe(1);
    await world.advance(40_000);
    expect([stack.counts.dialogs, world.pending]).toEqual([0, 0]);
  });
});

describe('requests inside a dialog', () => {
  it.each([
    ['OPTIONS', [], 200],
    ['UPDATE', [], 200],
    ['INFO', [], 200],
    ['REFER', ['Refer-To: <sip:x@example.invalid>'], 603],
    ['MESSAGE', [], 405],
    ['DANCE', [], 501],
    ['PRACK', ['RAck: 1 1 INVITE'], 481],
    ['OPTIONS', ['Require: foo'], 420],
  ] as const)('%s %j is answered %i', async (method, extra, status) => {
    const { ask, dialog } = await scene();
    const tag = await dialog();
    expect((await ask(requestLines(method, { toTag: tag, sequence: 5, extra })))?.status).toBe(status);
  });

  it('with an old sequence number are refused', async () => {
    const { ask, dialog } = await scene();
    const tag = await dialog();
    await ask(requestLines('INFO', { toTag: tag, sequence: 9 }));
    expect((await ask(requestLines('INFO', { toTag: tag, sequence: 8 })))?.status).toBe(500);
  });

  it('offers meet the handler, and 488 without one', async () => {
    const offers: (string | undefined)[] = [];
    const { ask, dialog } = await scene({
      onInvite(invite) {
        invite.answer(answer).onOffer((body) => {
          offers.push(body?.toString());
          return { body: answer };
        });
      },
    });
    const tag = await dialog();
    const response = await ask(requestLines('INVITE', { toTag: tag, sequence: 2 }), sdp);
    expect([response?.status, response?.body.toString()]).toEqual([200, answer.toString()]);
    expect((await ask(requestLines('UPDATE', { toTag: tag, sequence: 3 }), sdp))?.status).toBe(200);
    expect(offers).toEqual([sdp, sdp]);
    const silent = await scene();
    const other = await silent.dialog();
    expect((await silent.ask(requestLines('INVITE', { toTag: other, sequence: 2 }), sdp))?.status).toBe(488);
  });

  it('an offer of the peer meets one of ours: 491, and ours is tried again', async () => {
    let result: unknown;
    const { ask, dialog, peer, world } = await scene({
      onInvite(invite) {
        const made = invite.answer(answer);
        made.onAck(() => void made.offer(offer).then((given) => (result = given)));
      },
    });
    const tag = await dialog();
    const first = peer.requests('INVITE')[0];
    if (!first) throw new Error('no re-INVITE');
    expect((await ask(requestLines('INVITE', { toTag: tag, sequence: 2 }), sdp))?.status).toBe(491);
    peer.respond(first, 491);
    await world.advance(2_100);
    const second = peer.requests('INVITE').at(-1);
    if (!second || second === first) throw new Error('not tried again');
    peer.respond(second, 200, ['Contact: <sip:caller@192.0.2.9:5060>'], answer.toString());
    await world.advance(5);
    expect(result).toEqual({ body: answer });
  });
});
