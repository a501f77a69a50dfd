/** Who is logged in, and what they may do. The API decides; the console only doesn't offer what it would refuse. */
import { type QueryClient, queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { api, setCsrf } from './api.ts';
import type { Me, Scope } from './types.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  queryFn: async ({ signal }) => {
    const me = await api.get<Me>('/v1/auth/me', {}, { signal, anonymous: true });
    setCsrf(me.csrf);
    return me;
  },
});

/** Inside of the shell only: there it is known that somebody is logged in. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** Scopes that `admin` does not include. */
const namedOnly: ReadonlySet<Scope> = new Set<Scope>([
  'recordings:listen',
  'recordings:download',
  'recordings:approve',
  'privacy:write',
  'pii:reveal',
]);
export function may(me: Pick<Me, 'scopes'>, scope: Scope): boolean {
  return me.scopes.includes(scope) || (me.scopes.includes('admin') && !namedOnly.has(scope));
}
export function useMay(): (scope: Scope) => boolean {
  const me = useMe();
  return (scope) => may(me, scope);
}

/** After an answered log-in: what somebody else saw before is forgotten, the new token is kept. */
export async function entered(client: QueryClient, csrf: string): Promise<void> {
  forget(client);
  setCsrf(csrf);
  await client.fetchQuery(meQuery);
}

/** Everything that was read for whoever was logged in. Only once no page that shows it is there any more. */
export function forget(client: QueryClient): void {
  setCsrf('');
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'words' });
}
