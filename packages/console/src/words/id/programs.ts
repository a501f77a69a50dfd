import type { programs as shape } from '../en/programs.ts';

export const programs: typeof shape = {
  title: 'Program',
  none: 'Belum ada program: penelepon disambungkan ke semua pihak lain dalam sesinya.',
  make: 'Program baru',
  name: 'Nama',
  default: 'Bawaan',
  isDefault: 'Bawaan',
  defaultHint: 'Sesi yang tak menyebut program memakai yang ini.',
  setDefault: 'Jadikan bawaan',
  unsetDefault: 'Bukan bawaan lagi',
  version: 'Versi',
  rules: 'Aturan',
  updated: 'Diubah',
  remove: 'Hapus',
  removeHint: 'Ditolak selama ada sesi aktif yang menyebutnya.',
  removed: 'Program dihapus.',
};
