/** What people write: within bounds, without control characters, sealed under the tenant's key. */
import { invalid, withKeys } from '../../masking/context.ts';
import { holdsPhoneNumber } from '../../masking/parties/phone-numbers.ts';
import type { TrustContext } from '../context.ts';

export function checkText(text: string, least: number, most: number, pointer: string): void {
  const { length } = text.trim();
  // Line ends and tabs are writing, other control characters are not.
  if (length < least || length > most || /[\p{Cc}]/u.test(text.replaceAll(/[\n\r\t]/g, ''))) {
    throw invalid(`Write ${least} to ${most} characters.`, pointer);
  }
}

/** For what stands in the ledger, too: it is in clear there, and the person concerned may read it. */
export function checkReason(reason: string, most: number): void {
  checkText(reason, 3, most, '/reason');
  if (holdsPhoneNumber(reason)) throw invalid('A reason holds no phone number.', '/reason');
}

export function sealing(context: Pick<TrustContext, 'vault'>, table: string, column: string) {
  return {
    seal: (tenant: string, text: string, row: string): Promise<Buffer> =>
      withKeys(context, tenant, (keys) =>
        keys.seal(Buffer.from(text.trim()), { tenant, table, column, row }),
      ),
    async opener(tenant: string): Promise<(sealed: Buffer, row: string) => string> {
      const keys = await context.vault.unlock(tenant);
      return (sealed, row) => keys.open(sealed, { tenant, table, column, row }).toString();
    },
  };
}
