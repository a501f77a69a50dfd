import type { invitation as shape } from '../en/invitation.ts';

export const invitation: typeof shape = {
  title: 'Selamat datang',
  hello: (name: string) => `Halo ${name}. Pilih kata sandi untuk konsol.`,
  password: 'Kata sandi baru',
  passwordHint:
    '12 sampai 200 karakter. Beberapa kata yang tidak berhubungan itu baik; nama Anda dan kata sandi yang umum tidak diterima.',
  go: 'Simpan kata sandi dan masuk',
  invalidTitle: 'Tautan ini tidak berfungsi',
  invalid:
    'Sudah dipakai, kedaluwarsa, atau tidak pernah diberikan. Mintalah yang baru kepada administrator.',
  toLogin: 'Ke halaman masuk',
  weak: 'Kata sandi ini terlalu mudah ditebak: terlalu pendek, berpola, umum dipakai, atau berisi nama Anda.',
};
