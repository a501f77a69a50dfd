/**
 * How a call is recorded: by its session, the tenant's policy, and the countries of those who may take part. Without a
 * policy, which most tenants don't have, nothing is asked; countries of numbers don't change, so each is read once.
 */
import { readCountries } from '../../store/queries/recordings.ts';
import { defaultPolicy, policyProblem, strictest } from '../access/keeping.ts';
import type { Context } from '../context.ts';
import type { RecordingPolicy } from '../service.ts';
import type { RecordingMode } from '../types.ts';

export type RecordingModes = (
  tenant: string,
  session: RecordingMode,
  settings: Readonly<Record<string, unknown>>,
  parties: readonly string[],
) => Promise<RecordingMode>;

/** Two letters each; the oldest go first. */
const mostKnown = 50_000;

export function createRecordingModes({ database }: Pick<Context, 'database'>): RecordingModes {
  const known = new Map<string, string>();

  async function countriesOf(tenant: string, parties: readonly string[]): Promise<readonly string[]> {
    const unknown = parties.filter((party) => !known.has(party));
    if (unknown.length > 0) {
      for (const { party, country } of await readCountries(database, tenant, unknown))
        known.set(party, country);
    }
    const countries = parties.flatMap((party) => known.get(party) ?? []);
    for (const oldest of known.keys()) {
      if (known.size <= mostKnown) break;
      known.delete(oldest);
    }
    return countries;
  }

  return async (tenant, session, settings, parties) => {
    const policy = policyOf(settings['recordingPolicy']);
    const wanted = strictest(session, policy, []);
    if (wanted === 'off' || Object.keys(policy.countries).length === 0) return wanted;
    return strictest(session, policy, await countriesOf(tenant, [...new Set(parties)]));
  };
}

/** As stored; what can't be read forbids nothing and adds nothing: it was checked when it was set. */
function policyOf(stored: unknown): RecordingPolicy {
  return stored !== undefined && policyProblem(stored) === undefined
    ? (stored as RecordingPolicy)
    : defaultPolicy;
}
