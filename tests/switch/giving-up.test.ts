import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Step } from '../../packages/server/src/masking/types.ts';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds } from '../support/tones.ts';

/** A caller may leave in every phase of a call: nothing rings, plays, records or waits after that. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ consent: 20_000 });
});

afterAll(() => stage?.close());

beforeEach(async () => {
  for (const index of [2, 3]) (await stage.phone(index)).setOnRing('ignore');
});

type Dialled = ReturnType<Awaited<ReturnType<Stage['phone']>>['dial']>;

const menu: Step = {
  kind: 'menu',
  place: '/menu',
  words: prompt('question'),
  choices: new Map([['1', [connect([2])]]]),
  timeoutSeconds: 20,
  attempts: 1,
  otherwise: [],
};
const voicemail: Step = {
  kind: 'voicemail',
  place: '/voicemail',
  addressees: ['par_2'],
  greeting: prompt('voicemail'),
  maxSeconds: 60,
};
const ask: Step = { kind: 'ask', place: '/ask', url: 'https://x', timeoutMilliseconds: 100, fallback: 'x' };
const heard = (call: Dialled, sound: string) => until(() => sounds(call.heard()).includes(sound));
const rings = (...indexes: readonly number[]) =>
  Promise.all(
    indexes.map(async (index) => {
      const phone = await stage.phone(index);
      await until(() => phone.ringing === 1);
    }),
  );

const phases: readonly (readonly [
  phase: string,
  steps: readonly Step[],
  reached: (call: Dialled) => Promise<unknown>,
  outcome?: string,
])[] = [
  ['one rings', [connect([2])], () => rings(2)],
  ['several ring', [connect([2, 3], { mode: 'all' })], () => rings(2, 3)],
  ['the second of two rings', [connect([2, 3], { ringSeconds: 1 })], () => rings(3)],
  [
    'an announcement is played',
    [{ kind: 'announce', place: '/', words: [...prompt('welcome'), ...prompt('question')] }, connect([2])],
    (call) => heard(call, 'welcome'),
  ],
  [
    'our own tone is played',
    [{ kind: 'announce', place: '/', words: prompt('welcome') }, connect([2])],
    () => rings(2),
  ],
  ['a menu waits', [menu, connect([2])], (call) => heard(call, 'question')],
  [
    'one rings after a menu',
    [menu],
    async (call) => {
      await call.answered;
      await call.press('1');
      await rings(2);
    },
  ],
  [
    "the tenant's system is asked",
    [ask, connect([2])],
    async (call) => {
      stage.masking.askAs(async () => {
        await pause(500);
        return [connect([2])];
      });
      await until(() => call.ringing);
    },
  ],
  [
    'a message is recorded',
    [voicemail, connect([2])],
    async (call) => {
      await heard(call, '(beep)');
      await pause(300);
    },
    'empty',
  ],
  ['a voicemail greets', [voicemail, connect([2])], (call) => heard(call, 'voicemail')],
];

test.each(
  phases.map(([phase, steps, reached, outcome = 'abandoned']) => [phase, steps, reached, outcome] as const),
)('while %s', async (_, steps, reached, outcome) => {
  stage.masking.decideAs(() => run(steps));
  const ended = stage.masking.nextEnd();
  const call = (await stage.phone(1)).dial(dialled);
  await reached(call);
  call.hangUp();
  const { hangupBy, explanation } = await ended;
  expect(hangupBy).toBe('caller');
  // It is told in which step the caller left.
  expect(explanation?.steps.at(-1)?.outcome).toBe(outcome);
  // Whatever would have come next has had its time.
  await pause(700);
  for (const index of [2, 3]) expect((await stage.phone(index)).ringing).toBe(0);
  expect(stage.gate.counts.calls).toBe(0);
  expect(stage.media.counts.legs).toBe(0);
  expect(stage.log).toEqual([]);
});

test('while somebody who answered is asked to take the call', async () => {
  const callee = await stage.phone(2);
  callee.setOnRing('answer');
  stage.masking.decideAs(() => run([connect([2, 3], { accept: true })]));
  const incoming = callee.nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  const other = await incoming;
  await until(() => sounds(other.heard()).includes('accept'));
  call.hangUp();
  await other.ended;
  await pause(300);
  expect((await stage.phone(3)).ringing).toBe(0);
  expect(stage.media.counts.legs).toBe(0);
});

test('in the first moment, in the middle of the decision', async () => {
  stage.masking.decideAs(() => run([connect([2])]));
  const ended = stage.masking.nextEnd();
  const decide = stage.masking.decide;
  Object.assign(stage.masking, {
    async decide(inbound: Parameters<typeof decide>[0]) {
      const decision = await decide(inbound);
      await pause(300);
      return decision;
    },
  });
  const call = (await stage.phone(1)).dial(dialled);
  await pause(100);
  call.hangUp();
  // The record was written: it is closed, too.
  expect(await ended).toMatchObject({ outcome: 'cancelled', hangupBy: 'caller', hangupCause: 'cancel' });
  Object.assign(stage.masking, { decide });
  expect((await stage.phone(2)).ringing).toBe(0);
  expect(stage.media.counts.legs).toBe(0);
});
