import type { carriers as shape } from '../en/carriers.ts';

export const carriers: typeof shape = {
  title: 'Operator',
};
