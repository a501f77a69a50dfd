import { join as joinPath } from 'node:path';
import { decode, measureLevel, openRecording, type StoredRecording } from '@samar/media';
import type { Run, VoicemailStep } from '../masking/types.ts';
import type { Call } from './call.ts';
import type { Keypad } from './keypad.ts';
import type { RingFailure } from './outcomes.ts';
import { type RunningRecording, startRecording } from './recording.ts';
import { refuseEnded, tell } from './words.ts';

/** Silence after which a message is over, and how often it is looked for. Milliseconds. */
const silence = 5_000;
const lookEvery = 1_000;
/** What was said is in the file about so much later: reordering, frames of half a second, the disk. */
const fileDelay = 1_000;
/** Quieter than this is nobody speaking; a telephone line's own noise is around −60. */
const voiceDbm0 = -42;
const windowSamples = 800;
/** Of one `read`. */
const samplesAtOnce = 30 * 8_000;

/** A message for the addressees, after which the call is over. `failure`: why nobody could be reached. */
export async function takeMessage(
  call: Call,
  run: Run,
  step: VoicemailStep,
  failure: RingFailure,
): Promise<void> {
  const told = call.begin(step.place, 'voicemail');
  const keypad = call.listen();
  const { prompts, limits } = call.context;
  const { locale } = run.caller;
  if (!keypad) return;
  await tell(call, prompts.keys(locale, step.greeting), limits.words);
  await call.near.media?.leg.play({ kind: 'tone', hertz: 1_000, milliseconds: 300 });
  // What was keyed during the greeting is no end of the message.
  keypad.clear();
  let verdict: Promise<boolean> | undefined;
  const worth = async (made: RunningRecording) => {
    verdict ??= hasVoice(call, made, 0, Number.POSITIVE_INFINITY);
    const kept = await verdict;
    // Most callers hang up when they have said it: the record waits for this.
    told(kept ? 'recorded' : 'empty', 'late');
    return kept;
  };
  const recording = call.stopped ? undefined : await record(call, run, step, worth);
  // Whoever hangs up from here on has left a message.
  call.givenUp = { outcome: failure, cause: 'voicemail' };
  if (!recording) told('failed');
  if (recording && !call.stopped) await untilDone(call, keypad, recording, step.maxSeconds * 1_000);
  await recording?.stop();
  const kept = recording !== undefined && (await worth(recording));
  if (call.over) return;
  if (call.sessionEnded) return refuseEnded(call, locale);
  if (kept) await tell(call, [prompts.find(locale, 'voicemail-saved')], limits.refusal);
  call.end({ outcome: failure, by: 'platform', cause: 'voicemail' });
}

async function record(
  call: Call,
  run: Run,
  step: VoicemailStep,
  worth: (made: RunningRecording) => Promise<boolean>,
): Promise<RunningRecording | undefined> {
  const { context, media, near } = call;
  if (!media || !near.media) return undefined;
  const { party, locale } = run.caller;
  const recording = await startRecording(context, {
    row: {
      tenant: run.tenant,
      call: call.id,
      session: run.session,
      parties: [party, party],
      announcement: { mode: 'voicemail', caller: context.prompts.language(locale) },
      voicemailFor: step.addressees,
    },
    media,
    left: near.media.leg,
    path: (file) => joinPath(context.recordings, file),
    worth,
  });
  call.recording = recording;
  // The call ended before there was anything to be stopped.
  if (call.over) await recording?.written();
  return recording;
}

/** Until `#`, silence, the limit, or the end of the call or its session. */
async function untilDone(
  call: Call,
  keypad: Keypad,
  recording: RunningRecording,
  milliseconds: number,
): Promise<void> {
  const { clock } = call.context.doors;
  const began = clock.monotonic();
  for (;;) {
    const past = clock.monotonic() - began;
    if (past >= milliseconds || call.stopped) return;
    const key = await keypad.next(Math.min(lookEvery, milliseconds - past));
    if (key === '#' || call.stopped) return;
    // The last seconds that are in the file for certain.
    const until = clock.monotonic() - began - fileDelay;
    if (until < silence) continue;
    if (!(await hasVoice(call, recording, until - silence, until))) return;
  }
}

/** Does somebody speak in this part (milliseconds) of a message? Yes, when that can't be told. */
async function hasVoice(call: Call, recording: RunningRecording, from: number, to: number): Promise<boolean> {
  const { file, recording: id, key } = recording.started;
  let stored: StoredRecording | undefined;
  try {
    stored = await openRecording({ file: joinPath(call.context.recordings, file), id, key });
    const end = Math.min(to * 8, stored.samples);
    for (let at = Math.max(0, Math.round(from * 8)); at < end; at += samplesAtOnce) {
      const both = await stored.read({ from: at, to: Math.min(end, at + samplesAtOnce) });
      const samples = leftChannel(both);
      for (let window = 0; window + windowSamples <= samples.length; window += windowSamples) {
        if (measureLevel(samples.subarray(window, window + windowSamples)) > voiceDbm0) return true;
      }
    }
    return false;
  } catch {
    return true;
  } finally {
    await stored?.close();
  }
}

/** Linear samples of interleaved µ-law. */
function leftChannel(interleaved: Buffer): Int16Array {
  const left = new Uint8Array(interleaved.length >> 1);
  for (let index = 0; index < left.length; index++) left[index] = interleaved[2 * index] ?? 0xff;
  return decode(left, 'PCMU');
}
