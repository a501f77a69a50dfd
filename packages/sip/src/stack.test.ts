import { afterEach, describe, expect, it } from 'vitest';
import { answer, answering, countEvents, inviteOptions, loopbackStack, place, until } from './testing.ts';
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
