/** The people who use the console: who they are, what they may do, and links for those who can't get in. */
import { useState } from 'react';
import {
  Badge,
  Button,
  type Column,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Table,
  Time,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay, useMe } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import type { User } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { EditDialog } from './users/edit.tsx';
import { InviteDialog } from './users/invite.tsx';
import { type Invited, LinkDialog } from './users/link.tsx';

export function UsersPage() {
  const { users: words } = useWords();
  const may = useMay();
  const pages = usePages<User>({ key: ['users', 'list'], path: '/v1/users' });
  const [inviting, setInviting] = useState(false);
  const [editing, setEditing] = useState<User>();
  const [invited, setInvited] = useState<Invited>();
  const columns = useColumns(may('users:write') ? setEditing : undefined);
  return (
    <Page
      title={words.title}
      actions={
        may('users:write') && (
          <Button look="primary" onClick={() => setInviting(true)}>
            {words.invite}
          </Button>
        )
      }
    >
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : (
        <Table
          label={words.list}
          columns={columns}
          rows={pages.items}
          idOf={({ id }) => id}
          {...(may('users:write') ? { onOpen: setEditing } : {})}
        />
      )}
      <Pager pages={pages} />
      {inviting && (
        <InviteDialog
          onClose={() => setInviting(false)}
          onInvited={(made) => {
            setInviting(false);
            setInvited(made);
          }}
        />
      )}
      {editing && (
        <EditDialog
          user={editing}
          onClose={() => setEditing(undefined)}
          onInvited={(made) => {
            setEditing(undefined);
            setInvited(made);
          }}
        />
      )}
      {invited && <LinkDialog invited={invited} onClose={() => setInvited(undefined)} />}
    </Page>
  );
}

function useColumns(onEdit: ((user: User) => void) | undefined): readonly Column<User>[] {
  const { users: words, common } = useWords();
  const format = useFormat();
  const me = useMe();
  const tones = { invited: 'info', active: 'good', disabled: 'bad' } as const;
  const columns: readonly Column<User>[] = [
    {
      key: 'name',
      head: words.name,
      grow: true,
      cell: (user) => (
        <>
          {onEdit ? (
            <Button look="quiet" className="small" onClick={() => onEdit(user)}>
              {user.name}
            </Button>
          ) : (
            user.name
          )}
          {user.id === me.user.id && <span className="muted"> ({words.you})</span>}
        </>
      ),
    },
    { key: 'email', head: words.email, cell: ({ email }) => email },
    { key: 'role', head: words.role, cell: ({ role }) => common.roles[role] },
    {
      key: 'status',
      head: words.status,
      cell: ({ status }) => <Badge tone={tones[status]}>{words.statuses[status]}</Badge>,
    },
    {
      key: 'factor',
      head: words.secondFactor,
      cell: ({ totp, passkeys }) => {
        const have = [
          ...(totp ? [words.totp] : []),
          ...(passkeys.length > 0 ? [words.passkeys(format.number(passkeys.length))] : []),
        ];
        return have.length > 0 ? have.join(', ') : <span className="muted">{words.noFactor}</span>;
      },
    },
    {
      key: 'last',
      head: words.lastLogin,
      cell: ({ lastLoginAt }) =>
        lastLoginAt ? <Time at={lastLoginAt} /> : <span className="muted">{words.never}</span>,
    },
  ];
  return columns;
}
