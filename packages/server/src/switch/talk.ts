import { join as joinPath } from 'node:path';
import type { Timer } from '@samar/doors';
import type { DialogEnd } from '@samar/sip';
import type { HeardOfRecording, OngoingCalls, Run } from '../masking/types.ts';
import type { Call, Talk } from './call.ts';
import { nameOf } from './errors.ts';
import { say } from './keypad.ts';
import { causeOfEnd } from './outcomes.ts';
import { patiently } from './patience.ts';
import { announceRecording, type Listener, type Person, startRecording } from './recording.ts';
import { offerReport } from './report-offer.ts';
import type { Far } from './ring.ts';
import { askSurvey } from './survey.ts';
import { createTalkKeys, isPerson, type Side, type TalkKeys, tellDiscarded } from './talk-keys.ts';
import { refuseEnded } from './words.ts';

/** What the words of the warning say. Seconds. */
const minute = 60;
/** The pitch that telephone networks warn with. */
const warningTone = { kind: 'tone', hertz: 1_400, milliseconds: 500 } as const;

/** Whom the caller talks with. `party`: undefined for a number of the tenant's own, which is never recorded. */
export interface Other {
  readonly participant: string | undefined;
  readonly party: string | undefined;
  readonly locale: string;
}

/**
 * The gate, and behind it the talk: from here on the call ends by what its two sides, its session or its limits do.
 * Resolves when nothing is left to be set up.
 */
export async function join(call: Call, run: Run, far: Far, other: Other): Promise<void> {
  if (call.stopped) return far.drop();
  far.onLeft((cause) => call.partyLeft('callee', cause));
  const alive = await gate(call, run, other);
  if (call.over) return;
  if (alive === undefined) {
    return call.end({ outcome: 'failed', by: 'platform', cause: 'decision-failed', status: 503 });
  }
  if (!alive || call.sessionEnded || call.hasLeft(other.participant)) {
    far.drop();
    return refuseEnded(call, run.caller.locale);
  }
  call.near.quiet();
  call.answerNear();
  const near = call.near.media;
  const { media } = call;
  if (call.over || !near || !media) return;
  far.keep();
  const { participant, party, locale } = run.caller;
  const caller = { media: near, locale, participant, party };
  const callee = { media: far.media, ...other };
  const keys = createTalkKeys(call, run, [caller, callee]);
  call.talks(createTalk(call, run, far, [caller, callee], keys));
  near.leg.onSilent(() => call.hangUp('media-silence'));
  far.media.leg.onSilent(() => call.hangUp('media-silence'));
  // Who is asked for a key says no by any other.
  if (run.recording !== 'consent') keys.listen();
  if (run.recording !== 'off' && isPerson(callee)) {
    await announceAndRecord(call, run, far, [caller, callee], run.recording, keys);
    if (call.over) return;
  }
  if (run.recording === 'consent' && bothThere(call, far)) keys.listen();
  // A survey may have begun meanwhile: nobody is left to be bridged with.
  if (bothThere(call, far)) media.bridge(near.leg, far.media.leg);
}

function bothThere(call: Call, far: Far): boolean {
  return call.near.state === 'answered' && !far.dialog.ended;
}

/** Does the session live at this moment? Undefined: no answer. Also when nobody of the session answered, but an own number. */
function gate(
  call: Call,
  { tenant, session }: Run,
  { participant = '' }: Other,
): Promise<boolean | undefined> {
  return call.context.masking.answered({ tenant, call: call.id, session, participant }).catch(() => {
    call.context.events.count('decision-failed');
    return undefined;
  });
}

async function announceAndRecord(
  call: Call,
  run: Run,
  far: Far,
  sides: readonly [Listener & Person, Listener & Person],
  mode: Exclude<Run['recording'], 'off'>,
  keys: TalkKeys,
): Promise<void> {
  const { masking, doors, events } = call.context;
  const answers = await announceRecording(call.context, mode, sides);
  if (call.over) return;
  const { unwilling } = keys;
  if (!answers.agreed || unwilling) {
    const heard = answers.heard.map((one) =>
      one.participant === unwilling?.participant ? { ...one, answer: 'refused' as const } : one,
    );
    const refused = { tenant: run.tenant, call: call.id, session: run.session, heard };
    // Nobody waits for the database; the call's record does.
    const told = patiently(doors.timers, () => masking.recordingRefused(refused));
    call.finishFirst(
      told.catch((error: unknown) => {
        events.count('record-failed');
        events.log('error', 'refusal not written', { call: call.id, error: nameOf(error) });
      }),
    );
    if (unwilling) tellDiscarded(call, sides);
    return;
  }
  if (!bothThere(call, far)) return;
  await record(call, run, far, sides, mode, answers.heard);
  // Meanwhile a key has said no.
  const late = keys.unwilling;
  if (late && (await call.recording?.discard(late)) && !call.over) tellDiscarded(call, sides);
}

async function record(
  call: Call,
  run: Run,
  far: Far,
  [caller, callee]: readonly [Listener & Person, Listener & Person],
  mode: Exclude<Run['recording'], 'off'>,
  heard: readonly HeardOfRecording[],
): Promise<void> {
  const { near, media, context } = call;
  if (!near.media || !media) return;
  const recording = await startRecording(context, {
    row: {
      tenant: run.tenant,
      call: call.id,
      session: run.session,
      parties: [caller.party, callee.party],
      announcement: {
        mode,
        caller: context.prompts.language(caller.locale),
        callee: context.prompts.language(callee.locale),
      },
      heard,
    },
    media,
    left: near.media.leg,
    right: far.media.leg,
    path: (file) => joinPath(context.recordings, file),
  });
  call.recording = recording;
  if (call.over) await recording?.written();
}

function createTalk(call: Call, run: Run, far: Far, sides: readonly [Side, Side], keys: TalkKeys): Talk {
  const { timers } = call.context.doors;
  const { closing } = call.context.limits;
  const running: Timer[] = [];
  /** One has hung up; the other is asked something. */
  let afterwards = false;
  /** Notices come again while a call goes on. */
  let warned = false;
  call.during(() => {
    for (const timer of running) timer.cancel();
    far.dialog.bye();
  });

  function after(milliseconds: number, action: () => void): void {
    running.push(timers.after(milliseconds, action));
  }

  /** Both hear it over what they are saying, each in their language. */
  function warn(name: string): void {
    if (afterwards) return;
    for (const { media, locale } of sides) void say(media, [call.context.prompts.find(locale, name)]);
  }

  /** Short calls are warned at half time: a tone says no number of seconds that isn't so. */
  function beep(): void {
    if (afterwards) return;
    for (const { media } of sides) void media.leg.play(warningTone).catch(() => {});
  }

  after(run.maxSeconds * 1_000, () => call.hangUp('maximum-duration'));
  if (run.warnSeconds > 0 && run.warnSeconds < run.maxSeconds) {
    after(
      (run.maxSeconds - run.warnSeconds) * 1_000,
      run.warnSeconds === minute ? () => warn('one-minute') : beep,
    );
  }

  return {
    participants: sides.map(({ participant }) => participant),
    left(side: 'caller' | 'callee', cause: DialogEnd): boolean {
      if (afterwards) {
        // Whoever was asked has left as well; who hung up first is what counts.
        call.end({ outcome: 'connected', by: side === 'caller' ? 'callee' : 'caller', cause: 'bye' });
        return true;
      }
      const [gone, here] = side === 'caller' ? sides : ([sides[1], sides[0]] as const);
      const questions = cause === 'remote-bye' ? questionsTo(call, run, keys, here) : [];
      if (questions.length === 0) return false;
      afterwards = true;
      for (const timer of running) timer.cancel();
      // Of course it is silent.
      gone.media.leg.onSilent(() => {});
      void askAll(call, questions).then(() =>
        call.end({ outcome: 'connected', by: side, cause: causeOfEnd(cause) }),
      );
      return true;
    },
    sessionClosed(ongoingCalls: OngoingCalls): void {
      switch (ongoingCalls) {
        case 'finish':
          return;
        case 'hangup':
          call.hangUp('session-closed');
          return;
        case 'warn':
          if (warned) return;
          warned = true;
          warn('closing');
          after(closing, () => call.hangUp('session-closed'));
      }
    },
  };
}

/** What whoever stays on the line is asked when the other has hung up. */
function questionsTo(call: Call, run: Run, keys: TalkKeys, here: Side): readonly (() => Promise<void>)[] {
  const { survey } = run;
  const questions: (() => Promise<void>)[] = [];
  if (
    run.reportAfterCall &&
    call.context.reportCall &&
    here.participant !== undefined &&
    !keys.hasReported(here)
  )
    questions.push(() => offerReport(call, keys, here));
  if (survey && survey.participant === here.participant) questions.push(() => askSurvey(call, survey, here));
  return questions;
}

async function askAll(call: Call, questions: readonly (() => Promise<void>)[]): Promise<void> {
  for (const ask of questions) if (!call.over) await ask();
}
