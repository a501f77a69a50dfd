import type { keys as shape } from '../en/keys.ts';

export const keys: typeof shape = {
  title: 'Kunci API',
};
