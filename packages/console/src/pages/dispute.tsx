/** One complaint, from statement to verdict, with what was said in the calls it is about. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../api.ts';
import { Card, ErrorBox, Fact, Facts, Loading, Page, Phone, Time } from '../components/index.ts';
import { useMay } from '../identity.ts';
import { Actor, ShortId } from '../parts/people.tsx';
import { DisputeBadge, VerdictBadge } from '../parts/status.tsx';
import { Timeline } from '../parts/timeline/timeline.tsx';
import type { DisputeFile, Participant, Session } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { OwnVersions } from './dispute/changes.tsx';
import { Handling } from './dispute/handling.tsx';
import { Notes } from './dispute/notes.tsx';
import { VerdictForm } from './dispute/verdict-form.tsx';

export function DisputePage() {
  const all = useWords();
  const words = all.dispute;
  const may = useMay();
  const { id } = useParams({ from: '/in/disputes/$id' });
  const { data, error, refetch } = useQuery({
    queryKey: ['disputes', id],
    queryFn: ({ signal }) => api.get<DisputeFile>(at`/v1/disputes/${id}`, {}, { signal }),
  });
  const session = useQuery({
    queryKey: ['sessions', data?.session],
    queryFn: ({ signal }) => api.get<Session>(at`/v1/sessions/${data?.session ?? ''}`, {}, { signal }),
    enabled: data !== undefined && may('sessions:read'),
  });
  const category = data && all.parts.category[data.category];
  return (
    <Page
      title={category ? `${words.title}: ${category}` : words.title}
      trail={<Link to="/disputes">← {words.all}</Link>}
      subtitle={
        data && (
          <span className="row">
            <DisputeBadge status={data.status} />
            {data.verdict && <VerdictBadge verdict={data.verdict.verdict} />}
            <code>{data.id}</code>
          </span>
        )
      }
    >
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {data ? <Body key={data.id} dispute={data} session={session.data} /> : !error && <Loading />}
    </Page>
  );
}

function Body(props: { readonly dispute: DisputeFile; readonly session: Session | undefined }) {
  const { dispute, session } = props;
  const words = useWords().dispute;
  const may = useMay();
  const participants = session?.participants ?? [];
  const [own] = useState(() => new Set<number>());
  const working = dispute.status !== 'resolved' && may('disputes:write');
  return (
    <OwnVersions value={own}>
      <div className="columns">
        <div className="stack">
          <Complaint dispute={dispute} session={session} />
          {session && <Timeline session={session} call={dispute.call} />}
          <Notes dispute={dispute} participants={participants} />
        </div>
        <div className="stack">
          <Handling dispute={dispute} participants={participants} editable={working} />
          {dispute.verdict && <Decided verdict={dispute.verdict} participants={participants} />}
          {working && <VerdictForm dispute={dispute} participants={participants} />}
          <Card title={words.history}>
            <ol className="list" aria-label={words.history}>
              {dispute.history.map((entry) => (
                <li key={entry.id} className="row">
                  <Time at={entry.at} />
                  {may('ledger:read') ? (
                    <Link to="/ledger" search={{ entry: entry.id }}>
                      {entry.kind}
                    </Link>
                  ) : (
                    <span>{entry.kind}</span>
                  )}
                  <span className="muted small">
                    <Actor id={entry.actor} participants={participants} />
                  </span>
                </li>
              ))}
            </ol>
          </Card>
        </div>
      </div>
    </OwnVersions>
  );
}

function Complaint(props: { readonly dispute: DisputeFile; readonly session: Session | undefined }) {
  const { dispute, session } = props;
  const all = useWords();
  const words = all.dispute;
  return (
    <Card title={words.facts}>
      <p className="written">
        {dispute.statement || (
          <span className="muted">
            {dispute.redactedAt === undefined ? words.noStatement : words.redacted}
          </span>
        )}
      </p>
      <Facts>
        <Fact name={words.session}>
          <Link to="/sessions/$id" params={{ id: dispute.session }}>
            {session?.reference ?? <ShortId id={dispute.session} />}
          </Link>
        </Fact>
        <Fact name={words.openedBy}>
          {all.disputes.openKinds[dispute.openedBy.kind]}
          {': '}
          <Actor id={dispute.openedBy.id} participants={session?.participants ?? []} />
        </Fact>
        <Fact name={words.opened}>
          <Time at={dispute.openedAt} />
        </Fact>
        {dispute.call && (
          <Fact name={words.call}>
            <ShortId id={dispute.call} />
          </Fact>
        )}
        {session?.participants.map((one) => (
          <Fact key={one.id} name={one.role}>
            <Phone number={one.phone} />
          </Fact>
        ))}
      </Facts>
      {dispute.hold && <p className="notice">{words.held}</p>}
    </Card>
  );
}

function Decided(props: {
  readonly verdict: NonNullable<DisputeFile['verdict']>;
  readonly participants: readonly Participant[];
}) {
  const { verdict, participants } = props;
  const words = useWords().dispute;
  return (
    <Card title={words.verdict}>
      <div className="row">
        <VerdictBadge verdict={verdict.verdict} />
        <span className="muted">
          <Actor id={verdict.by} participants={participants} /> · <Time at={verdict.at} />
        </span>
      </div>
      <p className="written">{verdict.text}</p>
      {verdict.block && <p className="notice warn">{words.blocked}</p>}
    </Card>
  );
}
