/** Parts that the tests of this package share. */
import { nodeDoors, type SimulatedDoors } from '@samar/doors';
import { createSipStack } from './stack.ts';
import type {
  Dialog,
  DialogEnd,
  IncomingInvite,
  InviteFailure,
  SipStack,
  StackOptions,
  TransportName,
} from './types.ts';

export const offer = Buffer.from(
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n',
);
export const answer = Buffer.from(
  'v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n',
);

export interface Events {
  readonly counts: Map<string, number>;
  readonly onEvent: (event: string) => void;
}

export function countEvents(): Events {
  const counts = new Map<string, number>();
  return { counts, onEvent: (event) => void counts.set(event, (counts.get(event) ?? 0) + 1) };
}

/** A stack on real loopback sockets. */
export function loopbackStack(
  options: Partial<StackOptions> = {},
  transport: TransportName = 'udp',
): Promise<SipStack> {
  return createSipStack({
    doors: nodeDoors(),
    listen: [{ transport, address: '127.0.0.1', port: 0 }],
    admit: () => true,
    onInvite: (invite) => invite.reject(486),
    ...options,
  });
}

/** A stack in a simulated world; `address` is its own. */
export function simulatedStack(
  doors: SimulatedDoors,
  address: string,
  options: Partial<StackOptions> = {},
  transport: TransportName = 'udp',
): Promise<SipStack> {
  return createSipStack({
    doors,
    listen: [{ transport, address, port: 5060 }],
    admit: () => true,
    onInvite: (invite) => invite.reject(486),
    ...options,
  });
}

export function inviteOptions(stack: SipStack, transport: TransportName = 'udp') {
  const to = stack.bound.find((bound) => bound.transport === transport);
  if (!to) throw new Error(`the stack has no ${transport}`);
  return {
    target: { host: to.address, port: to.port, transport },
    uri: `sip:callee@${to.address}:${to.port}`,
    from: { uri: 'sip:caller@example.invalid' },
    to: { uri: 'sip:callee@example.invalid' },
    body: offer,
  };
}

/** What became of an outgoing call. */
export interface Outcome {
  dialog?: Dialog;
  answer?: Buffer;
  failure?: InviteFailure;
  end?: DialogEnd;
  readonly progress: number[];
}

export function place(
  stack: SipStack,
  options: Parameters<SipStack['invite']>[0],
  onAnswered?: (dialog: Dialog) => void,
) {
  const outcome: Outcome = { progress: [] };
  const call = stack.invite(options);
  call.onProgress((response) => outcome.progress.push(response.status));
  call.onFailed((failure) => {
    outcome.failure = failure;
  });
  call.onAnswered((dialog, response) => {
    outcome.dialog = dialog;
    outcome.answer = response.body;
    dialog.onEnd((cause) => {
      outcome.end = cause;
    });
    onAnswered?.(dialog);
  });
  return { call, outcome };
}

/** Waits until something holds; fails after ten seconds. */
export async function until(holds: () => boolean, what = 'the condition'): Promise<void> {
  const { clock, timers } = nodeDoors();
  const deadline = clock.monotonic() + 10_000;
  while (!holds()) {
    if (clock.monotonic() > deadline) throw new Error(`${what} did not come to hold`);
    await new Promise<void>((resolve) => void timers.after(5, resolve));
  }
}

/** Answers every INVITE: 180, then 200; collects the dialogs. */
export function answering(dialogs: Dialog[], ends: DialogEnd[] = []) {
  return (invite: IncomingInvite) => {
    invite.progress(180);
    const dialog = invite.answer(answer);
    dialogs.push(dialog);
    dialog.onEnd((cause) => ends.push(cause));
  };
}
