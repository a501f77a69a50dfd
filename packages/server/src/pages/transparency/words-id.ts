import { lengthOf } from './lengths.ts';
import type { Words } from './words.ts';

export const indonesian: Words = {
  tag: 'id',
  languageName: 'Bahasa Indonesia',
  skip: 'Langsung ke isi halaman',
  title: 'Siapa yang dapat menghubungi Anda',
  intro: (business) =>
    `${business} menghubungkan Anda dengan pihak lain melalui nomor virtual, sehingga nomor asli Anda tidak perlu diketahui siapa pun. Di sini Anda dapat melihat apa yang dilakukan dengan data Anda, dan Anda dapat mengakhirinya.`,
  keepLink: 'Halaman ini hanya untuk Anda. Jangan bagikan tautannya.',
  reference: 'Pesanan',
  youAre: 'Peran Anda',
  status: {
    scheduled: 'Kontak belum dimulai.',
    open: 'Kontak sedang terbuka.',
    'after-close':
      'Pesanan sudah selesai. Untuk sementara Anda masih dapat ditelepon mengenai pesanan tersebut.',
    closed: 'Kontak sudah berakhir. Tidak ada lagi yang dapat menghubungi Anda melalui nomor ini.',
    expired:
      'Kontak sudah berakhir karena waktunya habis. Tidak ada lagi yang dapat menghubungi Anda melalui nomor ini.',
  },
  since: 'Sejak',
  until: 'Berakhir paling lambat',
  ended: 'Berakhir',
  shownUntil: (days) => `Anda dapat melihat halaman ini selama ${days} hari setelah kontak berakhir.`,
  reach: {
    title: 'Siapa yang dapat menghubungi Anda',
    nobody: 'Tidak ada yang dapat menghubungi Anda melalui nomor ini.',
    call: (role) => `${role}: dapat menelepon Anda melalui nomor virtual.`,
    callAndText: (role) => `${role}: dapat menelepon dan mengirim SMS kepada Anda melalui nomor virtual.`,
    notCall: (role) => `${role}: tidak dapat menelepon Anda, tetapi Anda dapat meneleponnya.`,
    narrowed: 'Perusahaan dapat membatasinya lebih lanjut, misalnya hanya pada jam tertentu.',
    afterClose: (roles, time) =>
      `Setelah kontak berakhir, pihak berikut masih dapat menelepon Anda selama ${time}: ${roles}.`,
    blocked: 'Anda telah memblokir pihak lain.',
  },
  shared: {
    title: 'Apa yang dilihat pihak lain',
    number: 'Nomor virtual Anda',
    numberWhy: 'Pihak lain hanya melihat nomor ini. Nomor ini hanya berlaku untuk pesanan ini.',
    phone: 'Nomor telepon asli Anda: tidak dibagikan',
    phoneWhy: (business) =>
      `Nomor ini disimpan secara terenkripsi oleh ${business} dan tidak diperlihatkan kepada pihak lain.`,
    name: 'Nama Anda: tidak dibagikan',
    nameWhy: 'Layanan ini tidak memberitahukan nama Anda kepada pihak lain.',
  },
  recording: {
    title: 'Perekaman',
    mode: {
      off: 'Panggilan tidak direkam.',
      announce: 'Panggilan direkam. Kedua pihak mendengar pemberitahuannya sebelum perekaman dimulai.',
      consent: 'Panggilan hanya direkam jika kedua pihak menyetujuinya dengan menekan tombol.',
    },
    kept: (days) =>
      `Rekaman disimpan secara terenkripsi selama ${days} hari, lalu dihapus; lebih lama hanya selama suatu keluhan sedang diselidiki.`,
  },
  calls: {
    title: 'Panggilan',
    none: 'Belum ada panggilan.',
    direction: { in: 'Anda ditelepon', out: 'Anda menelepon' },
    outcome: {
      running: 'sedang berlangsung',
      connected: 'tersambung',
      busy: 'sibuk',
      'no-answer': 'tidak dijawab',
      unavailable: 'tidak dapat dihubungi',
      cancelled: 'ditutup sebelum dijawab',
      refused: 'tidak disambungkan',
      interrupted: 'terputus karena gangguan',
      failed: 'gagal',
      other: 'berakhir',
    },
    length: (seconds) => `berbicara selama ${indonesian.seconds(seconds)}`,
    recorded: 'Direkam.',
    deleted: 'Panggilan ini pernah direkam; rekamannya sudah dihapus.',
    notRecorded: 'Tidak direkam.',
    listened: 'Didengarkan oleh',
    nobodyListened: 'Belum ada yang mendengarkannya.',
    by: {
      staff: 'anggota tim perusahaan',
      system: 'sistem komputer perusahaan',
      self: 'Anda',
      platform: 'layanan ini sendiri',
    },
    reason: 'Alasan',
    earlier: 'Panggilan sebelumnya',
    later: 'Panggilan sesudahnya',
  },
  uses: {
    title: 'Penggunaan lain atas data Anda',
    none: 'Nomor Anda tidak pernah diperlihatkan kepada siapa pun, dan data Anda tidak disalin atau dihapus.',
    kind: {
      reveal: 'Nomor telepon Anda diperlihatkan',
      download: 'Sebuah rekaman diunduh',
      export: 'Salinan data Anda dibuat',
      erase: 'Data Anda dihapus',
      restrict: 'Penggunaan data Anda dibatasi',
    },
  },
  choices: {
    title: 'Apa yang dapat Anda lakukan',
    sure: 'Mohon konfirmasi',
    back: 'Kembali tanpa mengubah apa pun',
  },
  action: {
    end: {
      title: 'Akhiri kontak',
      explains: [
        'Tidak ada lagi yang dapat menelepon melalui nomor ini, baik pihak lain maupun Anda.',
        'Anda tidak dapat membatalkannya sendiri. Jika pesanan masih berjalan, mintalah cara lain untuk berhubungan kepada perusahaan.',
      ],
      button: 'Akhiri kontak sekarang',
      done: 'Kontak sudah berakhir.',
    },
    block: {
      title: 'Blokir pihak lain',
      explains: [
        'Pihak lain dalam kontak ini tidak akan dapat menghubungi Anda, baik sekarang maupun dalam pesanan lain di perusahaan ini. Anda juga tidak akan dapat menghubungi mereka.',
        'Mereka tidak diberi tahu bahwa Anda memblokirnya.',
      ],
      button: 'Blokir',
      done: 'Pihak lain telah diblokir dan tidak dapat menghubungi Anda lagi.',
    },
    report: {
      title: 'Laporkan masalah',
      explains: [
        'Perusahaan akan menyelidikinya. Untuk itu, timnya mungkin mendengarkan rekaman dari kontak ini; di halaman ini Anda akan melihat siapa yang mendengarkan dan alasannya.',
        'Laporan Anda tidak diperlihatkan kepada pihak lain.',
      ],
      button: 'Kirim laporan',
      done: 'Laporan Anda sudah diterima. Perusahaan sedang menyelidikinya.',
    },
    erase: {
      title: 'Minta penghapusan data',
      explains: [
        'Anda meminta perusahaan menghapus data yang terkait dengan nomor telepon Anda: nomor itu sendiri, nama Anda, dan rekaman panggilan Anda.',
        'Perusahaan yang memutuskan, dan mungkin wajib menyimpan sebagian catatan selama diharuskan oleh hukum.',
      ],
      button: 'Minta penghapusan',
      done: 'Anda telah meminta penghapusan data. Perusahaan akan menanganinya.',
    },
  },
  report: {
    category: 'Tentang apa?',
    categories: {
      harassment: 'Pelecehan atau ancaman',
      safety: 'Keselamatan saya',
      fraud: 'Penipuan',
      quality: 'Sambungan atau layanan yang buruk',
      other: 'Hal lain',
    },
    call: 'Panggilan yang mana?',
    noCall: 'Bukan panggilan tertentu',
    statement: 'Apa yang terjadi?',
    hint: (most) => `Dengan kata-kata Anda sendiri, paling banyak ${most.toLocaleString('id')} karakter.`,
    standing: 'Anda sudah melaporkan masalah. Yang Anda tulis sekarang akan ditambahkan ke laporan itu.',
    wrong: (most) =>
      `Laporan Anda belum terkirim. Mohon tulis antara 1 dan ${most.toLocaleString('id')} karakter, dan pilih masalahnya tentang apa.`,
  },
  complain: {
    title: 'Cara mengajukan keluhan',
    how: (business) =>
      `Gunakan “Laporkan masalah” di atas, atau hubungi layanan pelanggan ${business}. Jika Anda tidak puas dengan hasilnya, Anda dapat mengadu kepada lembaga pelindungan data pribadi di negara Anda.`,
  },
  languages: 'Bahasa',
  problem: {
    missing: {
      title: 'Tautan ini tidak berfungsi',
      text: 'Mungkin ada salah ketik, tautan sudah ditarik, atau masa berlakunya habis. Mintalah tautan baru kepada perusahaan yang mengirimkannya.',
    },
    busy: {
      title: 'Terlalu banyak permintaan',
      text: 'Mohon tunggu satu menit, lalu coba lagi.',
    },
    later: {
      title: 'Belum berhasil',
      text: 'Terjadi kesalahan di pihak kami. Silakan coba lagi nanti; mengulanginya tidak menimbulkan masalah.',
    },
    stale: {
      title: 'Silakan kembali dan coba lagi',
      text: 'Formulir ini tidak dapat dibaca. Buka lagi halaman ini dari tautan Anda. Tidak ada yang diubah.',
    },
    unreachable: {
      title: 'Tidak ada yang dapat diblokir',
      text: 'Tidak ada nomor telepon orang lain dalam kontak ini.',
    },
  },
  roles: {
    agent: 'Petugas',
    customer: 'Pelanggan',
    driver: 'Pengemudi',
    passenger: 'Penumpang',
    courier: 'Kurir',
    recipient: 'Penerima',
    seller: 'Penjual',
    buyer: 'Pembeli',
    support: 'Layanan pelanggan',
  },
  seconds: (seconds) => lengthOf(seconds, { day: 'hari', hour: 'jam', minute: 'menit', second: 'detik' }),
};
