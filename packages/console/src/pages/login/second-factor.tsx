/** The second step of a log-in: a code of the app, a recovery code, or a passkey. */
import { startAuthentication } from '@simplewebauthn/browser';
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button, Card, Field } from '../../components/index.ts';
import type { LoginAnswer, SecondFactorMethod } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { Refusal } from './refusal.tsx';

type Options = Parameters<typeof startAuthentication>[0]['optionsJSON'];

/** With a ticket: as second factor. Without: instead of a password. */
export async function passkeyLogin(ticket?: string): Promise<LoginAnswer> {
  const anonymous = { anonymous: true };
  const asked = await api.post<{ readonly ticket: string; readonly options: Options }>(
    '/v1/auth/passkey/options',
    ticket === undefined ? {} : { ticket },
    anonymous,
  );
  const response = await startAuthentication({ optionsJSON: asked.options });
  return api.post('/v1/auth/passkey', { ticket: asked.ticket, response }, anonymous);
}

export function SecondFactor(props: {
  readonly ticket: string;
  readonly methods: readonly SecondFactorMethod[];
  readonly onAnswer: (answer: LoginAnswer) => void;
  readonly onAgain: () => void;
}) {
  const { ticket, methods, onAnswer, onAgain } = props;
  const words = useWords().login;
  const typed = methods.filter((method) => method !== 'passkey');
  const [method, setMethod] = useState(typed[0]);
  const [code, setCode] = useState('');
  const prove = useMutation({
    mutationFn: () =>
      api.post<LoginAnswer>(
        '/v1/auth/second-factor',
        { ticket, ...(method === 'totp' ? { totp: code.replaceAll(/\s/g, '') } : { recoveryCode: code }) },
        { anonymous: true },
      ),
    onSuccess: onAnswer,
    onError: () => setCode(''),
  });
  const passkey = useMutation({ mutationFn: () => passkeyLogin(ticket), onSuccess: onAnswer });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    passkey.reset();
    prove.mutate();
  };
  const change = (next: 'totp' | 'recovery-code') => {
    setMethod(next);
    setCode('');
    prove.reset();
  };
  return (
    <Card title={words.secondTitle}>
      <p>{words.secondHint}</p>
      <Refusal error={prove.error ?? passkey.error} />
      {methods.includes('passkey') && (
        <Button
          look={typed.length === 0 ? 'primary' : 'plain'}
          busy={passkey.isPending}
          onClick={() => {
            prove.reset();
            passkey.mutate();
          }}
        >
          {words.usePasskey}
        </Button>
      )}
      {method !== undefined && (
        <form className="stack" onSubmit={submit}>
          {method === 'totp' ? (
            <Field
              key="totp"
              label={words.code}
              hint={words.codeHint}
              autoComplete="one-time-code"
              inputMode="numeric"
              pattern="[0-9 ]{6,8}"
              required
              autoFocus
              value={code}
              onChange={({ target }) => setCode(target.value)}
            />
          ) : (
            <Field
              key="recovery"
              label={words.recovery}
              hint={words.recoveryHint}
              required
              autoFocus
              maxLength={40}
              spellCheck={false}
              value={code}
              onChange={({ target }) => setCode(target.value)}
            />
          )}
          <Button type="submit" look="primary" busy={prove.isPending}>
            {words.continue}
          </Button>
        </form>
      )}
      <div className="row spread">
        {method === 'totp' && methods.includes('recovery-code') && (
          <Button look="quiet" onClick={() => change('recovery-code')}>
            {words.useRecovery}
          </Button>
        )}
        {method === 'recovery-code' && methods.includes('totp') && (
          <Button look="quiet" onClick={() => change('totp')}>
            {words.useCode}
          </Button>
        )}
        <Button look="quiet" onClick={onAgain}>
          {words.again}
        </Button>
      </div>
    </Card>
  );
}
