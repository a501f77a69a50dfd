import type { session as shape } from '../en/session.ts';

export const session: typeof shape = {
  title: 'Sesi',
};
