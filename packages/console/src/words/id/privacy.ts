import type { privacy as shape } from '../en/privacy.ts';

export const privacy: typeof shape = {
  title: 'Privasi',
};
