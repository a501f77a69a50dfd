/** The page: its three steps, and the two phones below them. */
import { createPhone } from './phone.js';
import { language, onLanguage, setLanguage, translate, word } from './words.js';

const find = (id) => document.getElementById(id);
const phones = new Map();
let session;
let noticed = '';

function notice(words) {
  noticed = words;
  find('notice').textContent = words;
}

async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(response.status === 429 ? 'tooMany' : 'failed');
  return response.json();
}

/** A button that works once at a time, and says when it didn't. */
function does(id, work) {
  find(id).addEventListener('click', async () => {
    find(id).disabled = true;
    try {
      await work();
    } catch (error) {
      notice(word(error.message === 'tooMany' ? 'tooMany' : 'failed'));
    }
    find(id).disabled = false;
    draw();
  });
}

function draw() {
  find('open').textContent = word(session ? 'again' : 'open');
  find('resolve').disabled = !session?.open;
  find('session').hidden = !session;
  find('session').replaceChildren(
    ...(session?.participants ?? []).map(({ phone, dial, transparency }) => {
      const line = document.createElement('p');
      const link = Object.assign(document.createElement('a'), {
        href: transparency,
        target: '_blank',
        rel: 'noopener noreferrer',
        textContent: word('page'),
      });
      line.append(`${word('dials')(word(phone), dial)} · `, link);
      return line;
    }),
  );
}

async function begin() {
  translate(document);
  find('language').value = language();
  find('language').addEventListener('change', ({ target }) => setLanguage(target.value));
  const { phones: pair } = await (await fetch('/try/phones')).json();
  for (const { name, number } of pair) {
    const section = find('phone').content.cloneNode(true).firstElementChild;
    translate(section);
    find('phones').append(section);
    const tookMicrophone = () => {
      for (const [other, phone] of phones) if (other !== name) phone.withoutMicrophone();
    };
    phones.set(name, createPhone({ name, number, section, tookMicrophone, notice }));
  }
  draw();
}

does('open', async () => {
  const opened = await post('/try/session', { language: language() });
  session = { ...opened, open: true };
  for (const { phone, dial } of session.participants) phones.get(phone)?.dials(dial);
  for (const phone of phones.values()) phone.ready().catch(() => {});
  notice(word('opened'));
});
does('resolve', async () => {
  await post('/try/session/close', {});
  session = { ...session, open: false };
  notice(word('resolved'));
});
onLanguage(() => {
  if (noticed !== '') notice('');
  draw();
});
begin().catch(() => notice(word('failed')));
