import type { ConnectStep, DecisionTarget } from '../masking/types.ts';
import type { Call, Told } from './call.ts';
import { createKeypad, say } from './keypad.ts';
import type { RingFailure } from './outcomes.ts';
import { type Far, type Ringing, ring } from './ring.ts';

/** A connect step, up to the one who shall be joined with the caller. */
export type Reached =
  | { readonly kind: 'answered'; readonly far: Far; readonly target: DecisionTarget; readonly told: Told }
  | { readonly kind: 'failed'; readonly failure: RingFailure };

/** Rings the targets as the step says. Rejects with `MediaBusy`. */
export function reach(call: Call, tenant: string, step: ConnectStep): Promise<Reached> {
  // Nobody hears a 180 once we speak to the caller ourselves: the tone starts with the first INVITE.
  if (call.near.state === 'answered' || call.near.state === 'early') call.near.ringing();
  return step.mode === 'hunt' ? hunt(call, tenant, step) : ringAll(call, tenant, step);
}

async function hunt(call: Call, tenant: string, step: ConnectStep): Promise<Reached> {
  let failure: RingFailure = 'unavailable';
  for (const target of step.targets) {
    if (call.stopped) break;
    if (call.hasLeft(target.participant)) continue;
    const told = call.begin(step.place, 'connect', target.participant);
    const rung = await ring(call, tenant, target, step.ringSeconds).result;
    const far = rung.kind === 'answered' ? rung.far : undefined;
    const outcome = far ? await greet(call, far, target, step) : undefined;
    if (far && outcome === 'answered') return { kind: 'answered', far, target, told };
    failure = rung.kind === 'failed' ? rung.failure : 'no-answer';
    told(call.hasLeft(target.participant) ? 'left' : (outcome ?? failure));
  }
  return { kind: 'failed', failure };
}

/**
 * All at once: the first who answers (or, where that is asked, accepts) talks. The others' ringing ends at once, and
 * so does an answer of theirs that comes in the same moment.
 */
function ringAll(call: Call, tenant: string, step: ConnectStep): Promise<Reached> {
  const targets = step.targets.filter((target) => !call.hasLeft(target.participant));
  const ringings = targets.map((target) => ring(call, tenant, target, step.ringSeconds));
  let winner: Ringing | undefined;

  /** True: this one talks. */
  function wins(ringing: Ringing): boolean {
    if (winner) return winner === ringing;
    winner = ringing;
    for (const other of ringings) if (other !== ringing) other.cancel();
    return true;
  }

  async function attempt(target: DecisionTarget, ringing: Ringing): Promise<Reached> {
    const told = call.begin(step.place, 'connect', target.participant);
    const rung = await ringing.result;
    if (rung.kind === 'failed') {
      told(winner ? 'cancelled' : call.hasLeft(target.participant) ? 'left' : rung.failure);
      return rung;
    }
    const { far } = rung;
    const first = step.accept || wins(ringing);
    const outcome = first ? await greet(call, far, target, step) : 'cancelled';
    if (outcome === 'answered' && wins(ringing)) return { kind: 'answered', far, target, told };
    ringing.cancel();
    told(winner && winner !== ringing ? 'cancelled' : outcome);
    return { kind: 'failed', failure: 'no-answer' };
  }

  return firstAnswered(ringings.map((ringing, index) => attempt(targets[index] as DecisionTarget, ringing)));
}

/** The first answer; else, when all have failed, what they have in common. Rejects when all were rejected. */
async function firstAnswered(attempts: readonly Promise<Reached>[]): Promise<Reached> {
  const failures: RingFailure[] = [];
  return new Promise((resolve, reject) => {
    let left = attempts.length;
    let problem: unknown;
    function failed(): void {
      left -= 1;
      if (left > 0) return;
      if (failures.length === 0 && problem !== undefined) reject(problem);
      else resolve({ kind: 'failed', failure: common(failures) });
    }
    if (left === 0) resolve({ kind: 'failed', failure: 'unavailable' });
    for (const attempt of attempts) {
      attempt.then(
        (reached) => {
          if (reached.kind === 'answered') return resolve(reached);
          failures.push(reached.failure);
          failed();
        },
        (error: unknown) => {
          problem = error;
          failed();
        },
      );
    }
  });
}

function common(failures: readonly RingFailure[]): RingFailure {
  if (failures.length > 0 && failures.every((failure) => failure === 'busy')) return 'busy';
  return failures.includes('no-answer') ? 'no-answer' : 'unavailable';
}

/** What is said and asked of whoever answered. The caller goes on hearing the ringing, and nothing of this. */
async function greet(
  call: Call,
  far: Far,
  target: DecisionTarget,
  { whisper, accept }: ConnectStep,
): Promise<'answered' | 'not-accepted' | 'hung-up'> {
  if (whisper === undefined && !accept) return 'answered';
  const { prompts, doors, limits } = call.context;
  const words = whisper === undefined ? [] : prompts.keys(target.locale, whisper);
  const keypad = accept ? createKeypad(doors.timers, far.media, limits.words) : undefined;
  // Also when the call ends meanwhile: it hangs this leg up.
  far.onLeft(() => {
    keypad?.stop();
    far.media.leg.stopPlaying();
  });
  if (keypad) await keypad.say([...words, prompts.find(target.locale, 'accept')]);
  else await whisperOnly(call, far, words);
  const accepted = !keypad || (await keypad.next(limits.consent)) === '1';
  keypad?.stop();
  if (accepted && !far.dialog.ended) return 'answered';
  const outcome = far.dialog.ended && !accept ? 'hung-up' : 'not-accepted';
  far.drop();
  return outcome;
}

/** What is only said is not cut by a key. */
async function whisperOnly(call: Call, far: Far, words: readonly string[]): Promise<void> {
  const { doors, limits } = call.context;
  let cut = false;
  const late = doors.timers.after(limits.words, () => {
    cut = true;
    far.media.leg.stopPlaying();
  });
  await say(far.media, words, () => cut || far.dialog.ended);
  late.cancel();
}
