import type { dispute as shape } from '../en/dispute.ts';

export const dispute: typeof shape = {
  title: 'Sengketa',
};
