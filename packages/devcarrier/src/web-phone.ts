import type { Doors, Timer } from '@samar/doors';
import { createPhone, type Phone, type PhoneCall, type PhoneOptions, type RingingCall } from './phone.ts';
import { createJitterBuffer, createTap, readFrame, writeFrame } from './web-sound.ts';

/**
 * A phone of the pretend network with a browser as its ear, mouth and keypad. One browser at a time; without one it
 * rings unheard. Text messages are JSON:
 *
 * from the browser  dial {number} · answer · hangup · digit {digit} · say {sentence}
 * to the browser    state {state, number?} · ended {reason} · said {sentence} · refused {reason} · taken-over · idle
 *
 * Binary messages are frames of sound (web-sound.ts).
 */
export interface WebPhone {
  readonly number: string;
  /** The browser that was there before is told and sent away. */
  attach(channel: WebChannel): WebListener;
  close(): Promise<void>;
}

/** A WebSocket, seen from here. */
export interface WebChannel {
  send(message: string | Uint8Array): void;
  /** Bytes that wait to be sent. */
  readonly buffered: number;
  close(code: number, reason: string): void;
}

export interface WebListener {
  text(message: string): void;
  binary(message: Uint8Array): void;
  /** The browser is gone. */
  closed(): void;
}

export interface WebPhoneOptions extends Pick<PhoneOptions, 'doors' | 'number' | 'carrier' | 'address'> {
  readonly password?: string;
  /** What the phone can say without a microphone, by name; 8,000 Hz. */
  readonly sentences: ReadonlyMap<string, Int16Array>;
}

export type WebPhoneState = 'idle' | 'dialling' | 'ringing' | 'talking';
export type EndReason =
  | 'hung-up'
  | 'busy'
  | 'ended'
  | 'not-connected'
  | 'not-allowed'
  | 'unavailable'
  | 'too-long'
  | 'failed';

/** Sound is 50 a second; a browser that was held up sends what it has at once. */
const soundPerSecond = 75;
const soundBurst = 150;
/** Nobody presses keys faster. */
const controlPerSecond = 10;
const controlBurst = 40;
/** Who keeps on sending when that much was thrown away is sent away. */
const patience = 2_000;
/** Sound waits no longer than a second for a slow browser: what comes on top is left out. */
const mostBuffered = 16_000;
/** A browser in which nothing was done for so long, and no call was on. */
const idleMilliseconds = 15 * 60_000;
const longestCallMilliseconds = 10 * 60_000;
const longestText = 512;
const policyViolation = 1008;
const normal = 1000;

export async function createWebPhone(options: WebPhoneOptions): Promise<WebPhone> {
  const { doors, sentences } = options;
  const desk = createDesk(doors, sentences, (number, live) => phone.dial(number, { live }));
  const phone: Phone = await createPhone({
    doors,
    number: options.number,
    carrier: options.carrier,
    ...(options.address === undefined ? {} : { address: options.address }),
    ...(options.password === undefined ? {} : { password: options.password }),
    onIncoming: (call) => desk.ring(call),
  });
  return {
    number: options.number,
    attach: (channel) => desk.attach(channel),
    close() {
      desk.close();
      return phone.close();
    },
  };
}

type Dial = (number: string, live: Parameters<RingingCall['answer']>[0] & object) => PhoneCall;

/** What is on the phone now. */
type Now =
  | { readonly state: 'idle' }
  | { readonly state: 'dialling' | 'talking'; readonly number: string; readonly call: PhoneCall }
  | { readonly state: 'ringing'; readonly number: string; readonly call: RingingCall };

function createDesk(doors: Doors, sentences: ReadonlyMap<string, Int16Array>, dial: Dial) {
  let now: Now = { state: 'idle' };
  let channel: WebChannel | undefined;
  let saying = false;
  let limit: Timer | undefined;
  let idle: Timer | undefined;
  const mouth = createJitterBuffer();
  const live = {
    next: () => mouth.take(),
    heard(pcm: Int16Array) {
      if (channel && channel.buffered < mostBuffered) channel.send(writeFrame(pcm));
    },
  };

  function tell(message: Readonly<Record<string, unknown>>): void {
    channel?.send(JSON.stringify(message));
  }

  function tellState(): void {
    tell({ type: 'state', state: now.state, ...(now.state === 'idle' ? {} : { number: now.number }) });
  }

  function become(next: Now): void {
    now = next;
    mouth.clear();
    tellState();
    watchIdle();
  }

  function finish(call: PhoneCall | RingingCall, reason: EndReason): void {
    if (now.state === 'idle' || now.call !== call) return;
    limit?.cancel();
    become({ state: 'idle' });
    tell({ type: 'ended', reason });
  }

  function watchIdle(): void {
    idle?.cancel();
    if (!channel) return;
    idle = doors.timers.after(idleMilliseconds, () => {
      if (now.state !== 'idle') return watchIdle();
      tell({ type: 'idle' });
      channel?.close(normal, 'idle');
    });
  }

  function follow(call: PhoneCall, number: string): void {
    limit?.cancel();
    limit = doors.timers.after(longestCallMilliseconds, () => {
      finish(call, 'too-long');
      call.hangUp();
    });
    void call.answered.then(async (result) => {
      if (!result.ok) return finish(call, reasonOf(result.status));
      // What was answered here is talking already.
      if (now.state === 'dialling' && now.call === call) become({ state: 'talking', number, call });
      await call.ended;
      finish(call, 'hung-up');
    });
  }

  function hangUp(): void {
    const before = now;
    if (before.state === 'idle') return;
    if (before.state === 'ringing') before.call.reject();
    else before.call.hangUp();
    finish(before.call, 'hung-up');
  }

  async function answer(): Promise<void> {
    if (now.state !== 'ringing') return;
    const { call: ringing, number } = now;
    const call = await ringing.answer(live);
    if (!call) return finish(ringing, 'failed');
    // Sent away, or hung up, in the meantime.
    if (now.state !== 'ringing' || now.call !== ringing) return call.hangUp();
    become({ state: 'talking', number, call });
    follow(call, number);
  }

  async function say(sentence: string): Promise<void> {
    const pcm = sentences.get(sentence);
    if (now.state !== 'talking' || saying || !pcm) return;
    saying = true;
    await now.call.say(pcm);
    saying = false;
    tell({ type: 'said', sentence });
  }

  function call(number: string): void {
    if (now.state !== 'idle') return;
    if (/^\+?\d{3,15}$/.test(number)) {
      const made = dial(number, live);
      become({ state: 'dialling', number, call: made });
      follow(made, number);
    } else tell({ type: 'refused', reason: 'number' });
  }

  function obey(message: Readonly<Record<string, unknown>>): void {
    switch (message['type']) {
      case 'dial':
        call(String(message['number']).replace(/[\s().-]/g, ''));
        break;
      case 'answer':
        void answer();
        break;
      case 'hangup':
        hangUp();
        break;
      case 'digit': {
        const digit = digits.find((one) => one === message['digit']);
        if (digit && now.state === 'talking') void now.call.press(digit);
        break;
      }
      case 'say':
        void say(String(message['sentence']));
        break;
      default:
        tell({ type: 'refused', reason: 'message' });
    }
  }

  function attach(next: WebChannel): WebListener {
    if (channel) {
      tell({ type: 'taken-over' });
      const before = channel;
      channel = undefined;
      before.close(normal, 'taken over');
    }
    channel = next;
    tellState();
    watchIdle();
    const mine = () => channel === next;
    const mayControl = createTap(doors.clock.monotonic, controlPerSecond, controlBurst);
    const maySound = createTap(doors.clock.monotonic, soundPerSecond, soundBurst);
    let thrown = 0;
    function throwAway(): void {
      thrown += 1;
      if (thrown === patience) next.close(policyViolation, 'too much');
    }
    return {
      text(message) {
        if (!mine()) return;
        if (!mayControl() || message.length > longestText) return throwAway();
        watchIdle();
        const read = readMessage(message);
        if (read) obey(read);
        else tell({ type: 'refused', reason: 'message' });
      },
      binary(message) {
        if (!mine()) return;
        const frame = maySound() ? readFrame(message) : undefined;
        if (!frame) throwAway();
        else if (now.state === 'talking') mouth.put(frame);
      },
      closed() {
        if (!mine()) return;
        channel = undefined;
        idle?.cancel();
        // Nobody would hear the other side any more; what rings may ring on.
        if (now.state !== 'ringing') hangUp();
      },
    };
  }

  return {
    attach,
    ring(call: RingingCall): void {
      if (now.state === 'idle') {
        become({ state: 'ringing', number: call.from, call });
        call.onCancelled(() => finish(call, 'hung-up'));
      } else call.reject();
    },
    close(): void {
      hangUp();
      limit?.cancel();
      idle?.cancel();
      channel?.close(1001, 'the platform stops');
    },
  };
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'] as const;

function readMessage(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** What a network says by its status when it doesn't connect. */
function reasonOf(status: number | undefined): EndReason {
  switch (status) {
    case 403:
      return 'not-allowed';
    case 404:
      return 'not-connected';
    case 410:
      return 'ended';
    case 480:
    case 408:
      return 'unavailable';
    case 486:
      return 'busy';
    case 487:
      return 'hung-up';
    default:
      return 'failed';
  }
}
