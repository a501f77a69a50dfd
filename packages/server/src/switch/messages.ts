import { join as joinPath } from 'node:path';
import { openRecording, readSpeech } from '@samar/media';
import type { MessagesStep, Run } from '../masking/types.ts';
import type { Call } from './call.ts';
import { nameOf } from './errors.ts';
import type { Keypad } from './keypad.ts';
import { patiently } from './patience.ts';

/** Silence after the question that passes over the messages. Milliseconds. */
const skipMilliseconds = 4_000;

type Message = MessagesStep['messages'][number];

/** Plays what waits for this caller, if it wants to hear it; then the call goes on with its next step. */
export async function playMessages(call: Call, run: Run, step: MessagesStep): Promise<void> {
  const { prompts } = call.context;
  const { locale } = run.caller;
  const told = call.begin(step.place, 'messages');
  const keypad = call.listen();
  if (!keypad) return;
  await keypad.say([prompts.find(locale, 'messages')]);
  const key = await keypad.next(skipMilliseconds);
  if (call.stopped) return;
  if (key !== '1') return told(key === undefined ? 'no-key' : `key-${key}`);
  let heard = 0;
  for (const message of step.messages) {
    if (call.stopped) break;
    if (!(await playOne(call, keypad, message))) continue;
    heard += 1;
    markHeard(call, run, message);
  }
  told(`heard-${heard}`);
  if (!call.stopped) await keypad.say([prompts.find(locale, 'no-more-messages')]);
}

/** True when it was heard, to the end or to a key that says "enough". A message that can't be read is passed over. */
async function playOne(call: Call, keypad: Keypad, message: Message): Promise<boolean> {
  const { recordings, locate, events } = call.context;
  try {
    const stored = await openRecording({
      file: locate ? await locate(message) : joinPath(recordings, message.file),
      id: message.recording,
      key: message.key,
    });
    try {
      const samples = await readSpeech(stored, 'left');
      // A key goes on to the next message; it is of no other use.
      if (!call.stopped && !(await keypad.play({ kind: 'samples', samples }))) keypad.clear();
      return !call.stopped;
    } finally {
      await stored.close();
    }
  } catch (error) {
    events.count('message-unreadable');
    events.log('error', 'message not played', { recording: message.recording, error: nameOf(error) });
    return false;
  }
}

/** Nobody waits for the database; the call's record does. */
function markHeard(call: Call, run: Run, { recording }: Message): void {
  const { masking, doors, events } = call.context;
  const heard = { tenant: run.tenant, recording, participant: run.caller.participant, call: call.id };
  call.finishFirst(
    patiently(doors.timers, () => masking.messageHeard(heard)).catch((error: unknown) => {
      events.count('record-failed');
      events.log('error', 'message not marked as heard', { recording, error: nameOf(error) });
    }),
  );
}
