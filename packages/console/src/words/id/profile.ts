import type { profile as shape } from '../en/profile.ts';

export const profile: typeof shape = {
  title: 'Profil dan keamanan',
};
