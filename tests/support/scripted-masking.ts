import { randomBytes } from 'node:crypto';
import type {
  CallEnd,
  CallMasking,
  ClosedSession,
  Decision,
  Inbound,
  OngoingCalls,
  PinOutcome,
  Step,
} from '../../packages/server/src/masking/types.ts';

/**
 * The heart as a test writes it: decisions are given, and what must be kept is kept, in memory. The gate is as strict
 * as the real one: it opens once a call, and only while the session lives.
 */
export interface ScriptedMasking extends CallMasking {
  decideAs(decision: (inbound: Inbound) => Decision): void;
  chooseAs(decision: (session: string) => Decision): void;
  pinAs(outcome: (code: string, attempt: number) => PinOutcome): void;
  askAs(answer: (keys: string) => Promise<readonly Step[]>): void;
  /** Codes that were keyed, in order. */
  readonly codes: readonly string[];
  /** Participants for whom the gate was asked. */
  readonly gated: readonly string[];
  /** Every call that has ended, in order. */
  readonly ends: readonly CallEnd[];
  /** The end of the call that is decided next. */
  nextEnd(): Promise<CallEnd>;
  endOf(call: string): Promise<CallEnd>;
  readonly recordings: readonly StoredRecording[];
  /** Talks that weren't recorded, and who has stopped a recording. */
  readonly refused: readonly Parameters<CallMasking['recordingRefused']>[0][];
  readonly discarded: readonly Parameters<CallMasking['recordingDiscarded']>[0][];
  readonly heard: readonly { readonly recording: string; readonly participant: string }[];
  close(session: string, ongoingCalls: OngoingCalls): void;
  reopen(): void;
  /** What the records say should end, without a notice. */
  readonly toEnd: Awaited<ReturnType<CallMasking['callsToEnd']>>[number][];
  leave(session: string, participant: string): void;
  hangUp(call: string): void;
  /** The call that was decided last. */
  readonly lastCall: string;
}

export interface StoredRecording {
  readonly recording: string;
  readonly file: string;
  readonly key: Buffer;
  readonly start: Parameters<CallMasking['recordingStarted']>[0];
  status: 'recording' | 'complete' | 'failed' | 'discarded';
}

export function scriptedMasking(): ScriptedMasking {
  let decision: (inbound: Inbound) => Decision = () => ({
    kind: 'refuse',
    reason: 'not-connected',
    locale: 'en',
    tenant: undefined,
  });
  let chosen: (session: string) => Decision = () => decisionOfNobody;
  let pin: (code: string, attempt: number) => PinOutcome = () => ({ kind: 'locked' });
  let asked: (keys: string) => Promise<readonly Step[]> = async () => [];
  let lastCall = '';
  const codes: string[] = [];
  const gated: string[] = [];
  const answered = new Set<string>();
  const ends: CallEnd[] = [];
  const expecting: ((end: CallEnd) => void)[] = [];
  const waiting = new Map<string, (end: CallEnd) => void>();
  const recordings: StoredRecording[] = [];
  const refused: Parameters<CallMasking['recordingRefused']>[0][] = [];
  const discarded: Parameters<CallMasking['recordingDiscarded']>[0][] = [];
  const heard: { readonly recording: string; readonly participant: string }[] = [];
  const closed = new Map<string, ClosedSession>();
  const toEnd: Awaited<ReturnType<CallMasking['callsToEnd']>>[number][] = [];
  let tellClosed: (notice: ClosedSession | undefined) => void = () => {};
  let tellHangUp: (request: { tenant: string; call: string }) => void = () => {};

  return {
    decideAs(next) {
      decision = next;
    },
    chooseAs(next) {
      chosen = next;
    },
    pinAs(next) {
      pin = next;
    },
    askAs(next) {
      asked = next;
    },
    codes,
    gated,
    ends,
    nextEnd: () => new Promise((resolve) => void expecting.push(resolve)),
    endOf: (call) => new Promise((resolve) => void waiting.set(call, resolve)),
    recordings,
    refused,
    discarded,
    heard,
    close(session, ongoingCalls) {
      const notice = { tenant: 'default', session, ongoingCalls };
      closed.set(session, notice);
      tellClosed(notice);
    },
    reopen: () => closed.clear(),
    toEnd,
    leave: (session, participant) =>
      tellClosed({ tenant: 'default', session, participant, ongoingCalls: 'hangup' }),
    hangUp: (call) => tellHangUp({ tenant: 'default', call }),
    get lastCall() {
      return lastCall;
    },

    async decide(inbound) {
      lastCall = inbound.call;
      const expected = expecting.shift();
      if (expected) waiting.set(lastCall, expected);
      return decision(inbound);
    },
    choose: async ({ session }) => chosen(session),
    async enterPin({ code, attempt }) {
      codes.push(code);
      return pin(code, attempt);
    },
    async ask({ keys }) {
      return { steps: await asked(keys), outcome: 'answered' };
    },
    originate: () => Promise.reject(new Error('a test makes its own')),
    async answered({ call, session, participant }) {
      gated.push(participant);
      if (answered.has(call) || closed.has(session)) return false;
      answered.add(call);
      return true;
    },
    async ended(end) {
      ends.push(end);
      waiting.get(end.call)?.(end);
    },
    async recordingStarted(start) {
      const recording = `rec_${recordings.length + 1}`;
      const made = { recording, file: `${recording}.samar`, key: randomBytes(32) };
      recordings.push({ ...made, start, status: 'recording' });
      return made;
    },
    async recordingEnded({ recording, status }) {
      const stored = recordings.find((one) => one.recording === recording);
      if (stored) stored.status = status;
    },
    async recordingRefused(refusal) {
      refused.push(refusal);
    },
    async recordingDiscarded(discard) {
      discarded.push(discard);
      const stored = recordings.find((one) => one.recording === discard.recording);
      if (stored) stored.status = 'discarded';
    },
    async messageHeard({ recording, participant }) {
      heard.push({ recording, participant });
    },
    onHangUp(handler) {
      tellHangUp = handler;
    },
    onSessionClosed(handler) {
      tellClosed = handler;
    },
    callsToEnd: async () => toEnd,
  };
}

const decisionOfNobody: Decision = {
  kind: 'refuse',
  reason: 'not-connected',
  locale: 'en',
  tenant: 'default',
};
