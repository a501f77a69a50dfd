import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RefusalReason } from '../../packages/server/src/masking/types.ts';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** announce, refuse, and what the caller hears of a ringing that begins after words. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

beforeEach(async () => {
  (await stage.phone(2)).setOnRing('answer');
});

const announce = { kind: 'announce', place: '/announce', words: prompt('welcome') } as const;

test('an announcement is early media: nobody pays for it; then our own ringing tone, then the talk', async () => {
  stage.masking.decideAs(() => run([announce, connect([2])]));
  const callee = await stage.phone(2);
  const incoming = callee.nextCall();
  const ended = stage.masking.nextEnd();
  const call = (await stage.phone(1)).dial(dialled);
  let answered = false;
  void call.answered.then(() => {
    answered = true;
  });
  await until(() => sounds(call.heard()).includes('welcome'));
  expect(answered).toBe(false);
  const other = await incoming;
  expect(await call.answered).toEqual({ ok: true });
  await other.say(voice('(callee)'));
  await pause(200);
  expect(sounds(call.heard())).toEqual(['welcome', '(ringing)', '(callee)']);
  call.hangUp();
  expect((await ended).explanation?.steps.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ['announce', 'heard'],
    ['connect', 'answered'],
  ]);
});

test('words that are missing, or too long, keep no call from going on', async () => {
  const long = await startStage({ words: 150 });
  try {
    const missing = { kind: 'announce', place: '/missing', words: prompt('nobody-said-this') } as const;
    long.masking.decideAs(() => run([missing, announce, connect([2])]));
    const ended = long.masking.nextEnd();
    const call = (await long.phone(1)).dial(dialled);
    await long.phone(2);
    expect(await call.answered).toEqual({ ok: true });
    call.hangUp();
    expect((await ended).explanation?.steps.map(({ verb, outcome }) => [verb, outcome])).toEqual([
      ['announce', 'not-heard'],
      ['announce', 'not-heard'],
      ['connect', 'answered'],
    ]);
  } finally {
    await long.close();
  }
});

describe('a refusal', () => {
  const table: readonly (readonly [RefusalReason, number, string])[] = [
    ['not-connected', 404, 'not-connected'],
    ['unknown-number', 404, 'not-connected'],
    ['ended', 410, 'ended'],
    ['closed', 480, 'closed'],
    ['unavailable', 480, 'unavailable'],
    ['quiet-hours', 480, 'quiet-hours'],
    ['not-allowed', 403, 'not-allowed'],
    ['limit', 403, 'limit'],
    ['program', 403, 'unavailable'],
  ];
  test.each(table)('%s: status %i after the words', async (reason, status, words) => {
    stage.masking.decideAs(() => ({ kind: 'refuse', reason, locale: 'en', tenant: 'default' }));
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: false, status });
    expect(sounds(call.heard())).toEqual([words]);
    expect(await ended).toMatchObject({
      outcome: 'refused',
      hangupCause: reason,
      explanation: { steps: [{ place: 'decision', verb: 'refuse', outcome: reason }] },
    });
  });

  test('by a step has words of its own', async () => {
    stage.masking.decideAs(() =>
      run([{ kind: 'refuse', place: '/refuse', reason: 'program', words: prompt('goodbye') }, connect([2])]),
    );
    const ended = stage.masking.nextEnd();
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: false, status: 403 });
    expect(sounds(call.heard())).toEqual(['goodbye']);
    expect((await ended).legs[0]).toMatchObject({ sipStatus: 403, answeredAt: undefined });
  });

  test('of a caller who was answered is spoken, and ends by BYE', async () => {
    const refuse = { kind: 'refuse', place: '/refuse', reason: 'closed', words: undefined } as const;
    stage.masking.decideAs(() => run([menuOf([refuse])]));
    const call = (await stage.phone(1)).dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    await call.press('1');
    await call.ended;
    expect(sounds(call.heard()).at(-1)).toBe('closed');
  });

  test.each([
    ['busy', 'busy'],
    ['unavailable', 'unavailable'],
  ] as const)('of one who was answered, since the other is %s', async (how, words) => {
    stage.masking.decideAs(() => run([menuOf([connect([2])])]));
    (await stage.phone(2)).setOnRing(how);
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('1');
    await call.ended;
    expect(sounds(call.heard()).at(-1)).toBe(words);
  });
});

function menuOf(steps: Parameters<typeof run>[0]) {
  return {
    kind: 'menu',
    place: '/menu',
    words: prompt('question'),
    choices: new Map([['1', steps]]),
    timeoutSeconds: 5,
    attempts: 1,
    otherwise: [],
  } as const;
}
