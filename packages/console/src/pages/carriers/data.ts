import { useQuery } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { useMay } from '../../identity.ts';
import type { Call, ListOf } from '../../types.ts';

const most = 200;

/** The newest calls, read again with every live event of a call. */
export function useNewestCalls() {
  const may = useMay();
  return useQuery({
    queryKey: ['calls', 'newest'],
    queryFn: ({ signal }) => api.get<ListOf<Call>>('/v1/calls', { limit: most }, { signal }),
    enabled: may('calls:read'),
  });
}
