/** What was asked and done for people; those that wait for somebody stand first. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import {
  type Column,
  Empty,
  ErrorBox,
  Loading,
  Pager,
  Phone,
  Select,
  Table,
  Time,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { type Pages, usePages } from '../../pages-of.ts';
import { Actor, ShortId } from '../../parts/people.tsx';
import { RightsBadge } from '../../parts/status.tsx';
import {
  type RightsKind,
  type RightsRequest,
  type RightsStatus,
  rightsKinds,
  rightsStatuses,
} from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { NewRequest } from './new-request.tsx';
import { RequestActions } from './request-actions.tsx';

export function Requests() {
  const all = useWords();
  const words = all.privacy;
  const navigate = useNavigate();
  const search = useSearch({ from: '/in/privacy' });
  const kind = rightsKinds.find((one) => one === search['kind']);
  const status = rightsStatuses.find((one) => one === search['status']);
  const change = (changed: Readonly<Record<string, string>>) =>
    void navigate({ to: '/privacy', search: { ...search, ...changed }, replace: true });
  const waiting = usePages<RightsRequest>({
    key: ['privacy', 'asked'],
    path: '/v1/privacy/requests',
    query: { status: 'asked' },
  });
  const pages = usePages<RightsRequest>({
    key: ['privacy', 'list', kind, status],
    path: '/v1/privacy/requests',
    query: { kind, status },
  });
  return (
    <>
      <NewRequest />
      <Waiting pages={waiting} />
      <search className="filters" aria-label={words.title}>
        <Select<RightsKind | ''>
          label={words.kindFilter}
          value={kind ?? ''}
          choices={[
            { value: '', label: all.common.any },
            ...rightsKinds.map((value) => ({ value, label: all.parts.right[value] })),
          ]}
          onChoose={(value) => change({ kind: value })}
        />
        <Select<RightsStatus | ''>
          label={words.statusFilter}
          value={status ?? ''}
          choices={[
            { value: '', label: all.common.any },
            ...rightsStatuses.map((value) => ({ value, label: all.parts.rights[value] })),
          ]}
          onChoose={(value) => change({ status: value })}
        />
      </search>
      <List pages={pages} label={words.tabs.requests} />
    </>
  );
}

function Waiting({ pages }: { readonly pages: Pages<RightsRequest> }) {
  const words = useWords().privacy;
  const format = useFormat();
  if (pages.items.length === 0) return null;
  const label = words.asked(format.number(pages.items.length));
  return (
    <section className="notice warn stack" aria-label={label}>
      <strong>{label}</strong>
      <List pages={pages} label={label} />
    </section>
  );
}

function List({ pages, label }: { readonly pages: Pages<RightsRequest>; readonly label: string }) {
  const all = useWords();
  const words = all.privacy;
  const columns: readonly Column<RightsRequest>[] = [
    { key: 'kind', head: words.kind, cell: ({ kind }) => all.parts.right[kind] },
    {
      key: 'person',
      head: words.person,
      cell: ({ phone, party }) =>
        phone ? <Phone number={phone} /> : party ? <ShortId id={party} /> : words.erased,
    },
    { key: 'status', head: words.status, cell: ({ status }) => <RightsBadge status={status} /> },
    { key: 'reason', head: words.reason, grow: true, cell: ({ reason }) => reason },
    { key: 'by', head: words.by, cell: ({ requestedBy }) => <Actor id={requestedBy} /> },
    { key: 'requested', head: words.requested, cell: ({ requestedAt }) => <Time at={requestedAt} /> },
    {
      key: 'finished',
      head: words.finished,
      cell: ({ finishedAt }) => finishedAt && <Time at={finishedAt} />,
    },
    { key: 'actions', head: all.common.actions, cell: (request) => <RequestActions request={request} /> },
  ];
  return (
    <>
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table label={label} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
    </>
  );
}
