import { join } from 'node:path';
import { openRecording, readSpeech } from '@samar/media';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** One question after a talk, for the one who is still on the line. */
let stage: Stage;

beforeAll(async () => {
  // Whoever has hung up sends nothing any more: that ends no survey.
  stage = await startStage({}, 600);
});

afterAll(() => stage?.close());

const survey = (participant: string) => ({ participant, prompt: prompt('survey'), keys: '12345' });

async function talk(more: Parameters<typeof run>[1]) {
  stage.masking.decideAs(() => run([connect([2])], more));
  const ended = stage.masking.nextEnd();
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  expect(await call.answered).toEqual({ ok: true });
  return { call, other: await incoming, ended };
}

test('the caller answers after the callee has hung up; nothing of it is recorded', async () => {
  const { call, other, ended } = await talk({ survey: survey('par_1'), recording: 'announce' });
  await until(
    () => sounds(call.heard()).includes('recording') && sounds(other.heard()).includes('recording'),
  );
  await pause(300);
  await Promise.all([call.say(voice('(caller)', 800)), other.say(voice('(callee)', 800))]);
  await pause(200);
  other.hangUp();
  await until(() => sounds(call.heard()).includes('survey'));
  await call.say(voice('(callee)', 300));
  // No answer, and passed over.
  await call.press('9');
  await call.press('4');
  await call.ended;
  expect(sounds(call.heard())).toEqual(['recording', '(callee)', 'survey', 'thanks']);
  const end = await ended;
  expect(end).toMatchObject({
    outcome: 'connected',
    hangupBy: 'callee',
    hangupCause: 'bye',
    survey: { participant: 'par_1', key: '4' },
  });
  const stored = stage.masking.recordings.at(-1);
  if (!stored) throw new Error('there is no recording');
  expect(stored.status).toBe('complete');
  const file = join(stage.recordings, stored.file);
  const recording = await openRecording({ file, id: stored.recording, key: stored.key });
  expect(sounds(await readSpeech(recording, 'left'))).toEqual(['(caller)']);
  expect(sounds(await readSpeech(recording, 'right'))).toEqual(['(callee)']);
  await recording.close();
});

test('the callee answers after the caller has hung up', async () => {
  const { call, other, ended } = await talk({ survey: survey('par_2') });
  call.hangUp();
  await until(() => sounds(other.heard()).includes('survey'));
  await other.press('1');
  await other.ended;
  expect(await ended).toMatchObject({ hangupBy: 'caller', survey: { participant: 'par_2', key: '1' } });
});

test('whoever hangs up first is not asked, nor is the other in their place', async () => {
  const { call, other, ended } = await talk({ survey: survey('par_1') });
  call.hangUp();
  await other.ended;
  expect(sounds(other.heard())).not.toContain('survey');
  expect((await ended).survey).toBeUndefined();
});

test('hanging up is an answer, too: none', async () => {
  const { call, other, ended } = await talk({ survey: survey('par_1') });
  other.hangUp();
  await until(() => sounds(call.heard()).includes('survey'));
  call.hangUp();
  const end = await ended;
  expect(end).toMatchObject({ outcome: 'connected', hangupBy: 'callee' });
  expect(end.survey).toBeUndefined();
});

test('a session that was closed with hangup asks nothing', async () => {
  const { call, other, ended } = await talk({ survey: survey('par_1') });
  stage.masking.close('ses_1', 'hangup');
  await Promise.all([call.ended, other.ended]);
  stage.masking.reopen();
  expect(sounds(call.heard())).not.toContain('survey');
  expect(await ended).toMatchObject({ hangupBy: 'platform', hangupCause: 'session-closed' });
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
