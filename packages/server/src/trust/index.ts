/**
 * trust: the record and what people may ask of it. Rooms: `ledger/` (reading, proving, signing the record), `custody/`
 * (recordings: who takes them out, how long they are kept), `disputes/`, `rights/` (export, erasure, restriction,
 * breach report), `transparency/` (what a participant may know). The words are in `service.ts`.
 *
 * May import: masking and what is below it. Imported by: switch, pages, api, cli.
 */
import type { TrustContext } from './context.ts';
import { createCustody } from './custody/custody.ts';
import { createDisputes } from './disputes/disputes.ts';
import { createLedger } from './ledger/ledger.ts';
import { createRights } from './rights/rights.ts';
import type { Trust } from './service.ts';
import { createSigner } from './signing.ts';
import { createTransparency } from './transparency/transparency.ts';

export { createObjectStore } from './custody/object-store.ts';
export { affectedCsv, callsCsv } from './rights/export-csv.ts';
export { exportPage } from './rights/export-page.ts';
export type { Trust } from './service.ts';

export async function createTrust(options: Omit<TrustContext, 'signer'>): Promise<Trust> {
  const context: TrustContext = { ...options, signer: await createSigner(options.vault) };
  const ledger = createLedger(context);
  const custody = createCustody(context);
  const disputes = createDisputes(context);
  const rights = createRights(context, { ledger, custody });
  const transparency = createTransparency(context, { disputes, rights });
  const parts = [ledger, custody, disputes, rights, transparency];
  return {
    ledger,
    custody,
    disputes,
    rights,
    transparency,
    async start() {
      for (const part of parts) await part.start();
    },
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}
