import type { users as shape } from '../en/users.ts';

export const users: typeof shape = {
  title: 'Pengguna',
};
