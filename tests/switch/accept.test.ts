import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, dialled, pause, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** What is said to whoever answers, and the key that takes a call. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

beforeEach(async () => {
  for (const index of [1, 2, 3]) (await stage.phone(index)).setOnRing('answer');
});

const whisper = [
  { kind: 'prompt', name: 'call-about' },
  { kind: 'characters', text: 'b-7' },
] as const;

test('a whisper is heard by the callee only, before the two are joined', async () => {
  stage.masking.decideAs(() => run([connect([2], { whisper })]));
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  const other = await incoming;
  expect(await call.answered).toEqual({ ok: true });
  await Promise.all([call.say(voice('(caller)')), other.say(voice('(callee)'))]);
  await pause(200);
  expect(sounds(other.heard())).toEqual(['call-about', 'char-b', 'char-7', '(caller)']);
  expect(sounds(call.heard())).toEqual(['(callee)']);
  call.hangUp();
  await other.ended;
});

test('1 takes the call; the caller hears nothing of it and rings on until then', async () => {
  stage.masking.decideAs(() => run([connect([2], { whisper, accept: true })]));
  const ended = stage.masking.nextEnd();
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  let answered = false;
  void call.answered.then(() => {
    answered = true;
  });
  const other = await incoming;
  // What the callee says before taking the call reaches nobody.
  await other.say(voice('(callee)'));
  await until(() => sounds(other.heard()).includes('accept'));
  expect(answered).toBe(false);
  expect(call.ringing).toBe(true);
  expect(stage.masking.gated).not.toContain('par_9');
  await other.press('1');
  expect(await call.answered).toEqual({ ok: true });
  await call.say(voice('(caller)'));
  await pause(200);
  expect(sounds(other.heard())).toEqual(['call-about', 'char-b', 'char-7', 'accept', '(caller)']);
  expect(sounds(call.heard())).toEqual([]);
  call.hangUp();
  expect((await ended).outcome).toBe('connected');
});

test('1 pressed during the whisper cuts it', async () => {
  stage.masking.decideAs(() => run([connect([2], { whisper, accept: true })]));
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  const other = await incoming;
  await other.press('1');
  expect(await call.answered).toEqual({ ok: true });
  expect(sounds(other.heard())).not.toContain('accept');
  call.hangUp();
  await other.ended;
});

test.each([
  ['another key', async (press: (key: '2') => Promise<void>) => press('2')],
  ['silence', async () => {}],
] as const)('%s does not: that leg is hung up, and the next phone rings', async (_, act) => {
  stage.masking.decideAs(() => run([connect([2, 3], { accept: true })]));
  const before = stage.masking.gated.length;
  const ended = stage.masking.nextEnd();
  const [voicemail, person] = [await stage.phone(2), await stage.phone(3)];
  const [first, second] = [voicemail.nextCall(), person.nextCall()];
  const call = (await stage.phone(1)).dial(dialled);
  const refusing = await first;
  await act((key) => refusing.press(key));
  await refusing.ended;
  const other = await second;
  await other.press('1');
  expect(await call.answered).toEqual({ ok: true });
  // The gate was never asked for whoever did not take the call: nothing was disclosed to them.
  expect(stage.masking.gated.slice(before)).toEqual(['par_3']);
  call.hangUp();
  expect((await ended).explanation?.steps.map(({ outcome }) => outcome)).toEqual([
    'not-accepted',
    'answered',
  ]);
});

test('hanging up is no yes either; nobody left, the caller is told', async () => {
  stage.masking.decideAs(() => run([connect([2], { accept: true })]));
  const ended = stage.masking.nextEnd();
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  (await incoming).hangUp();
  expect(await call.answered).toEqual({ ok: false, status: 480 });
  expect(await ended).toMatchObject({ outcome: 'no-answer', hangupBy: 'platform' });
});

test('all at once: a voicemail that answers first keeps nobody from taking the call', async () => {
  stage.masking.decideAs(() => run([connect([2, 3], { mode: 'all', accept: true })]));
  const [voicemail, person] = [await stage.phone(2), await stage.phone(3)];
  const [first, second] = [voicemail.nextCall(), person.nextCall()];
  const call = (await stage.phone(1)).dial(dialled);
  const answeredFirst = await first;
  await (await second).press('1');
  expect(await call.answered).toEqual({ ok: true });
  await answeredFirst.ended;
  call.hangUp();
  await (await second).ended;
});
