import type { Doors, Endpoint } from '@samar/doors';
import {
  type AudioDescription,
  type Codec,
  chooseCodec,
  composeAnswer,
  composeOffer,
  type Digit,
  parseAudio,
} from '@samar/media';
import {
  createSipStack,
  type Dialog,
  type IncomingInvite,
  type InviteFailure,
  type SipStack,
} from '@samar/sip';
import { createPhoneAudio, type LiveSound, type PhoneAudio } from './audio.ts';
import { numberOf } from './registrar.ts';

export interface PhoneOptions {
  readonly doors: Doors;
  /** E.164 with `+`. */
  readonly number: string;
  /** The network it registers with. */
  readonly carrier: Endpoint;
  readonly password?: string;
  /** Own address; default 127.0.0.1. */
  readonly address?: string;
  /** What the phone sends as its codecs, the preferred one first. */
  readonly codecs?: readonly Codec[];
  /**
   * What it does when it rings; default: it answers after `ringMilliseconds` (default 300).
   * `ignore` rings until the caller gives up.
   */
  readonly onRing?: 'answer' | 'busy' | 'ignore' | 'unavailable';
  readonly ringMilliseconds?: number;
  /** Somebody sits at the phone: told of every call that rings, instead of `onRing`. */
  readonly onIncoming?: (call: RingingCall) => void;
}

/** A call that rings at a phone with somebody at it. */
export interface RingingCall {
  /** The number on the display, or `anonymous`. */
  readonly from: string;
  /** Undefined when it had ended by then, or there is no common codec. */
  answer(live?: LiveSound): Promise<PhoneCall | undefined>;
  /** Busy. */
  reject(): void;
  /** The caller gave up. */
  onCancelled(handler: () => void): void;
}

export interface Phone {
  readonly number: string;
  /** `withheld`: the network keeps the caller's number to itself (RFC 3323). */
  dial(number: string, how?: { readonly withheld?: boolean; readonly live?: LiveSound }): PhoneCall;
  /** The next call that reaches this phone and is answered by it. */
  nextCall(): Promise<PhoneCall>;
  setOnRing(what: NonNullable<PhoneOptions['onRing']>): void;
  /** Caller's number of each call that rang here, as the phone's display showed it; the last thousand. */
  readonly displayed: readonly string[];
  /** Calls that ring here at this moment. */
  readonly ringing: number;
  close(): Promise<void>;
}

export interface PhoneCall {
  /** Resolves when the other side has answered, or the call has failed. */
  readonly answered: Promise<
    { readonly ok: true } | { readonly ok: false; readonly status: number | undefined }
  >;
  readonly ended: Promise<void>;
  readonly ringing: boolean;
  say(pcm: Int16Array): Promise<void>;
  press(digit: Digit): Promise<void>;
  /** Everything heard on this call, early media included; 8,000 Hz. */
  heard(): Int16Array;
  /** Holds or takes the call back by re-INVITE; false when it was refused. */
  hold(on: boolean): Promise<boolean>;
  hangUp(): void;
  /** Falls silent without a word to anybody, as a phone with an empty battery. */
  vanish(): void;
}

/** Makes a phone and registers it. Rejects when the network doesn't take it. */
export async function createPhone(options: PhoneOptions): Promise<Phone> {
  const { doors, number, carrier } = options;
  const address = options.address ?? '127.0.0.1';
  let onRing = options.onRing ?? 'answer';
  const displayed: string[] = [];
  let ringing = 0;
  const answeredCalls: PhoneCall[] = [];
  const waiting: ((call: PhoneCall) => void)[] = [];
  const stack: SipStack = await createSipStack({
    doors,
    listen: [{ transport: 'udp', address, port: 0 }],
    product: 'Samar phone',
    admit: () => true,
    onInvite: (invite) => void ring(invite),
  });
  const target = { host: carrier.address, port: carrier.port, transport: 'udp' as const };
  const host = `${carrier.address}:${carrier.port}`;
  const self = { uri: `sip:${number}@${host}` };
  const credentials =
    options.password === undefined ? {} : { credentials: { username: number, password: options.password } };

  const register = () =>
    stack.request({
      method: 'REGISTER',
      target,
      uri: `sip:${host}`,
      from: self,
      to: self,
      headers: [['Expires', String(registeredSeconds)]],
      contactUser: number.slice(1),
      ...credentials,
    });
  const registered = await register();
  if (registered.kind !== 'response' || registered.response.status !== 200) {
    await stack.close();
    throw new Error(`the phone network did not take the registration: ${describe(registered)}`);
  }
  // In good time, so that one that fails still has another behind it.
  let renewal = doors.timers.after((registeredSeconds / 3) * 1_000, renew);
  function renew(): void {
    renewal = doors.timers.after((registeredSeconds / 3) * 1_000, renew);
    void register();
  }

  async function ring(invite: IncomingInvite): Promise<void> {
    const from = numberOf(invite.request.headers.get('From')) ?? 'anonymous';
    if (displayed.length >= mostDisplayed) displayed.shift();
    displayed.push(from);
    if (options.onIncoming) return options.onIncoming(ringingCall(doors, address, invite, from));
    if (onRing === 'busy') return invite.reject(486);
    if (onRing === 'unavailable') return invite.reject(480);
    let cancelled = false;
    ringing += 1;
    invite.onCancelled(() => {
      cancelled = true;
      ringing -= 1;
    });
    invite.progress(180);
    if (onRing === 'ignore') return;
    await new Promise<void>((resolve) => doors.timers.after(options.ringMilliseconds ?? 300, resolve));
    if (cancelled) return;
    const offer = parseAudio(invite.request.body);
    const chosen = typeof offer === 'string' ? undefined : chooseCodec(offer, options.codecs ?? bothCodecs);
    if (typeof offer === 'string' || !chosen) {
      ringing -= 1;
      return invite.reject(488);
    }
    const media = await createPhoneMedia(doors, address, options.codecs);
    if (cancelled) return void media.audio.close();
    media.take(offer);
    ringing -= 1;
    const dialog = invite.answer(composeAnswer(media.local(), offer, chosen), {
      contentType: 'application/sdp',
    });
    const call = answeredCall(dialog, media);
    const waiter = waiting.shift();
    if (waiter) waiter(call);
    else answeredCalls.push(call);
  }

  function dial(called: string, { withheld = false, live }: Parameters<Phone['dial']>[1] = {}): PhoneCall {
    const media = createPhoneMedia(doors, address, options.codecs, live);
    return dialledCall(media, (body) =>
      stack.invite({
        target,
        uri: `sip:${called}@${host}`,
        from: self,
        to: { uri: `sip:${called}@${host}` },
        headers: withheld ? [['Privacy', 'id']] : [],
        body,
        contentType: 'application/sdp',
        ...credentials,
      }),
    );
  }

  return {
    number,
    dial,
    nextCall() {
      const call = answeredCalls.shift();
      return call ? Promise.resolve(call) : new Promise((resolve) => void waiting.push(resolve));
    },
    setOnRing(what) {
      onRing = what;
    },
    displayed,
    get ringing() {
      return ringing;
    },
    close() {
      renewal.cancel();
      return stack.close();
    },
  };
}

/** RFC 3261 section 10.2.1.1 */
const registeredSeconds = 3_600;
const mostDisplayed = 1_000;

/** It rings until somebody answers or rejects it here, or the caller gives up. */
function ringingCall(doors: Doors, address: string, invite: IncomingInvite, from: string): RingingCall {
  let over = false;
  let cancelled = () => {};
  invite.onCancelled(() => {
    over = true;
    cancelled();
  });
  invite.progress(180);
  return {
    from,
    async answer(live) {
      if (over) return undefined;
      const offer = parseAudio(invite.request.body);
      const chosen = typeof offer === 'string' ? undefined : chooseCodec(offer, bothCodecs);
      if (typeof offer === 'string' || !chosen) {
        over = true;
        invite.reject(488);
        return undefined;
      }
      const media = await createPhoneMedia(doors, address, bothCodecs, live);
      if (over) {
        await media.audio.close();
        return undefined;
      }
      over = true;
      media.take(offer);
      const answer = composeAnswer(media.local(), offer, chosen);
      return answeredCall(invite.answer(answer, { contentType: 'application/sdp' }), media);
    },
    reject() {
      if (over) return;
      over = true;
      invite.reject(486);
    },
    onCancelled(handler) {
      cancelled = handler;
    },
  };
}

const bothCodecs: readonly Codec[] = ['PCMU', 'PCMA'];

interface PhoneMedia {
  readonly audio: PhoneAudio;
  local(direction?: 'sendrecv' | 'sendonly'): Parameters<typeof composeOffer>[0];
  offer(direction?: 'sendrecv' | 'sendonly'): Buffer;
  take(remote: AudioDescription): void;
}

async function createPhoneMedia(
  doors: Doors,
  address: string,
  codecs: readonly Codec[] = bothCodecs,
  live?: LiveSound,
): Promise<PhoneMedia> {
  const audio = await createPhoneAudio(doors, address, live);
  const sessionId = String(doors.random.integer(2 ** 48));
  let version = 0;
  function local(direction: 'sendrecv' | 'sendonly' = 'sendrecv') {
    version += 1;
    return { address, port: audio.local.port, sessionId, version, direction };
  }
  return {
    audio,
    local,
    offer: (direction) => composeOffer(local(direction), codecs),
    take(remote) {
      const chosen = chooseCodec(remote, codecs);
      if (!chosen) return;
      audio.setRemote({
        ...chosen,
        address: remote.address,
        port: remote.port,
        telephoneEvent: remote.telephoneEvent,
      });
      audio.start();
    },
  };
}

function talking(
  media: () => PhoneMedia | undefined,
  dialog: () => Dialog | undefined,
): Pick<PhoneCall, 'say' | 'press' | 'heard' | 'hold'> {
  return {
    say: (pcm) => media()?.audio.say(pcm) ?? Promise.resolve(),
    press: (digit) => media()?.audio.press(digit) ?? Promise.resolve(),
    heard: () => media()?.audio.heard() ?? new Int16Array(0),
    async hold(on) {
      const offer = media()?.offer(on ? 'sendonly' : 'sendrecv');
      const answer = offer && (await dialog()?.offer(offer));
      return answer !== undefined && 'body' in answer;
    },
  };
}

function answeredCall(dialog: Dialog, media: PhoneMedia): PhoneCall {
  const ended = new Promise<void>((resolve) => {
    dialog.onEnd(() => {
      resolve();
      void media.audio.close();
    });
  });
  return {
    answered: Promise.resolve({ ok: true }),
    ended,
    ringing: false,
    ...talking(
      () => media,
      () => dialog,
    ),
    hangUp: () => dialog.bye(),
    vanish: () => void media.audio.close(),
  };
}

function dialledCall(
  opening: Promise<PhoneMedia>,
  invite: (offer: Buffer) => ReturnType<SipStack['invite']>,
): PhoneCall {
  let media: PhoneMedia | undefined;
  let outgoing: ReturnType<SipStack['invite']> | undefined;
  let dialog: Dialog | undefined;
  let ringing = false;
  let hungUp = false;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = () => {
      resolve();
      void media?.audio.close();
    };
  });

  function listen(body: Buffer): void {
    const remote = parseAudio(body);
    if (typeof remote !== 'string') media?.take(remote);
  }

  const answered = new Promise<Awaited<PhoneCall['answered']>>((resolve) => {
    void opening.then((made) => {
      media = made;
      outgoing = invite(made.offer());
      if (hungUp) outgoing.cancel();
      outgoing.onProgress((response) => {
        ringing = true;
        // Early media: what the network says before anybody has answered.
        if (response.body.length > 0) listen(response.body);
      });
      outgoing.onAnswered((made, response) => {
        dialog = made;
        listen(response.body);
        made.onEnd(end);
        resolve({ ok: true });
      });
      outgoing.onFailed((failure) => {
        end();
        resolve({ ok: false, status: statusOf(failure) });
      });
    });
  });

  return {
    answered,
    ended,
    get ringing() {
      return ringing;
    },
    ...talking(
      () => media,
      () => dialog,
    ),
    vanish: () => void media?.audio.close(),
    hangUp() {
      hungUp = true;
      if (dialog) dialog.bye();
      else outgoing?.cancel();
    },
  };
}

function statusOf(failure: InviteFailure): number | undefined {
  return failure.kind === 'response' ? failure.response.status : undefined;
}

function describe(outcome: Awaited<ReturnType<SipStack['request']>>): string {
  return outcome.kind === 'response' ? `status ${outcome.response.status}` : outcome.kind;
}
