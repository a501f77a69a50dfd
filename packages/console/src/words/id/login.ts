import type { login as shape } from '../en/login.ts';

export const login: typeof shape = {
  title: 'Masuk',
};
