/** One thing that `samar doctor` looked at. `remedy` says what to do, in a sentence, wherever status is not `ok`. */
export type Finding =
  | { readonly status: 'ok'; readonly what: string; readonly words: string }
  | {
      readonly status: 'warning' | 'problem';
      readonly what: string;
      readonly words: string;
      readonly remedy: string;
    };

export function ok(what: string, words: string): Finding {
  return { status: 'ok', what, words };
}

/** Works, but not as well or as safely as it could. */
export function warning(what: string, words: string, remedy: string): Finding {
  return { status: 'warning', what, words, remedy };
}

/** Keeps Samar from starting, from taking calls, or from keeping its promises. */
export function problem(what: string, words: string, remedy: string): Finding {
  return { status: 'problem', what, words, remedy };
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
