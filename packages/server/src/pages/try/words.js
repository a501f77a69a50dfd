/** The page's words; English is what stands in index.html and what a missing one falls back to. */
const en = {
  pageTitle: 'Samar: try a masked call',
  title: 'Try a masked call',
  language: 'Language',
  lead: "Two pretend phones, and everything between them is real: call yourself, and see that neither phone ever shows the other's number.",
  step1: 'Open a session',
  step1Text: 'As your backend would when a job is assigned. Each side gets a virtual number to dial.',
  open: 'Open a session',
  again: 'Open another session',
  step2: 'Call',
  step2Text:
    'Press Call on one phone and Answer on the other. Speak, or let the phone say a sentence. Then call back the other way.',
  step3: 'The job is done',
  step3Text:
    'Mark it as resolved, then call again: you hear that it has ended, and the other phone stays silent.',
  resolve: 'Mark as resolved',
  resolved: 'The session is closed. Call again from either phone.',
  opened: 'The session is open. Both numbers are on the phones: press Call on one of them.',
  dials: (name, number) => `The ${name} dials ${number}`,
  page: 'their transparency page',
  driver: 'driver',
  customer: 'customer',
  driverPhone: "The driver's phone",
  customerPhone: "The customer's phone",
  own: (number) => `Its own number, which the other never sees: ${number}`,
  number: 'Number',
  keypad: 'Keypad',
  call: 'Call',
  answer: 'Answer',
  hangup: 'Hang up',
  voice: 'Voice',
  sentence: 'a sample sentence',
  microphone: 'my microphone',
  say: 'Say it',
  spoken: 'Spoken',
  heard: 'Heard',
  speaker: 'loudspeaker',
  seen: 'Callers that this phone was shown',
  nobody: 'none yet',
  idle: 'Ready',
  dialling: 'Calling …',
  ringing: 'Ringing: a call from',
  talking: 'Connected',
  connecting: 'Connecting to the pretend network …',
  lost: 'The connection to the platform was lost.',
  takenOver: 'This phone is now used in another window.',
  asleep: 'Nothing happened for a while, so this phone was put away.',
  connectAgain: 'Use it here',
  ended: {
    'hung-up': 'The call is over.',
    busy: 'Busy.',
    ended: 'Not connected: the job is done, and you were told that the conversation has ended.',
    'not-connected': 'Not connected: this number leads nowhere for this phone. Open a session first.',
    'not-allowed': 'Not connected: not allowed.',
    unavailable: 'Nobody answered.',
    'too-long': 'The call was ended after ten minutes.',
    failed: 'The call failed.',
  },
  microphoneRefused:
    'The browser did not give the microphone. Allow it in the address bar, or let the phone say a sample sentence.',
  microphoneMissing: 'There is no microphone here. Let the phone say a sample sentence.',
  microphoneInsecure:
    'Browsers give the microphone only to https and localhost. Open this page as localhost, or let the phone say a sample sentence.',
  wrongNumber: 'That is no phone number.',
  failed: 'That did not work. Is the platform running?',
  tooMany: 'Too many sessions were opened. Wait a minute.',
};

const id = {
  pageTitle: 'Samar: coba panggilan tersamar',
  title: 'Coba panggilan tersamar',
  language: 'Bahasa',
  lead: 'Dua telepon tiruan, dan semua di antaranya nyata: telepon diri sendiri, dan lihat bahwa tak satu pun telepon menampilkan nomor pihak lain.',
  step1: 'Buka sesi',
  step1Text:
    'Seperti sistem Anda ketika pekerjaan diberikan. Tiap pihak mendapat nomor virtual untuk dihubungi.',
  open: 'Buka sesi',
  again: 'Buka sesi lain',
  step2: 'Telepon',
  step2Text:
    'Tekan Telepon pada satu telepon dan Jawab pada yang lain. Bicaralah, atau biarkan telepon mengucapkan kalimat contoh. Lalu telepon balik dari sisi lain.',
  step3: 'Pekerjaan selesai',
  step3Text:
    'Tandai selesai, lalu telepon lagi: Anda mendengar bahwa percakapan telah berakhir, dan telepon lain tetap diam.',
  resolve: 'Tandai selesai',
  resolved: 'Sesi ditutup. Telepon lagi dari salah satu telepon.',
  opened: 'Sesi terbuka. Kedua nomor sudah ada di telepon: tekan Telepon pada salah satunya.',
  dials: (name, number) => `${name === 'driver' ? 'Pengemudi' : 'Pelanggan'} menghubungi ${number}`,
  page: 'halaman transparansinya',
  driver: 'driver',
  customer: 'customer',
  driverPhone: 'Telepon pengemudi',
  customerPhone: 'Telepon pelanggan',
  own: (number) => `Nomornya sendiri, yang tak pernah dilihat pihak lain: ${number}`,
  number: 'Nomor',
  keypad: 'Tombol angka',
  call: 'Telepon',
  answer: 'Jawab',
  hangup: 'Tutup',
  voice: 'Suara',
  sentence: 'kalimat contoh',
  microphone: 'mikrofon saya',
  say: 'Ucapkan',
  spoken: 'Diucapkan',
  heard: 'Terdengar',
  speaker: 'pengeras suara',
  seen: 'Penelepon yang ditampilkan di telepon ini',
  nobody: 'belum ada',
  idle: 'Siap',
  dialling: 'Memanggil …',
  ringing: 'Berdering: panggilan dari',
  talking: 'Terhubung',
  connecting: 'Menghubungkan ke jaringan tiruan …',
  lost: 'Sambungan ke platform terputus.',
  takenOver: 'Telepon ini sekarang dipakai di jendela lain.',
  asleep: 'Lama tak terjadi apa-apa, jadi telepon ini disimpan.',
  connectAgain: 'Pakai di sini',
  ended: {
    'hung-up': 'Panggilan berakhir.',
    busy: 'Sibuk.',
    ended: 'Tidak tersambung: pekerjaan selesai, dan Anda diberi tahu bahwa percakapan telah berakhir.',
    'not-connected': 'Tidak tersambung: nomor ini tidak menuju siapa pun bagi telepon ini. Buka sesi dahulu.',
    'not-allowed': 'Tidak tersambung: tidak diizinkan.',
    unavailable: 'Tidak ada yang menjawab.',
    'too-long': 'Panggilan diakhiri setelah sepuluh menit.',
    failed: 'Panggilan gagal.',
  },
  microphoneRefused:
    'Peramban tidak memberi mikrofon. Izinkan di bilah alamat, atau biarkan telepon mengucapkan kalimat contoh.',
  microphoneMissing: 'Tidak ada mikrofon di sini. Biarkan telepon mengucapkan kalimat contoh.',
  microphoneInsecure:
    'Peramban memberi mikrofon hanya kepada https dan localhost. Buka halaman ini sebagai localhost, atau pakai kalimat contoh.',
  wrongNumber: 'Itu bukan nomor telepon.',
  failed: 'Tidak berhasil. Apakah platform berjalan?',
  tooMany: 'Terlalu banyak sesi dibuka. Tunggu satu menit.',
};

const languages = { en, id };
const stored = localStorage.getItem('samar-try-language');
let current = stored ?? (navigator.language.startsWith('id') ? 'id' : 'en');
const listeners = [];

export function language() {
  return current === 'id' ? 'id' : 'en';
}

/** One of the page's words; functions and tables come as they are. */
export function word(key) {
  return languages[language()][key];
}

export function setLanguage(next) {
  current = next;
  localStorage.setItem('samar-try-language', next);
  translate(document);
  for (const listener of listeners) listener();
}

/** Called when the language changes. */
export function onLanguage(listener) {
  listeners.push(listener);
}

export function translate(root) {
  for (const element of root.querySelectorAll('[data-word]')) {
    element.textContent = word(element.dataset.word);
  }
  document.documentElement.lang = language();
  document.title = word('pageTitle');
}
