/** One session: who, on which terms, what happened, and what can be done. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../api.ts';
import { Button, ErrorBox, Loading, Page } from '../components/index.ts';
import { useMay } from '../identity.ts';
import { CloseDialog } from '../parts/close-sessions.tsx';
import { SessionBadge } from '../parts/status.tsx';
import { Timeline } from '../parts/timeline/timeline.tsx';
import type { Session } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { CallTogether } from './session/call-together.tsx';
import { Disputes } from './session/disputes.tsx';
import { Holds } from './session/holds.tsx';
import { Participants } from './session/participants.tsx';
import { Terms } from './session/terms.tsx';

export function SessionPage() {
  const words = useWords().session;
  const { id } = useParams({ from: '/in/sessions/$id' });
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions', id],
    queryFn: ({ signal }) => api.get<Session>(at`/v1/sessions/${id}`, {}, { signal }),
  });
  return (
    <Page
      title={data?.reference ?? words.title}
      trail={<Link to="/sessions">← {words.all}</Link>}
      subtitle={
        data && (
          <span className="row">
            <SessionBadge status={data.status} />
            {data.closeReason && <span>{data.closeReason}</span>}
            <code>{data.id}</code>
          </span>
        )
      }
      actions={data && <Actions session={data} />}
    >
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {data ? <Body key={data.id} session={data} /> : !error && <Loading />}
    </Page>
  );
}

function Actions({ session }: { readonly session: Session }) {
  const words = useWords();
  const may = useMay();
  const [closing, setClosing] = useState(false);
  const alive = session.status === 'open' || session.status === 'scheduled';
  return (
    <>
      {session.status === 'open' && may('calls:write') && <CallTogether session={session} />}
      {may('ledger:read') && (
        <Link className="button plain" to="/ledger" search={{ session: session.id }}>
          {words.session.ledger}
        </Link>
      )}
      {alive && may('sessions:write') && (
        <Button look="danger" onClick={() => setClosing(true)}>
          {words.sessions.close}
        </Button>
      )}
      {closing && (
        <CloseDialog ids={[session.id]} onClose={() => setClosing(false)} onDone={() => undefined} />
      )}
    </>
  );
}

function Body({ session }: { readonly session: Session }) {
  const may = useMay();
  return (
    <>
      <Participants session={session} />
      <div className="columns">
        <Timeline session={session} />
        <div className="stack">
          <Terms session={session} />
          {may('disputes:read') && <Disputes session={session} />}
          {may('disputes:read') && <Holds session={session.id} />}
        </div>
      </div>
    </>
  );
}
