import type { program as shape } from '../en/program.ts';

export const program: typeof shape = {
  title: 'Program',
};
