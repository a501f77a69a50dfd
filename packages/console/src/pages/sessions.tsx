/** Finding sessions, and closing some. */
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  Badge,
  Button,
  type Column,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Phone,
  Table,
  Time,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import { CloseDialog } from '../parts/close-sessions.tsx';
import { useRunningCalls } from '../parts/running-calls.ts';
import { SessionBadge } from '../parts/status.tsx';
import type { Session } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { SearchForm, useSessionSearch } from './sessions/search.tsx';

export function SessionsPage() {
  const words = useWords().sessions;
  const format = useFormat();
  const may = useMay();
  const navigate = useNavigate();
  const { body, key, held, hold } = useSessionSearch();
  const pages = usePages<Session>({ key: ['sessions', 'list', ...key], post: '/v1/sessions/search', body });
  const columns = useColumns();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [closing, setClosing] = useState(false);
  const byId = new Map(pages.items.map((session) => [session.id, session]));
  // What is no longer in the list, or no longer open, is not closed unseen.
  const open = [...chosen].filter((id) => isOpen(byId.get(id)));
  const mayClose = may('sessions:write');
  return (
    <Page
      title={words.title}
      actions={
        mayClose &&
        open.length > 0 && (
          <Button look="danger" onClick={() => setClosing(true)}>
            {words.closeSelected(format.number(open.length))}
          </Button>
        )
      }
    >
      <SearchForm held={held} hold={hold} />
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table
          label={words.title}
          columns={columns}
          rows={pages.items}
          idOf={(session) => session.id}
          onOpen={(session) => void navigate({ to: '/sessions/$id', params: { id: session.id } })}
          {...(mayClose
            ? {
                selection: {
                  ids: chosen,
                  change: setChosen,
                  nameOf: (id: string) => byId.get(id)?.reference ?? words.noReference,
                },
              }
            : {})}
        />
      )}
      <Pager pages={pages} />
      {closing && (
        <CloseDialog
          ids={open}
          onClose={() => setClosing(false)}
          onDone={(failed) => setChosen(new Set(failed))}
        />
      )}
    </Page>
  );
}

function isOpen(session: Session | undefined): boolean {
  return session?.status === 'open' || session?.status === 'scheduled';
}

function useColumns(): readonly Column<Session>[] {
  const words = useWords().sessions;
  const parts = useWords().parts;
  const live = useLiveSessions();
  return [
    {
      key: 'reference',
      head: words.reference,
      cell: (session) => (
        <Link className="reference" to="/sessions/$id" params={{ id: session.id }} tabIndex={-1}>
          {session.reference ?? <span className="muted">{words.noReference}</span>}
        </Link>
      ),
    },
    {
      key: 'status',
      head: words.status,
      cell: (session) => (
        <span className="row">
          <SessionBadge status={session.status} />
          {session.closeReason && <span className="muted small">{session.closeReason}</span>}
        </span>
      ),
    },
    {
      key: 'live',
      head: words.live,
      cell: (session) => {
        const status = live.get(session.id);
        return status && <Badge tone="info">{parts.callStatus[status]}</Badge>;
      },
    },
    {
      key: 'participants',
      head: words.participants,
      grow: true,
      cell: (session) =>
        session.participants
          .filter(({ leftAt }) => leftAt === undefined)
          .map((participant) => (
            <div key={participant.id}>
              {participant.role} <Phone number={participant.phone} />{' '}
              <span className="muted">
                → <Phone number={participant.dial || participant.number} />
              </span>
            </div>
          )),
    },
    { key: 'created', head: words.created, cell: (session) => <Time at={session.createdAt} /> },
    {
      key: 'until',
      head: words.until,
      cell: (session) => <Time at={session.closedAt ?? session.expiresAt} />,
    },
  ];
}

/** The calls that run now, by session. */
function useLiveSessions(): ReadonlyMap<string, 'ringing' | 'answered'> {
  const { data } = useRunningCalls();
  return new Map(
    (data?.items ?? []).flatMap(({ session, status }) =>
      session !== undefined && status !== 'ended' ? [[session, status] as const] : [],
    ),
  );
}
