/** Calls that run now; read again with every live event of a call. One request, whichever page asks. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { useMay } from '../identity.ts';
import type { Call, ListOf } from '../types.ts';

export function useRunningCalls() {
  const may = useMay();
  return useQuery({
    queryKey: ['calls', 'running'],
    queryFn: ({ signal }) =>
      api.get<ListOf<Call>>('/v1/calls', { status: 'running', limit: 200 }, { signal }),
    enabled: may('calls:read'),
  });
}
