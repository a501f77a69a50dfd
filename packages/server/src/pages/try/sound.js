/** The browser's sound: one context for the page, one worklet node for each phone, one microphone at most. */

let context;
let starting;
let microphone;

/** After a click only: browsers give no sound, and no microphone, to a page that nobody has touched. */
function start() {
  starting ??= (async () => {
    context = new AudioContext();
    await context.audioWorklet.addModule('/try/worklet.js');
  })();
  return starting.then(() => context.resume());
}

/**
 * @param {{ spoken(frame: ArrayBuffer): void }} phone told of each frame that the microphone brings
 */
export function createSound(phone) {
  let node;
  let volume;
  let tone;
  let speaker = true;
  async function ready() {
    await start();
    if (node) return;
    node = new AudioWorkletNode(context, 'phone', { outputChannelCount: [1] });
    node.port.onmessage = ({ data }) => phone.spoken(data);
    volume = new GainNode(context, { gain: speaker ? 1 : 0 });
    node.connect(volume).connect(context.destination);
  }
  function stopTone() {
    tone?.stop();
    tone = undefined;
  }
  return {
    ready,
    /** Before the first click there is nothing to hear it with. */
    play(frame) {
      node?.port.postMessage(frame, [frame]);
    },
    setSpeaker(on) {
      speaker = on;
      if (volume) volume.gain.value = on ? 1 : 0;
    },
    /** Rejects when the microphone is refused or there is none. */
    async listen() {
      await ready();
      const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      microphone ??= new MediaStreamAudioSourceNode(context, {
        mediaStream: await navigator.mediaDevices.getUserMedia({ audio: sound }),
      });
      // Into this phone and no other: nobody speaks into two at once.
      microphone.disconnect();
      microphone.connect(node);
    },
    /** The microphone itself is given back: the browser's sign that it is on goes out. */
    stopListening() {
      if (!microphone) return;
      microphone.disconnect();
      for (const track of microphone.mediaStream.getTracks()) track.stop();
      microphone = undefined;
    },
    /** `ringing`: this phone rings. `calling`: the other one does. */
    startTone(kind) {
      stopTone();
      if (volume)
        tone = playTone(kind === 'ringing' ? [480, 620] : [425], kind === 'ringing' ? 2 : 4, volume);
    },
    stopTone,
  };
}

/** One second of tone, again and again, for a minute. */
function playTone(frequencies, everySeconds, into) {
  const gain = new GainNode(context, { gain: 0 });
  gain.connect(into);
  for (let second = 0; second < 60; second += everySeconds) {
    gain.gain.setValueAtTime(0.08, context.currentTime + second);
    gain.gain.setValueAtTime(0, context.currentTime + second + 1);
  }
  const tones = frequencies.map((frequency) => new OscillatorNode(context, { frequency }));
  for (const one of tones) {
    one.connect(gain);
    one.start();
    one.stop(context.currentTime + 60);
  }
  return {
    stop() {
      for (const one of tones) one.stop();
      gain.disconnect();
    },
  };
}

/** How loud a frame is, 0 to 1, on a scale on which speech moves visibly. */
export function levelOf(frame) {
  const samples = new Int16Array(frame);
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 20 * Math.log10(Math.sqrt(sum / samples.length) / 32_768 + 1e-9);
  return Math.max(0, Math.min(1, (decibels + 60) / 60));
}
