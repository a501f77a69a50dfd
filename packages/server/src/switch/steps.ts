import type { ConnectStep, ForwardStep, Run, Step } from '../masking/types.ts';
import type { Call } from './call.ts';
import { askMenu } from './dialogue.ts';
import { playMessages } from './messages.ts';
import { type RingFailure, refusalOf, unreachedRefusal } from './outcomes.ts';
import { reach } from './reach.ts';
import { ring } from './ring.ts';
import { join } from './talk.ts';
import { takeMessage } from './voicemail.ts';
import { refuse, refuseEnded, tell } from './words.ts';

/** One run of steps, as far as it has come. */
interface Taking {
  readonly call: Call;
  readonly run: Run;
  /** Why nobody was reached so far. */
  failure: RingFailure | undefined;
  /** Steps and questions to the tenant's system that are left: what it answers may ask again. */
  steps: number;
  asks: number;
}

/** A plan is a finite tree; these bound what a tenant's system may add to it. */
const mostSteps = 200;
const mostAsks = 5;

/**
 * Takes a run's steps, one after another: one that reached nobody falls through to the next. After the last the
 * caller hears why; `nobody` are the words for one who was answered, when it is not that the line is busy. Rejects with
 * `MediaBusy`.
 */
export async function takeSteps(call: Call, run: Run, nobody = 'unavailable'): Promise<void> {
  const taking: Taking = { call, run, failure: undefined, steps: mostSteps, asks: mostAsks };
  await takeAll(taking, run.steps);
  if (call.over || call.talk) return;
  const { locale } = run.caller;
  if (call.sessionEnded) return refuseEnded(call, locale);
  const failure = taking.failure ?? 'unavailable';
  const refusal = unreachedRefusal(failure);
  const spoken = failure === 'busy' ? refusal.spoken : nobody;
  await refuse(call, { ...refusal, spoken, locale, outcome: failure, cause: failure });
}

/** Until one of them has ended the call or joined two people. */
async function takeAll(taking: Taking, steps: readonly Step[]): Promise<void> {
  const { call } = taking;
  for (const step of steps) {
    if (call.stopped || call.talk) return;
    if (taking.steps-- <= 0) {
      call.begin(step.place, step.kind)('too-many-steps');
      return;
    }
    await take(taking, step);
  }
}

async function take(taking: Taking, step: Step): Promise<void> {
  const { call, run } = taking;
  const { prompts, limits } = call.context;
  switch (step.kind) {
    case 'connect':
      return connect(taking, step);
    case 'forward':
      return forward(taking, step);
    case 'announce': {
      const told = call.begin(step.place, 'announce');
      const heard = await tell(call, prompts.keys(run.caller.locale, step.words), limits.words);
      return told(heard ? 'heard' : 'not-heard');
    }
    case 'refuse': {
      call.begin(step.place, 'refuse')(step.reason);
      call.refusal = step.reason;
      const { locale } = run.caller;
      const words = step.words && prompts.keys(locale, step.words);
      const refusal = { ...refusalOf(step.reason), locale, outcome: 'refused', cause: step.reason } as const;
      return refuse(call, words ? { ...refusal, words } : refusal);
    }
    case 'menu': {
      const chosen = await askMenu(call, run, step);
      return chosen && takeAll(taking, chosen);
    }
    case 'ask':
      return ask(taking, step);
    case 'voicemail':
      return takeMessage(call, run, step, taking.failure ?? 'unavailable');
    case 'messages':
      return playMessages(call, run, step);
  }
}

async function connect(taking: Taking, step: ConnectStep): Promise<void> {
  const { call, run } = taking;
  const reached = await reach(call, run.tenant, step);
  if (reached.kind === 'failed') {
    taking.failure = reached.failure;
    return;
  }
  const { far, target, told } = reached;
  told('answered');
  await join(call, run, far, target);
}

async function forward(taking: Taking, step: ForwardStep): Promise<void> {
  const { call, run } = taking;
  const { state } = call.near;
  if (state === 'answered' || state === 'early') call.near.ringing();
  const { phone, callerId, carrier, ringSeconds } = step;
  const told = call.begin(step.place, 'forward');
  const target = { participant: undefined, phone, callerId, carrier };
  const rung = await ring(call, run.tenant, target, ringSeconds).result;
  told(rung.kind === 'answered' ? 'answered' : rung.failure);
  if (rung.kind === 'failed') taking.failure = rung.failure;
  else
    await join(call, run, rung.far, { participant: undefined, party: undefined, locale: run.caller.locale });
}

async function ask(taking: Taking, step: Step & { readonly kind: 'ask' }): Promise<void> {
  const { call, run } = taking;
  const told = call.begin(step.place, 'ask');
  if (taking.asks-- <= 0) return told('too-many-questions');
  call.near.ringing();
  const { tenant, session } = run;
  const { steps, outcome } = await call.context.masking.ask({
    tenant,
    call: call.id,
    session,
    step,
    keys: call.keys,
  });
  told(outcome);
  if (!call.stopped) await takeAll(taking, steps);
}
