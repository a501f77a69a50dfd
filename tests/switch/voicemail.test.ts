import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecording, readSpeech } from '@samar/media';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../packages/server/src/masking/types.ts';
import { connect, dialled, pause, prompt, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** A message is left when nobody answers, and heard by the one it is for. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(() => stage?.close());

beforeEach(async () => {
  (await stage.phone(2)).setOnRing('busy');
});

function voicemail(maxSeconds = 60): Step {
  return {
    kind: 'voicemail',
    place: '/voicemail',
    addressees: ['par_2'],
    greeting: prompt('voicemail'),
    maxSeconds,
  };
}

/** What a stored message says. */
async function spoken(index = -1) {
  const stored = stage.masking.recordings.at(index);
  if (!stored) throw new Error('there is no recording');
  const file = join(stage.recordings, stored.file);
  const recording = await openRecording({ file, id: stored.recording, key: stored.key });
  const left = await readSpeech(recording, 'left');
  const right = await readSpeech(recording, 'right');
  await recording.close();
  return { stored, complete: recording.complete, left, right };
}

/** A caller at the moment after the tone. */
async function afterTheTone(steps: readonly Step[]) {
  stage.masking.decideAs(() => run(steps));
  const ended = stage.masking.nextEnd();
  const call = (await stage.phone(1)).dial(dialled);
  await until(() => sounds(call.heard()).at(-1) === '(beep)');
  await pause(150);
  return { call, ended };
}

describe('a message', () => {
  test('is recorded after greeting and tone until the hash key, and is for its addressees', async () => {
    const { call, ended } = await afterTheTone([connect([2]), voicemail()]);
    expect(await call.answered).toEqual({ ok: true });
    await call.say(voice('(caller)', 800));
    await call.press('#');
    await call.ended;
    expect(sounds(call.heard())).toEqual(['voicemail', '(beep)', 'voicemail-saved']);
    const end = await ended;
    expect(end).toMatchObject({ outcome: 'busy', hangupBy: 'platform', hangupCause: 'voicemail' });
    expect(end.explanation?.steps.map(({ verb, outcome }) => `${verb} ${outcome}`)).toEqual([
      'connect busy',
      'voicemail recorded',
    ]);
    const { stored, complete, left, right } = await spoken();
    expect(complete).toBe(true);
    expect(stored).toMatchObject({
      status: 'complete',
      start: { parties: ['party_1', 'party_1'], voicemailFor: ['par_2'], session: 'ses_1' },
    });
    // Neither the greeting nor the tone nor the key; and nobody speaks on the right.
    expect(sounds(left)).toEqual(['(caller)']);
    expect(sounds(right)).toEqual([]);
  });

  test('is kept when the caller hangs up, and the record says that it was a message', async () => {
    const { call, ended } = await afterTheTone([voicemail()]);
    await call.say(voice('(caller)', 600));
    await pause(300);
    call.hangUp();
    expect(await ended).toMatchObject({
      outcome: 'unavailable',
      hangupBy: 'caller',
      hangupCause: 'voicemail',
      explanation: { steps: [{ verb: 'voicemail', outcome: 'recorded' }] },
    });
    expect((await spoken()).stored.status).toBe('complete');
  });

  test('ends at its limit', async () => {
    const { call } = await afterTheTone([voicemail(2)]);
    await call.say(voice('(caller)', 2_600));
    await call.ended;
    const { left, stored } = await spoken();
    expect(stored.status).toBe('complete');
    expect(left.length / 8_000).toBeGreaterThan(1.5);
    expect(left.length / 8_000).toBeLessThan(3.5);
  });

  test('of silence is no message: it ends by itself, and is not kept for anybody', async () => {
    const { call, ended } = await afterTheTone([voicemail()]);
    await call.ended;
    expect(sounds(call.heard()).at(-1)).toBe('(beep)');
    expect((await ended).explanation?.steps).toMatchObject([{ verb: 'voicemail', outcome: 'empty' }]);
    expect((await spoken()).stored.status).toBe('failed');
  });

  test('is cut when the session ends', async () => {
    const { call, ended } = await afterTheTone([voicemail()]);
    await call.say(voice('(caller)', 600));
    await pause(200);
    stage.masking.close('ses_1', 'finish');
    await call.ended;
    stage.masking.reopen();
    expect(sounds(call.heard()).at(-1)).toBe('ended');
    expect((await ended).outcome).toBe('refused');
  });
});

describe('waiting messages', () => {
  async function leave(): Promise<Step & { readonly kind: 'messages' }> {
    const { call } = await afterTheTone([voicemail()]);
    await call.say(voice('(caller)', 800));
    await call.press('#');
    await call.ended;
    const { recording, file, key } = (await spoken()).stored;
    return { kind: 'messages', place: '/messages', messages: [{ recording, file, key }] };
  }

  test('are played after 1, are then heard, and the call goes on', async () => {
    const waiting = await leave();
    (await stage.phone(2)).setOnRing('answer');
    stage.masking.decideAs(() => run([waiting, connect([2])]));
    const ended = stage.masking.nextEnd();
    const incoming = (await stage.phone(2)).nextCall();
    const call = (await stage.phone(1)).dial(dialled);
    await until(() => sounds(call.heard()).includes('messages'));
    await call.press('1');
    const other = await incoming;
    await pause(100);
    // What was said into it comes out of it.
    expect(sounds(call.heard())).toEqual(['messages', '(caller)', 'no-more-messages', '(ringing)']);
    expect(stage.masking.heard.at(-1)).toEqual({
      recording: waiting.messages[0]?.recording,
      participant: 'par_1',
    });
    call.hangUp();
    await other.ended;
    expect((await ended).outcome).toBe('connected');
  });

  test('are passed over by another key, and stay', async () => {
    const waiting = await leave();
    const before = stage.masking.heard.length;
    stage.masking.decideAs(() => run([waiting, connect([2])]));
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('2');
    await call.ended;
    expect(sounds(call.heard())).not.toContain('(caller)');
    expect(stage.masking.heard).toHaveLength(before);
  });

  test('that cannot be read are passed over', async () => {
    const lost = { recording: 'rec_lost', file: 'lost.samar', key: Buffer.alloc(32) };
    stage.masking.decideAs(() =>
      run([{ kind: 'messages', place: '/messages', messages: [lost] }, connect([2])]),
    );
    const call = (await stage.phone(1)).dial(dialled);
    await call.answered;
    await call.press('1');
    await call.ended;
    expect(sounds(call.heard())).toContain('no-more-messages');
    expect(stage.counted).toContain('message-unreadable');
    expect(stage.masking.heard.map(({ recording }) => recording)).not.toContain('rec_lost');
  });
});

test('nothing is left but the files', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
  expect((await readdir(stage.recordings)).length).toBe(stage.masking.recordings.length);
});
