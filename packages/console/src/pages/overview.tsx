/** What needs somebody now, each with the page where it is dealt with. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api.ts';
import { Badge, Card, Empty, ErrorBox, Loading, Page, Phone, Time } from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { useRunningCalls } from '../parts/running-calls.ts';
import { CallBadge, wordOf } from '../parts/status.tsx';
import type { CallSummary } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { Approvals, ChainState, DisputesNow, PoolsNow, WebhooksNow } from './overview/waiting.tsx';

const shownCalls = 6;
const countedEvery = 30_000;

export function OverviewPage() {
  const words = useWords().overview;
  const may = useMay();
  return (
    <Page title={words.title}>
      <div className="tiles wide">
        <CallsNow />
        <Outcomes title={words.hour} name="hour" milliseconds={3_600_000} />
        <Outcomes title={words.day} name="day" milliseconds={86_400_000} />
        {may('disputes:read') && <DisputesNow />}
        <Approvals />
        {may('numbers:read') && <PoolsNow />}
        {may('webhooks:read') && <WebhooksNow />}
        {may('ledger:read') && <ChainState />}
      </div>
      <p className="muted small">{words.updated}</p>
    </Page>
  );
}

function CallsNow() {
  const words = useWords().overview;
  const format = useFormat();
  const { data, error, isLoading, refetch } = useRunningCalls();
  const calls = data?.items ?? [];
  const talking = calls.filter(({ status }) => status === 'answered').length;
  const more = data?.next !== undefined || calls.length > shownCalls;
  return (
    <Card title={words.running} actions={<Link to="/carriers">{words.allRunning}</Link>}>
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {isLoading ? (
        <Loading />
      ) : calls.length === 0 ? (
        <Empty>{words.noneRunning}</Empty>
      ) : (
        <>
          <p className="row">
            <Badge tone="good">{words.talking(format.number(talking))}</Badge>
            <Badge tone="info">{words.ringing(format.number(calls.length - talking))}</Badge>
          </p>
          <ul className="plain-list">
            {calls.slice(0, shownCalls).map((call) => (
              <li key={call.id} className="row">
                <CallBadge call={call} />
                <Phone number={call.number} />
                <Time at={call.startedAt} as="clock" />
                {call.session && (
                  <Link to="/sessions/$id" params={{ id: call.session }}>
                    {words.sessionOf}
                  </Link>
                )}
              </li>
            ))}
          </ul>
          {more && <p className="muted small">{words.andMore}</p>}
        </>
      )}
    </Card>
  );
}

/** Counted anew every half minute, not with each event: on a busy day it is a look at many rows. */
function Outcomes(props: { readonly title: string; readonly name: string; readonly milliseconds: number }) {
  const { title, name, milliseconds } = props;
  const words = useWords().overview;
  const outcomes = useWords().parts.outcome;
  const format = useFormat();
  const { data, error, isLoading, refetch } = useQuery({
    queryKey: ['overview', 'outcomes', name],
    queryFn: ({ signal }) =>
      api.get<CallSummary>(
        '/v1/calls/summary',
        { from: new Date(Date.now() - milliseconds).toISOString() },
        { signal },
      ),
    refetchInterval: countedEvery,
  });
  const ended = data ? data.calls - data.running : 0;
  return (
    <Card title={title}>
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {isLoading ? (
        <Loading />
      ) : data && data.calls > 0 ? (
        <>
          <p className="row">
            <strong className="figure">
              {data.complete ? format.number(data.calls) : words.atLeast(format.number(data.calls))}
            </strong>
            {ended > 0 && (
              <span className="muted">
                {words.share(format.percent((data.outcomes['connected'] ?? 0) / ended))}
              </span>
            )}
          </p>
          <ul className="plain-list">
            {Object.entries(data.outcomes).map(([outcome, count]) => (
              <li key={outcome} className="row spread">
                <span>{wordOf(outcomes, outcome)}</span>
                <span>{format.number(count)}</span>
              </li>
            ))}
          </ul>
        </>
      ) : (
        !error && <Empty>{words.noCalls}</Empty>
      )}
    </Card>
  );
}
