import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, isProblem } from '../../api.ts';
import { Button, Checkbox, Dialog, ErrorBox, Field, TimeField } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { type ApiKey, type Scope, scopes } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export type CreatedKey = ApiKey & { readonly secret: string };

/** `admin` doesn't include these. */
const people: readonly Scope[] = [
  'recordings:listen',
  'recordings:download',
  'recordings:approve',
  'privacy:write',
  'pii:reveal',
];
const groups = [
  ['read', scopes.filter((scope) => scope.endsWith(':read'))],
  ['write', scopes.filter((scope) => scope.endsWith(':write') && !people.includes(scope))],
  ['people', people],
  ['all', ['admin']],
] as const satisfies readonly (readonly [string, readonly Scope[]])[];

export function CreateDialog(props: {
  readonly onClose: () => void;
  readonly onCreated: (key: CreatedKey) => void;
}) {
  const { onClose, onCreated } = props;
  const { keys: words, common } = useWords();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<Scope>>(new Set());
  const format = useFormat();
  const [expires, setExpires] = useState('');
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () =>
      api.post<CreatedKey>('/v1/keys', {
        name: name.trim(),
        scopes: scopes.filter((scope) => chosen.has(scope)),
        ...(expires === '' ? {} : { expiresAt: format.instant(expires) }),
      }),
    onSuccess: (key) => {
      void client.invalidateQueries({ queryKey: ['keys'] });
      onCreated(key);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (chosen.size > 0 && name.trim() !== '') create.mutate();
  };
  const toggle = (scope: Scope) => {
    const next = new Set(chosen);
    if (!next.delete(scope)) next.add(scope);
    setChosen(next);
  };
  const expiresFault = isProblem(create.error) ? create.error.at('/expiresAt') : undefined;
  return (
    <Dialog title={words.createTitle} onClose={onClose} wide>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.name}
          hint={words.nameHint}
          fault={tried && name.trim() === '' ? words.nameMissing : undefined}
          required
          autoFocus
          maxLength={100}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <p className="muted">{words.scopesHint}</p>
        <div className="tiles">
          {groups.map(([group, members]) => (
            <fieldset key={group} className="stack">
              <legend>{words.groups[group]}</legend>
              {members.map((scope) => (
                <Checkbox
                  key={scope}
                  label={scope}
                  hint={scope === 'admin' ? words.adminHint : undefined}
                  checked={chosen.has(scope)}
                  onChange={() => toggle(scope)}
                />
              ))}
            </fieldset>
          ))}
        </div>
        {tried && chosen.size === 0 && (
          <div className="fault" role="alert">
            {words.pickOne}
          </div>
        )}
        <TimeField
          label={words.expires}
          hint={words.expiresHint}
          fault={expiresFault}
          value={expires}
          onType={setExpires}
        />
        {!expiresFault && <ErrorBox error={create.error} />}
        <div className="row end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            {words.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
