import type { Dialog, DialogEnd, IncomingInvite } from '@samar/sip';
import type { LegMedia } from './leg-media.ts';
import { watchDialog } from './legs.ts';

/**
 * The caller's side of a call: an INVITE that came in, or a leg that we made ourselves (click-to-call). Whoever
 * drives the call sees no difference.
 */
export interface Near {
  /** `early`: hears us before the call is answered. */
  readonly state: 'waiting' | 'ringing' | 'early' | 'answered' | 'gone';
  /** The caller's port, once it is open. */
  media: LegMedia | undefined;
  /** The other side rings: 180 without a body, so that the caller's own network makes the tone; once the caller hears us, our own. */
  ringing(): void;
  /** Our ringing tone stops. */
  quiet(): void;
  /** Lets the caller hear us, answered or not; false when it can't, since its INVITE had no offer. */
  hears(): boolean;
  /** 200 with our one answer to the offer, or with an offer where there was none. */
  answer(): void;
  /** The way out: a final status, or BYE. Idempotent. */
  end(status: number): void;
}

export interface NearEvents {
  /** The caller gave up before an answer. */
  gone(): void;
  ended(cause: DialogEnd): void;
  /** The answer to our offer, in the ACK, is of no use. */
  unusable(): void;
}

/** Our own ringing tone; `undefined` until there is somebody to hear it. */
function ringback(media: () => LegMedia | undefined): { start(): void; stop(): void } {
  let playing = false;
  return {
    start() {
      if (playing) return;
      playing = true;
      void media()?.leg.play({ kind: 'ringback' });
    },
    stop() {
      if (playing) media()?.leg.stopPlaying();
      playing = false;
    },
  };
}

export function incomingNear(invite: IncomingInvite, events: NearEvents): Near {
  const offer = invite.request.body;
  let state: Near['state'] = 'waiting';
  let media: LegMedia | undefined;
  /** Made once: it is the same in 183 and in 200. */
  let answer: Buffer | undefined;
  let dialog: Dialog | undefined;
  const tone = ringback(() => media);

  invite.onCancelled(() => {
    state = 'gone';
    events.gone();
  });

  function answerBody(): Buffer | undefined {
    if (answer || offer.length === 0) return answer;
    const made = media?.answerTo(offer);
    answer = made && 'body' in made ? made.body : undefined;
    return answer;
  }

  return {
    get state() {
      return dialog?.ended ? 'gone' : state;
    },
    get media() {
      return media;
    },
    set media(opened) {
      media = opened;
    },
    ringing() {
      if (state === 'early' || state === 'answered') tone.start();
      if (state !== 'waiting') return;
      state = 'ringing';
      invite.progress(180);
    },
    quiet: () => tone.stop(),
    hears() {
      if (state === 'early' || state === 'answered') {
        tone.stop();
        return true;
      }
      const body = state === 'gone' ? undefined : answerBody();
      if (!body) return false;
      state = 'early';
      // Early media of our own (RFC 3960): it costs the caller nothing.
      invite.progress(183, { body, contentType: 'application/sdp', reliable: true });
      return true;
    },
    answer() {
      if (state === 'answered' || state === 'gone') return;
      state = 'answered';
      const body = answerBody();
      dialog = invite.answer(body ?? media?.offer() ?? Buffer.alloc(0), { contentType: 'application/sdp' });
      watchDialog(dialog, () => media, events.ended);
      if (body) return;
      dialog.onAck((inAck) => {
        if (!inAck || !media?.take(inAck)) events.unusable();
      });
    },
    end(status) {
      if (dialog) dialog.bye();
      else if (state !== 'gone') {
        invite.reject(status, status === 503 ? { headers: [['Retry-After', '2']] } : undefined);
      }
      state = 'gone';
    },
  };
}

/** A leg that we made and that was answered; it is watched already. */
export function originatedNear(dialog: Dialog, media: LegMedia): Near {
  const tone = ringback(() => media);
  return {
    get state() {
      return dialog.ended ? 'gone' : 'answered';
    },
    media,
    ringing: () => tone.start(),
    quiet: () => tone.stop(),
    hears() {
      tone.stop();
      return true;
    },
    answer() {},
    end: () => dialog.bye(),
  };
}

/** Until a leg that we make to the caller is answered. */
export const nobody: Near = {
  state: 'gone',
  media: undefined,
  ringing() {},
  quiet() {},
  hears: () => false,
  answer() {},
  end() {},
};
