import type { invitation as shape } from '../en/invitation.ts';

export const invitation: typeof shape = {
  title: 'Selamat datang',
};
