import type { Call } from './call.ts';
import { createKeypad } from './keypad.ts';
import type { Side, TalkKeys } from './talk-keys.ts';

/** How long a key is waited for after the words, and how long all of it may take. Milliseconds. */
const keyMilliseconds = 5_000;
const longest = 20_000;
/** Keys that mean nothing are passed over, as many as these. */
const mostKeys = 8;

/** The one who stays may still report the call by `*9`, after the other has hung up. Never rejects. */
export async function offerReport(call: Call, keys: TalkKeys, asked: Side): Promise<void> {
  if (keys.hasReported(asked)) return;
  const { prompts, doors } = call.context;
  call.media?.unbridge();
  // What is said to us is no part of the talk.
  await call.recording?.stop();
  if (call.over) return;
  const keypad = createKeypad(doors.timers, asked.media, longest);
  const done = call.during(() => keypad.stop());
  const late = doors.timers.after(longest, () => keypad.stop());
  await keypad.say([prompts.find(asked.locale, 'report-call')]);
  let star = false;
  for (let pressed = 0; pressed < mostKeys; pressed++) {
    const key = await keypad.next(keyMilliseconds);
    if (key === undefined) break;
    if (star && key === '9') {
      await keys.report(asked, 'after');
      break;
    }
    star = key === '*';
  }
  late.cancel();
  done();
}
