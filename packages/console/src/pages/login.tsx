/** The log-in: password or passkey, then the second factor where there is one. */
import { browserSupportsWebAuthn } from '@simplewebauthn/browser';
import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { api } from '../api.ts';
import { Button, Card, Field, Page } from '../components/index.ts';
import { LookSwitches } from '../shell/account.tsx';
import type { LoginAnswer } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { PasswordField } from './login/password-field.tsx';
import { Refusal } from './login/refusal.tsx';
import { passkeyLogin, SecondFactor } from './login/second-factor.tsx';
import { useLogin } from './login/use-login.ts';

export function LoginPage() {
  const { login: words, common } = useWords();
  const search: { readonly next?: string; readonly ended?: string; readonly changed?: string } = useSearch({
    strict: false,
  });
  const { second, enter, again } = useLogin(search.next);
  const notice = search.changed ? words.changed : search.ended ? common.loggedOut : undefined;
  return (
    <main className="alone">
      <Page title={words.title}>
        {notice && !second && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        {second ? (
          <SecondFactor ticket={second.ticket} methods={second.methods} onAnswer={enter} onAgain={again} />
        ) : (
          <PasswordCard onAnswer={enter} />
        )}
        <p className="muted small">{words.forgotten}</p>
        <LookSwitches />
      </Page>
    </main>
  );
}

function PasswordCard({ onAnswer }: { readonly onAnswer: (answer: LoginAnswer) => void }) {
  const words = useWords().login;
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => api.post<LoginAnswer>('/v1/auth/login', { email, password }, { anonymous: true }),
    onSuccess: onAnswer,
    onError: () => setPassword(''),
  });
  const passkey = useMutation({ mutationFn: () => passkeyLogin(), onSuccess: onAnswer });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    passkey.reset();
    login.mutate();
  };
  return (
    <Card>
      <Refusal error={login.error ?? passkey.error} />
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.email}
          type="email"
          autoComplete="username"
          required
          autoFocus
          maxLength={254}
          value={email}
          onChange={({ target }) => setEmail(target.value)}
        />
        <PasswordField
          label={words.password}
          autoComplete="current-password"
          value={password}
          onValue={setPassword}
        />
        <Button type="submit" look="primary" busy={login.isPending}>
          {words.go}
        </Button>
      </form>
      {browserSupportsWebAuthn() && (
        <Button
          busy={passkey.isPending}
          onClick={() => {
            login.reset();
            passkey.mutate();
          }}
        >
          {words.passkey}
        </Button>
      )}
    </Card>
  );
}
