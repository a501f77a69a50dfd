import type { disputes as shape } from '../en/disputes.ts';

export const disputes: typeof shape = {
  title: 'Sengketa',
  find: 'Cari sengketa',
  status: 'Status',
  assignee: 'Ditangani oleh',
  assignees: { any: 'siapa pun atau belum ada', me: 'saya', nobody: 'belum ada' },
  unassigned: 'belum ada',
  category: 'Tentang',
  opened: 'Dibuka',
  openedBy: 'Oleh',
  changed: 'Berubah',
  verdict: 'Putusan',
  none: 'Tidak ada sengketa seperti itu.',
  openKinds: { operator: 'seorang petugas', participant: 'seorang peserta', call: 'tombol selama panggilan' },
  openOne: (category) => `${category}: buka sengketa`,
};
