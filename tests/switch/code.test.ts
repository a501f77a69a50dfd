import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, dialled, pause, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds } from '../support/tones.ts';

/** Callers whom only a code, or a choice between sessions, tells apart. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

async function dial() {
  const ended = stage.masking.nextEnd();
  const call = (await stage.phone(1)).dial(dialled);
  expect(await call.answered).toEqual({ ok: true });
  return { call, ended };
}

async function key(call: Awaited<ReturnType<typeof dial>>['call'], keys: string) {
  for (const digit of keys) await call.press(digit as '1');
}

describe('a code', () => {
  const pin = { kind: 'pin', tenant: 'default', locale: 'en', attempts: 3, codeless: undefined } as const;

  test('dialled in one go, before any word was spoken, is taken; its # answers nothing else', async () => {
    stage.masking.decideAs(() => pin);
    stage.masking.pinAs(() => ({ kind: 'accepted', decision: choose }));
    const { call, ended } = await dial();
    await key(call, '123456#');
    await until(() => sounds(call.heard()).includes('choose'));
    expect(stage.masking.codes.at(-1)).toBe('123456');
    stage.masking.chooseAs(() => run([connect([2])]));
    const incoming = (await stage.phone(2)).nextCall();
    await key(call, '1');
    const other = await incoming;
    await pause(100);
    expect(sounds(call.heard())).not.toContain('invalid-choice');
    call.hangUp();
    await other.ended;
    const end = await ended;
    expect(end.legs[0]?.participant).toBe('par_1');
    expect(JSON.stringify(end)).not.toContain('123456');
  });

  test('that is not keyed means the session that has none', async () => {
    stage.masking.decideAs(() => ({ ...pin, codeless: 'ses_1' }));
    stage.masking.chooseAs((session) => (session === 'ses_1' ? run([connect([2])]) : choose));
    const { call } = await dial();
    const incoming = (await stage.phone(2)).nextCall();
    await key(call, '#');
    const other = await incoming;
    call.hangUp();
    await other.ended;
  });

  test('that is wrong may be tried again, while tries are left', async () => {
    stage.masking.decideAs(() => pin);
    stage.masking.pinAs((code, attempt) =>
      code === '222222'
        ? { kind: 'accepted', decision: run([connect([2])]) }
        : { kind: 'wrong', left: 3 - attempt },
    );
    const { call, ended } = await dial();
    const incoming = (await stage.phone(2)).nextCall();
    await key(call, '111111');
    await until(() => sounds(call.heard()).includes('wrong-code'));
    // A star begins anew.
    await key(call, '9*222222#');
    const other = await incoming;
    await pause(100);
    call.hangUp();
    await other.ended;
    expect((await ended).explanation?.steps.map(({ outcome }) => outcome)).toEqual([
      'wrong',
      'accepted',
      'answered',
    ]);
  });

  test('that is wrong too often, or locked, ends the call', async () => {
    stage.masking.decideAs(() => ({ ...pin, attempts: 2 }));
    stage.masking.pinAs((_, attempt) => ({ kind: 'wrong', left: 2 - attempt }));
    const first = await dial();
    await key(first.call, '111111');
    await until(() => sounds(first.call.heard()).includes('wrong-code'));
    await key(first.call, '33#');
    await first.call.ended;
    // A short code is no code, but it is one that was tried.
    expect(stage.masking.codes.slice(-2)).toEqual(['111111', '33']);
    expect(await first.ended).toMatchObject({ outcome: 'refused', hangupCause: 'wrong-code' });

    stage.masking.pinAs(() => ({ kind: 'locked' }));
    const second = await dial();
    await key(second.call, '444444');
    await second.call.ended;
    expect(sounds(second.call.heard()).at(-1)).toBe('code-locked');
    expect(await second.ended).toMatchObject({ outcome: 'refused', hangupCause: 'code-locked' });
  });

  test('stands in no log line', () => {
    expect(stage.log.join('\n')).not.toMatch(/123456|111111|222222|444444/);
  });
});

const choose = {
  kind: 'choose',
  tenant: 'default',
  locale: 'en',
  options: [
    { session: 'ses_1', reference: 'order-ab12' },
    { session: 'ses_2', reference: 'c3' },
  ],
} as const;

describe('a choice between sessions', () => {
  test('reads out the end of each reference, and its key decides', async () => {
    stage.masking.decideAs(() => choose);
    let picked = '';
    stage.masking.chooseAs((session) => {
      picked = session;
      return run([connect([2])]);
    });
    const { call } = await dial();
    await until(() => sounds(call.heard()).filter((sound) => sound === 'press').length === 2);
    await pause(400);
    const incoming = (await stage.phone(2)).nextCall();
    await key(call, '2');
    const other = await incoming;
    await pause(100);
    expect(sounds(call.heard()).slice(0, 13)).toEqual([
      'choose',
      'for-reference',
      ...['r', 'a', 'b', '1', '2'].map((character) => `char-${character}`),
      'press',
      'char-1',
      'for-reference',
      'char-c',
      'char-3',
      'press',
    ]);
    expect(picked).toBe('ses_2');
    call.hangUp();
    await other.ended;
  });

  test('that is none, twice, is refused with the neutral words', async () => {
    stage.masking.decideAs(() => choose);
    const { call, ended } = await dial();
    await key(call, '99');
    await call.ended;
    expect(sounds(call.heard()).at(-1)).toBe('not-connected');
    expect(await ended).toMatchObject({ outcome: 'refused', hangupCause: 'no-choice' });
  });

  test('of a session that has ended meanwhile says so', async () => {
    stage.masking.decideAs(() => choose);
    stage.masking.chooseAs(() => ({ kind: 'refuse', reason: 'ended', locale: 'en', tenant: 'default' }));
    const { call } = await dial();
    await key(call, '1');
    await call.ended;
    expect(sounds(call.heard()).at(-1)).toBe('ended');
  });
});
