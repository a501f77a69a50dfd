/** Every virtual number with its state, and what can be done with it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../../api.ts';
import {
  Badge,
  Button,
  type Column,
  ConfirmDialog,
  Empty,
  ErrorBox,
  Field,
  Loading,
  Pager,
  Phone,
  ReasonDialog,
  Select,
  Table,
  Time,
  type Tone,
  useToast,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import { usePages } from '../../pages-of.ts';
import { useCarriers } from '../../parts/carriers.ts';
import type { VirtualNumber } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { usePools } from './pools.tsx';

type State = 'ready' | 'disabled' | 'draining' | 'quarantined' | 'reserved' | 'display';
const tones: Readonly<Record<State, Tone>> = {
  ready: 'good',
  disabled: 'neutral',
  draining: 'warn',
  quarantined: 'bad',
  reserved: 'info',
  display: 'info',
};

function stateOf(number: VirtualNumber, now: number): State {
  if (number.quarantinedUntil !== undefined && Date.parse(number.quarantinedUntil) > now)
    return 'quarantined';
  if (number.draining) return 'draining';
  if (!number.enabled) return 'disabled';
  return number.use === 'pool' ? 'ready' : number.use;
}

type Asked = { readonly what: 'replace' | 'delete'; readonly number: VirtualNumber };

export function NumbersTable({ pool }: { readonly pool: string }) {
  const words = useWords().numbers;
  const navigate = useNavigate();
  const pools = usePools();
  const pages = usePages<VirtualNumber>({
    key: ['numbers', 'list', pool],
    path: '/v1/numbers',
    query: { pool, limit: 100 },
  });
  const [asked, setAsked] = useState<Asked>();
  const columns = useColumns(setAsked);
  const names = [...new Set([...(pools.data?.items ?? []).map(({ name }) => name), ...(pool ? [pool] : [])])];
  return (
    <>
      <div className="filters">
        <Select
          label={words.pool}
          value={pool}
          choices={[
            { value: '', label: words.allPools },
            ...names.map((name) => ({ value: name, label: name })),
          ]}
          onChoose={(chosen) => void navigate({ to: '/numbers', search: { tab: 'numbers', pool: chosen } })}
        />
      </div>
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{pool === '' ? words.noPools : words.noneInPool}</Empty>
      ) : (
        <Table label={words.title} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
      {asked?.what === 'replace' && <Replace number={asked.number} onClose={() => setAsked(undefined)} />}
      {asked?.what === 'delete' && <Delete number={asked.number} onClose={() => setAsked(undefined)} />}
    </>
  );
}

function useColumns(ask: (asked: Asked) => void): readonly Column<VirtualNumber>[] {
  const words = useWords().numbers;
  const common = useWords().common;
  const format = useFormat();
  const may = useMay();
  const carriers = useCarriers();
  const carrierName = (id: string) => carriers.find((carrier) => carrier.id === id)?.name ?? common.unknown;
  const limits = new Map((usePools().data?.items ?? []).map(({ name, loadLimit }) => [name, loadLimit]));
  const now = Date.now();
  const loadColumn: readonly Column<VirtualNumber>[] = [...limits.values()].some(
    (limit) => limit !== undefined,
  )
    ? [
        {
          key: 'load',
          head: words.today,
          align: 'end',
          cell: ({ pool, today = 0 }) => {
            const limit = limits.get(pool);
            if (limit === undefined) return '–';
            const said = `${format.number(today)} / ${format.number(limit)}`;
            return today >= limit ? <Badge tone="warn">{said}</Badge> : said;
          },
        },
      ]
    : [];
  return [
    { key: 'number', head: words.number, cell: ({ number }) => <Phone number={number} /> },
    {
      key: 'state',
      head: words.state,
      cell: (number) => {
        const state = stateOf(number, now);
        return (
          <span className="row">
            <Badge tone={tones[state]}>{words.states[state]}</Badge>
            {state === 'quarantined' && number.quarantinedUntil && (
              <span className="muted small">{words.until(format.date(number.quarantinedUntil))}</span>
            )}
          </span>
        );
      },
    },
    { key: 'pool', head: words.pool, cell: ({ pool }) => pool },
    ...loadColumn,
    { key: 'carrier', head: words.carrier, cell: ({ carrier }) => carrierName(carrier) },
    { key: 'country', head: words.country, cell: ({ country, area }) => [country, area].join(' ') },
    { key: 'capabilities', head: words.capabilities, cell: ({ capabilities }) => capabilities.join(' ') },
    { key: 'added', head: words.added, cell: ({ createdAt }) => <Time at={createdAt} as="date" /> },
    ...(may('numbers:write')
      ? [
          {
            key: 'actions',
            head: common.actions,
            cell: (number: VirtualNumber) => (
              <Actions number={number} state={stateOf(number, now)} ask={ask} />
            ),
          },
        ]
      : []),
  ];
}

function Actions(props: {
  readonly number: VirtualNumber;
  readonly state: State;
  readonly ask: (asked: Asked) => void;
}) {
  const { number, state, ask } = props;
  const words = useWords().numbers;
  const client = useQueryClient();
  const toast = useToast();
  const change = useMutation({
    mutationFn: (body: object) => api.patch<VirtualNumber>(at`/v1/numbers/${number.id}`, body),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['numbers'] });
      toast(words.changed);
    },
  });
  const button = (label: string, body: object) => (
    <Button
      look="quiet"
      className="small"
      busy={change.isPending}
      aria-label={`${label}: ${number.number}`}
      onClick={() => change.mutate(body)}
    >
      {label}
    </Button>
  );
  return (
    <span className="row">
      {number.enabled ? button(words.disable, { enabled: false }) : button(words.enable, { enabled: true })}
      {number.draining ? button(words.undrain, { draining: false }) : button(words.drain, { draining: true })}
      {state === 'quarantined' && button(words.release, { quarantinedUntil: null })}
      <Button
        look="quiet"
        className="small"
        aria-label={`${words.replace}: ${number.number}`}
        onClick={() => ask({ what: 'replace', number })}
      >
        {words.replace}
      </Button>
      <Button
        look="quiet"
        className="small"
        aria-label={`${words.delete}: ${number.number}`}
        onClick={() => ask({ what: 'delete', number })}
      >
        {words.delete}
      </Button>
      <ErrorBox error={change.error} />
    </span>
  );
}

function Replace({ number, onClose }: { readonly number: VirtualNumber; readonly onClose: () => void }) {
  const words = useWords().numbers;
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const [days, setDays] = useState('30');
  const replace = useMutation({
    mutationFn: (reason: string) =>
      api.post<{ replaced: number; kept: number }>(at`/v1/numbers/${number.id}/replace`, {
        reason,
        quarantineSeconds: Math.max(1, Math.round(Number(days) * 86_400)),
      }),
    onSuccess: async ({ replaced, kept }) => {
      toast(words.replaced(format.number(replaced), format.number(kept)));
      await client.invalidateQueries({ queryKey: ['numbers'] });
      onClose();
    },
  });
  return (
    <ReasonDialog
      title={`${words.replace}: ${number.number}`}
      action={words.replace}
      danger
      busy={replace.isPending}
      error={replace.error}
      onReason={(reason) => replace.mutate(reason)}
      onClose={onClose}
    >
      <p>{words.replaceHint}</p>
      <Field
        label={words.quarantineDays}
        type="number"
        min={1}
        max={3_650}
        required
        value={days}
        onChange={({ target }) => setDays(target.value)}
      />
    </ReasonDialog>
  );
}

function Delete({ number, onClose }: { readonly number: VirtualNumber; readonly onClose: () => void }) {
  const words = useWords().numbers;
  const client = useQueryClient();
  const toast = useToast();
  const remove = useMutation({
    mutationFn: () => api.remove<VirtualNumber | undefined>(at`/v1/numbers/${number.id}?drain=true`),
    onSuccess: async (left) => {
      toast(left === undefined ? words.deleted : words.deleting);
      await Promise.all(['numbers', 'pools'].map((key) => client.invalidateQueries({ queryKey: [key] })));
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`${words.delete}: ${number.number}`}
      action={words.delete}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {words.deleteHint}
    </ConfirmDialog>
  );
}
