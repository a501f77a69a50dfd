/** What runs now, and how fast calls come. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, at } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  type Column,
  ConfirmDialog,
  Empty,
  ErrorBox,
  Phone,
  Table,
  Time,
  useToast,
} from '../../components/index.ts';
import { Plot } from '../../components/plot.tsx';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import { useRunningCalls } from '../../parts/running-calls.ts';
import type { Call } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { useNewestCalls } from './data.ts';
import { bucketSeconds, createRate } from './rate.ts';

const drawMilliseconds = 5_000;

export function CallRate() {
  const words = useWords().carriers;
  const format = useFormat();
  const { data } = useNewestCalls();
  const [rate] = useState(() => createRate(Date.now));
  const [shown, setShown] = useState(() => rate.read());
  useEffect(() => {
    rate.add(data?.items ?? []);
    setShown(rate.read());
    const timer = setInterval(() => setShown(rate.read()), drawMilliseconds);
    return () => clearInterval(timer);
  }, [rate, data]);
  const lastMinute = shown.perSecond.slice(-60 / bucketSeconds);
  const mean = lastMinute.reduce((sum, one) => sum + one, 0) / lastMinute.length;
  return (
    <Card title={words.rate}>
      <Plot
        label={words.rate}
        summary={words.rateSummary(format.number(mean, 2))}
        x={shown.x}
        time
        xText={(seconds) => format.clock(new Date(seconds * 1_000).toISOString())}
        series={[{ label: words.rate, tone: 'accent', stepped: true, values: shown.perSecond }]}
      />
    </Card>
  );
}

export function RunningCalls() {
  const words = useWords().carriers;
  const calls = useRunningCalls();
  const [ending, setEnding] = useState<Call>();
  const columns = useColumns(setEnding);
  const running = calls.data?.items ?? [];
  return (
    <Card title={words.running}>
      <ErrorBox error={calls.error} onRetry={() => void calls.refetch()} />
      {running.length === 0 ? (
        <Empty>{words.noneRunning}</Empty>
      ) : (
        <Table label={words.running} columns={columns} rows={running} idOf={({ id }) => id} />
      )}
      {calls.data?.next !== undefined && <p className="muted small">{words.runningHint}</p>}
      {ending && <HangUp call={ending} onClose={() => setEnding(undefined)} />}
    </Card>
  );
}

function useColumns(end: (call: Call) => void): readonly Column<Call>[] {
  const words = useWords().carriers;
  const common = useWords().common;
  const may = useMay();
  return [
    { key: 'number', head: words.number, cell: ({ number }) => <Phone number={number} /> },
    {
      key: 'status',
      head: words.status,
      cell: ({ status }) => (
        <Badge tone={status === 'answered' ? 'good' : 'info'}>{words.statuses[status]}</Badge>
      ),
    },
    {
      key: 'since',
      head: words.since,
      cell: ({ answeredAt, startedAt }) => <Time at={answeredAt ?? startedAt} as="relative" />,
    },
    {
      key: 'session',
      head: words.session,
      grow: true,
      cell: ({ session }) =>
        session && (
          <Link to="/sessions/$id" params={{ id: session }}>
            {words.open}
          </Link>
        ),
    },
    ...(may('calls:write')
      ? [
          {
            key: 'actions',
            head: common.actions,
            cell: (call: Call) => (
              <Button look="danger" className="small" onClick={() => end(call)}>
                {words.hangUp}
              </Button>
            ),
          },
        ]
      : []),
  ];
}

function HangUp({ call, onClose }: { readonly call: Call; readonly onClose: () => void }) {
  const words = useWords().carriers;
  const client = useQueryClient();
  const toast = useToast();
  const hangUp = useMutation({
    mutationFn: () => api.post<Call>(at`/v1/calls/${call.id}/hangup`),
    onSuccess: async () => {
      toast(words.hungUp);
      await client.invalidateQueries({ queryKey: ['calls'] });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={words.hangUp}
      action={words.hangUp}
      danger
      busy={hangUp.isPending}
      error={hangUp.error}
      onConfirm={() => hangUp.mutate()}
      onClose={onClose}
    >
      {words.hangUpHint}
    </ConfirmDialog>
  );
}
