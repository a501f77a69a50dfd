import { join } from 'node:path';
import { openRecording, readSpeech } from '@samar/media';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** `*9` when the other has hung up. */
let stage: Stage;
let reports: { readonly participant: string; readonly when: string }[] = [];
let reportFails = false;

beforeAll(async () => {
  // Whoever has hung up sends nothing any more: that ends no question.
  stage = await startStage({}, 600, {
    async reportCall({ participant, when }) {
      if (reportFails) throw new Error('the database is away');
      reports.push({ participant, when });
    },
  });
});

afterAll(() => stage?.close());

beforeEach(() => {
  reports = [];
  reportFails = false;
});

async function talk(more: Parameters<typeof run>[1] = {}) {
  stage.masking.decideAs(() => run([connect([2])], { reportAfterCall: true, ...more }));
  const ended = stage.masking.nextEnd();
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  expect(await call.answered).toEqual({ ok: true });
  return { call, other: await incoming, ended };
}

type Talk = Awaited<ReturnType<typeof talk>>;
const starNine = async (call: Talk['call']) => {
  await call.press('*');
  await call.press('9');
};

test('the caller reports after the callee has hung up: once, heard by them, recorded by nobody', async () => {
  const { call, other, ended } = await talk({ recording: 'announce' });
  await until(
    () => sounds(call.heard()).includes('recording') && sounds(other.heard()).includes('recording'),
  );
  await pause(300);
  await call.say(voice('(caller)', 800));
  await pause(200);
  other.hangUp();
  await until(() => sounds(call.heard()).includes('report-call'));
  await call.say(voice('(callee)', 300));
  await starNine(call);
  await call.ended;
  expect(sounds(call.heard()).slice(-2)).toEqual(['report-call', 'reported']);
  expect(reports).toEqual([{ participant: 'par_1', when: 'after' }]);
  expect(await ended).toMatchObject({ outcome: 'connected', hangupBy: 'callee', hangupCause: 'bye' });
  const stored = stage.masking.recordings.at(-1);
  if (!stored) throw new Error('there is no recording');
  expect(stored.status).toBe('complete');
  const file = join(stage.recordings, stored.file);
  const recording = await openRecording({ file, id: stored.recording, key: stored.key });
  expect(sounds(await readSpeech(recording, 'left'))).toEqual(['(caller)']);
  await recording.close();
});

test('the callee is asked when the caller has hung up, and then the survey’s question comes', async () => {
  const survey = { participant: 'par_2', prompt: prompt('survey'), keys: '12345' };
  const { call, other, ended } = await talk({ survey });
  call.hangUp();
  await until(() => sounds(other.heard()).includes('report-call'));
  // Neither of these reports anything.
  await other.press('9');
  await other.press('*');
  await other.press('4');
  await starNine(other);
  await until(() => sounds(other.heard()).includes('survey'));
  await other.press('1');
  await other.ended;
  expect(sounds(other.heard())).toEqual(['report-call', 'reported', 'survey', 'thanks']);
  expect(reports).toEqual([{ participant: 'par_2', when: 'after' }]);
  expect((await ended).survey).toEqual({ participant: 'par_2', key: '1' });
});

test('who says nothing is hung up after five seconds, and nothing is reported', async () => {
  const { call, other, ended } = await talk();
  other.hangUp();
  await until(() => sounds(call.heard()).includes('report-call'));
  const began = performance.now();
  await call.ended;
  expect(performance.now() - began).toBeGreaterThan(4_500);
  expect(performance.now() - began).toBeLessThan(7_000);
  expect(reports).toEqual([]);
  expect(await ended).toMatchObject({ hangupBy: 'callee', hangupCause: 'bye' });
});

test('who has reported during the call is not asked again', async () => {
  const { call, other, ended } = await talk();
  await starNine(call);
  await until(() => sounds(call.heard()).includes('reported'));
  other.hangUp();
  await call.ended;
  await ended;
  expect(sounds(call.heard())).not.toContain('report-call');
  expect(reports).toEqual([{ participant: 'par_1', when: 'during' }]);
});

test('a report that is not written is said to be none', async () => {
  reportFails = true;
  const { call, other, ended } = await talk();
  other.hangUp();
  await until(() => sounds(call.heard()).includes('report-call'));
  await starNine(call);
  await call.ended;
  expect(sounds(call.heard()).at(-1)).toBe('try-again');
  await ended;
});

test('hanging up, and a session that is closed, end the question', async () => {
  const first = await talk();
  first.other.hangUp();
  await until(() => sounds(first.call.heard()).includes('report-call'));
  first.call.hangUp();
  expect(await first.ended).toMatchObject({ hangupBy: 'callee', hangupCause: 'bye' });
  const second = await talk();
  second.other.hangUp();
  await until(() => sounds(second.call.heard()).includes('report-call'));
  stage.masking.close('ses_1', 'hangup');
  await second.call.ended;
  stage.masking.reopen();
  expect(await second.ended).toMatchObject({ hangupCause: 'session-closed' });
});

test('without the setting nobody is asked', async () => {
  const { call, other, ended } = await talk({ reportAfterCall: false });
  other.hangUp();
  await call.ended;
  await ended;
  expect(sounds(call.heard())).not.toContain('report-call');
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
