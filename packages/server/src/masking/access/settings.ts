/** What a tenant decides once for all of its calls, and the secret that its decision webhook is signed with. */
import { isDeepStrictEqual } from 'node:util';
import { lockTenant, noteChange, readSettings, writeSettings } from '../../store/queries/tenants.ts';
import { currentActor } from '../actor.ts';
import { type Context, invalid, notFound } from '../context.ts';
import { isTimeZone } from '../program/schedule.ts';
import type { Masking, Settings, SettingsChange } from '../service.ts';
import { defaultPolicy, defaultRetention, policyProblem, retentionProblem } from './keeping.ts';

export const defaultSettings: Settings = {
  businessName: '',
  timeZone: 'UTC',
  ringSeconds: 25,
  maxSeconds: 3_600,
  accept: false,
  abuseThreshold: 5,
  recordingPolicy: defaultPolicy,
  retention: defaultRetention,
  downloadApproval: false,
  reportAfterCall: false,
};

type Checks = { readonly [Name in keyof Settings]: (value: unknown) => string | undefined };

/** Each answers why a value can't be used. */
const checks: Checks = {
  businessName: (value) =>
    typeof value === 'string' && value === value.trim() && value.length <= 80 && !/\p{Cc}/u.test(value)
      ? undefined
      : 'The name has at most 80 characters, and no spaces around it.',
  timeZone: (value) =>
    typeof value === 'string' && value.length <= 64 && isTimeZone(value)
      ? undefined
      : 'A time zone is an IANA name such as `Asia/Jakarta` or `UTC`.',
  ringSeconds: whole('Ringing takes', 5, 120),
  maxSeconds: whole('A call takes at most', 10, 86_400),
  accept: (value) => (typeof value === 'boolean' ? undefined : '`accept` is true or false.'),
  abuseThreshold: whole('The threshold is', 1, 1_000),
  recordingPolicy: policyProblem,
  retention: retentionProblem,
  downloadApproval: (value) =>
    typeof value === 'boolean' ? undefined : '`downloadApproval` is true or false.',
  reportAfterCall: (value) =>
    typeof value === 'boolean' ? undefined : '`reportAfterCall` is true or false.',
};
const names = Object.keys(checks) as readonly (keyof Settings)[];

/** `defaults`: of the installation, for what the tenant never set. */
export function createSettings(
  context: Context,
  defaults: Settings = defaultSettings,
): Pick<Masking, 'getSettings' | 'updateSettings' | 'decisionSecret'> {
  const { database, vault } = context;

  async function getSettings(tenant: string): Promise<Settings> {
    const stored = await readSettings(database, tenant);
    if (stored === undefined) throw notFound('tenant');
    return settingsOf(stored, defaults);
  }

  return {
    getSettings,
    async updateSettings(tenant, change) {
      await database.transaction(async (inside) => {
        if (!(await lockTenant(inside, tenant))) throw notFound('tenant');
        const before = (await readSettings(inside, tenant)) ?? {};
        const checked = checkSettings(wholeParts(change, settingsOf(before, defaults)));
        const fields = Object.keys(checked).filter(
          (name) => !isDeepStrictEqual(before[name], Reflect.get(checked, name)),
        );
        if (fields.length === 0) return;
        await writeSettings(inside, tenant, checked);
        await noteChange(inside, {
          tenant,
          kind: 'settings.changed',
          actor: currentActor(),
          subject: undefined,
          data: { fields },
        });
      });
      return getSettings(tenant);
    },
    async decisionSecret(tenant) {
      const keys = await vault.unlock(tenant);
      return `whsec_${keys.token('decision-webhook', tenant).toString('base64')}`;
    },
  };
}

/** What is stored, where it is usable, else the default: a decision never fails over a setting. */
export function settingsOf(stored: Readonly<Record<string, unknown>>, defaults: Settings): Settings {
  const usable = names.filter(
    (name) => stored[name] !== undefined && checks[name](stored[name]) === undefined,
  );
  return { ...defaults, ...Object.fromEntries(usable.map((name) => [name, stored[name]])) };
}

/** Settings with parts, as they will be: what the change leaves out of them stays. */
function wholeParts(change: SettingsChange, now: Settings): Partial<Settings> {
  const { recordingPolicy, retention, ...rest } = change;
  return {
    ...rest,
    ...(recordingPolicy === undefined
      ? {}
      : { recordingPolicy: merged(now.recordingPolicy, recordingPolicy) as Settings['recordingPolicy'] }),
    ...(retention === undefined
      ? {}
      : { retention: merged(now.retention, retention) as Settings['retention'] }),
  };
}

/** Null takes a part away. What is no object is left for the check to refuse. */
function merged(now: object, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change;
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const parts = Object.entries({ ...now, ...Object.fromEntries(given) });
  return Object.fromEntries(parts.filter(([, value]) => value !== null));
}

function checkSettings(change: Partial<Settings>): Partial<Settings> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const known = names.find((one) => one === name);
    if (known === undefined) {
      // Anything may stand in place of a name: only words are repeated.
      throw invalid(`Settings are ${names.join(', ')}.`, /^[a-z]{1,40}$/i.test(name) ? `/${name}` : '');
    }
    const problem = checks[known](value);
    if (problem !== undefined) throw invalid(problem, `/${name}`);
  }
  return Object.fromEntries(given);
}

function whole(what: string, least: number, most: number): (value: unknown) => string | undefined {
  return (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `${what} a whole number from ${least.toLocaleString('en')} to ${most.toLocaleString('en')}.`;
}
