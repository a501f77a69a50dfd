/**
 * Every word that the console says, by page. English is the shape; the other languages must have each key, or the type
 * check fails. A language is loaded when it is first needed.
 */
import { useSuspenseQuery } from '@tanstack/react-query';
import { usePreferences } from '../preferences.tsx';
import type { Locale } from '../types.ts';
import type { en } from './en/index.ts';

export type Words = typeof en;

const load: Readonly<Record<Locale, () => Promise<Words>>> = {
  en: async () => (await import('./en/index.ts')).en,
  id: async () => (await import('./id/index.ts')).id,
};

export function useWords(): Words {
  const { locale } = usePreferences();
  return useSuspenseQuery({
    queryKey: ['words', locale],
    queryFn: () => load[locale](),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  }).data;
}
