/** API keys of the business's own systems: made here, shown once, revoked. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at } from '../api.ts';
import {
  Badge,
  Button,
  type Column,
  ConfirmDialog,
  CopyButton,
  Dialog,
  Empty,
  ErrorBox,
  Field,
  Loading,
  Page,
  Pager,
  Table,
  Time,
  useToast,
} from '../components/index.ts';
import { usePages } from '../pages-of.ts';
import type { ApiKey } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { CreateDialog, type CreatedKey } from './keys/create.tsx';

export function KeysPage() {
  const words = useWords().keys;
  const pages = usePages<ApiKey>({ key: ['keys', 'list'], path: '/v1/keys' });
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<CreatedKey>();
  const [revoking, setRevoking] = useState<ApiKey>();
  const columns = useColumns(setRevoking);
  return (
    <Page
      title={words.title}
      actions={
        <Button look="primary" onClick={() => setCreating(true)}>
          {words.create}
        </Button>
      }
    >
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading && <Loading />}
      {!pages.loading && pages.items.length === 0 && !pages.error && <Empty>{words.empty}</Empty>}
      {pages.items.length > 0 && (
        <Table label={words.list} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
      {creating && (
        <CreateDialog
          onClose={() => setCreating(false)}
          onCreated={(key) => {
            setCreating(false);
            setCreated(key);
          }}
        />
      )}
      {created && <SecretDialog created={created} onClose={() => setCreated(undefined)} />}
      {revoking && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function stateOf(key: ApiKey): 'revoked' | 'expired' | 'live' {
  if (key.revokedAt) return 'revoked';
  return key.expiresAt && Date.parse(key.expiresAt) <= Date.now() ? 'expired' : 'live';
}

function useColumns(onRevoke: (key: ApiKey) => void): readonly Column<ApiKey>[] {
  const { keys: words, common } = useWords();
  const tones = { live: 'good', expired: 'warn', revoked: 'bad' } as const;
  return [
    { key: 'name', head: words.name, cell: ({ name }) => name },
    { key: 'scopes', head: words.scopes, grow: true, cell: ({ scopes }) => scopes.join(', ') },
    {
      key: 'state',
      head: words.state,
      cell: (key) => <Badge tone={tones[stateOf(key)]}>{words[stateOf(key)]}</Badge>,
    },
    { key: 'created', head: words.created, cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      key: 'expires',
      head: words.expires,
      cell: ({ expiresAt }) =>
        expiresAt ? <Time at={expiresAt} /> : <span className="muted">{words.never}</span>,
    },
    {
      key: 'actions',
      head: common.actions,
      cell: (key) =>
        stateOf(key) === 'live' && (
          <Button
            look="quiet"
            className="small"
            aria-label={`${words.revoke}: ${key.name}`}
            onClick={() => onRevoke(key)}
          >
            {words.revoke}
          </Button>
        ),
    },
  ];
}

/** Shown once; nothing keeps it. */
function SecretDialog({ created, onClose }: { readonly created: CreatedKey; readonly onClose: () => void }) {
  const words = useWords().keys;
  return (
    <Dialog title={words.secretTitle} onClose={onClose}>
      <div className="stack">
        <p>{words.secretHint}</p>
        <Field
          label={words.secret}
          readOnly
          spellCheck={false}
          value={created.secret}
          onFocus={({ target }) => target.select()}
        />
        <div className="row end">
          <CopyButton text={created.secret} label={words.secret} />
          <Button look="primary" onClick={onClose}>
            {words.done}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const words = useWords().keys;
  const client = useQueryClient();
  const tell = useToast();
  const revoke = useMutation({
    mutationFn: () => api.remove<ApiKey>(at`/v1/keys/${apiKey.id}`),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['keys'] });
      tell(words.revokedToast);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={words.revokeTitle(apiKey.name)}
      action={words.revoke}
      danger
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      {words.revokeHint}
    </ConfirmDialog>
  );
}
