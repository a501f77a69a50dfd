import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { meQuery } from '../../identity.ts';
import type { Me, User } from '../../types.ts';

/** Puts what the API answered in the place of what was known of oneself. */
export function useOwnUser(): (change: User | ((user: User) => User)) => void {
  const client = useQueryClient();
  return useCallback(
    (change) => {
      client.setQueryData<Me>(meQuery.queryKey, (me) =>
        me === undefined ? me : { ...me, user: typeof change === 'function' ? change(me.user) : change },
      );
      void client.invalidateQueries({ queryKey: ['users'] });
    },
    [client],
  );
}
