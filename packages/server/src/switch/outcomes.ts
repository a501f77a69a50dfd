import type { InviteFailure } from '@samar/sip';
import type { RefusalReason } from '../masking/types.ts';
import type { PromptName } from './prompts.ts';

/**
 * What one side's ending means for the other. Fixed tables: no status, phrase or header of one leg reaches the
 * other but by these few words.
 */
export interface Refusal {
  readonly status: number;
  /** Spoken before the status is sent; undefined: the status says it (a busy tone). */
  readonly prompt: PromptName | undefined;
}

/** What a caller gets whom we don't connect. A stranger can't tell "nobody" from "not yours" (same words, same status). */
export function refusalOf(reason: RefusalReason): Refusal {
  switch (reason) {
    case 'not-connected':
    case 'unknown-number':
      return { status: 404, prompt: 'not-connected' };
    case 'ended':
      return { status: 410, prompt: 'ended' };
    case 'closed':
      return { status: 480, prompt: 'closed' };
    case 'unavailable':
      return { status: 480, prompt: 'unavailable' };
  }
}

export type RingFailure = 'busy' | 'no-answer' | 'unavailable';

/** What the caller gets when the other side could not be reached. */
export function unreachedRefusal(failure: RingFailure): Refusal {
  switch (failure) {
    case 'busy':
      return { status: 486, prompt: undefined };
    case 'no-answer':
    case 'unavailable':
      return { status: 480, prompt: 'unavailable' };
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
