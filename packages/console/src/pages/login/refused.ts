/** What a log-in was refused with, in the person's language; anything else is left to the ErrorBox. */
import { isProblem } from '../../api.ts';
import type { Format } from '../../format.ts';
import type { Words } from '../../words/index.tsx';

export function refused(error: unknown, words: Words, format: Format): string | undefined {
  if (isProblem(error, 'wrong-credentials')) return words.login.wrong;
  if (isProblem(error, 'locked-out', 'rate-limited')) {
    return words.login.lockedOut(format.number(Math.ceil((error.retryAfterSeconds ?? 60) / 60)));
  }
  if (isProblem(error, 'unavailable')) return words.login.busy;
  if (isProblem(error, 'weak-password')) return words.invitation.weak;
  if (isProblem(error, 'link-invalid')) return words.invitation.invalid;
  if (isPasskeyFailure(error)) return words.login.passkeyFailed;
  return undefined;
}

/** The browser's or the authenticator's: cancelled, timed out, none there. */
export function isPasskeyFailure(error: unknown): boolean {
  return error instanceof Error && (error.name === 'WebAuthnError' || error instanceof DOMException);
}
