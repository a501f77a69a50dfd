/** Passkeys of one's own. */
import { browserSupportsWebAuthn, startRegistration } from '@simplewebauthn/browser';
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, ConfirmDialog, ErrorBox, Field } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMe } from '../../identity.ts';
import type { Passkey, User } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { isPasskeyFailure } from '../login/refused.ts';
import { useOwnUser } from './use-own-user.ts';

type Options = Parameters<typeof startRegistration>[0]['optionsJSON'];

export function Passkeys() {
  const words = useWords().profile;
  const format = useFormat();
  const { user } = useMe();
  const [removing, setRemoving] = useState<Passkey>();
  return (
    <Card title={words.passkeysTitle}>
      <p className="muted">{words.passkeysHint}</p>
      {user.passkeys.length === 0 ? (
        <p>{words.noPasskeys}</p>
      ) : (
        <ul className="plain-list">
          {user.passkeys.map((passkey) => (
            <li key={passkey.id} className="row spread">
              <span>
                <strong>{passkey.name}</strong>{' '}
                <span className="muted">
                  {words.added(format.date(passkey.createdAt))},{' '}
                  {passkey.lastUsedAt ? words.used(format.dateTime(passkey.lastUsedAt)) : words.neverUsed}
                </span>
              </span>
              <Button
                look="quiet"
                className="small"
                aria-label={words.removePasskey(passkey.name)}
                onClick={() => setRemoving(passkey)}
              >
                {words.remove}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {browserSupportsWebAuthn() ? <Add /> : <p className="muted">{words.unsupported}</p>}
      {removing && <Remove passkey={removing} onClose={() => setRemoving(undefined)} />}
    </Card>
  );
}

function Add() {
  const words = useWords().profile;
  const keep = useOwnUser();
  const [name, setName] = useState('');
  const add = useMutation({
    mutationFn: async () => {
      const asked = await api.post<{ readonly ticket: string; readonly options: Options }>(
        '/v1/auth/passkeys/options',
      );
      const response = await startRegistration({ optionsJSON: asked.options });
      return api.post<User>('/v1/auth/passkeys', { ticket: asked.ticket, name: name.trim(), response });
    },
    onSuccess: (user) => {
      keep(user);
      setName('');
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    add.mutate();
  };
  const device = isPasskeyFailure(add.error);
  return (
    <form className="stack" onSubmit={submit}>
      <Field
        label={words.passkeyName}
        hint={words.passkeyNameHint}
        required
        maxLength={100}
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      {device ? (
        <div className="error-box" role="alert">
          {words.passkeyFailed}
        </div>
      ) : (
        <ErrorBox error={add.error} />
      )}
      <div className="row end">
        <Button type="submit" look="primary" busy={add.isPending} disabled={name.trim() === ''}>
          {words.addPasskey}
        </Button>
      </div>
    </form>
  );
}

function Remove({ passkey, onClose }: { readonly passkey: Passkey; readonly onClose: () => void }) {
  const words = useWords().profile;
  const keep = useOwnUser();
  const remove = useMutation({
    mutationFn: () => api.remove<User>(at`/v1/auth/passkeys/${passkey.id}`),
    onSuccess: (user) => {
      keep(user);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={words.removePasskeyTitle}
      action={words.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {words.removePasskeyHint(passkey.name)}
    </ConfirmDialog>
  );
}
