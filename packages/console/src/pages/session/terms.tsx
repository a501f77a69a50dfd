/** What was agreed for the session. */
import { Link } from '@tanstack/react-router';
import { Card, Fact, Facts, Time } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { ShortId } from '../../parts/people.tsx';
import type { Session } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Terms({ session }: { readonly session: Session }) {
  const all = useWords();
  const words = all.session;
  const format = useFormat();
  const { program, schedule, limits, afterClose, whisper, accept, survey, metadata } = session;
  const more = Object.entries({ program, schedule, limits, afterClose, whisper, accept, survey }).filter(
    ([, value]) => value !== undefined,
  );
  const rest = { ...Object.fromEntries(more), ...(Object.keys(metadata).length > 0 ? { metadata } : {}) };
  return (
    <Card title={words.terms}>
      <Facts>
        <Fact name={words.created}>
          <Time at={session.createdAt} />
        </Fact>
        {session.opensAt && (
          <Fact name={words.opens}>
            <Time at={session.opensAt} />
          </Fact>
        )}
        <Fact name={words.expires}>
          <Time at={session.expiresAt} />
        </Fact>
        {session.closedAt && (
          <Fact name={words.closed}>
            <Time at={session.closedAt} /> {session.closeReason}
          </Fact>
        )}
        {session.afterCloseUntil && (
          <Fact name={words.after}>
            <Time at={session.afterCloseUntil} />
          </Fact>
        )}
        {session.idleSeconds !== undefined && (
          <Fact name={words.idle}>{format.span(session.idleSeconds * 1000)}</Fact>
        )}
        <Fact name={words.recording}>{all.parts.recording[session.recording]}</Fact>
        <Fact name={words.ongoing}>{words.ongoingWords[session.ongoingCalls]}</Fact>
        <Fact name={words.pool}>{session.pool}</Fact>
        {session.sharedNumber && <Fact name={words.shared}>{all.common.yes}</Fact>}
        {session.parent && (
          <Fact name={words.parent}>
            <Link to="/sessions/$id" params={{ id: session.parent }}>
              <ShortId id={session.parent} />
            </Link>
          </Fact>
        )}
      </Facts>
      {Object.keys(rest).length > 0 && (
        <details>
          <summary>{words.moreTerms}</summary>
          <pre>{JSON.stringify(rest, null, 2)}</pre>
        </details>
      )}
    </Card>
  );
}
