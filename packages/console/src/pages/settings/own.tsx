/** The business's own numbers that programs forward to, and the secret of its decision webhook. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import {
  Button,
  Card,
  ConfirmDialog,
  CopyButton,
  Empty,
  ErrorBox,
  Field,
  Phone,
  Table,
} from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import type { ListOf } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

interface Destination {
  readonly name: string;
  /** Masked. */
  readonly phone: string;
}

export function Destinations() {
  const words = useWords().settings;
  const common = useWords().common;
  const may = useMay();
  const [removing, setRemoving] = useState<string>();
  const found = useQuery({
    queryKey: ['programs', 'destinations'],
    queryFn: ({ signal }) => api.get<ListOf<Destination>>('/v1/destinations', {}, { signal }),
  });
  const items = found.data?.items ?? [];
  const mayWrite = may('settings:write');
  return (
    <Card title={words.destinations}>
      <p className="muted">{words.destinationsHint}</p>
      <ErrorBox error={found.error} onRetry={() => void found.refetch()} />
      {items.length === 0 && !found.error && <Empty>{words.noDestinations}</Empty>}
      {items.length > 0 && (
        <Table
          label={words.destinations}
          rows={items}
          idOf={({ name }) => name}
          columns={[
            { key: 'name', head: words.name, cell: ({ name }) => name },
            { key: 'phone', head: words.phone, grow: true, cell: ({ phone }) => <Phone number={phone} /> },
            ...(mayWrite
              ? [
                  {
                    key: 'actions',
                    head: common.actions,
                    cell: ({ name }: Destination) => (
                      <Button
                        look="quiet"
                        className="small"
                        aria-label={`${words.remove}: ${name}`}
                        onClick={() => setRemoving(name)}
                      >
                        {words.remove}
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      {mayWrite && <DestinationForm />}
      {removing !== undefined && <RemoveDestination name={removing} onClose={() => setRemoving(undefined)} />}
    </Card>
  );
}

function DestinationForm() {
  const words = useWords().settings;
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [phone, setPhone] = useState('');
  const set = useMutation({
    gcTime: 0,
    mutationFn: (number: string) =>
      api.put<Destination>(at`/v1/destinations/${name.trim()}`, { phone: number }),
    onSuccess: async () => {
      setName('');
      await client.invalidateQueries({ queryKey: ['programs', 'destinations'] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    set.mutate(phone.replaceAll(/[\s().-]/g, ''));
    setPhone('');
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="fields">
        <Field
          label={words.name}
          hint={words.nameHint}
          required
          maxLength={63}
          pattern="[A-Za-z][A-Za-z0-9_\-]*"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Field
          label={words.phone}
          hint={words.phoneHint}
          fault={isProblem(set.error) ? set.error.at('/phone') : undefined}
          type="password"
          inputMode="tel"
          data-1p-ignore
          data-lpignore="true"
          required
          maxLength={40}
          value={phone}
          onChange={({ target }) => setPhone(target.value)}
        />
      </div>
      <div className="row">
        <Button type="submit" busy={set.isPending}>
          {words.set}
        </Button>
      </div>
      <ErrorBox error={set.error} />
    </form>
  );
}

function RemoveDestination({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const words = useWords().settings;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.remove(at`/v1/destinations/${name}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['programs', 'destinations'] });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`${words.remove}: ${name}`}
      action={words.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {words.removeHint}
    </ConfirmDialog>
  );
}

export function DecisionSecret() {
  const words = useWords().settings;
  const read = useMutation({
    gcTime: 0,
    mutationFn: () => api.get<{ secret: string }>('/v1/settings/decision-secret'),
  });
  return (
    <Card
      title={words.decisions}
      actions={
        read.data ? (
          <Button onClick={read.reset}>{words.hideSecret}</Button>
        ) : (
          <Button busy={read.isPending} onClick={() => read.mutate()}>
            {words.showSecret}
          </Button>
        )
      }
    >
      <p className="muted">{words.decisionsHint}</p>
      <ErrorBox error={read.error} />
      {read.data && (
        <div className="row">
          <pre>{read.data.secret}</pre>
          <CopyButton text={read.data.secret} label={words.secret} />
        </div>
      )}
    </Card>
  );
}
