import { MediaBusy } from '@samar/media';
import {
  type Dialog,
  type DialogEnd,
  formatHostPort,
  type OutgoingInvite,
  type SipResponse,
  toTag,
} from '@samar/sip';
import type { Trunk } from '../masking/service.ts';
import type { Call } from './call.ts';
import { formatNumber } from './identity.ts';
import type { LegMedia } from './leg-media.ts';
import { type Leg, watchDialog } from './legs.ts';
import { causeOf, type RingFailure, ringFailureOf } from './outcomes.ts';

/** Whom we ring: a participant's phone, or a number of the tenant's own. */
export interface RingTarget {
  readonly participant: string | undefined;
  readonly phone: string;
  readonly callerId: string;
  readonly carrier: string;
}

/** A leg that we made and that was answered. */
export interface Far {
  readonly leg: Leg;
  readonly media: LegMedia;
  readonly dialog: Dialog;
  /** Told when it ends by itself; at once when it has. One handler, which replaces the one before it. */
  onLeft(handler: (cause: DialogEnd) => void): void;
  /** Hung up, with its port given back. */
  drop(): void;
  /** Stays when the call's ringing is stopped: whoever takes it looks after it now. */
  keep(): void;
}

export type Rung =
  | { readonly kind: 'answered'; readonly far: Far }
  | { readonly kind: 'failed'; readonly failure: RingFailure };

export interface Ringing {
  /** Rejects with `MediaBusy` only. */
  readonly result: Promise<Rung>;
  /** CANCEL, or BYE if it was answered; also a 200 that crosses the CANCEL is hung up. Idempotent. */
  cancel(): void;
}

/** Legs of one call: the caller's and fifty more. A program that rings more phones than this is at its end. */
const mostLegs = 51;
/** After a CANCEL its final response is waited for so long; a peer that says nothing holds nobody up. Milliseconds. */
const cancelPatience = 2_000;

const unavailable: Rung = { kind: 'failed', failure: 'unavailable' };

/** Rings one target for so many seconds. Whoever lets go of the call, the session or the target stops it. */
export function ring(call: Call, tenant: string, target: RingTarget, seconds: number): Ringing {
  let cancelled = false;
  let outgoing: OutgoingInvite | undefined;
  let answered: Far | undefined;
  const forget = call.during(cancel, target.participant);

  function cancel(): void {
    cancelled = true;
    forget();
    outgoing?.cancel();
    answered?.drop();
  }

  async function place(): Promise<Rung> {
    const { trunks, doors } = call.context;
    const trunk = trunks().find(tenant, target.carrier);
    const leg = call.addLeg({
      participant: target.participant,
      number: target.callerId,
      carrier: target.carrier,
      direction: 'out',
    });
    const media =
      trunk?.enabled && call.legs.length <= mostLegs ? await call.openMedia(trunk.allowedSources) : undefined;
    if (!trunk || !media) {
      leg.endedAt = doors.clock.now();
      return unavailable;
    }
    leg.media = media;
    if (!cancelled && !call.stopped) {
      outgoing = inviteTo(call, trunk, target, media);
      const dialog = await answerOf(call, outgoing, leg, media, seconds, () => cancelled);
      if (typeof dialog !== 'string') {
        answered = farOf(call, leg, media, dialog, forget);
        return { kind: 'answered', far: answered };
      }
      leg.endedAt = doors.clock.now();
      void media.leg.close();
      return { kind: 'failed', failure: dialog };
    }
    leg.endedAt = doors.clock.now();
    void media.leg.close();
    return unavailable;
  }

  return {
    result: place().then(
      (rung) => {
        if (rung.kind === 'failed') forget();
        return rung;
      },
      (error: unknown) => {
        forget();
        // A call that has ended has nothing left to open a port for.
        if (error instanceof MediaBusy && call.over) return unavailable;
        throw error;
      },
    ),
    cancel,
  };
}

function inviteTo(call: Call, trunk: Trunk, target: RingTarget, media: LegMedia): OutgoingInvite {
  const { stack, publicHost } = call.context;
  const format = trunk.numberFormat ?? {};
  const callee = `sip:${formatNumber(target.phone, format)}@${formatHostPort(trunk.host, trunk.port)}`;
  return stack().invite({
    target: {
      host: trunk.host,
      transport: trunk.transport,
      ...(trunk.port === undefined ? {} : { port: trunk.port }),
    },
    uri: callee,
    from: { uri: `sip:${formatNumber(target.callerId, format)}@${publicHost}` },
    to: { uri: callee },
    body: media.offer(),
    contentType: 'application/sdp',
    ...(trunk.auth === undefined ? {} : { credentials: trunk.auth }),
  });
}

/** The dialog of whoever answers, with usable media; or why there is none. */
function answerOf(
  call: Call,
  outgoing: OutgoingInvite,
  leg: Leg,
  media: LegMedia,
  seconds: number,
  cancelled: () => boolean,
): Promise<Dialog | RingFailure> {
  const { doors, events } = call.context;
  return new Promise((resolve) => {
    let patience = doors.timers.after(seconds * 1_000, () => {
      outgoing.cancel();
      patience = doors.timers.after(cancelPatience, () => resolve('no-answer'));
    });
    /** By To tag: each branch of a fork answers for itself. The stack follows a few branches only. */
    const reliableAnswers = new Map<string, Buffer>();
    outgoing.onProgress((response) => {
      if (response.body.length > 0 && response.headers.has('RSeq')) {
        reliableAnswers.set(toTag(response), response.body);
      }
      if (!call.stopped && !cancelled()) call.near.ringing();
    });
    outgoing.onAnswered((dialog, response) => {
      patience.cancel();
      leg.sipStatus = response.status;
      leg.answeredAt = doors.clock.now();
      const usable = media.take(sessionOf(response, reliableAnswers));
      if (usable && !cancelled() && !call.stopped) return resolve(dialog);
      if (!usable) events.count('bad-answer');
      dialog.bye();
      resolve('unavailable');
    });
    outgoing.onFailed((failure) => {
      patience.cancel();
      if (failure.kind === 'response') leg.sipStatus = failure.response.status;
      events.count(`far-${causeOf(failure)}`);
      resolve(ringFailureOf(failure));
    });
  });
}

/** An answer in a reliable 183 is the answer: the 200 needs none (RFC 3262 section 5). */
function sessionOf(response: SipResponse, reliableAnswers: ReadonlyMap<string, Buffer>): Buffer {
  const early = response.body.length > 0 ? undefined : reliableAnswers.get(toTag(response));
  return early ?? response.body;
}

function farOf(call: Call, leg: Leg, media: LegMedia, dialog: Dialog, forget: () => void): Far {
  const { clock } = call.context.doors;
  let cause: DialogEnd | undefined;
  let left: (cause: DialogEnd) => void = () => {};
  watchDialog(
    dialog,
    () => media,
    (ended) => {
      leg.endedAt ??= clock.now();
      cause = ended;
      left(ended);
    },
  );
  return {
    leg,
    media,
    dialog,
    onLeft(handler) {
      left = handler;
      if (cause !== undefined) handler(cause);
    },
    drop() {
      forget();
      dialog.bye();
      // The call's own end closes all of its legs at once, and asks for their quality.
      if (!call.over) void media.leg.close();
    },
    keep: forget,
  };
}
