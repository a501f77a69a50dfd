import type { disputes as shape } from '../en/disputes.ts';

export const disputes: typeof shape = {
  title: 'Sengketa',
};
