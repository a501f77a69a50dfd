import { useQuery } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { useMay } from '../../identity.ts';
import type { Call, Carrier, ListOf } from '../../types.ts';

/** A business has a handful; beyond this many the list on the page has its own pages. */
const most = 200;

/** Empty for whoever may not see them. */
export function useCarriers(): readonly Carrier[] {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['carriers', 'names'],
    queryFn: ({ signal }) => api.get<ListOf<Carrier>>('/v1/carriers', { limit: most }, { signal }),
    enabled: may('carriers:read'),
  });
  return data?.items ?? [];
}

/** The newest calls, read again with every live event of a call. */
export function useNewestCalls() {
  const may = useMay();
  return useQuery({
    queryKey: ['calls', 'newest'],
    queryFn: ({ signal }) => api.get<ListOf<Call>>('/v1/calls', { limit: most }, { signal }),
    enabled: may('calls:read'),
  });
}
