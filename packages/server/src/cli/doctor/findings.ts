/** One thing that `samar doctor` looked at. */
export interface Finding {
  /** `warn`: works, but not as well or as safely as it could. `problem`: keeps Samar from starting or from its promises. */
  readonly level: 'ok' | 'warn' | 'problem';
  /** What was looked at, in a word or two. */
  readonly about: string;
  /** The whole sentence: `disk: 900 MB free`. */
  readonly what: string;
  /** What to do; there for everything that is not `ok`. */
  readonly advice?: string;
}

export function ok(about: string, words: string): Finding {
  return { level: 'ok', about, what: `${about}: ${words}` };
}

export function warning(about: string, words: string, advice: string): Finding {
  return { level: 'warn', about, what: `${about}: ${words}`, advice };
}

export function problem(about: string, words: string, advice: string): Finding {
  return { level: 'problem', about, what: `${about}: ${words}`, advice };
}

/** `ENOENT` and the like; never the message, which may quote what it is about. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'unknown error';
}

export async function attempt<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
