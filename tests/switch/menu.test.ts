import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../packages/server/src/masking/types.ts';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

const say = (name: string): Step => ({ kind: 'announce', place: `/${name}`, words: prompt(name) });

function menu(more: Partial<Extract<Step, { readonly kind: 'menu' }>> = {}): Step {
  return {
    kind: 'menu',
    place: '/menu',
    words: prompt('question'),
    choices: new Map<string, readonly Step[]>([
      ['1', [connect([2])]],
      ['2', [say('welcome')]],
      ['#', [say('goodbye')]],
    ]),
    timeoutSeconds: 1,
    attempts: 2,
    otherwise: [say('closed')],
    ...more,
  };
}

/** The verbs and outcomes of a call. */
function told(end: Stage['masking']['ends'][number]) {
  return end.explanation?.steps.map(({ verb, outcome }) => `${verb} ${outcome}`);
}

describe('a menu', () => {
  test('leads to what its key stands for: ringing is our own tone then, and the talk begins at the gate', async () => {
    stage.masking.decideAs(() => run([menu()]));
    const ended = stage.masking.nextEnd();
    const incoming = (await stage.phone(2)).nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    await until(() => sounds(call.heard()).includes('question'));
    await call.press('1');
    const other = await incoming;
    await pause(100);
    await Promise.all([call.say(voice('(caller)')), other.say(voice('(callee)'))]);
    await pause(200);
    expect(sounds(call.heard())).toEqual(['question', '(ringing)', '(callee)']);
    // The key itself crosses to nobody.
    expect(sounds(other.heard())).toEqual(['(caller)']);
    other.hangUp();
    const end = await ended;
    expect(end).toMatchObject({ outcome: 'connected', hangupBy: 'callee' });
    expect(told(end)).toEqual(['menu key-1', 'connect answered']);
  });

  test('is cut by a key, and what was typed ahead is kept for the next one', async () => {
    stage.masking.decideAs(() =>
      run([menu({ choices: new Map([['3', [menu({ words: prompt('survey') })]]]) })]),
    );
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('3');
    await call.press('2');
    await call.ended;
    expect(sounds(call.heard())).toContain('welcome');
    expect(sounds(call.heard())).not.toContain('invalid-choice');
    expect(told(await ended)).toEqual(['menu key-3', 'menu key-2', 'announce heard']);
  });

  test('asks again after a key that stands for nothing, and after silence does what it does otherwise', async () => {
    stage.masking.decideAs(() => run([menu()]));
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await until(() => sounds(call.heard()).includes('question'));
    await call.press('9');
    await call.ended;
    expect(sounds(call.heard())).toEqual(['question', 'invalid-choice', 'question', 'closed', 'unavailable']);
    expect(told(await ended)).toEqual(['menu no-choice', 'announce heard']);
  });

  test('the hash key can be a choice', async () => {
    stage.masking.decideAs(() => run([menu()]));
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('#');
    await call.ended;
    expect(sounds(call.heard())).toContain('goodbye');
  });
});

describe("what the tenant's system is asked", () => {
  const ask: Step = { kind: 'ask', place: '/ask', url: 'https://x', timeoutMilliseconds: 100, fallback: 'x' };

  test('holds the keys that were pressed; its steps are taken', async () => {
    let keys = '';
    stage.masking.askAs(async (pressed) => {
      keys = pressed;
      return [connect([2])];
    });
    stage.masking.decideAs(() => run([menu({ choices: new Map([['5', [ask]]]) })]));
    const ended = stage.masking.nextEnd();
    const incoming = (await stage.phone(2)).nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('5');
    const other = await incoming;
    await pause(100);
    expect(keys).toBe('5');
    call.hangUp();
    await other.ended;
    expect(told(await ended)).toEqual(['menu key-5', 'ask answered', 'connect answered']);
  });

  test('the caller hears ringing while it waits, and an answer that asks again comes to an end', async () => {
    stage.masking.askAs(async () => {
      await pause(100);
      return [ask];
    });
    stage.masking.decideAs(() => run([ask]));
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    await until(() => call.ringing);
    expect(await call.answered).toEqual({ ok: false, status: 480 });
    expect(told(await ended)).toEqual([...Array(5).fill('ask answered'), 'ask too-many-questions']);
  });
});

describe('forwarding', () => {
  const forward: Step = {
    kind: 'forward',
    place: '/forward',
    destination: 'support',
    phone: '+6281100000003',
    callerId: '+62215000199',
    number: 'num_9',
    carrier: 'car_1',
    ringSeconds: 5,
  };

  test("rings the tenant's own number with the caller's virtual number, and is never recorded", async () => {
    stage.masking.decideAs(() => run([forward], { recording: 'announce' }));
    const support = await stage.phone(3);
    const ended = stage.masking.nextEnd();
    const incoming = support.nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    expect(support.displayed.at(-1)).toBe('+62215000199');
    await Promise.all([call.say(voice('(caller)')), other.say(voice('(callee)'))]);
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    expect(sounds(call.heard())).toEqual(['(callee)']);
    expect(stage.masking.recordings).toHaveLength(0);
    expect(stage.masking.gated.at(-1)).toBe('');
    call.hangUp();
    const end = await ended;
    expect(end.legs.map(({ participant }) => participant)).toEqual(['par_1', undefined]);
    expect(told(end)).toEqual(['forward answered']);
  });

  test('that nobody answers goes on with the next step', async () => {
    stage.masking.decideAs(() => run([{ ...forward, phone: '+6281100000008' }, say('closed')]));
    const ended = stage.masking.nextEnd();
    expect((await (await stage.phone(1)).dial(dialled).answered).ok).toBe(false);
    expect(told(await ended)).toEqual(['forward unavailable', 'announce heard']);
  });
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
