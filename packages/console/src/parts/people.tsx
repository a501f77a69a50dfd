/** Who did something: a user by name where one may read users, a participant by role, a key by its id. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { may, useMe } from '../identity.ts';
import type { ListOf, Participant, User } from '../types.ts';
import { useWords } from '../words/index.tsx';

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

export function Actor(props: { readonly id: string; readonly participants?: readonly Participant[] }) {
  const { id, participants = [] } = props;
  const words = useWords().parts;
  const me = useMe();
  const users = useUsers();
  if (id === me.user.id) return <span>{words.you}</span>;
  const participant = participants.find((one) => one.id === id);
  if (participant) return <span>{participant.role}</span>;
  const user = users.find((one) => one.id === id);
  if (user) return <span title={id}>{user.name}</span>;
  if (id.startsWith('par_')) return <span title={id}>{words.participant}</span>;
  if (id === 'platform' || id === 'system') return <span>{words.platform}</span>;
  return <ShortId id={id} />;
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
