import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  answering,
  countEvents,
  inviteOptions,
  loopbackStack,
  offer,
  place,
  until,
} from './testing.ts';
import type { Dialog, DialogEnd, SipStack } from './types.ts';

const open: SipStack[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close()));
});

describe.each(['udp', 'tcp'] as const)('a call between two stacks over %s', (transport) => {
  it.each(['caller', 'callee'] as const)('is set up and ended by the %s', async (who) => {
    const events = countEvents();
    const dialogs: Dialog[] = [];
    const ends: DialogEnd[] = [];
    const callee = await loopbackStack(
      { onInvite: answering(dialogs, ends), onEvent: events.onEvent },
      transport,
    );
    const caller = await loopbackStack({ onEvent: events.onEvent }, transport);
    open.push(caller, callee);

    let acknowledged = false;
    const { outcome } = place(caller, inviteOptions(callee, transport));
    await until(() => dialogs.length === 1, 'the call');
    dialogs[0]?.onAck(() => {
      acknowledged = true;
    });
    await until(() => outcome.dialog !== undefined && acknowledged, 'the answer and its ACK');
    expect(outcome.progress).toEqual([180]);
    expect(outcome.answer?.equals(answer)).toBe(true);
    expect(outcome.dialog?.callId).toBe(dialogs[0]?.callId);

    if (who === 'caller') outcome.dialog?.bye();
    else dialogs[0]?.bye();
    await until(() => ends.length === 1 && outcome.end !== undefined, 'the end');
    expect([outcome.end, ends[0]]).toEqual(
      who === 'caller' ? ['local-bye', 'remote-bye'] : ['remote-bye', 'local-bye'],
    );
    expect(caller.counts.dialogs + callee.counts.dialogs).toBe(0);
    expect(events.counts.get('internal-error')).toBeUndefined();
    expect(events.counts.get('handler-error')).toBeUndefined();
  });
});

describe('the network as it is', () => {
  it('carries a call over IPv6', async () => {
    const dialogs: Dialog[] = [];
    const listen = [{ transport: 'udp' as const, address: '::1', port: 0 }];
    const callee = await loopbackStack({ listen, onInvite: answering(dialogs) });
    const caller = await loopbackStack({ listen });
    open.push(caller, callee);
    const options = inviteOptions(callee);
    const { outcome } = place(caller, { ...options, uri: `sip:callee@[::1]:${options.target.port}` });
    await until(() => outcome.dialog !== undefined, 'the answer');
    dialogs[0]?.bye();
    await until(() => outcome.end !== undefined, 'the end');
    expect(outcome.end).toBe('remote-bye');
  });

  it('sends a large request by UDP when the target says so', async () => {
    const dialogs: Dialog[] = [];
    const callee = await loopbackStack({ onInvite: answering(dialogs) });
    const caller = await loopbackStack();
    open.push(caller, callee);
    const body = Buffer.concat([offer, Buffer.from('a=x:'.padEnd(8_000, 'y'))]);
    const { outcome } = place(caller, { ...inviteOptions(callee), body });
    await until(() => outcome.dialog !== undefined, 'the answer');
  });

  it('closing ends what is left, once, and frees the address', async () => {
    const dialogs: Dialog[] = [];
    const ends: DialogEnd[] = [];
    const callee = await loopbackStack({ onInvite: answering(dialogs, ends) });
    const caller = await loopbackStack();
    open.push(caller);
    const { outcome } = place(caller, inviteOptions(callee));
    await until(() => outcome.dialog !== undefined, 'the answer');
    const { port } = callee.bound[0] ?? { port: 0 };
    await callee.close();
    expect(ends).toEqual(['closed']);
    expect(callee.counts).toEqual({ transactions: 0, dialogs: 0, connections: 0 });
    open.push(await loopbackStack({ listen: [{ transport: 'udp', address: '127.0.0.1', port }] }));
  });

  it('refuses an address that nobody could answer to', async () => {
    const listen = [{ transport: 'udp' as const, address: '0.0.0.0', port: 0 }];
    await expect(loopbackStack({ listen })).rejects.toThrow(TypeError);
  });
});
