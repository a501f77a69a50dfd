/** What happens to an answer of the log-in: in, and on to where one wanted to be; or a second step. */
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { entered } from '../../identity.ts';
import { usePreferences } from '../../preferences.tsx';
import { comeBack } from '../../shell/come-back.ts';
import type { LoginAnswer } from '../../types.ts';

export function useLogin(next: string | undefined) {
  const client = useQueryClient();
  const router = useRouter();
  const { change } = usePreferences();
  const [second, setSecond] = useState<Extract<LoginAnswer, { readonly status: 'second-factor' }>>();
  async function enter(answer: LoginAnswer): Promise<void> {
    if (answer.status === 'second-factor') {
      setSecond(answer);
      return;
    }
    change({ locale: answer.user.locale });
    await entered(client, answer.csrf);
    comeBack(router, next);
  }
  return { second, enter: (answer: LoginAnswer) => void enter(answer), again: () => setSecond(undefined) };
}
