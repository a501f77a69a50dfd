import type { Survey } from '../masking/types.ts';
import type { Call } from './call.ts';
import { createKeypad } from './keypad.ts';
import type { Listener } from './recording.ts';

/** How long after the question a key is waited for, and how long all of it may take. Milliseconds. */
const keyMilliseconds = 8_000;
const longest = 30_000;
/** Keys that answer nothing are passed over, as many as these. */
const mostTries = 5;

/** One question to the one who is still on the line, after the other has hung up. Never rejects. */
export async function askSurvey(call: Call, survey: Survey, asked: Listener): Promise<void> {
  const { prompts, doors } = call.context;
  call.media?.unbridge();
  // Neither the question nor its answer is recorded.
  await call.recording?.stop();
  if (call.over) return;
  const keypad = createKeypad(doors.timers, asked.media, longest);
  const done = call.during(() => keypad.stop());
  const late = doors.timers.after(longest, () => keypad.stop());
  await keypad.say(prompts.keys(asked.locale, survey.prompt));
  for (let tries = 0; tries < mostTries; tries++) {
    const key = await keypad.next(keyMilliseconds);
    if (key === undefined) break;
    if (!survey.keys.includes(key)) continue;
    call.survey = { participant: survey.participant, key };
    keypad.clear();
    await keypad.say([prompts.find(asked.locale, 'thanks')]);
    break;
  }
  late.cancel();
  done();
}
