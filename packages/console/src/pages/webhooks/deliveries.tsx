/** What was sent, what came of it, and sending again. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { api, at } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  type Column,
  Empty,
  ErrorBox,
  Loading,
  Pager,
  Progress,
  Select,
  Table,
  Time,
  TimeField,
  type Tone,
  useToast,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import { usePages } from '../../pages-of.ts';
import type { Delivery, Endpoint } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

const statuses = ['pending', 'delivered', 'dead'] as const;
const tones: Readonly<Record<Delivery['status'], Tone>> = { pending: 'info', delivered: 'good', dead: 'bad' };

type Replay = { readonly dead: true } | { readonly event: string } | { readonly since: string };

export function Deliveries({ endpoint }: { readonly endpoint: Endpoint }) {
  const words = useWords().webhook;
  const common = useWords().common;
  const may = useMay();
  const navigate = useNavigate();
  const search: Readonly<Record<string, string>> = useSearch({ strict: false });
  const status = statuses.find((one) => one === search['status']) ?? '';
  const pages = usePages<Delivery>({
    key: ['webhooks', 'deliveries', endpoint.id, status],
    path: at`/v1/webhooks/${endpoint.id}/deliveries`,
    query: { status },
  });
  const client = useQueryClient();
  // What was on its way has arrived: the endpoint counts it, and the list says it.
  const counted = `${endpoint.pending} ${endpoint.dead} ${endpoint.lastDeliveredAt ?? ''}`;
  const known = useRef(counted);
  useEffect(() => {
    if (known.current === counted) return;
    known.current = counted;
    void client.invalidateQueries({ queryKey: ['webhooks', 'deliveries', endpoint.id] });
  }, [client, counted, endpoint.id]);
  const replay = useReplay(endpoint);
  const columns = useColumns((event) => replay.mutate({ event }));
  return (
    <Card title={words.deliveries}>
      <div className="filters">
        <Select
          label={words.status}
          value={status}
          choices={[
            { value: '', label: common.any },
            ...statuses.map((value) => ({ value, label: words.statuses[value] })),
          ]}
          onChoose={(chosen) =>
            void navigate({
              to: '/webhooks/$id',
              params: { id: endpoint.id },
              search: chosen === '' ? {} : { status: chosen },
            })
          }
        />
      </div>
      {may('webhooks:write') && <Again endpoint={endpoint} replay={replay} />}
      <ErrorBox error={replay.error ?? pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table label={words.deliveries} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
    </Card>
  );
}

function useReplay(endpoint: Endpoint) {
  const words = useWords().webhook;
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  return useMutation({
    mutationFn: (what: Replay) => api.post<{ queued: number }>(at`/v1/webhooks/${endpoint.id}/replay`, what),
    onSuccess: async ({ queued }) => {
      toast(words.queued(format.number(queued)));
      await client.invalidateQueries({ queryKey: ['webhooks'] });
    },
  });
}

/** Sending again in bulk; how far it is shows by what still waits. */
function Again(props: { readonly endpoint: Endpoint; readonly replay: ReturnType<typeof useReplay> }) {
  const { endpoint, replay } = props;
  const words = useWords().webhook;
  const [since, setSince] = useState('');
  const at = useFormat().instant(since);
  const queued = replay.data?.queued ?? 0;
  return (
    <div className="stack">
      <div className="row">
        <Button
          disabled={endpoint.dead === 0}
          busy={replay.isPending}
          onClick={() => replay.mutate({ dead: true })}
        >
          {words.replayDead}
        </Button>
      </div>
      <div className="filters">
        <TimeField label={words.since} hint={words.sinceHint} value={since} onType={setSince} />
      </div>
      <div className="row">
        <Button
          disabled={at === undefined}
          busy={replay.isPending}
          onClick={() => at !== undefined && replay.mutate({ since: at })}
        >
          {words.replaySince}
        </Button>
      </div>
      {queued > 0 && (
        <Progress label={words.replaying} done={Math.max(0, queued - endpoint.pending)} of={queued} />
      )}
    </div>
  );
}

function useColumns(again: (event: string) => void): readonly Column<Delivery>[] {
  const words = useWords().webhook;
  const common = useWords().common;
  const format = useFormat();
  const may = useMay();
  return [
    { key: 'at', head: words.at, cell: ({ at }) => <Time at={at} /> },
    { key: 'kind', head: words.kind, cell: ({ kind }) => kind },
    {
      key: 'status',
      head: words.status,
      cell: ({ status }) => <Badge tone={tones[status]}>{words.statuses[status]}</Badge>,
    },
    { key: 'attempts', head: words.attempts, align: 'end', cell: ({ attempts }) => format.number(attempts) },
    { key: 'answer', head: words.answer, cell: ({ lastAnswer }) => lastAnswer },
    {
      key: 'next',
      head: words.next,
      cell: ({ nextAttemptAt }) => nextAttemptAt && <Time at={nextAttemptAt} as="relative" />,
    },
    {
      key: 'event',
      head: words.event,
      grow: true,
      cell: ({ event, session }) => (
        <>
          <code>{event}</code>
          {session && (
            <div>
              <Link to="/sessions/$id" params={{ id: session }}>
                {words.session}
              </Link>
            </div>
          )}
        </>
      ),
    },
    ...(may('webhooks:write')
      ? [
          {
            key: 'actions',
            head: common.actions,
            cell: ({ event }: Delivery) => (
              <Button
                look="quiet"
                className="small"
                aria-label={`${words.again}: ${event}`}
                onClick={() => again(event)}
              >
                {words.again}
              </Button>
            ),
          },
        ]
      : []),
  ];
}
