/** Complaints: what waits, what is being looked at, what became of it. */
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import {
  type Column,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Select,
  Table,
  Time,
} from '../components/index.ts';
import { useMe } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import { PendingDownloads } from '../parts/listen/downloads.tsx';
import { Actor } from '../parts/people.tsx';
import { DisputeBadge, VerdictBadge } from '../parts/status.tsx';
import { type Dispute, type DisputeStatus, disputeStatuses } from '../types.ts';
import { useWords } from '../words/index.tsx';

const assignees = ['any', 'me', 'nobody'] as const;

export function DisputesPage() {
  const all = useWords();
  const words = all.disputes;
  const me = useMe();
  const navigate = useNavigate();
  const search = useSearch({ from: '/in/disputes' });
  const status = disputeStatuses.find((one) => one === search['status']);
  const assignee = assignees.find((one) => one === search['assignee']) ?? 'any';
  const change = (changed: Readonly<Record<string, string>>) =>
    void navigate({ to: '/disputes', search: { ...search, ...changed }, replace: true });
  const assigned = assignee === 'any' ? undefined : assignee === 'me' ? me.user.id : 'none';
  const pages = usePages<Dispute>({
    key: ['disputes', 'list', status, assigned],
    path: '/v1/disputes',
    query: { status, assignee: assigned },
  });
  const rows = pages.items;
  return (
    <Page title={words.title}>
      <PendingDownloads />
      <search className="filters" aria-label={words.find}>
        <Select<DisputeStatus | ''>
          label={words.status}
          value={status ?? ''}
          choices={[
            { value: '', label: all.common.any },
            ...disputeStatuses.map((value) => ({ value, label: all.parts.dispute[value] })),
          ]}
          onChoose={(value) => change({ status: value })}
        />
        <Select
          label={words.assignee}
          value={assignee}
          choices={assignees.map((value) => ({ value, label: words.assignees[value] }))}
          onChoose={(value) => change({ assignee: value === 'any' ? '' : value })}
        />
      </search>
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : rows.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table
          label={words.title}
          columns={columnsOf(all)}
          rows={rows}
          idOf={({ id }) => id}
          onOpen={({ id }) => void navigate({ to: '/disputes/$id', params: { id } })}
        />
      )}
      <Pager pages={pages} />
    </Page>
  );
}

function columnsOf(all: ReturnType<typeof useWords>): readonly Column<Dispute>[] {
  const words = all.disputes;
  return [
    {
      key: 'category',
      head: words.category,
      grow: true,
      cell: (dispute) => (
        <>
          <Link
            to="/disputes/$id"
            params={{ id: dispute.id }}
            tabIndex={-1}
            aria-label={words.openOne(all.parts.category[dispute.category])}
          >
            {all.parts.category[dispute.category]}
          </Link>
          <div className="muted small one-line">{dispute.statement}</div>
        </>
      ),
    },
    {
      key: 'status',
      head: words.status,
      cell: (dispute) => (
        <span className="row">
          <DisputeBadge status={dispute.status} />
          {dispute.verdict && <VerdictBadge verdict={dispute.verdict.verdict} />}
        </span>
      ),
    },
    {
      key: 'assignee',
      head: words.assignee,
      cell: ({ assignee }) =>
        assignee === undefined ? <span className="muted">{words.unassigned}</span> : <Actor id={assignee} />,
    },
    { key: 'by', head: words.openedBy, cell: ({ openedBy }) => words.openKinds[openedBy.kind] },
    { key: 'opened', head: words.opened, cell: ({ openedAt }) => <Time at={openedAt} /> },
    { key: 'changed', head: words.changed, cell: ({ updatedAt }) => <Time at={updatedAt} as="relative" /> },
  ];
}
