/** Between a session's terms as the API speaks of them and the columns that hold them. */
import type { SessionRow } from '../../store/queries/session-reading.ts';
import type { SessionRules } from '../program/types.ts';
import type { Session, SessionChange, SessionTerms } from '../service.ts';

/** The program that a session names, as its columns hold it. */
export interface NamedProgram {
  readonly program: string;
  readonly version: number | undefined;
}

/** Terms that only a decision reads stand together in `rules`. */
const ruleTerms = ['schedule', 'limits', 'whisper', 'accept', 'survey'] as const;

/** The name (or id) of a saved program that terms refer to, and the version if one is pinned. */
export function namedProgram(
  program: SessionTerms['program'] | null,
): { readonly name: string; readonly version: number | undefined } | undefined {
  if (program === undefined || program === null) return undefined;
  if (typeof program === 'string') return { name: program, version: undefined };
  return 'rules' in program ? undefined : program;
}

/** For `create_session` and `change_session`: what is there, null for what is taken away. */
export function termColumns(terms: SessionChange, named: NamedProgram | undefined): Record<string, unknown> {
  const columns: Record<string, unknown> = {};
  const set = (name: string, value: unknown) => {
    if (value !== undefined) columns[name] = value;
  };
  set('reference', terms.reference);
  set('expiresAt', terms.expiresAt?.toISOString());
  set('ttlSeconds', terms.expiresAt ? undefined : terms.ttlSeconds);
  set('idleSeconds', terms.idleSeconds);
  set('opensAt', terms.opensAt === null ? null : terms.opensAt?.toISOString());
  set('recording', terms.recording);
  set('metadata', terms.metadata);
  set('runningCalls', terms.ongoingCalls);
  set('afterClose', terms.afterClose);
  const rules: Record<string, unknown> = {};
  for (const name of ruleTerms) if (terms[name] !== undefined) rules[name] = terms[name];
  if (terms.program !== undefined) {
    const inline =
      typeof terms.program === 'object' && terms.program !== null && 'rules' in terms.program
        ? terms.program
        : null;
    rules['program'] = inline;
    columns['program'] = named?.program ?? null;
    columns['programVersion'] = named?.version ?? null;
  }
  if (Object.keys(rules).length > 0) columns['rules'] = rules;
  return columns;
}

/** The terms of a session as it is read. */
export function termsOf(
  row: SessionRow,
): Pick<Session, 'program' | 'schedule' | 'limits' | 'whisper' | 'accept' | 'survey' | 'afterClose'> {
  const rules = (row.rules ?? {}) as SessionRules;
  const program =
    row.program === null
      ? rules.program
      : row.program_version === null
        ? row.program
        : { name: row.program, version: row.program_version };
  return {
    ...(program === undefined ? {} : { program }),
    ...(rules.schedule === undefined ? {} : { schedule: rules.schedule }),
    ...(rules.limits === undefined ? {} : { limits: rules.limits }),
    ...(rules.whisper === undefined ? {} : { whisper: rules.whisper }),
    ...(rules.accept === undefined ? {} : { accept: rules.accept }),
    ...(rules.survey === undefined ? {} : { survey: rules.survey }),
    ...(row.after_close === null ? {} : { afterClose: row.after_close }),
  };
}
