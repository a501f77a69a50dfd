import type { PhoneCall } from '@samar/devcarrier';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasTone } from '../support/sound.ts';
import { connect, dialled, pause, run, type Stage, startStage, until } from '../support/stage.ts';
import { sounds, voice } from '../support/tones.ts';

/** What ends a call from outside: limits, closed sessions, participants who leave, a request. */
let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ closing: 1_500 });
});

afterAll(() => stage?.close());

beforeEach(async () => {
  stage.masking.reopen();
  for (const index of [2, 3]) (await stage.phone(index)).setOnRing('answer');
});

async function dial(steps = [connect([2])], more: Parameters<typeof run>[1] = {}) {
  stage.masking.decideAs(() => run(steps, more));
  const ended = stage.masking.nextEnd();
  const call = (await stage.phone(1)).dial(dialled);
  return { call, ended };
}

async function talk(more: Parameters<typeof run>[1] = {}) {
  const incoming = (await stage.phone(2)).nextCall();
  const { call, ended } = await dial([connect([2])], more);
  expect(await call.answered).toEqual({ ok: true });
  return { call, other: await incoming, ended };
}

const warned = ({ heard }: PhoneCall) => hasTone(heard(), 1_400);

describe('the longest call', () => {
  test('both are warned in time, talk on, and are hung up then', async () => {
    const { call, other, ended } = await talk({ maxSeconds: 3, warnSeconds: 2 });
    await until(() => warned(call) && warned(other));
    await pause(500);
    await Promise.all([call.say(voice('(caller)')), other.say(voice('(callee)'))]);
    await Promise.all([call.ended, other.ended]);
    expect(sounds(call.heard()).at(-1)).toBe('(callee)');
    expect(sounds(other.heard()).at(-1)).toBe('(caller)');
    for (const { heard } of [call, other]) expect(sounds(heard())).not.toContain('one-minute');
    expect(await ended).toMatchObject({
      outcome: 'connected',
      hangupBy: 'platform',
      hangupCause: 'maximum-duration',
    });
  });

  test('a minute before the end, words say so', async () => {
    const { call, other } = await talk({ maxSeconds: 61, warnSeconds: 60 });
    await until(() => sounds(other.heard()).includes('one-minute'));
    await pause(300);
    expect(sounds(call.heard())).toEqual(['one-minute']);
    expect(warned(call)).toBe(false);
    call.hangUp();
    await other.ended;
  });
});

describe('a session that is closed', () => {
  test('is found by its record when the notice was lost', async () => {
    const { call, other, ended } = await talk();
    stage.masking.toEnd.push({ tenant: 'default', call: stage.masking.lastCall, ongoingCalls: 'hangup' });
    await Promise.all([call.ended, other.ended]);
    stage.masking.toEnd.length = 0;
    expect(await ended).toMatchObject({ hangupBy: 'platform', hangupCause: 'session-closed' });
  });

  test('with `warn`: both hear that the job is done, once, and a while later the call ends', async () => {
    const { call, other, ended } = await talk();
    stage.masking.close('ses_1', 'warn');
    stage.masking.close('ses_1', 'warn');
    await until(() => sounds(call.heard()).includes('closing'));
    await pause(300);
    await call.say(voice('(caller)', 300));
    await Promise.all([call.ended, other.ended]);
    expect(sounds(other.heard())).toEqual(['closing', '(caller)']);
    expect(await ended).toMatchObject({ hangupBy: 'platform', hangupCause: 'session-closed' });
  });

  test('with `finish`: who talks goes on talking', async () => {
    const { call, other, ended } = await talk();
    stage.masking.close('ses_1', 'finish');
    await pause(400);
    await call.say(voice('(caller)'));
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    call.hangUp();
    expect(await ended).toMatchObject({ hangupBy: 'caller' });
  });

  test('while it rings: nobody is connected any more', async () => {
    const callee = await stage.phone(2);
    callee.setOnRing('ignore');
    const { call, ended } = await dial();
    await until(() => callee.ringing === 1);
    stage.masking.close('ses_1', 'finish');
    expect(await call.answered).toEqual({ ok: false, status: 410 });
    expect(sounds(call.heard())).toEqual(['ended']);
    expect(callee.ringing).toBe(0);
    expect(await ended).toMatchObject({ outcome: 'refused', hangupCause: 'session-closed' });
  });

  test('in the moment of the answer: the gate stays shut', async () => {
    const incoming = (await stage.phone(2)).nextCall();
    const { call } = await dial();
    await until(() => call.ringing);
    // The notice is lost; the table is the truth.
    const shut = stage.masking.answered;
    Object.assign(stage.masking, { answered: async () => false });
    expect(await call.answered).toEqual({ ok: false, status: 410 });
    Object.assign(stage.masking, { answered: shut });
    await (await incoming).ended;
  });
});

describe('a participant who has left', () => {
  test.each([
    ['the caller', 'par_1'],
    ['the callee', 'par_2'],
  ])('as %s of a talk: it is cut at once', async (_, participant) => {
    const { call, other, ended } = await talk();
    stage.masking.leave('ses_1', participant);
    await Promise.all([call.ended, other.ended]);
    expect(await ended).toMatchObject({ hangupBy: 'platform', hangupCause: 'participant-left' });
  });

  test('and is of no talk here: nothing happens to it', async () => {
    const { call, other } = await talk();
    stage.masking.leave('ses_1', 'par_3');
    await pause(200);
    await call.say(voice('(caller)'));
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    call.hangUp();
    await other.ended;
  });

  test('is not rung any more, and whoever is next is', async () => {
    const replaced = await stage.phone(2);
    replaced.setOnRing('ignore');
    const incoming = (await stage.phone(3)).nextCall();
    const { call, ended } = await dial([connect([2, 3])]);
    await until(() => replaced.ringing === 1);
    stage.masking.leave('ses_1', 'par_2');
    expect(await call.answered).toEqual({ ok: true });
    expect(replaced.ringing).toBe(0);
    call.hangUp();
    await (await incoming).ended;
    expect((await ended).explanation?.steps).toMatchObject([
      { participant: 'par_2', outcome: 'left' },
      { participant: 'par_3', outcome: 'answered' },
    ]);
  });

  test('and calls at this moment is a stranger: the session has ended for them', async () => {
    const callee = await stage.phone(2);
    callee.setOnRing('ignore');
    const { call } = await dial();
    await until(() => callee.ringing === 1);
    stage.masking.leave('ses_1', 'par_1');
    expect(await call.answered).toEqual({ ok: false, status: 410 });
    expect(callee.ringing).toBe(0);
  });
});

describe('a request to hang up', () => {
  test('ends a talk', async () => {
    const { call, other, ended } = await talk();
    stage.masking.hangUp(stage.masking.lastCall);
    await Promise.all([call.ended, other.ended]);
    expect(await ended).toMatchObject({
      outcome: 'connected',
      hangupBy: 'platform',
      hangupCause: 'requested',
    });
  });

  test('ends a call that rings', async () => {
    const callee = await stage.phone(2);
    callee.setOnRing('ignore');
    const { call, ended } = await dial();
    await until(() => callee.ringing === 1);
    stage.masking.hangUp(stage.masking.lastCall);
    expect(await call.answered).toEqual({ ok: false, status: 480 });
    await until(() => callee.ringing === 0);
    expect(await ended).toMatchObject({ outcome: 'failed', hangupCause: 'requested' });
  });

  test('for another call ends nothing', async () => {
    const { call, other } = await talk();
    stage.masking.hangUp('call_unknown');
    await pause(200);
    await call.say(voice('(caller)'));
    await pause(200);
    expect(sounds(other.heard())).toEqual(['(caller)']);
    call.hangUp();
    await other.ended;
  });
});

test('nothing is left', async () => {
  await until(() => stage.gate.counts.calls === 0 && stage.media.counts.legs === 0);
});
