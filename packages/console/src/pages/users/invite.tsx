import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, isProblem } from '../../api.ts';
import { Button, Dialog, ErrorBox, Field, Select } from '../../components/index.ts';
import { usePreferences } from '../../preferences.tsx';
import { languages } from '../../shell/account.tsx';
import { type Locale, type Role, roles } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import type { Invited } from './link.tsx';

export function InviteDialog(props: {
  readonly onClose: () => void;
  readonly onInvited: (invited: Invited) => void;
}) {
  const { onClose, onInvited } = props;
  const { users: words, common } = useWords();
  const client = useQueryClient();
  const preferences = usePreferences();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('operator');
  const [locale, setLocale] = useState<Locale>(preferences.locale);
  const invite = useMutation({
    mutationFn: () =>
      api.post<Invited>('/v1/users', { name: name.trim(), email: email.trim(), role, locale }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ['users'] });
      onInvited(made);
    },
  });
  const problem = isProblem(invite.error) ? invite.error : undefined;
  const taken = problem?.code === 'user-taken' ? words.taken : undefined;
  const emailFault = taken ?? problem?.at('/email');
  const nameFault = problem?.at('/name');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  return (
    <Dialog title={words.inviteTitle} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.name}
          required
          autoFocus
          maxLength={100}
          fault={nameFault}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Field
          label={words.email}
          type="email"
          required
          maxLength={254}
          fault={emailFault}
          value={email}
          onChange={({ target }) => setEmail(target.value)}
        />
        <Select
          label={words.role}
          hint={words.rolesAbout[role]}
          choices={roles.map((value) => ({ value, label: common.roles[value] }))}
          value={role}
          onChoose={setRole}
        />
        <Select label={words.language} choices={languages} value={locale} onChoose={setLocale} />
        {!emailFault && !nameFault && <ErrorBox error={invite.error} />}
        <div className="row end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" look="primary" busy={invite.isPending}>
            {words.send}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
