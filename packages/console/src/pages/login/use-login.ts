/** What happens to an answer of the log-in: in, and on to where one wanted to be; or a second step. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { entered } from '../../identity.ts';
import { usePreferences } from '../../preferences.tsx';
import type { LoginAnswer } from '../../types.ts';

export function useLogin(next: string | undefined) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { change } = usePreferences();
  const [second, setSecond] = useState<Extract<LoginAnswer, { readonly status: 'second-factor' }>>();
  async function enter(answer: LoginAnswer): Promise<void> {
    if (answer.status === 'second-factor') {
      setSecond(answer);
      return;
    }
    change({ locale: answer.user.locale });
    await entered(client, answer.csrf);
    const { pathname, search, hash } = whereTo(next, window.location.origin);
    await navigate({ to: pathname, search, hash, replace: true });
  }
  return { second, enter: (answer: LoginAnswer) => void enter(answer), again: () => setSecond(undefined) };
}

/** Only a page of the console: a link to the log-in must not lead anywhere else. */
export function whereTo(next: string | undefined, origin: string) {
  const home = { pathname: '/', search: {}, hash: '' };
  if (next === undefined || !URL.canParse(next, origin)) return home;
  const url = new URL(next, origin);
  if (url.origin !== origin || !next.startsWith('/') || url.pathname.startsWith('/login')) return home;
  return {
    pathname: url.pathname,
    search: Object.fromEntries(url.searchParams),
    hash: url.hash.replace(/^#/, ''),
  };
}
