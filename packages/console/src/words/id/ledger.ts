import type { ledger as shape } from '../en/ledger.ts';

export const ledger: typeof shape = {
  title: 'Buku besar',
};
