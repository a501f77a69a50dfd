/** What this person likes: language, theme, keys. Kept in this browser; the language also in their account. */
import { createContext, type ReactNode, use, useEffect, useMemo, useState } from 'react';
import type { Locale } from './types.ts';

export type Theme = 'system' | 'light' | 'dark';
export interface Preferences {
  readonly locale: Locale;
  readonly theme: Theme;
  /** Keys without a modifier (`/`, `g s`) can be in the way of speech input: they can be turned off. */
  readonly shortcuts: boolean;
}
interface Held extends Preferences {
  readonly change: (change: Partial<Preferences>) => void;
}

const place = 'samar.preferences';
const Context = createContext<Held | undefined>(undefined);

export function readPreferences(): Preferences {
  const fallback: Preferences = {
    locale: navigator.language.toLowerCase().startsWith('id') ? 'id' : 'en',
    theme: 'system',
    shortcuts: true,
  };
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return fallback;
    const { locale, theme, shortcuts } = kept as Partial<Record<keyof Preferences, unknown>>;
    return {
      locale: locale === 'en' || locale === 'id' ? locale : fallback.locale,
      theme: theme === 'light' || theme === 'dark' ? theme : 'system',
      shortcuts: shortcuts !== false,
    };
  } catch {
    return fallback;
  }
}

export function PreferencesProvider({ children }: { readonly children: ReactNode }) {
  const [preferences, setPreferences] = useState(readPreferences);
  useEffect(() => {
    const { dataset } = document.documentElement;
    document.documentElement.lang = preferences.locale;
    if (preferences.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = preferences.theme;
    try {
      localStorage.setItem(place, JSON.stringify(preferences));
    } catch {
      // A browser that keeps nothing: it holds for this visit.
    }
  }, [preferences]);
  const held = useMemo(
    () => ({
      ...preferences,
      change: (change: Partial<Preferences>) => setPreferences((before) => ({ ...before, ...change })),
    }),
    [preferences],
  );
  return <Context value={held}>{children}</Context>;
}

export function usePreferences(): Held {
  const held = use(Context);
  if (!held) throw new Error('outside of PreferencesProvider');
  return held;
}
