import type { sessions as shape } from '../en/sessions.ts';

export const sessions: typeof shape = {
  title: 'Sesi',
};
