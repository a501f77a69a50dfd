import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import { answer, countEvents, inviteOptions, offer, place, simulatedStack } from './testing.ts';
import type { Dialog, DialogEnd } from './types.ts';

/** Enough for 64 × T1 twice over, retries after glare, and the last absorbing timers. Milliseconds. */
const LONG = 200_000;
const seeds = [1, 2, 3, 4, 5, 6];

describe('under loss, duplication and delay, every call ends one way and leaves nothing behind', () => {
  it.each(seeds)('seed %i', async (seed) => {
    const world = simulatedDoors(seed);
    world.faults.loss = 0.3;
    world.faults.duplication = 0.3;
    world.faults.minimumDelay = 1;
    world.faults.maximumDelay = 300;
    const events = countEvents();
    const ends = new Map<Dialog, DialogEnd[]>();
    const watch = (dialog: Dialog) => {
      const causes: DialogEnd[] = [];
      ends.set(dialog, causes);
      dialog.onEnd((cause) => causes.push(cause));
      dialog.onOffer(() => ({ body: answer }));
    };
    let invites = 0;
    let cancelled = 0;
    const callee = await simulatedStack(world, '192.0.2.2', {
      onEvent: events.onEvent,
      onInvite(invite) {
        const number = invites++;
        let open = true;
        invite.onCancelled(() => {
          open = false;
          cancelled++;
        });
        invite.progress(180, { reliable: number % 2 === 0, ...(number % 4 === 0 ? { body: answer } : {}) });
        world.timers.after(world.random.integer(4_000), () => {
          if (!open) return;
          if (number % 5 === 4) invite.reject(486);
          else {
            const dialog = invite.answer(answer);
            watch(dialog);
            if (number % 3 === 0) world.timers.after(3_000, () => dialog.bye());
          }
        });
      },
    });
    const caller = await simulatedStack(world, '192.0.2.1', { onEvent: events.onEvent });
    const outcomes = [];
    for (let number = 0; number < 20; number++) {
      let reported = 0;
      const { call, outcome } = place(caller, inviteOptions(callee), (dialog) => {
        reported++;
        watch(dialog);
        if (number % 2 === 0) void dialog.offer(offer);
        world.timers.after(2_000 + world.random.integer(4_000), () => dialog.bye());
      });
      call.onFailed((failure) => {
        reported++;
        outcome.failure = failure;
      });
      if (number % 6 === 5) world.timers.after(world.random.integer(3_000), () => call.cancel());
      outcomes.push({ outcome, reported: () => reported });
      await world.advance(100);
    }
    await world.advance(LONG);

    expect(outcomes.map(({ reported }) => reported())).toEqual(outcomes.map(() => 1));
    for (const causes of ends.values()) expect(causes).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome.dialog).length).toBeGreaterThan(5);
    expect(cancelled).toBeGreaterThanOrEqual(0);
    expect(caller.counts).toEqual({ transactions: 0, dialogs: 0, connections: 0 });
    expect(callee.counts).toEqual({ transactions: 0, dialogs: 0, connections: 0 });
    expect(world.pending).toBe(0);
    expect(events.counts.get('internal-error')).toBeUndefined();
    expect(events.counts.get('handler-error')).toBeUndefined();
    await caller.close();
    await callee.close();
  });
});
