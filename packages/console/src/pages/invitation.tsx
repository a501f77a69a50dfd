/** What the link of an invitation opens: the first password, or a new one. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type SubmitEvent, useEffect, useState } from 'react';
import { api, isProblem } from '../api.ts';
import { Button, Card, ErrorBox, Field, Loading, Page } from '../components/index.ts';
import { LookSwitches } from '../shell/account.tsx';
import type { LoginAnswer } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { PasswordField } from './login/password-field.tsx';
import { Refusal } from './login/refusal.tsx';
import { SecondFactor } from './login/second-factor.tsx';
import { useLogin } from './login/use-login.ts';

interface Invitation {
  readonly email: string;
  readonly name: string;
}

export function InvitationPage() {
  const words = useWords().invitation;
  const [token] = useState(() => window.location.hash.replace(/^#/, ''));
  // The token goes out of the address, and so out of the history.
  useEffect(() => window.history.replaceState(window.history.state, '', window.location.pathname), []);
  const { second, enter, again } = useLogin(undefined);
  const invitation = useQuery({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) =>
      api.get<Invitation>(
        '/v1/auth/invitation',
        {},
        { signal, anonymous: true, headers: { 'x-invitation': token } },
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const invalid = isProblem(invitation.error, 'link-invalid');
  return (
    <main className="alone">
      <Page title={invalid ? words.invalidTitle : words.title}>
        {invitation.isLoading && <Loading />}
        {invalid ? (
          <Card>
            <p>{words.invalid}</p>
            <Link to="/login">{words.toLogin}</Link>
          </Card>
        ) : (
          <ErrorBox error={invitation.error} onRetry={() => void invitation.refetch()} />
        )}
        {second ? (
          <SecondFactor ticket={second.ticket} methods={second.methods} onAnswer={enter} onAgain={again} />
        ) : (
          invitation.data && <Accept token={token} invitation={invitation.data} onAnswer={enter} />
        )}
        <LookSwitches />
      </Page>
    </main>
  );
}

function Accept(props: {
  readonly token: string;
  readonly invitation: Invitation;
  readonly onAnswer: (answer: LoginAnswer) => void;
}) {
  const { token, invitation, onAnswer } = props;
  const { invitation: words, login } = useWords();
  const [password, setPassword] = useState('');
  const accept = useMutation({
    mutationFn: () => api.post<LoginAnswer>('/v1/auth/invitation', { token, password }, { anonymous: true }),
    onSuccess: onAnswer,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    accept.mutate();
  };
  return (
    <Card>
      <p>{words.hello(invitation.name)}</p>
      <Refusal error={accept.error} />
      <form className="stack" onSubmit={submit}>
        <Field label={login.email} type="email" autoComplete="username" readOnly value={invitation.email} />
        <PasswordField
          label={words.password}
          hint={words.passwordHint}
          autoComplete="new-password"
          autoFocus
          value={password}
          onValue={setPassword}
        />
        <Button type="submit" look="primary" busy={accept.isPending}>
          {words.go}
        </Button>
      </form>
    </Card>
  );
}
