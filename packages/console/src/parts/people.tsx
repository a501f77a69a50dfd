/** Who did something: a user by name where one may read users, a participant by role, a key by its id. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { may, useMe } from '../identity.ts';
import type { ListOf, Participant, User } from '../types.ts';
import { useWords, type Words } from '../words/index.tsx';

/** The first 200 of them; empty for whoever may not read users. */
export function useUsers(): readonly User[] {
  const me = useMe();
  const { data } = useQuery({
    queryKey: ['users', 'names'],
    queryFn: ({ signal }) => api.get<ListOf<User>>('/v1/users', { limit: 200 }, { signal }),
    enabled: may(me, 'users:read'),
    staleTime: 60_000,
  });
  return data?.items ?? [];
}

/** What acts without being a person, as the ledger names it. */
const machines: ReadonlySet<string> = new Set(['platform', 'system', 'switch', 'background', 'retention']);

export function Actor(props: { readonly id: string; readonly participants?: readonly Participant[] }) {
  const { id, participants = [] } = props;
  const words = useWords().parts;
  const me = useMe();
  const users = useUsers();
  const participant = participants.find((one) => one.id === id);
  const said =
    id === me.user.id
      ? words.you
      : (participant?.role ?? users.find((one) => one.id === id)?.name ?? kindOf(id, words));
  return said === undefined ? (
    <ShortId id={id} />
  ) : (
    <span className="actor" title={id}>
      {said}
    </span>
  );
}

function kindOf(id: string, words: Words['parts']): string | undefined {
  if (machines.has(id)) return words.platform;
  if (id === 'admin') return words.firstKey;
  const prefix = id.split('_')[0] ?? '';
  const end = id.slice(-4);
  if (prefix === 'usr') return words.user(end);
  if (prefix === 'key') return words.key(end);
  if (prefix === 'par') return words.participant;
  return undefined;
}

/** Enough of an id to tell two apart; the whole in the title. */
export function ShortId({ id }: { readonly id: string }) {
  return <code title={id}>{shortId(id)}</code>;
}

export function shortId(id: string): string {
  const [prefix = '', rest = ''] = id.split('_');
  return rest.length > 8 ? `${prefix}_…${rest.slice(-6)}` : id;
}

export function roleOf(participants: readonly Participant[], id: string | undefined): string | undefined {
  return participants.find((one) => one.id === id)?.role;
}
