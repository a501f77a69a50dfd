import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import {
  Button,
  Checkbox,
  ConfirmDialog,
  Dialog,
  ErrorBox,
  Field,
  Select,
  useToast,
} from '../../components/index.ts';
import { type Role, roles, type User } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import type { Invited } from './link.tsx';

interface Props {
  readonly user: User;
  readonly onClose: () => void;
  readonly onInvited: (invited: Invited) => void;
}

export function EditDialog({ user, onClose, onInvited }: Props) {
  const { users: words, common } = useWords();
  const [name, setName] = useState(user.name);
  const [role, setRole] = useState<Role>(user.role);
  const [asking, setAsking] = useState<'disable' | 'link'>();
  const save = useChange(user, onClose);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate({ name: name.trim(), ...(role === user.role ? {} : { role }) });
  };
  if (asking === 'link') return <NewLinkDialog {...{ user, onInvited, onClose }} />;
  if (asking === 'disable') return <DisableDialog user={user} onClose={onClose} />;
  return (
    <Dialog title={words.edit(user.name)} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.name}
          required
          maxLength={100}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Field label={words.email} readOnly value={user.email} />
        <Select
          label={words.role}
          hint={
            <>
              {words.rolesAbout[role]} {role !== user.role && words.roleHint}
            </>
          }
          choices={roles.map((value) => ({ value, label: common.roles[value] }))}
          value={role}
          onChoose={setRole}
        />
        <ChangeFault error={save.error} />
        <div className="row spread">
          <span className="row">
            {user.status === 'disabled' ? (
              <Button busy={save.isPending} onClick={() => save.mutate({ disabled: false })}>
                {words.enable}
              </Button>
            ) : (
              <>
                <Button onClick={() => setAsking('link')}>{words.newLink}</Button>
                <Button look="danger" onClick={() => setAsking('disable')}>
                  {words.disable}
                </Button>
              </>
            )}
          </span>
          <Button type="submit" look="primary" busy={save.isPending} disabled={name.trim() === ''}>
            {common.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function useChange(user: User, onDone: () => void) {
  const words = useWords().users;
  const client = useQueryClient();
  const tell = useToast();
  return useMutation({
    mutationFn: (change: { readonly name?: string; readonly role?: Role; readonly disabled?: boolean }) =>
      api.patch<User>(at`/v1/users/${user.id}`, change),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['users'] });
      tell(words.changed);
      onDone();
    },
  });
}

function ChangeFault({ error }: { readonly error: unknown }) {
  const words = useWords().users;
  if (!isProblem(error, 'last-admin')) return <ErrorBox error={error} />;
  return (
    <div className="error-box" role="alert">
      {words.lastAdmin}
    </div>
  );
}

function DisableDialog({ user, onClose }: Pick<Props, 'user' | 'onClose'>) {
  const words = useWords().users;
  const change = useChange(user, onClose);
  return (
    <ConfirmDialog
      title={words.disableTitle(user.name)}
      action={words.disable}
      danger
      busy={change.isPending}
      onConfirm={() => change.mutate({ disabled: true })}
      onClose={onClose}
    >
      <p>{words.disableHint}</p>
      <ChangeFault error={change.error} />
    </ConfirmDialog>
  );
}

function NewLinkDialog({ user, onClose, onInvited }: Props) {
  const words = useWords().users;
  const client = useQueryClient();
  const [secondFactor, setSecondFactor] = useState(false);
  const has = user.totp || user.passkeys.length > 0;
  const invite = useMutation({
    mutationFn: () =>
      api.post<Invited>(at`/v1/users/${user.id}/invitation`, secondFactor ? { secondFactor: true } : {}),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['users'] });
      onInvited(made);
    },
  });
  return (
    <ConfirmDialog
      title={words.newLinkTitle(user.name)}
      action={words.send}
      busy={invite.isPending}
      error={invite.error}
      onConfirm={() => invite.mutate()}
      onClose={onClose}
    >
      <p>{words.newLinkHint}</p>
      {has && (
        <Checkbox
          label={words.resetFactor}
          checked={secondFactor}
          onChange={({ target }) => setSecondFactor(target.checked)}
        />
      )}
    </ConfirmDialog>
  );
}
