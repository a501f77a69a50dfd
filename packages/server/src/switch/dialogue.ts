import type { AskPin, Choose, Decision, Inbound, MenuStep, Run, Step } from '../masking/types.ts';
import type { Call } from './call.ts';
import { nameOf } from './errors.ts';
import type { Keypad } from './keypad.ts';
import { refuse, refuseFor } from './words.ts';

/** What a caller is asked and answers by keys. A caller who is asked has been answered. */

/** Silence after a spoken list that counts as no choice. Milliseconds. */
const choiceMilliseconds = 8_000;
const choiceRounds = 2;
/** Silence between two digits of a code. Milliseconds. */
const digitMilliseconds = 8_000;
const codeLength = 6;
/** Of a reference, the last so many characters are read out: the whole of it would take minutes. */
const referenceCharacters = 6;

/** The steps that the caller chose; undefined: the call has ended. */
export async function askMenu(call: Call, run: Run, step: MenuStep): Promise<readonly Step[] | undefined> {
  const { prompts } = call.context;
  const { locale } = run.caller;
  const told = call.begin(step.place, 'menu');
  const keypad = call.listen();
  if (!keypad) return undefined;
  for (let attempt = 0; attempt < step.attempts; attempt++) {
    await keypad.say(prompts.keys(locale, step.words));
    const key = await keypad.next(step.timeoutSeconds * 1_000);
    if (call.stopped) return undefined;
    const chosen = key === undefined ? undefined : step.choices.get(key);
    if (key !== undefined && chosen) {
      call.pressed(key);
      told(`key-${key}`);
      return chosen;
    }
    if (key !== undefined) await keypad.say([prompts.find(locale, 'invalid-choice')]);
    if (call.stopped) return undefined;
  }
  told('no-choice');
  return step.otherwise;
}

/** Which of several sessions? Undefined: the call has ended. */
export async function askSession(
  call: Call,
  inbound: Inbound,
  choose: Choose,
): Promise<Decision | undefined> {
  const { prompts, masking } = call.context;
  const { locale } = choose;
  const told = call.begin('choose', 'menu');
  const keypad = call.listen();
  if (!keypad) return undefined;
  const options = choose.options.slice(0, 9);
  const words = options.flatMap(({ reference }, index) => [
    prompts.find(locale, 'for-reference'),
    ...prompts.keys(locale, [{ kind: 'characters', text: reference.slice(-referenceCharacters) }]),
    prompts.find(locale, 'press'),
    prompts.find(locale, `char-${index + 1}`),
  ]);
  for (let round = 0; round < choiceRounds; round++) {
    await keypad.say([prompts.find(locale, 'choose'), ...words]);
    const key = await keypad.next(choiceMilliseconds);
    if (call.stopped) return undefined;
    const option = key === undefined ? undefined : options[Number(key) - 1];
    if (option) {
      told(`key-${key}`);
      return undecided(call, locale, masking.choose({ inbound, session: option.session }));
    }
    if (key !== undefined) await keypad.say([prompts.find(locale, 'invalid-choice')]);
    if (call.stopped) return undefined;
  }
  told('no-choice');
  await refuseFor(call, 'not-connected', locale, 'no-choice');
  return undefined;
}

/** Who are you? Undefined: the call has ended. What is keyed is told to nobody but the heart. */
export async function askPin(call: Call, inbound: Inbound, pin: AskPin): Promise<Decision | undefined> {
  const { prompts, masking } = call.context;
  const { locale } = pin;
  const keypad = call.listen();
  if (!keypad) return undefined;
  for (let attempt = 1; attempt <= pin.attempts; attempt++) {
    const told = call.begin('code', 'code');
    await keypad.say([prompts.find(locale, 'enter-code')]);
    const code = await collect(keypad);
    if (call.stopped) return undefined;
    if (code === '') {
      told('no-code');
      if (pin.codeless === undefined) continue;
      return undecided(call, locale, masking.choose({ inbound, session: pin.codeless }));
    }
    const outcome = await undecided(call, locale, masking.enterPin({ inbound, code, attempt }));
    if (!outcome || call.stopped) return undefined;
    told(outcome.kind);
    switch (outcome.kind) {
      case 'accepted':
        return outcome.decision;
      case 'locked':
        await refuseUnproven(call, locale, 'code-locked');
        return undefined;
      case 'wrong':
        if (outcome.left <= 0 || attempt === pin.attempts) {
          await refuseUnproven(call, locale, 'wrong-code');
          return undefined;
        }
        await keypad.say([prompts.find(locale, 'wrong-code')]);
        if (call.stopped) return undefined;
    }
  }
  await refuseFor(call, 'not-connected', locale, 'no-code');
  return undefined;
}

/** Six digits, fewer when `#` ends them or no more come; `*` begins anew. */
async function collect(keypad: Keypad): Promise<string> {
  let code = '';
  // Nobody corrects a code more often than this.
  for (let keys = 0; keys < 4 * codeLength && code.length < codeLength; keys++) {
    const key = await keypad.next(digitMilliseconds);
    if (key === undefined || key === '#') return code;
    if (key === '*') code = '';
    else if (/^\d$/.test(key)) code += key;
  }
  // A `#` that is still to come belongs to this code, and answers no later question.
  keypad.skip('#');
  return code;
}

function refuseUnproven(call: Call, locale: string, prompt: string): Promise<void> {
  call.refusal = 'not-connected';
  return refuse(call, { status: 404, prompt, spoken: prompt, locale, outcome: 'refused', cause: prompt });
}

/** What the heart answers; when it can't, the caller hears to try again, and the call ends. */
async function undecided<T>(call: Call, locale: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { events } = call.context;
    events.count('decision-failed');
    events.log('error', 'no decision', { call: call.id, error: nameOf(error) });
    const again = { status: 503, prompt: 'try-again', spoken: 'try-again', cause: 'decision-failed' };
    await refuse(call, { ...again, locale, outcome: 'failed' });
    return undefined;
  }
}
