/** What is said to whoever could not prove who they are: always the same. */
import { MaskingError } from '../masking/service.ts';

/** Between two steps of a log-in. */
export const ticketSeconds = 300;

export function wrongCredentials(pointer?: string): MaskingError {
  return new MaskingError('wrong-credentials', 'Address, password or code do not fit.', pointer);
}

export function onlyWrong(error: unknown): undefined {
  if (error instanceof MaskingError && error.code === 'wrong-credentials') return undefined;
  throw error;
}
