import type { Doors } from '@samar/doors';
import { readDestination } from '../store/queries/destinations.ts';
import type { Database } from '../store/types.ts';
import type { Vault } from '../vault/types.ts';
import { createEvents } from './access/events.ts';
import { createIdempotency } from './access/idempotency.ts';
import { createApiKeys, createTenants } from './access/keys.ts';
import { createSettings, defaultSettings } from './access/settings.ts';
import { type BackgroundTask, createBackground } from './background.ts';
import { type Asker, createAsking } from './calls/asking.ts';
import { createCallRecords } from './calls/call-records.ts';
import { createClickToCall } from './calls/click-to-call.ts';
import { createDecisions } from './calls/decide.ts';
import { createPlanning, type Telephony } from './calls/planning.ts';
import { createRecordingModes } from './calls/recording-modes.ts';
import { createRecordings } from './calls/recordings.ts';
import { withKeys } from './context.ts';
import { createCarriers } from './numbers/carriers.ts';
import { createNumbers } from './numbers/numbers.ts';
import { createPools } from './numbers/pools.ts';
import { createBlocks } from './parties/blocks.ts';
import { createCodes } from './parties/codes.ts';
import { createKnownParties } from './parties/known-parties.ts';
import { promptNames } from './prompt-names.ts';
import { createDestinations, openDestination } from './saved-programs/destinations.ts';
import { createProgramCache } from './saved-programs/program-cache.ts';
import { createPrograms } from './saved-programs/programs.ts';
import { createRehearsal } from './saved-programs/rehearsal.ts';
import type { Masking } from './service.ts';
import { createOpenSide } from './sessions/open-side.ts';
import { createSessionChanges } from './sessions/session-changes.ts';
import type { Known } from './sessions/session-input.ts';
import { createPeople, createSessions } from './sessions/sessions.ts';
import type { CallMasking } from './types.ts';

export interface MaskingOptions {
  readonly database: Database;
  readonly vault: Vault;
  readonly doors: Pick<Doors, 'clock' | 'random' | 'timers'>;
  /** The installation's own key: every scope, for the tenant `default`. Its uses are in the ledger as `admin`. */
  readonly adminKey?: string;
  /** Defaults: 25 s ringing, 3,600 s a call, English. */
  readonly telephony?: Partial<Telephony>;
  /** Names of the prompts that are installed, for programs and whispers. Default: those that come with the platform. */
  readonly prompts?: ReadonlySet<string>;
  /** The way to tenants' own systems, for `ask` steps. Without one every such step takes its fallback. */
  readonly asker?: Asker;
  /** Why a decision webhook can't be at this URL; undefined: it can. */
  readonly webhookProblem?: (url: string) => string | undefined;
  /** Background work that failed; it is tried again by itself. */
  readonly report?: (task: BackgroundTask, error: unknown) => void;
}

const noAsker: Asker = async () => ({ ok: false, reason: 'unreachable' });

export function createMasking(options: MaskingOptions): Masking & CallMasking {
  const {
    adminKey,
    telephony: given,
    report = () => {},
    prompts = new Set<string>(promptNames),
    asker = noAsker,
    webhookProblem,
    ...context
  } = options;
  const { database } = context;
  const telephony: Telephony = { ringSeconds: 25, maxSeconds: 3_600, locale: 'en', ...given };
  const settings = {
    ...defaultSettings,
    ringSeconds: telephony.ringSeconds,
    maxSeconds: telephony.maxSeconds,
  };
  const programOptions = { prompts, ...(webhookProblem === undefined ? {} : { webhookProblem }) };
  const { node, ...background } = createBackground(context, report);
  const destinations = createDestinations(context);
  const tenantSettings = createSettings(context, settings);
  const { voicemails, ...recordings } = createRecordings(context);

  async function knownWords(tenant: string): Promise<Known> {
    const rows = await destinations.listDestinations(tenant);
    return { ...programOptions, destinations: new Set(rows.map((one) => one.name)) };
  }

  const people = createPeople(context, createKnownParties());
  const { open, ...sessions } = createSessions(context, people, knownWords);
  const codes = createCodes(context);
  const planning = createPlanning(context, {
    telephony,
    programs: createProgramCache(context),
    voicemails,
    recordingMode: createRecordingModes(context),
    async destination(tenant, name) {
      const row = await readDestination(database, tenant, name);
      return row && withKeys(context, tenant, (keys) => openDestination(keys, row));
    },
  });
  const decisions = createDecisions(context, {
    telephony,
    node,
    planning,
    codes,
    openConversation: createOpenSide(context, { open }),
  });
  const { ask: _ask, numberOf: _numberOf, ...deciding } = decisions;

  return {
    ...createTenants(context),
    ...createApiKeys(context, adminKey),
    ...createCarriers(context),
    ...createNumbers(context),
    ...createPools(context),
    ...createPrograms(context, programOptions),
    ...createRehearsal(context, { ...programOptions, settings }),
    ...destinations,
    ...tenantSettings,
    ...sessions,
    ...createSessionChanges(context, people, knownWords, sessions),
    createClaim: codes.createClaim,
    ...createBlocks(context),
    ...createEvents(context),
    ...deciding,
    ...createAsking(context, planning, asker, tenantSettings.decisionSecret),
    ...createClickToCall(context, planning, decisions, sessions),
    ...createCallRecords(context),
    ...recordings,
    ...background,
    idempotency: createIdempotency(context),
  };
}
