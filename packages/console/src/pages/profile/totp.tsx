/** The authenticator app: a QR code, its first code, ten recovery codes. */
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, isProblem } from '../../api.ts';
import { Badge, Button, Card, CopyButton, Dialog, ErrorBox, Field } from '../../components/index.ts';
import { useMe } from '../../identity.ts';
import { useWords } from '../../words/index.tsx';
import { PasswordField } from '../login/password-field.tsx';
import { Refusal } from '../login/refusal.tsx';
import { QrCode } from './qr.tsx';
import { useOwnUser } from './use-own-user.ts';

interface Secret {
  readonly secret: string;
  readonly uri: string;
}

export function Totp() {
  const { profile: words, common } = useWords();
  const { user } = useMe();
  const [secret, setSecret] = useState<Secret>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [removing, setRemoving] = useState(false);
  const begin = useMutation({
    mutationFn: () => api.post<Secret>('/v1/auth/totp'),
    onSuccess: setSecret,
  });
  return (
    <Card title={words.totpTitle}>
      <p>
        <Badge tone={user.totp ? 'good' : 'warn'}>{user.totp ? common.yes : common.no}</Badge>{' '}
        {user.totp ? words.totpOn : words.totpOff}
      </p>
      <ErrorBox error={begin.error} />
      {secret && !user.totp && (
        <Confirm
          secret={secret}
          onCodes={(made) => {
            setSecret(undefined);
            setCodes(made);
          }}
        />
      )}
      <div className="row end">
        {user.totp ? (
          <Button look="danger" onClick={() => setRemoving(true)}>
            {words.totpRemove}
          </Button>
        ) : (
          !secret && (
            <Button look="primary" busy={begin.isPending} onClick={() => begin.mutate()}>
              {words.totpBegin}
            </Button>
          )
        )}
      </div>
      {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} />}
      {removing && <Remove onClose={() => setRemoving(false)} />}
    </Card>
  );
}

function Confirm(props: { readonly secret: Secret; readonly onCodes: (codes: readonly string[]) => void }) {
  const { secret, onCodes } = props;
  const words = useWords().profile;
  const keep = useOwnUser();
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () =>
      api.post<{ readonly recoveryCodes: readonly string[] }>('/v1/auth/totp/confirm', {
        code: code.replaceAll(/\s/g, ''),
      }),
    onSuccess: ({ recoveryCodes }) => {
      keep((user) => ({ ...user, totp: true }));
      onCodes(recoveryCodes);
    },
    onError: () => setCode(''),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <p>{words.totpScan}</p>
      <QrCode text={secret.uri} label={words.qr} />
      <p>
        {words.secret}: <code className="breakable">{secret.secret}</code>{' '}
        <CopyButton text={secret.secret} label={words.secret} />
      </p>
      <Field
        label={words.code}
        autoComplete="one-time-code"
        inputMode="numeric"
        pattern="[0-9 ]{6,8}"
        required
        value={code}
        onChange={({ target }) => setCode(target.value)}
      />
      <ErrorBox error={confirm.error} />
      <div className="row end">
        <Button type="submit" look="primary" busy={confirm.isPending}>
          {words.totpConfirm}
        </Button>
      </div>
    </form>
  );
}

function RecoveryCodes(props: { readonly codes: readonly string[]; readonly onClose: () => void }) {
  const { codes, onClose } = props;
  const words = useWords().profile;
  return (
    <Dialog title={words.recoveryTitle} onClose={onClose}>
      <div className="stack">
        <p>{words.recoveryHint}</p>
        <pre>{codes.join('\n')}</pre>
        <div className="row end">
          <CopyButton text={codes.join('\n')} label={words.recoveryTitle} />
          <Button look="primary" onClick={onClose}>
            {words.recoveryKept}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Remove({ onClose }: { readonly onClose: () => void }) {
  const { profile: words, common } = useWords();
  const keep = useOwnUser();
  const [password, setPassword] = useState('');
  const remove = useMutation({
    mutationFn: () => api.remove('/v1/auth/totp', { body: { password } }),
    onSuccess: () => {
      keep((user) => ({ ...user, totp: false }));
      onClose();
    },
  });
  const wrong = isProblem(remove.error, 'wrong-credentials') ? words.wrongPassword : undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    remove.mutate();
  };
  return (
    <Dialog title={words.totpRemoveTitle} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p>{words.totpRemoveHint}</p>
        <PasswordField
          label={words.present}
          autoComplete="current-password"
          autoFocus
          fault={wrong}
          value={password}
          onValue={setPassword}
        />
        {!wrong && <Refusal error={remove.error} />}
        <div className="row end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" look="danger" busy={remove.isPending}>
            {words.totpRemove}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
