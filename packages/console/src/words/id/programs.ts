import type { programs as shape } from '../en/programs.ts';

export const programs: typeof shape = {
  title: 'Program',
};
