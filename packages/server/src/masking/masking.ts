import type { Doors } from '@samar/doors';
import type { Database } from '../store/types.ts';
import type { Vault } from '../vault/types.ts';
import { type BackgroundTask, createBackground } from './background.ts';
import { createCallRecords } from './call-records.ts';
import { createCarriers } from './carriers.ts';
import { createDecisions, type Telephony } from './decide.ts';
import { createIdempotency } from './idempotency.ts';
import { createApiKeys, createTenants } from './keys.ts';
import { createNumbers } from './numbers.ts';
import { createRecordings } from './recordings.ts';
import type { Masking } from './service.ts';
import { createSessions } from './sessions.ts';
import type { CallMasking } from './types.ts';

export interface MaskingOptions {
  readonly database: Database;
  readonly vault: Vault;
  readonly doors: Pick<Doors, 'clock' | 'random' | 'timers'>;
  /** The installation's own key: every scope, for the tenant `default`. Its uses are in the ledger as `admin`. */
  readonly adminKey?: string;
  /** Defaults: 25 s ringing, 3,600 s a call, English. */
  readonly telephony?: Partial<Telephony>;
  /** Background work that failed; it is tried again by itself. */
  readonly report?: (task: BackgroundTask, error: unknown) => void;
}

export function createMasking(options: MaskingOptions): Masking & CallMasking {
  const { adminKey, telephony, report = () => {}, ...context } = options;
  const { node, ...background } = createBackground(context, report);
  return {
    ...createTenants(context),
    ...createApiKeys(context, adminKey),
    ...createCarriers(context),
    ...createNumbers(context),
    ...createSessions(context),
    ...createDecisions(context, { ringSeconds: 25, maxSeconds: 3_600, locale: 'en', ...telephony }, node),
    ...createCallRecords(context),
    ...createRecordings(context),
    ...background,
    idempotency: createIdempotency(context),
  };
}
