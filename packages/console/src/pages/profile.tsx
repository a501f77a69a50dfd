/** What people change of their own: name, language, password, authenticator app, passkeys. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { api, isProblem } from '../api.ts';
import { Button, Card, ErrorBox, Fact, Facts, Field, Page, Select, useToast } from '../components/index.ts';
import { forget, useMe } from '../identity.ts';
import { usePreferences } from '../preferences.tsx';
import { languages } from '../shell/account.tsx';
import type { Locale, User } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { PasswordField } from './login/password-field.tsx';
import { Refusal } from './login/refusal.tsx';
import { Passkeys } from './profile/passkeys.tsx';
import { Totp } from './profile/totp.tsx';
import { useOwnUser } from './profile/use-own-user.ts';

export function ProfilePage() {
  const words = useWords().profile;
  return (
    <Page title={words.title}>
      <div className="tiles wide">
        <You />
        <Password />
        <Totp />
        <Passkeys />
      </div>
    </Page>
  );
}

function You() {
  const { profile: words, common } = useWords();
  const me = useMe();
  const keep = useOwnUser();
  const tell = useToast();
  const preferences = usePreferences();
  const [name, setName] = useState(me.user.name);
  const [locale, setLocale] = useState<Locale>(me.user.locale);
  const save = useMutation({
    mutationFn: () => api.patch<User>('/v1/auth/me', { name: name.trim(), locale }),
    onSuccess: (user) => {
      keep(user);
      preferences.change({ locale: user.locale });
      tell(common.saved);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Card title={words.you}>
      <Facts>
        <Fact name={words.email}>{me.user.email}</Fact>
        <Fact name={words.role}>{common.roles[me.role]}</Fact>
      </Facts>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.name}
          required
          maxLength={100}
          autoComplete="name"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Select label={words.language} choices={languages} value={locale} onChoose={setLocale} />
        <ErrorBox error={save.error} />
        <div className="row end">
          <Button type="submit" look="primary" busy={save.isPending} disabled={name.trim() === ''}>
            {common.save}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Password() {
  const { profile: words, invitation } = useWords();
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [present, setPresent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => api.post('/v1/auth/password', { present, next }),
    onSuccess: async () => {
      await navigate({ to: '/login', search: { changed: '1' }, replace: true });
      forget(client);
    },
  });
  const wrong = isProblem(change.error, 'wrong-credentials') ? words.wrongPassword : undefined;
  const weak = isProblem(change.error, 'weak-password') ? invitation.weak : undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Card title={words.passwordTitle}>
      <p className="muted">{words.changeHint}</p>
      <form className="stack" onSubmit={submit}>
        {/* For password managers: whose password it is. */}
        <input
          className="unseen"
          tabIndex={-1}
          aria-hidden
          autoComplete="username"
          readOnly
          value={me.user.email}
        />
        <PasswordField
          label={words.present}
          autoComplete="current-password"
          fault={wrong}
          value={present}
          onValue={setPresent}
        />
        <PasswordField
          label={words.next}
          hint={invitation.passwordHint}
          autoComplete="new-password"
          fault={weak}
          value={next}
          onValue={setNext}
        />
        {!wrong && !weak && <Refusal error={change.error} />}
        <div className="row end">
          <Button type="submit" look="primary" busy={change.isPending}>
            {words.change}
          </Button>
        </div>
      </form>
    </Card>
  );
}
