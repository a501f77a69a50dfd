/** Lists that come in pages, with "load more". */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, mergePages, type Query } from './api.ts';
import type { ListOf } from './types.ts';

/** Beyond this a search should be narrowed; the pager says so. */
export const maxRows = 2000;

export interface Pages<T> {
  readonly items: readonly T[];
  readonly loading: boolean;
  readonly error: Error | null;
  readonly hasMore: boolean;
  /** There are more, but not here: narrow the search. */
  readonly full: boolean;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
  readonly refetch: () => void;
}

interface Options<T> {
  readonly key: readonly unknown[];
  readonly idOf?: (item: T) => string;
  readonly enabled?: boolean;
}
type Source =
  | { readonly path: string; readonly query?: Query }
  | { readonly post: string; readonly body: object };

/** The first part of `key` is the resource (`sessions`, `calls`, …): live events refresh by it. */
export function usePages<T extends { readonly id: string }>(options: Options<T> & Source): Pages<T>;
export function usePages<T>(options: Options<T> & Source & { readonly idOf: (item: T) => string }): Pages<T>;
export function usePages<T>(options: Options<T> & Source): Pages<T> {
  const idOf = options.idOf ?? ((item: T) => (item as { readonly id: string }).id);
  const found = useInfiniteQuery({
    queryKey: options.key,
    enabled: options.enabled ?? true,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      'post' in options
        ? api.post<ListOf<T>>(
            options.post,
            { ...options.body, ...(pageParam ? { after: pageParam } : {}) },
            { signal },
          )
        : api.get<ListOf<T>>(options.path, { ...options.query, after: pageParam }, { signal }),
    getNextPageParam: (last: ListOf<T>) => last.next,
  });
  const pages = found.data?.pages;
  // idOf is written at the call and changes with each rendering; it never means something else.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const items = useMemo(() => mergePages(pages ?? [], idOf), [pages]);
  const full = found.hasNextPage && items.length >= maxRows;
  return {
    items,
    loading: found.isLoading,
    error: found.error,
    hasMore: found.hasNextPage && !full,
    full,
    loadingMore: found.isFetchingNextPage,
    loadMore: () => void found.fetchNextPage(),
    refetch: () => void found.refetch(),
  };
}
