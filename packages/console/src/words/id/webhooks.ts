import type { webhooks as shape } from '../en/webhooks.ts';

export const webhooks: typeof shape = {
  title: 'Webhook',
  none: 'Belum ada titik akhir. Buat satu agar sistem Anda mendengar apa yang terjadi.',
  make: 'Titik akhir baru',
  url: 'URL',
  urlHint: 'Diawali https://, di internet publik.',
  description: 'Keterangan',
  descriptionHint: 'Kata-kata Anda; tanpa data pribadi.',
  kinds: 'Jenis peristiwa',
  kindsHint: 'Satu per baris: session.closed, atau keluarga session.*. Kosong: semuanya.',
  everything: 'semuanya',
  state: 'Keadaan',
  on: 'Nyala',
  off: 'Mati',
  because: {
    gone: 'Dimatikan: menjawab 410 Gone.',
    failing: 'Dimatikan: tak ada yang terkirim dalam lima hari.',
  },
  pending: 'Dalam perjalanan',
  dead: 'Dilepas',
  lastDelivered: 'Terakhir terkirim',
  created: 'Dibuat',
  secret: 'Rahasia',
  secretHint:
    'Memeriksa tanda tangan tiap kiriman (Standard Webhooks). Simpan di tempat yang hanya dibaca server Anda.',
};
