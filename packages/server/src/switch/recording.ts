import { rm } from 'node:fs/promises';
import type { MediaCall, MediaLeg } from '@samar/media';
import type { CallMasking, HeardOfRecording, RecordingMode } from '../masking/types.ts';
import { nameOf } from './errors.ts';
import { say } from './keypad.ts';
import type { LegMedia } from './leg-media.ts';
import { patiently } from './patience.ts';
import type { SwitchLimits, SwitchOptions } from './types.ts';

/**
 * Recording as law 7 wants it: both hear that it happens, each in their language, before the first sample; with
 * `consent`, both must press 1. A recording that fails never harms the call.
 */
export interface RunningRecording {
  /** What the file is called, and what opens it. */
  readonly started: Awaited<ReturnType<CallMasking['recordingStarted']>>;
  /** Closes the file. Idempotent; never rejects. */
  stop(): Promise<void>;
  /** Closes the file and then its row, for which the database is waited for. Idempotent; never rejects. */
  written(): Promise<void>;
  /**
   * Somebody in the call wants no recording: the file is closed and removed, then the key is destroyed, for which the
   * database is waited for. Resolves to whether the file is gone; false also when the call's end has kept it before.
   */
  discard(by: Person): Promise<boolean>;
}

export interface Person {
  readonly participant: string;
  readonly party: string;
}

export interface Listener {
  readonly media: LegMedia;
  readonly locale: string;
}

interface RecordingContext extends Pick<SwitchOptions, 'doors' | 'prompts' | 'masking' | 'events'> {
  readonly limits: SwitchLimits;
}

/** What each has heard, and whether both have heard it to the end (and agreed, where that is asked). */
export interface Answers {
  readonly agreed: boolean;
  readonly heard: readonly HeardOfRecording[];
}

export async function announceRecording(
  context: RecordingContext,
  mode: Exclude<RecordingMode, 'off'>,
  listeners: readonly (Listener & Person)[],
): Promise<Answers> {
  const { prompts, doors } = context;
  const ask = mode === 'consent' ? consented : announced;
  const name = mode === 'consent' ? 'consent' : 'recording';
  const heard = await Promise.all(
    listeners.map(async (listener): Promise<HeardOfRecording> => {
      const { participant, party, locale } = listener;
      const agreed = await ask(context, listener);
      return {
        ...{ participant, party },
        answer: agreed ? (mode === 'consent' ? 'consented' : 'announced') : 'refused',
        locale: prompts.language(locale, name),
        wording: prompts.wording(locale, name),
        at: doors.clock.now(),
      };
    }),
  );
  return { agreed: heard.every(({ answer }) => answer !== 'refused'), heard };
}

function announced({ prompts }: RecordingContext, { media, locale }: Listener): Promise<boolean> {
  return say(media, [prompts.find(locale, 'recording')]);
}

function consented(
  { prompts, doors, limits }: RecordingContext,
  { media, locale }: Listener,
): Promise<boolean> {
  return new Promise((resolve) => {
    let agreed = false;
    media.onDigit((digit) => {
      if (agreed) return;
      agreed = digit === '1';
      // Any key answers: 1 is yes, everything else is no. The prompt has been understood.
      media.leg.stopPlaying();
      resolve(agreed);
    });
    void media.leg.play({ kind: 'prompts', names: [prompts.find(locale, 'consent')] }).then((how) => {
      if (how === 'closed') resolve(false);
      else doors.timers.after(limits.consent, () => resolve(false));
    });
  });
}

export interface RecordingStart {
  readonly row: Parameters<CallMasking['recordingStarted']>[0];
  readonly media: MediaCall;
  readonly left: MediaLeg;
  /** None: a message, of which only the left channel speaks. */
  readonly right?: MediaLeg;
  readonly path: (file: string) => string;
  /** Asked when the file is closed; false: nothing in it is worth keeping, and nobody shall be told of it. */
  readonly worth?: (recording: RunningRecording) => Promise<boolean>;
}

export async function startRecording(
  context: RecordingContext,
  start: RecordingStart,
): Promise<RunningRecording | undefined> {
  const { masking, events } = context;
  const { row, media } = start;
  try {
    const started = await masking.recordingStarted(row);
    let failed = false;
    media.onRecordingFailed((reason) => {
      failed = true;
      events.count('recording-failed');
      events.log('error', 'recording failed', { call: row.call, recording: started.recording, reason });
    });
    const running = runningRecording(context, start, started, () => failed);
    try {
      await media.startRecording({
        file: start.path(started.file),
        id: started.recording,
        key: started.key,
        left: start.left,
        ...(start.right && { right: start.right }),
      });
    } catch (error) {
      failed = true;
      // The call goes on at once, whatever the database does.
      void running.written();
      throw error;
    }
    return running;
  } catch (error) {
    events.count('recording-failed');
    events.log('error', 'recording not started', { call: row.call, error: nameOf(error) });
    return undefined;
  }
}

function runningRecording(
  { masking, events, doors }: RecordingContext,
  { row, media, worth, path }: RecordingStart,
  started: RunningRecording['started'],
  failed: () => boolean,
): RunningRecording {
  let stopped: ReturnType<MediaCall['stopRecording']> | undefined;
  let written: Promise<void> | undefined;

  function notClosed(error: unknown): void {
    events.count('recording-failed');
    events.log('error', 'recording not closed', { recording: started.recording, error: nameOf(error) });
  }

  function closeFile(): NonNullable<typeof stopped> {
    stopped ??= media.stopRecording().catch((error: unknown) => {
      notClosed(error);
      return undefined;
    });
    return stopped;
  }

  async function closeRow(): Promise<void> {
    const summary = await closeFile();
    const whole = !failed() && summary !== undefined && (worth === undefined || (await worth(running)));
    const end = {
      tenant: row.tenant,
      recording: started.recording,
      status: whole ? 'complete' : 'failed',
      milliseconds: Math.round(summary?.milliseconds ?? 0),
      bytes: summary?.bytes ?? 0,
      sha256: summary?.sha256 ?? '',
    } as const;
    await patiently(doors.timers, () => masking.recordingEnded(end)).catch(notClosed);
  }

  /** True: the file is gone. The row follows. */
  async function removeFile(): Promise<boolean> {
    await closeFile();
    try {
      await rm(path(started.file), { force: true });
      return true;
    } catch (error) {
      events.count('recording-failed');
      events.log('error', 'recording not removed', {
        recording: started.recording,
        error: nameOf(error),
      });
      return false;
    }
  }

  const running: RunningRecording = {
    started,
    stop: () => closeFile().then(() => {}),
    written() {
      written ??= closeRow();
      return written;
    },
    async discard({ participant, party }) {
      if (written !== undefined) return false;
      const gone = removeFile();
      const { recording } = started;
      const discard = { tenant: row.tenant, recording, participant, party };
      written = gone.then(() =>
        patiently(doors.timers, () => masking.recordingDiscarded(discard)).catch(notClosed),
      );
      return gone;
    },
  };
  return running;
}
