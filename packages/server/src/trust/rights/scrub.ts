/** Takes the others of a session out of free text: integrators and operators write what they like into it. */
import { openPhone } from '../../masking/parties/party-keys.ts';
import type { SubjectOtherRow } from '../../store/queries/subject-data.ts';
import type { TenantVault } from '../../vault/types.ts';

export interface Scrubber {
  text(session: string, text: string): string;
  json(session: string, value: unknown): unknown;
}

interface Secrets {
  /** The last eight digits of each number: enough to know it in whatever form it was written. */
  readonly tails: readonly string[];
  readonly names: readonly string[];
}

const hidden = '•••';
/** Digits of any script, with what people put between them. */
const digitRun = /\p{Nd}(?:[\s().\-/_·]*\p{Nd}){6,}/gu;

export function createScrubber(keys: TenantVault, others: readonly SubjectOtherRow[]): Scrubber {
  const rows = Map.groupBy(others, (row) => row.session);
  const known = new Map<string, Secrets>();

  function secretsOf(session: string): Secrets {
    let secrets = known.get(session);
    if (secrets === undefined) {
      const mine = rows.get(session) ?? [];
      secrets = {
        tails: mine.flatMap((row) => {
          const e164 = row.party === null ? undefined : openPhone(keys, { ...row, party: row.party });
          return e164 === undefined ? [] : [e164.slice(-8)];
        }),
        names: mine.flatMap((row) => {
          const name = openName(keys, {
            ...row,
            party_key: row.name_key,
            wrapped: row.name_wrapped,
            tenant_key_version: row.name_version,
          });
          // A single letter would take half of the text with it.
          return name === undefined || name.trim().length < 2 ? [] : [name.trim().normalize('NFKC')];
        }),
      };
      known.set(session, secrets);
    }
    return secrets;
  }

  function text(session: string, given: string): string {
    const { tails, names } = secretsOf(session);
    if (tails.length + names.length === 0) return given;
    let clean = given.replace(digitRun, (run) => {
      const digits = decimal(run);
      return tails.some((tail) => digits.includes(tail)) ? hidden : run;
    });
    for (const name of names) {
      // Compared as it reads; replaced only where it stands, so that other text stays as it was.
      if (!clean.normalize('NFKC').toLowerCase().includes(name.toLowerCase())) continue;
      clean = clean.normalize('NFKC').replace(new RegExp(escaped(name), 'giu'), hidden);
    }
    return clean;
  }

  function json(session: string, value: unknown): unknown {
    if (typeof value === 'string') return text(session, value);
    if (typeof value === 'number') {
      const shown = String(value);
      const clean = text(session, shown);
      return clean === shown ? value : clean;
    }
    if (Array.isArray(value)) return value.map((each) => json(session, each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [text(session, name), json(session, each)]),
    );
  }

  return { text, json };
}

/** Digits of whatever script as ASCII ones. */
function decimal(run: string): string {
  let digits = '';
  for (const character of run.normalize('NFKC')) {
    if (!/\p{Nd}/u.test(character)) continue;
    digits += character >= '0' && character <= '9' ? character : digitValue(character);
  }
  return digits;
}

/** Unicode gives each script's ten digits code points in a row. */
function digitValue(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let zero = code;
  while (zero > code - 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Undefined when there is none, or when its key was destroyed. */
export function openName(
  keys: TenantVault,
  row: {
    readonly participant: string;
    readonly name: Buffer | null;
    readonly name_party: string | null;
    readonly party_key: string | null;
    readonly wrapped: Buffer | null;
    readonly tenant_key_version: number | null;
  },
): string | undefined {
  const { name, name_party: party, party_key: partyKey, wrapped, tenant_key_version: version } = row;
  if (name === null || party === null || partyKey === null || wrapped === null || version === null)
    return undefined;
  const cipher = keys.openPartyKey(party, { partyKey, wrapped, tenantKeyVersion: version });
  return cipher.decrypt(name, {
    tenant: keys.tenant,
    table: 'participants',
    column: 'name',
    row: row.participant,
  });
}
