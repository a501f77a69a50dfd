/** Carriers by name, for whatever names one by id. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { useMay } from '../identity.ts';
import type { Carrier, ListOf } from '../types.ts';

/** A business has a handful; those beyond are shown by their ids. */
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
