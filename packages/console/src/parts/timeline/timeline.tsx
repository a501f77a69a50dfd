/** Calls, texts and events of a session in the order of time, newest first. */
import { useState } from 'react';
import { Badge, Card, Checkbox, Empty, ErrorBox, Loading, Pager, Time } from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import { usePages } from '../../pages-of.ts';
import type { Call, PlatformEvent, Session } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { roleOf, ShortId, shortId } from '../people.tsx';
import { CallItem } from './call-item.tsx';
import { type Happening, merged } from './merged.ts';

export function Timeline(props: {
  readonly session: Pick<Session, 'id' | 'participants'>;
  /** Opened when it is first shown. */
  readonly call?: string | undefined;
}) {
  const { session, call } = props;
  const words = useWords().session;
  const may = useMay();
  const [withEvents, setWithEvents] = useState(true);
  const calls = usePages<Call>({
    key: ['calls', 'of', session.id],
    path: '/v1/calls',
    query: { session: session.id },
    enabled: may('calls:read'),
  });
  const events = usePages<PlatformEvent>({
    key: ['events', 'of', session.id],
    path: '/v1/events',
    query: { session: session.id },
    enabled: may('events:read'),
  });
  const happenings = merged(calls, withEvents ? events : { items: [], hasMore: false });
  const pages = {
    items: happenings,
    hasMore: calls.hasMore || (withEvents && events.hasMore),
    full: calls.full || (withEvents && events.full),
    loadingMore: calls.loadingMore || events.loadingMore,
    loadMore: () => {
      if (calls.hasMore) calls.loadMore();
      if (withEvents && events.hasMore) events.loadMore();
    },
  };
  return (
    <Card
      title={words.timeline}
      actions={
        may('events:read') && (
          <Checkbox
            label={words.showEvents}
            checked={withEvents}
            onChange={({ target }) => setWithEvents(target.checked)}
          />
        )
      }
    >
      <ErrorBox error={calls.error ?? events.error} onRetry={calls.refetch} />
      {calls.loading ? (
        <Loading />
      ) : happenings.length === 0 ? (
        <Empty>{words.noCalls}</Empty>
      ) : (
        <ol className="timeline" aria-label={words.timeline}>
          {happenings.map((one) => (
            <li key={one.id}>
              <One happening={one} participants={session.participants} open={one.id === call} />
            </li>
          ))}
        </ol>
      )}
      <Pager pages={pages} />
    </Card>
  );
}

function One(props: {
  readonly happening: Happening;
  readonly participants: Session['participants'];
  readonly open: boolean;
}) {
  const { happening, participants, open } = props;
  if (happening.kind === 'call') {
    return <CallItem call={happening.call} participants={participants} startOpen={open} />;
  }
  const { event } = happening;
  const who = roleOf(participants, event.subject);
  const data = Object.entries(event.data);
  return (
    <div className="row event">
      <Time at={event.at} />
      <Badge>{event.kind}</Badge>
      {who ?? (event.subject && <ShortId id={event.subject} />)}
      {data.length > 0 && (
        <span className="muted small">
          {data
            .slice(0, 6)
            .map(([name, value]) => `${name}: ${said(value, participants)}`)
            .join(' · ')}
        </span>
      )}
    </div>
  );
}

/** Participants by their roles, other ids by their ends. */
function said(value: unknown, participants: Session['participants']): string {
  if (Array.isArray(value)) return value.map((one) => said(one, participants)).join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  return roleOf(participants, text) ?? (/^[a-z]{3,4}_[0-9a-f]{32}$/.test(text) ? shortId(text) : text);
}
