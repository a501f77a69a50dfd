import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SwitchBusy } from '../../packages/server/src/switch/index.ts';
import { connect, pause, run, type Stage, session, startStage, target, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** A call that the platform makes: one participant is rung, then the other. */
let stage: Stage;
let calls = 0;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

beforeEach(async () => {
  stage.masking.reopen();
  for (const index of [1, 2]) (await stage.phone(index)).setOnRing('answer');
});

function originate(steps = [connect([2])], ringSeconds = 60) {
  calls += 1;
  const id = `call_made_${calls}`;
  const ended = stage.masking.endOf(id);
  stage.gate.originate(id, { near: target(1), ringSeconds, run: run(steps) });
  return { id, ended };
}

test('rings the first, says so, rings the second and joins them; both see their virtual number only', async () => {
  const [one, two] = [await stage.phone(1), await stage.phone(2)];
  const [first, second] = [one.nextCall(), two.nextCall()];
  const { ended } = originate();
  const near = await first;
  const far = await second;
  await pause(100);
  await Promise.all([near.say(voice('(caller)')), far.say(voice('(callee)'))]);
  await pause(200);
  expect(sounds(near.heard())).toEqual(['connecting', '(ringing)', '(callee)']);
  expect(sounds(far.heard())).toEqual(['(caller)']);
  expect(one.displayed.at(-1)).toBe(target(1).callerId);
  expect(two.displayed.at(-1)).toBe(target(2).callerId);
  far.hangUp();
  await near.ended;
  const end = await ended;
  expect(end).toMatchObject({ outcome: 'connected', hangupBy: 'callee' });
  expect(
    end.legs.map(({ participant, direction, sipStatus }) => [participant, direction, sipStatus]),
  ).toEqual([
    ['par_1', 'out', 200],
    ['par_2', 'out', 200],
  ]);
  expect(end.explanation?.steps.map(({ verb, outcome }) => `${verb} ${outcome}`)).toEqual([
    'ring answered',
    'connect answered',
  ]);
});

test.each([
  ['busy', 'busy'],
  ['ignore', 'no-answer'],
] as const)('the first is %s: the second is never rung', async (how, outcome) => {
  const [one, two] = [await stage.phone(1), await stage.phone(2)];
  one.setOnRing(how);
  const rung = two.displayed.length;
  const { ended } = originate([connect([2])], 1);
  expect(await ended).toMatchObject({ outcome, hangupBy: 'platform', hangupCause: outcome });
  expect(one.ringing).toBe(0);
  expect(two.displayed.length).toBe(rung);
});

test.each([
  ['unavailable', 'not-reached'],
  ['busy', 'busy'],
] as const)('the second is %s: the first is told and hung up', async (how, words) => {
  (await stage.phone(2)).setOnRing(how);
  const first = (await stage.phone(1)).nextCall();
  const { ended } = originate();
  const near = await first;
  await near.ended;
  expect(sounds(near.heard()).at(-1)).toBe(words);
  expect((await ended).outcome).toBe(how);
});

test('the first hangs up while the second rings: the ringing ends', async () => {
  const two = await stage.phone(2);
  two.setOnRing('ignore');
  const first = (await stage.phone(1)).nextCall();
  const { ended } = originate();
  const near = await first;
  await until(() => two.ringing === 1);
  near.hangUp();
  await until(() => two.ringing === 0);
  expect(await ended).toMatchObject({ outcome: 'cancelled', hangupBy: 'caller' });
});

test('the session is closed while the first rings: it stops', async () => {
  const one = await stage.phone(1);
  one.setOnRing('ignore');
  const { ended } = originate();
  await until(() => one.ringing === 1);
  stage.masking.close(session, 'hangup');
  await until(() => one.ringing === 0);
  expect(await ended).toMatchObject({ outcome: 'refused', hangupCause: 'session-closed' });
});

test('a request to hang up ends it while the first rings', async () => {
  const one = await stage.phone(1);
  one.setOnRing('ignore');
  const { id, ended } = originate();
  await until(() => one.ringing === 1);
  stage.masking.hangUp(id);
  await until(() => one.ringing === 0);
  expect(await ended).toMatchObject({ hangupCause: 'requested' });
});

test('is refused when too many calls run', async () => {
  const small = await startStage({ calls: 1 });
  try {
    (await small.phone(1)).setOnRing('ignore');
    const made = { near: target(1), ringSeconds: 5, run: run([connect([2])]) };
    small.gate.originate('call_a', made);
    expect(() => small.gate.originate('call_b', made)).toThrow(SwitchBusy);
    expect(small.gate.counts.calls).toBe(1);
  } finally {
    await small.close();
  }
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
