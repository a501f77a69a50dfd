import type { DialogEnd, InviteFailure } from '@samar/sip';
import type { RefusalReason } from '../masking/types.ts';

/**
 * What one side's ending means for the other. Fixed tables: no status, phrase or header of one leg reaches the
 * other but by these few words.
 */
export interface Refusal {
  readonly status: number;
  /** Spoken before the status is sent; undefined: the status says it (a busy tone). */
  readonly prompt: string | undefined;
  /** Spoken before the BYE when the caller was answered. */
  readonly spoken: string;
}

function spoken(status: number, prompt: string): Refusal {
  return { status, prompt, spoken: prompt };
}

/** What a caller gets whom we don't connect. A stranger can't tell "nobody" from "not yours" (same words, same status). */
export function refusalOf(reason: RefusalReason): Refusal {
  switch (reason) {
    case 'not-connected':
    case 'unknown-number':
      return spoken(404, 'not-connected');
    case 'ended':
      return spoken(410, 'ended');
    case 'closed':
      return spoken(480, 'closed');
    case 'unavailable':
      return spoken(480, 'unavailable');
    case 'quiet-hours':
      return spoken(480, 'quiet-hours');
    case 'not-allowed':
      return spoken(403, 'not-allowed');
    case 'limit':
      return spoken(403, 'limit');
    case 'program':
      // A program's own refusal mostly has words of its own.
      return spoken(403, 'unavailable');
  }
}

export type RingFailure = 'busy' | 'no-answer' | 'unavailable';

/** What the caller gets when the other side could not be reached. */
export function unreachedRefusal(failure: RingFailure): Refusal {
  switch (failure) {
    case 'busy':
      return { status: 486, prompt: undefined, spoken: 'busy' };
    case 'no-answer':
    case 'unavailable':
      return spoken(480, 'unavailable');
  }
}

/** RFC 3261 section 21. Everything that is neither busy nor silence is "unavailable". */
export function ringFailureOf(failure: InviteFailure): RingFailure {
  switch (failure.kind) {
    case 'response': {
      const { status } = failure.response;
      if (status === 486 || status === 600) return 'busy';
      if (status === 408 || status === 487) return 'no-answer';
      return 'unavailable';
    }
    case 'cancelled':
      return 'no-answer';
    case 'timeout':
    case 'unreachable':
      return 'unavailable';
  }
}

/** The cause for the call record, in words of our own. */
export function causeOf(failure: InviteFailure): string {
  return failure.kind === 'response' ? `sip-${failure.response.status}` : failure.kind;
}

export function causeOfEnd(cause: DialogEnd): string {
  switch (cause) {
    case 'local-bye':
    case 'remote-bye':
      return 'bye';
    case 'no-ack':
    case 'session-expired':
    case 'peer-gone':
    case 'closed':
      return cause;
  }
}
