import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, dialled, pause, run, type Stage, startStage, target, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** One phone, several in turn, several at once. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

beforeEach(async () => {
  for (const index of [1, 2, 3, 4]) (await stage.phone(index)).setOnRing('answer');
});

/** Who was tried, and what came of it. */
function tried(end: Stage['masking']['ends'][number]) {
  return end.explanation?.steps.map(({ participant, outcome }) => [participant, outcome]);
}

describe('one phone', () => {
  test('is joined with the caller, and its virtual number is shown', async () => {
    stage.masking.decideAs(() => run([connect([2])]));
    const [caller, callee] = [await stage.phone(1), await stage.phone(2)];
    const ended = stage.masking.nextEnd();
    const incoming = callee.nextCall();
    const call = caller.dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    expect(callee.displayed.at(-1)).toBe(target(2).callerId);
    await Promise.all([call.say(voice('(caller)')), other.say(voice('(callee)'))]);
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    expect(sounds(call.heard())).toEqual(['(callee)']);
    call.hangUp();
    await other.ended;
    const end = await ended;
    expect(end).toMatchObject({ outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' });
    expect(end.legs.map(({ participant, direction }) => [participant, direction])).toEqual([
      ['par_1', 'in'],
      ['par_2', 'out'],
    ]);
    expect(end.explanation).toMatchObject({
      trace: { program: { source: 'default' } },
      steps: [{ place: '/connect', verb: 'connect', outcome: 'answered', participant: 'par_2' }],
    });
  });

  test.each([
    ['busy', 486, []],
    ['unavailable', 480, ['unavailable']],
  ] as const)('that is %s is told by status %i', async (how, status, words) => {
    stage.masking.decideAs(() => run([connect([2])]));
    (await stage.phone(2)).setOnRing(how);
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: false, status });
    expect(sounds(call.heard())).toEqual(words);
    expect(await ended).toMatchObject({ outcome: how, hangupBy: 'platform' });
  });
});

describe('one after another', () => {
  test('busy, silent, then the one who answers', async () => {
    stage.masking.decideAs(() => run([connect([2, 3, 4], { ringSeconds: 1 })]));
    (await stage.phone(2)).setOnRing('busy');
    const silent = await stage.phone(3);
    silent.setOnRing('ignore');
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    expect(silent.ringing).toBe(0);
    call.hangUp();
    expect(tried(await ended)).toEqual([
      ['par_2', 'busy'],
      ['par_3', 'no-answer'],
      ['par_4', 'answered'],
    ]);
  });

  test('the next step is taken when a step reached nobody; the last failure is told', async () => {
    stage.masking.decideAs(() => run([connect([2]), connect([3])]));
    (await stage.phone(2)).setOnRing('unavailable');
    (await stage.phone(3)).setOnRing('busy');
    const ended = stage.masking.nextEnd();
    expect(await (await stage.phone(1)).dial(dialled).answered).toEqual({ ok: false, status: 486 });
    expect(tried(await ended)).toEqual([
      ['par_2', 'unavailable'],
      ['par_3', 'busy'],
    ]);
  });

  test('fifty phones are rung at most', async () => {
    stage.masking.decideAs(() => run([connect(Array.from({ length: 60 }, () => 2))]));
    const busy = await stage.phone(2);
    busy.setOnRing('busy');
    const before = busy.displayed.length;
    const call = (await stage.phone(1)).dial(dialled);
    expect((await call.answered).ok).toBe(false);
    expect(busy.displayed.length - before).toBe(50);
  });
});

describe('all at once', () => {
  test('the first who answers talks, the others stop ringing', async () => {
    stage.masking.decideAs(() => run([connect([2, 3, 4], { mode: 'all' })]));
    const [first, second, third] = [await stage.phone(2), await stage.phone(3), await stage.phone(4)];
    second.setOnRing('ignore');
    third.setOnRing('ignore');
    const ended = stage.masking.nextEnd();
    const incoming = first.nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    await until(() => second.ringing === 0 && third.ringing === 0);
    await call.say(voice('(caller)'));
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    call.hangUp();
    const steps = tried(await ended);
    expect(steps).toHaveLength(3);
    expect(steps).toContainEqual(['par_2', 'answered']);
    expect(steps).toContainEqual(['par_3', 'cancelled']);
  });

  test('two who answer in the same moment: one talks, the other is hung up', async () => {
    stage.masking.decideAs(() => run([connect([2, 3], { mode: 'all' })]));
    const [one, two] = [await stage.phone(2), await stage.phone(3)];
    for (let round = 0; round < 5; round++) {
      const ended = stage.masking.nextEnd();
      const taken: string[] = [];
      const hungUp: string[] = [];
      for (const phone of [one, two]) {
        void phone.nextCall().then((answered) => {
          taken.push(phone.number);
          void answered.ended.then(() => hungUp.push(phone.number));
        });
      }
      const call = (await stage.phone(1)).dial(dialled);
      expect(await call.answered).toEqual({ ok: true });
      await until(() => taken.length === 2 && hungUp.length === 1);
      await pause(100);
      expect(hungUp).toHaveLength(1);
      expect(
        stage.masking.gated.filter((participant) => participant === 'par_2' || participant === 'par_3')
          .length,
      ).toBeGreaterThan(round);
      call.hangUp();
      await until(() => hungUp.length === 2);
      await ended;
    }
  });

  test('nobody answers: the time is all of theirs together', async () => {
    stage.masking.decideAs(() => run([connect([2, 3], { mode: 'all', ringSeconds: 1 })]));
    for (const index of [2, 3]) (await stage.phone(index)).setOnRing('ignore');
    const began = performance.now();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: false, status: 480 });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await stage.phone(2)).ringing + (await stage.phone(3)).ringing).toBe(0);
  });

  test('all are busy: the caller gets a busy tone', async () => {
    stage.masking.decideAs(() => run([connect([2, 3], { mode: 'all' })]));
    for (const index of [2, 3]) (await stage.phone(index)).setOnRing('busy');
    expect(await (await stage.phone(1)).dial(dialled).answered).toEqual({ ok: false, status: 486 });
  });
});

test('nothing is left: no call, no leg, no line with a number', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
  expect(stage.log.join('\n')).not.toMatch(/628110000000|6221500/);
});
