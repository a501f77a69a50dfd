import type { login as shape } from '../en/login.ts';

export const login: typeof shape = {
  title: 'Masuk',
  email: 'Alamat surel',
  password: 'Kata sandi',
  show: 'Tampilkan kata sandi',
  go: 'Masuk',
  passkey: 'Masuk dengan kunci sandi',
  changed: 'Kata sandi Anda telah diubah. Masuklah dengan yang baru.',
  secondTitle: 'Satu langkah lagi',
  secondHint: 'Buktikan bahwa ini memang Anda.',
  code: 'Kode dari aplikasi autentikator',
  codeHint: 'Enam angka; setiap kode berlaku sekali.',
  recovery: 'Kode pemulihan',
  recoveryHint: 'Salah satu dari sepuluh kode yang Anda simpan; berlaku sekali.',
  useRecovery: 'Gunakan kode pemulihan saja',
  useCode: 'Gunakan aplikasi saja',
  usePasskey: 'Gunakan kunci sandi',
  continue: 'Lanjut',
  again: 'Mulai dari awal',
  wrong: 'Tidak cocok. Alamat, kata sandi, atau kodenya salah, atau waktunya terlalu lama.',
  lockedOut: (minutes: string) =>
    `Terlalu banyak percobaan yang salah. Coba lagi dalam ${minutes} menit, atau mintalah tautan baru kepada administrator.`,
  busy: 'Banyak orang sedang masuk. Coba lagi sebentar lagi.',
  passkeyFailed: 'Kunci sandi tidak terpakai. Coba lagi, atau masuk dengan kata sandi.',
  forgotten: 'Lupa kata sandi, atau ponsel hilang? Administrator dapat mengirimkan tautan baru.',
};
