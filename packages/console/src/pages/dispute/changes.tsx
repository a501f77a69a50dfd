/**
 * Changing a dispute that others may change at the same time. The version with which somebody began goes along with a
 * change; when it is refused (`dispute-changed`), what is different now is shown, what was typed stays, and the next try
 * goes with the new version.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import { ErrorBox } from '../../components/index.ts';
import { useMe } from '../../identity.ts';
import { roleOf, useUsers } from '../../parts/people.tsx';
import type { Dispute, DisputeFile, Participant } from '../../types.ts';
import { useWords, type Words } from '../../words/index.tsx';

/** Versions that this page itself has made: they surprise nobody here. */
export const OwnVersions = createContext<Set<number>>(new Set());

interface Change {
  /** What was known when it was typed, and what is now. */
  readonly before: Dispute;
  readonly after: Dispute;
}

export function useDisputeChange<Body extends object>(
  dispute: DisputeFile,
  send: (body: Body & { readonly version: number }) => Promise<Dispute>,
  done: (dispute: Dispute) => void = () => undefined,
) {
  const client = useQueryClient();
  // As it was when this form was last in step with it: not as a live update has changed it since.
  const [base, setBase] = useState<Dispute>(dispute);
  const [changed, setChanged] = useState<Change>();
  const own = use(OwnVersions);
  const mutation = useMutation({
    mutationFn: (body: Body) => send({ ...body, version: knownVersion(base.version, own) }),
    onSuccess: (answer) => {
      own.add(answer.version);
      setBase(answer);
      setChanged(undefined);
      void client.invalidateQueries({ queryKey: ['disputes'] });
      done(answer);
    },
    onError: async (error) => {
      if (!isProblem(error, 'dispute-changed')) return;
      const after = await client.fetchQuery({
        queryKey: ['disputes', dispute.id],
        queryFn: () => api.get<DisputeFile>(at`/v1/disputes/${dispute.id}`),
        staleTime: 0,
      });
      setChanged({ before: base, after });
      setBase(after);
    },
  });
  return {
    mutate: mutation.mutate,
    busy: mutation.isPending,
    error: mutation.error,
    changed,
    /** Nothing is typed: what others change is taken over. */
    follow: () => {
      if (dispute.version > base.version) setBase(dispute);
    },
  };
}

/** Further by those that were made here right after it. */
function knownVersion(version: number, own: ReadonlySet<number>): number {
  let known = version;
  while (own.has(known + 1)) known += 1;
  return known;
}

export function ChangeFault(props: {
  readonly error: unknown;
  readonly changed: Change | undefined;
  readonly participants: readonly Participant[];
}) {
  const { error, changed, participants } = props;
  const all = useWords();
  const me = useMe();
  const users = useUsers();
  const nameOf = (id: string | undefined) => {
    if (id === undefined) return all.disputes.unassigned;
    return id === me.user.id ? all.parts.you : (users.find((user) => user.id === id)?.name ?? id);
  };
  if (!changed) return isProblem(error, 'dispute-changed') ? null : <ErrorBox error={error} />;
  const lines = differences(all, changed, participants, nameOf);
  return (
    <div className="notice warn" role="alert">
      <strong>{all.dispute.changedTitle}</strong>
      <ul>
        {lines.length === 0 ? (
          <li>{all.dispute.changedElse}</li>
        ) : (
          lines.map((line) => <li key={line}>{line}</li>)
        )}
      </ul>
      <p>{all.dispute.changedHint}</p>
    </div>
  );
}

function differences(
  all: Words,
  { before, after }: Change,
  participants: readonly Participant[],
  nameOf: (user: string | undefined) => string,
): readonly string[] {
  const words = all.dispute;
  const fields: readonly (readonly [string, (dispute: Dispute) => string])[] = [
    [words.status, ({ status }) => all.parts.dispute[status]],
    [words.category, ({ category }) => all.parts.category[category]],
    [words.assignee, ({ assignee }) => nameOf(assignee)],
    [words.against, ({ against }) => roleOf(participants, against) ?? words.nobody],
    [words.verdict, ({ verdict }) => (verdict ? all.parts.verdict[verdict.verdict] : all.common.none)],
  ];
  return fields.flatMap(([name, say]) =>
    say(before) === say(after) ? [] : [words.changedTo(name, say(before), say(after))],
  );
}
