/** Who carries the calls: how they do, what runs by them, and how they are reached. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at } from '../api.ts';
import {
  Badge,
  Button,
  type Column,
  ConfirmDialog,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Table,
  type Tone,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import type { Call, Carrier } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { CallRate, RunningCalls } from './carriers/calls.tsx';
import { useNewestCalls } from './carriers/data.ts';
import { CarrierDialog } from './carriers/form.tsx';
import { healthOf } from './carriers/health.ts';

type Asked = { readonly what: 'edit' | 'disable' | 'remove'; readonly carrier: Carrier };

export function CarriersPage() {
  const words = useWords().carriers;
  const may = useMay();
  const pages = usePages<Carrier>({ key: ['carriers', 'list'], path: '/v1/carriers' });
  const [making, setMaking] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  const columns = useColumns(setAsked);
  const close = () => setAsked(undefined);
  const mayWrite = may('carriers:write');
  return (
    <Page
      title={words.title}
      actions={
        mayWrite && (
          <Button look="primary" onClick={() => setMaking(true)}>
            {words.make}
          </Button>
        )
      }
    >
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table label={words.title} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
      {may('calls:read') && (
        <>
          <CallRate />
          <RunningCalls />
        </>
      )}
      {making && <CarrierDialog onClose={() => setMaking(false)} />}
      {asked?.what === 'edit' && <CarrierDialog carrier={asked.carrier} onClose={close} />}
      {(asked?.what === 'disable' || asked?.what === 'remove') && (
        <Confirm what={asked.what} carrier={asked.carrier} onClose={close} />
      )}
    </Page>
  );
}

const tones = { good: 'good', bad: 'bad', quiet: 'neutral', off: 'neutral' } as const satisfies Record<
  string,
  Tone
>;

function useColumns(ask: (asked: Asked) => void): readonly Column<Carrier>[] {
  const words = useWords().carriers;
  const common = useWords().common;
  const may = useMay();
  const calls = useNewestCalls().data?.items ?? [];
  return [
    { key: 'name', head: words.name, cell: ({ name }) => name },
    {
      key: 'state',
      head: words.state,
      cell: ({ enabled }) => (
        <Badge tone={enabled ? 'good' : 'neutral'}>{enabled ? words.enabled : words.disabled}</Badge>
      ),
    },
    ...(may('calls:read')
      ? [
          {
            key: 'health',
            head: words.health,
            cell: (carrier: Carrier) => <Health carrier={carrier} calls={calls} />,
          },
        ]
      : []),
    {
      key: 'host',
      head: words.host,
      grow: true,
      cell: ({ host, port, transport }) => (
        <code>
          {transport}:{host}
          {port === undefined ? '' : `:${port}`}
        </code>
      ),
    },
    { key: 'trust', head: words.trust, cell: ({ callerTrust }) => words.trusts[callerTrust] },
    {
      key: 'credentials',
      head: words.credentials,
      cell: ({ hasAuth }) => (hasAuth ? common.yes : common.no),
    },
    ...(may('carriers:write')
      ? [
          {
            key: 'actions',
            head: common.actions,
            cell: (carrier: Carrier) => <Actions carrier={carrier} ask={ask} />,
          },
        ]
      : []),
  ];
}

function Health({ carrier, calls }: { readonly carrier: Carrier; readonly calls: readonly Call[] }) {
  const words = useWords().carriers;
  const format = useFormat();
  const { health, reached, legs } = healthOf(carrier, calls);
  return (
    <span className="row">
      <Badge tone={tones[health]}>{words.healths[health]}</Badge>
      {legs > 0 && (
        <span className="muted small">{words.healthOf(format.number(reached), format.number(legs))}</span>
      )}
    </span>
  );
}

function Actions({ carrier, ask }: { readonly carrier: Carrier; readonly ask: (asked: Asked) => void }) {
  const words = useWords().carriers;
  const client = useQueryClient();
  const enable = useMutation({
    mutationFn: () => api.patch<Carrier>(at`/v1/carriers/${carrier.id}`, { enabled: true }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['carriers'] }),
  });
  const button = (label: string, work: () => void) => (
    <Button look="quiet" className="small" aria-label={`${label}: ${carrier.name}`} onClick={work}>
      {label}
    </Button>
  );
  return (
    <span className="row">
      {button(words.edit, () => ask({ what: 'edit', carrier }))}
      {carrier.enabled
        ? button(words.disable, () => ask({ what: 'disable', carrier }))
        : button(words.enable, () => enable.mutate())}
      {button(words.remove, () => ask({ what: 'remove', carrier }))}
      <ErrorBox error={enable.error} />
    </span>
  );
}

function Confirm(props: {
  readonly what: 'disable' | 'remove';
  readonly carrier: Carrier;
  readonly onClose: () => void;
}) {
  const { what, carrier, onClose } = props;
  const words = useWords().carriers;
  const client = useQueryClient();
  const path = at`/v1/carriers/${carrier.id}`;
  const work = useMutation<unknown>({
    mutationFn: () => (what === 'remove' ? api.remove(path) : api.patch(path, { enabled: false })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['carriers'] });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`${words[what]}: ${carrier.name}`}
      action={words[what]}
      danger
      busy={work.isPending}
      error={work.error}
      onConfirm={() => work.mutate()}
      onClose={onClose}
    >
      {what === 'remove' ? words.removeHint : words.disableHint}
    </ConfirmDialog>
  );
}
