/** What waits for somebody: disputes, approvals, pools that run low, deliveries that were given up, the record. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, at } from '../../api.ts';
import { Badge, Card, Empty, ErrorBox, Loading } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay, useMe } from '../../identity.ts';
import { useDownloads } from '../../parts/listen/downloads.tsx';
import type {
  Dispute,
  Endpoint,
  LedgerRoot,
  ListOf,
  Pool,
  PoolForecast,
  RightsRequest,
} from '../../types.ts';
import { useWords } from '../../words/index.tsx';

const most = 200;
/** A forecast reads much: few pools, seldom. */
const checkedPools = 12;
const checkedEvery = 60_000;

/** A count that says so when it is not all. */
function useCount(): (list: ListOf<unknown>, count: number) => string {
  const format = useFormat();
  const words = useWords().overview;
  return (list, count) =>
    list.next === undefined ? format.number(count) : words.atLeast(format.number(count));
}

export function DisputesNow() {
  const { overview: words, parts } = useWords();
  const me = useMe();
  const count = useCount();
  const [open, investigating] = useQueries({
    queries: (['open', 'investigating'] as const).map((status) => ({
      queryKey: ['disputes', 'overview', status],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        api.get<ListOf<Dispute>>('/v1/disputes', { status, limit: most }, { signal }),
    })),
  });
  const lists = [
    { status: 'open', list: open?.data },
    { status: 'investigating', list: investigating?.data },
  ] as const;
  const groups = lists.flatMap(({ status, list }) =>
    list
      ? [
          {
            status,
            list,
            assignee: 'nobody',
            said: words.nobodys,
            has: list.items.filter((one) => !one.assignee),
          },
          {
            ...{ status, list, assignee: 'me', said: words.mine },
            has: list.items.filter((one) => one.assignee === me.user.id),
          },
          {
            ...{ status, list, assignee: 'any', said: words.others },
            has: list.items.filter((one) => one.assignee !== undefined && one.assignee !== me.user.id),
          },
        ].filter(({ has }) => has.length > 0)
      : [],
  );
  return (
    <Card title={words.disputes}>
      <ErrorBox error={open?.error ?? investigating?.error} />
      {open?.isLoading || investigating?.isLoading ? (
        <Loading />
      ) : groups.length === 0 ? (
        <Empty>{words.noDisputes}</Empty>
      ) : (
        <ul className="plain-list">
          {groups.map(({ status, assignee, said, has, list }) => (
            <li key={`${status} ${assignee}`} className="row spread">
              <Link to="/disputes" search={assignee === 'any' ? { status } : { status, assignee }}>
                {parts.dispute[status]}, {said}
              </Link>
              <Badge tone={assignee === 'any' ? 'neutral' : 'warn'}>{count(list, has.length)}</Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Nothing for whoever decides on neither. */
export function Approvals() {
  const words = useWords().overview;
  const may = useMay();
  const me = useMe();
  const format = useFormat();
  const count = useCount();
  const decides = may('recordings:approve');
  const downloads = useDownloads().filter(
    ({ status, requestedBy }) => status === 'pending' && requestedBy !== me.user.id,
  );
  const rights = useQuery({
    queryKey: ['privacy', 'overview'],
    queryFn: ({ signal }) =>
      api.get<ListOf<RightsRequest>>('/v1/privacy/requests', { status: 'asked', limit: most }, { signal }),
    enabled: may('privacy:write'),
  });
  if (!decides && !may('privacy:write')) return null;
  const asked = rights.data?.items.length ?? 0;
  const waiting = decides ? downloads.length : 0;
  return (
    <Card title={words.approvals}>
      <ErrorBox error={rights.error} />
      {asked + waiting === 0 ? (
        <Empty>{words.noApprovals}</Empty>
      ) : (
        <ul className="plain-list">
          {waiting > 0 && (
            <li>
              <Link to="/disputes">{words.downloads(format.number(waiting))}</Link>
            </li>
          )}
          {rights.data && asked > 0 && (
            <li>
              <Link to="/privacy">{words.rights(count(rights.data, asked))}</Link>
            </li>
          )}
        </ul>
      )}
    </Card>
  );
}

const tones = { enough: 'good', low: 'warn', short: 'bad' } as const;

export function PoolsNow() {
  const { overview: words, numbers } = useWords();
  const format = useFormat();
  const pools = useQuery({
    queryKey: ['overview', 'pools'],
    queryFn: ({ signal }) => api.get<ListOf<Pool>>('/v1/pools', {}, { signal }),
    refetchInterval: checkedEvery,
  });
  const items = pools.data?.items ?? [];
  const forecasts = useQueries({
    queries: items.slice(0, checkedPools).map(({ name }) => ({
      queryKey: ['overview', 'forecast', name],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        api.get<PoolForecast>(at`/v1/pools/${name}/forecast`, {}, { signal }),
      refetchInterval: checkedEvery,
    })),
  });
  const low = forecasts.flatMap(({ data }) => (data && data.status !== 'enough' ? [data] : []));
  return (
    <Card title={words.pools}>
      <ErrorBox error={pools.error ?? forecasts.find(({ error }) => error)?.error} />
      {pools.isLoading || forecasts.some(({ isLoading }) => isLoading) ? (
        <Loading />
      ) : items.length === 0 ? (
        <Empty action={<Link to="/numbers">{numbers.title}</Link>}>{words.noPools}</Empty>
      ) : low.length === 0 ? (
        <p>
          <Link to="/numbers">{words.poolsEnough(format.number(forecasts.length))}</Link>
        </p>
      ) : (
        <ul className="plain-list">
          {low.map((one) => (
            <li key={one.pool} className="row spread">
              <Link to="/numbers">{one.pool}</Link>
              <span className="row">
                <span className="muted">
                  {words.poolOf(format.number(one.numbers), format.number(one.needed))}
                </span>
                <Badge tone={tones[one.status]}>{numbers.status[one.status]}</Badge>
              </span>
            </li>
          ))}
        </ul>
      )}
      {items.length > checkedPools && <p className="muted small">{words.poolsMore}</p>}
    </Card>
  );
}

export function WebhooksNow() {
  const words = useWords().overview;
  const format = useFormat();
  const { data, error, isLoading, refetch } = useQuery({
    queryKey: ['webhooks', 'overview'],
    queryFn: ({ signal }) => api.get<ListOf<Endpoint>>('/v1/webhooks', { limit: most }, { signal }),
  });
  const items = data?.items ?? [];
  const ill = items.filter(({ dead, disabledBecause }) => dead > 0 || disabledBecause !== undefined);
  return (
    <Card title={words.webhooks}>
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {isLoading ? (
        <Loading />
      ) : ill.length === 0 ? (
        !error && (
          <p>
            <Link to="/webhooks">{items.length === 0 ? words.noWebhooks : words.webhooksFine}</Link>
          </p>
        )
      ) : (
        <ul className="plain-list">
          {ill.map(({ id, url, dead, disabledBecause }) => (
            <li key={id} className="row spread">
              <Link className="breakable" to="/webhooks/$id" params={{ id }} search={{ status: 'dead' }}>
                {url}
              </Link>
              <span className="row">
                {dead > 0 && <Badge tone="bad">{words.dead(format.number(dead))}</Badge>}
                {disabledBecause !== undefined && <Badge tone="bad">{words.off}</Badge>}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

export function ChainState() {
  const words = useWords().overview;
  const { data, error, isLoading } = useQuery({
    queryKey: ['overview', 'root'],
    queryFn: ({ signal }) => api.get<ListOf<LedgerRoot>>('/v1/ledger/roots', { limit: 1 }, { signal }),
  });
  const [root] = data?.items ?? [];
  return (
    <Card title={words.chain} actions={<Link to="/ledger">{words.verify}</Link>}>
      <ErrorBox error={error} />
      {isLoading ? (
        <Loading />
      ) : (
        !error && (
          <p>
            {root ? (
              <>
                {words.signed}: <time dateTime={root.day}>{root.day}</time>
              </>
            ) : (
              <span className="muted">{words.unsigned}</span>
            )}
          </p>
        )
      )}
    </Card>
  );
}
