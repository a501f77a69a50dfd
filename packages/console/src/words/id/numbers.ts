import type { numbers as shape } from '../en/numbers.ts';

export const numbers: typeof shape = {
  title: 'Nomor',
};
