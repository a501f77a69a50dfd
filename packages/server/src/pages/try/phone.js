/** One phone on the page: its screen, keys and voice, and the WebSocket behind it. */
import { createSound, levelOf } from './sound.js';
import { onLanguage, word } from './words.js';

const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const shownCallers = 10;
/** Sound that a slow network has not taken yet is not added to. */
const mostBuffered = 16_000;
const sentences = {
  driver: {
    driver: 'Hello, this is your driver. I am waiting at the main gate.',
    'driver-back': 'I have found it. I will bring it to you now.',
  },
  customer: {
    customer: 'Thank you. I am coming down in two minutes.',
    'customer-back': 'Hello, it is me again. I left my umbrella in the car.',
  },
};

/**
 * @param {{ name: 'driver' | 'customer', number: string, section: HTMLElement, tookMicrophone(): void,
 *   notice(words: string): void }} options
 */
export function createPhone({ name, number: own, section, tookMicrophone, notice }) {
  const part = (selector) => section.querySelector(selector);
  const input = part('.dial input');
  const [withSentence, withMicrophone] = section.querySelectorAll('input[type=radio]');
  const callers = [];
  let state = 'connecting';
  let number = '';
  let ended = '';
  let socket;

  const sound = createSound({
    spoken(frame) {
      show('.spoken', levelOf(frame));
      if (state !== 'talking' || socket.bufferedAmount > mostBuffered) return;
      socket.send(frame);
    },
  });

  function show(meter, level) {
    part(meter).value = level;
  }

  function send(message) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function connect() {
    become('connecting');
    const here = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/try/phones/${name}`);
    socket = here;
    here.binaryType = 'arraybuffer';
    here.onmessage = ({ data }) => (typeof data === 'string' ? obey(JSON.parse(data)) : hear(data));
    here.onclose = () => {
      if (socket === here && state !== 'takenOver' && state !== 'asleep') become('lost');
    };
  }

  function obey(message) {
    if (message.type === 'state') become(message.state, message.number);
    else if (message.type === 'ended') ended = message.reason;
    else if (message.type === 'taken-over') become('takenOver');
    else if (message.type === 'idle') become('asleep');
    else if (message.type === 'said') part('.say button').disabled = false;
    else if (message.type === 'refused' && message.reason === 'number') notice(word('wrongNumber'));
    draw();
  }

  function hear(frame) {
    const level = levelOf(frame);
    show('.heard', level);
    // Words from the network instead of ringing.
    if (level > 0.1) sound.stopTone();
    sound.play(frame);
  }

  function become(next, withNumber = '') {
    state = next;
    number = withNumber;
    sound.stopTone();
    if (next === 'ringing') {
      callers.unshift(withNumber);
      callers.length = Math.min(callers.length, shownCallers);
      sound.startTone('ringing');
    }
    if (next === 'dialling') sound.startTone('calling');
    if (next !== 'idle') ended = '';
    else for (const meter of ['.spoken', '.heard']) show(meter, 0);
    draw();
  }

  function draw() {
    part('.name').textContent = word(`${name}Phone`);
    part('.own').textContent = word('own')(own);
    part('.keys').setAttribute('aria-label', word('keypad'));
    part('.state').textContent = state === 'idle' && ended !== '' ? word('ended')[ended] : word(state);
    part('.number').textContent = number;
    section.dataset.state = state;
    const away = state === 'lost' || state === 'takenOver' || state === 'asleep';
    part('.call').textContent = word(away ? 'connectAgain' : 'call');
    part('.call').disabled = !away && state !== 'idle';
    part('.answer').disabled = state !== 'ringing';
    part('.hangup').disabled = !['dialling', 'ringing', 'talking'].includes(state);
    part('.say').hidden = withMicrophone.checked;
    part('.say button').disabled = state !== 'talking';
    part('.say select').setAttribute('aria-label', word('sentence'));
    if (callers.length > 0) {
      part('.seen').replaceChildren(
        ...callers.map((caller) => Object.assign(document.createElement('li'), { textContent: caller })),
      );
    }
  }

  function press(key) {
    if (state === 'talking') send({ type: 'digit', digit: key });
    else input.value += key;
  }

  async function useMicrophone() {
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError');
      await sound.listen();
      tookMicrophone();
      notice('');
    } catch (error) {
      withSentence.checked = true;
      const reasons = { NotFoundError: 'microphoneMissing', SecurityError: 'microphoneInsecure' };
      notice(word(reasons[error.name] ?? 'microphoneRefused'));
    }
    draw();
  }

  function on(selector, work) {
    part(selector).addEventListener('click', async () => {
      // The first click on anything brings the sound; a browser without any still calls.
      await sound.ready().catch(() => {});
      work();
    });
  }
  on('.call', () => {
    if (state === 'idle') send({ type: 'dial', number: input.value });
    else if (state !== 'connecting') connect();
  });
  on('.answer', () => send({ type: 'answer' }));
  on('.hangup', () => send({ type: 'hangup' }));
  on('.say button', () => {
    part('.say button').disabled = true;
    send({ type: 'say', sentence: part('.say select').value });
  });
  part('.speaker').addEventListener('change', ({ target }) => sound.setSpeaker(target.checked));
  withMicrophone.addEventListener('change', useMicrophone);
  withSentence.addEventListener('change', () => {
    sound.stopListening();
    show('.spoken', 0);
    draw();
  });
  for (const radio of [withSentence, withMicrophone]) radio.name = `voice-${name}`;
  for (const key of keys) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: key });
    button.addEventListener('click', () => press(key));
    part('.keys').append(button);
  }
  for (const [sentence, words] of Object.entries(sentences[name])) {
    part('.say select').append(new Option(words, sentence));
  }
  section.id = `phone-${name}`;
  part('.name').id = `name-${name}`;
  section.setAttribute('aria-labelledby', `name-${name}`);
  onLanguage(draw);
  connect();

  return {
    dials(virtual) {
      input.value = virtual;
    },
    /** The other phone has the microphone now. */
    withoutMicrophone() {
      withSentence.checked = true;
      show('.spoken', 0);
      draw();
    },
    ready: sound.ready,
  };
}
