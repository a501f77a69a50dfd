import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecording, readSpeech } from '@samar/media';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, dialled, pause, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** Consent, and the keys of those who talk: `*0` discards the recording, `*9` reports the call. */
let stage: Stage;
const reports: { readonly call: string; readonly participant: string; readonly session: string }[] = [];
let reportFails = false;

beforeAll(async () => {
  stage = await startStage({}, 30_000, {
    async reportCall(report) {
      if (reportFails) throw new Error('the database is away');
      reports.push(report);
    },
  });
});

afterAll(() => stage?.close());

beforeEach(() => {
  reportFails = false;
});

async function talk(recording: 'off' | 'announce' | 'consent') {
  stage.masking.decideAs(() => run([connect([2])], { recording }));
  const ended = stage.masking.nextEnd();
  const incoming = (await stage.phone(2)).nextCall();
  const call = (await stage.phone(1)).dial(dialled);
  expect(await call.answered).toEqual({ ok: true });
  const other = await incoming;
  if (recording !== 'off') {
    const words = recording === 'announce' ? 'recording' : 'consent';
    await until(() => sounds(call.heard()).includes(words) && sounds(other.heard()).includes(words));
  }
  return { call, other, ended };
}

const recorded = () => stage.masking.recordings.length;

describe('consent', () => {
  test('both press 1: recorded, with who agreed, in which language, to which words, and when', async () => {
    const before = recorded();
    const { call, other, ended } = await talk('consent');
    await Promise.all([call.press('1'), other.press('1')]);
    await until(() => recorded() > before);
    // The row is made before the file.
    await pause(500);
    call.hangUp();
    await ended;
    const heard = stage.masking.recordings.at(-1)?.start.heard;
    expect(heard).toEqual(
      ['1', '2'].map((index) => ({
        participant: `par_${index}`,
        party: `party_${index}`,
        answer: 'consented',
        locale: 'en',
        wording: 'sound of consent',
        at: expect.closeTo(Date.now(), -4),
      })),
    );
    expect(stage.masking.recordings.at(-1)?.status).toBe('complete');
  });

  test.each([
    ['another key', '2'],
    ['no key at all', undefined],
  ] as const)(
    '%s is a no: nothing is recorded, who said so is written down, they talk',
    async (_name, key) => {
      const before = recorded();
      const { call, other, ended } = await talk('consent');
      await call.press('1');
      if (key) await other.press(key);
      await until(() => stage.masking.refused.at(-1)?.call === stage.masking.lastCall);
      await call.say(voice('(caller)'));
      await pause(200);
      expect(sounds(other.heard())).toContain('(caller)');
      call.hangUp();
      await ended;
      expect(recorded()).toBe(before);
      expect(
        stage.masking.refused.at(-1)?.heard.map(({ participant, answer }) => [participant, answer]),
      ).toEqual([
        ['par_1', 'consented'],
        ['par_2', 'refused'],
      ]);
    },
  );
});

describe('*0', () => {
  test.each(['caller', 'callee'] as const)(
    'by the %s: the file goes at once, both hear so and talk on',
    async (who) => {
      const before = recorded();
      const { call, other, ended } = await talk('announce');
      await until(() => recorded() > before);
      await pause(300);
      await call.say(voice('(caller)'));
      const presser = who === 'caller' ? call : other;
      await presser.press('*');
      await presser.press('0');
      await until(
        () => sounds(call.heard()).includes('discarded') && sounds(other.heard()).includes('discarded'),
      );
      const stored = stage.masking.recordings.at(-1);
      expect(await readdir(stage.recordings)).not.toContain(stored?.file);
      expect(stored?.status).toBe('discarded');
      expect(stage.masking.discarded.at(-1)).toMatchObject({
        recording: stored?.recording,
        participant: who === 'caller' ? 'par_1' : 'par_2',
        party: who === 'caller' ? 'party_1' : 'party_2',
      });
      await pause(400);
      await other.say(voice('(callee)'));
      await pause(200);
      expect(sounds(call.heard()).at(-1)).toBe('(callee)');
      // A second time there is nothing more to be discarded.
      const times = stage.masking.discarded.length;
      await presser.press('*');
      await presser.press('0');
      call.hangUp();
      await ended;
      expect(stage.masking.discarded).toHaveLength(times);
      expect(stored?.status).toBe('discarded');
    },
  );

  test('while it is announced: nothing is recorded, and who said so is written down', async () => {
    const before = recorded();
    stage.masking.decideAs(() => run([connect([2])], { recording: 'announce' }));
    const ended = stage.masking.nextEnd();
    const incoming = (await stage.phone(2)).nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    const other = await incoming;
    // Keys are told when they are let go: these are pressed into the announcement.
    await Promise.all([
      other.press('*').then(() => other.press('0')),
      until(() => sounds(call.heard()).length > 0),
    ]);
    await until(() => sounds(call.heard()).includes('discarded'));
    call.hangUp();
    await ended;
    const stored = stage.masking.recordings.at(-1);
    // The second key may have come just after the announcement: then what had begun is discarded.
    if (recorded() > before) expect(stored?.status).toBe('discarded');
    else {
      expect(
        stage.masking.refused.at(-1)?.heard.map(({ participant, answer }) => [participant, answer]),
      ).toEqual([
        ['par_1', 'announced'],
        ['par_2', 'refused'],
      ]);
    }
    expect(await readdir(stage.recordings)).not.toContain(stored?.file);
  });

  test('0 alone, * long before it, and * followed by something else mean nothing', async () => {
    const before = recorded();
    const { call, ended } = await talk('announce');
    await until(() => recorded() > before);
    await call.press('0');
    await call.press('*');
    await call.press('1');
    await call.press('0');
    await call.press('*');
    await pause(3_200);
    await call.press('0');
    await pause(200);
    call.hangUp();
    await ended;
    expect(stage.masking.recordings.at(-1)?.status).toBe('complete');
  }, 15_000);
});

describe('*9', () => {
  test('reports the call, once; who pressed hears so, the other nothing; none of it is recorded', async () => {
    const before = recorded();
    const { call, other, ended } = await talk('announce');
    await until(() => recorded() > before);
    await other.press('*');
    await other.press('9');
    await until(() => sounds(other.heard()).includes('reported'));
    await other.press('*');
    await other.press('9');
    await pause(700);
    expect(reports).toEqual([
      {
        tenant: 'default',
        call: stage.masking.lastCall,
        session: 'ses_1',
        participant: 'par_2',
        when: 'during',
      },
    ]);
    expect(sounds(call.heard())).toEqual(['recording']);
    call.hangUp();
    await ended;
    const stored = stage.masking.recordings.at(-1);
    if (!stored) throw new Error('there is no recording');
    const file = join(stage.recordings, stored.file);
    const recording = await openRecording({ file, id: stored.recording, key: stored.key });
    expect(sounds(await readSpeech(recording, 'left'))).toEqual([]);
    expect(sounds(await readSpeech(recording, 'right'))).toEqual([]);
    await recording.close();
  });

  test('that can’t be taken is said so, and the call goes on; it may be tried again', async () => {
    reportFails = true;
    const { call, other, ended } = await talk('off');
    await call.press('*');
    await call.press('9');
    await until(() => sounds(call.heard()).includes('try-again'));
    reportFails = false;
    await call.press('*');
    await call.press('9');
    await until(() => sounds(call.heard()).includes('reported'));
    await pause(500);
    await other.say(voice('(callee)'));
    await pause(200);
    expect(sounds(call.heard()).at(-1)).toBe('(callee)');
    expect(sounds(other.heard())).toEqual([]);
    call.hangUp();
    await ended;
    expect(reports.at(-1)?.participant).toBe('par_1');
    expect(stage.counted).toContain('report-failed');
  });
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
