/**
 * A phone's ear and mouth on the audio thread. Microphone in, frames of 20 ms at 8,000 Hz out by `port`; frames in by
 * `port`, loudspeaker out. What can't be played in time is thrown away, oldest first.
 */
import { createResampler } from './resample.js';

const phoneRate = 8_000;
const frameSamples = 160;
/** 60 ms are waited for, 400 ms are the most. */
const begin = 3;
const most = 20;

class Phone extends AudioWorkletProcessor {
  #down = createResampler(sampleRate, phoneRate);
  #up = createResampler(phoneRate, sampleRate);
  #spoken = [];
  #waiting = [];
  #flowing = false;
  #sound = new Float32Array(0);

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#waiting.push(new Int16Array(data));
      if (this.#waiting.length > most) this.#waiting.shift();
      if (this.#waiting.length >= begin) this.#flowing = true;
    };
  }

  process(inputs, outputs) {
    const voice = inputs[0]?.[0];
    if (voice) this.#speak(voice);
    const loudspeaker = outputs[0]?.[0];
    if (loudspeaker) this.#play(loudspeaker);
    return true;
  }

  #speak(voice) {
    for (const sample of this.#down(voice)) this.#spoken.push(sample);
    while (this.#spoken.length >= frameSamples) {
      const frame = Int16Array.from(this.#spoken.splice(0, frameSamples), toInteger);
      this.port.postMessage(frame.buffer, [frame.buffer]);
    }
  }

  #play(loudspeaker) {
    while (this.#sound.length < loudspeaker.length) {
      const frame = this.#flowing ? this.#waiting.shift() : undefined;
      if (!frame) {
        this.#flowing = false;
        break;
      }
      const more = this.#up(Float32Array.from(frame, (sample) => sample / 32_768));
      const joined = new Float32Array(this.#sound.length + more.length);
      joined.set(this.#sound);
      joined.set(more, this.#sound.length);
      this.#sound = joined;
    }
    loudspeaker.set(this.#sound.subarray(0, loudspeaker.length));
    this.#sound = this.#sound.slice(loudspeaker.length);
  }
}

function toInteger(sample) {
  return Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_767)));
}

registerProcessor('phone', Phone);
