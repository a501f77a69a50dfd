/**
 * Offers within a dialog, in both directions, one at a time (RFC 3261 section 14, RFC 3311 section 5), and the
 * refreshes of RFC 4028 that ride on them.
 */
import type { InviteClient } from '../transaction/client-invite.ts';
import { composeFailureAck, composeRequest } from '../transaction/compose.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import { sixtyFourT1 } from '../transaction/timing.ts';
import type { WheelTimer } from '../transaction/wheel.ts';
import type { Hop } from '../transport/hop.ts';
import type { Credentials, DialogEnd, OfferAnswer, SipMessage, SipResponse } from '../types.ts';
import { ALLOW, type Context, SUPPORTED } from './context.ts';
import { type Core, outlineOf, withHop } from './core.ts';
import { Authorizer } from './credentials.ts';
import { ReliableReceiver } from './reliable-client.ts';
import { acknowledge2xx, requestInDialog, type SentAck, sendAck } from './requests.ts';
import { acceptedSession, minimumOf, requestSession, type SessionTimer } from './session-timer.ts';

/** What the negotiator needs of its dialog. */
export interface Negotiating {
  readonly context: Context;
  readonly core: Core;
  readonly credentials: Credentials | undefined;
  readonly timer: SessionTimer;
  readonly ended: boolean;
  readonly awaitsAck: boolean;
  lastLocal: Buffer | undefined;
  peerUpdates: boolean;
  learn(message: SipMessage, refresh: boolean): void;
  hangUp(cause: DialogEnd): void;
}

type Outcome =
  | { readonly kind: 'accepted'; readonly response: SipResponse }
  | { readonly kind: 'refused'; readonly status: number };

/** Milliseconds to wait when a refresh met another negotiation. */
const REFRESH_AGAIN = 2_000;

export class Negotiator {
  readonly #dialog: Negotiating;
  /** An INVITE or UPDATE of ours is under way. */
  #asking = false;
  /** An offer of the peer's is being answered. */
  answering: ServerTransaction | undefined;
  #minimum: number;
  #waiting: { readonly timer: WheelTimer; readonly give: () => void } | undefined;
  #client: InviteClient | undefined;
  #limit: WheelTimer | undefined;
  #give: ((outcome: Outcome) => void) | undefined;

  constructor(dialog: Negotiating) {
    this.#dialog = dialog;
    this.#minimum = dialog.context.session.minimum;
  }

  get asking(): boolean {
    return this.#asking;
  }

  /** Whether a new offer of ours must wait (section 14.1). */
  get #busy(): boolean {
    return this.#asking || this.answering !== undefined || this.#dialog.awaitsAck;
  }

  async offer(body: Buffer): Promise<OfferAnswer> {
    const first = await this.#tryOffer(body);
    if (first.kind === 'accepted') return { body: first.response.body };
    if (first.status !== 491 || this.#dialog.ended) return { status: first.status };
    await this.#pause(this.#glareDelay());
    const second = await this.#tryOffer(body);
    return second.kind === 'accepted' ? { body: second.response.body } : { status: second.status };
  }

  /** RFC 4028 section 10: UPDATE where the peer allows it, for it needs no SDP; else re-INVITE. */
  refresh(): void {
    const { timer, peerUpdates, lastLocal } = this.#dialog;
    if (this.#busy) timer.retry(REFRESH_AGAIN);
    else if (peerUpdates) this.#refreshByUpdate(true);
    else if (lastLocal) this.#ask(lastLocal, (outcome) => this.#refreshed(outcome));
  }

  /** The dialog is over: nothing is pending any more. */
  stop(): void {
    this.#waiting?.timer.cancel();
    this.#waiting?.give();
    this.#waiting = undefined;
    const client = this.#client;
    if (client && !client.finished) client.terminate();
    this.#settle({ kind: 'refused', status: 481 });
  }

  #tryOffer(body: Buffer): Promise<Outcome> {
    if (this.#dialog.ended) return Promise.resolve({ kind: 'refused', status: 481 });
    if (this.#busy) return Promise.resolve({ kind: 'refused', status: 491 });
    return new Promise((resolve) => this.#ask(body, resolve));
  }

  /** Section 14.1: 2.1 to 4 s for the side whose Call-ID it is, 0 to 2 s for the other, in steps of 10 ms. */
  #glareDelay(): number {
    const { context, core } = this.#dialog;
    const owner = core.ownsCallId;
    return 10 * (owner ? 210 + context.integer(191) : context.integer(201));
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const owner = { onTimer: () => this.#resume() };
      const timer = this.#dialog.context.wheel.after(milliseconds, owner, 'glare');
      this.#waiting?.give();
      this.#waiting = { timer, give: resolve };
    });
  }

  #resume(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.give();
  }

  #settle(outcome: Outcome): void {
    const give = this.#give;
    this.#give = undefined;
    this.#client = undefined;
    this.#limit?.cancel();
    this.#limit = undefined;
    this.#asking = false;
    if (outcome.kind === 'refused' && (outcome.status === 408 || outcome.status === 481)) {
      // RFC 3261 section 12.2.1.2.
      this.#dialog.hangUp('peer-gone');
    }
    give?.(outcome);
  }

  /** Sends a re-INVITE. `give` is called exactly once. */
  #ask(body: Buffer, give: (outcome: Outcome) => void): void {
    const { context, core } = this.#dialog;
    this.#asking = true;
    this.#give = give;
    const authorizer = new Authorizer(context, this.#dialog.credentials);
    const reliable = new ReliableReceiver();
    withHop(context, core, (hop) => {
      if (this.#give !== give) return;
      if (hop) this.#sendInvite(hop, body, '', authorizer, reliable);
      else this.#settle({ kind: 'refused', status: 408 });
    });
  }

  #sendInvite(
    hop: Hop,
    body: Buffer,
    authorization: string,
    authorizer: Authorizer,
    reliable: ReliableReceiver,
  ) {
    const { context, core, timer } = this.#dialog;
    const outline = outlineOf(context, core, hop, 'INVITE', ++core.localSequence);
    const session = requestSession(context.session, timer.terms, this.#minimum);
    const extra = `Contact: ${core.contact}\r\n${ALLOW}${SUPPORTED}${session}${authorization}${context.agentLine}`;
    const bytes = composeRequest(outline, extra, 'application/sdp', body);
    let ack: SentAck | undefined;
    let limit: WheelTimer | undefined;
    const client = context.layer.invite(
      hop,
      outline.branch,
      bytes,
      (failed) => composeFailureAck(outline, failed),
      {
        onResponse: (response, flow) => {
          if (response.status < 200) {
            reliable.take(context, core, response);
            return;
          }
          limit?.cancel();
          if (response.status < 300) {
            if (ack) sendAck(context, ack);
            else this.#acknowledge(outline.sequence, (sent) => (ack = sent), body, response);
            return;
          }
          const line = authorizer.answer(response, flow, hop, 'INVITE', outline.uri, body);
          if (line && !this.#dialog.ended) this.#sendInvite(hop, body, line, authorizer, reliable);
          else this.#refuse(response);
        },
        onFailure: () => {
          limit?.cancel();
          this.#settle({ kind: 'refused', status: 408 });
        },
      },
    );
    if (client.finished) return;
    this.#client = client;
    // A peer that answers 100 and no more must not hold the negotiation for ever.
    const giveUp = {
      onTimer: () => {
        client.terminate();
        this.#settle({ kind: 'refused', status: 408 });
      },
    };
    limit = context.wheel.after(sixtyFourT1(context.timing), giveUp, 'limit');
    this.#limit = limit;
  }

  #acknowledge(sequence: number, sent: (ack: SentAck) => void, body: Buffer, response: SipResponse): void {
    const { context, core, timer } = this.#dialog;
    this.#dialog.learn(response, true);
    acknowledge2xx(context, core, sequence, sent);
    if (this.#dialog.ended) return;
    this.#dialog.lastLocal = body;
    timer.renew(acceptedSession(response, context.session));
    this.#settle({ kind: 'accepted', response });
  }

  #refuse(response: SipResponse): void {
    if (response.status === 422) this.#minimum = Math.max(this.#minimum, minimumOf(response));
    this.#settle({ kind: 'refused', status: response.status });
  }

  #refreshByUpdate(again: boolean): void {
    const { context, core, timer } = this.#dialog;
    this.#asking = true;
    const session = requestSession(context.session, timer.terms, this.#minimum);
    const extra = `Contact: ${core.contact}\r\n${ALLOW}${SUPPORTED}${session}`;
    const done = (outcome: Outcome) => {
      this.#asking = false;
      if (this.#dialog.ended) return;
      const status = outcome.kind === 'refused' ? outcome.status : 200;
      if (status === 422 && again) this.#refreshByUpdate(false);
      else if (status === 405 || status === 501) {
        this.#dialog.peerUpdates = false;
        this.refresh();
      } else this.#refreshed(outcome);
    };
    requestInDialog(
      context,
      core,
      'UPDATE',
      { extra },
      {
        onResponse: (response) => {
          if (response.status < 300) {
            this.#dialog.learn(response, true);
            if (!this.#dialog.ended) timer.renew(acceptedSession(response, context.session) ?? timer.terms);
            done({ kind: 'accepted', response });
            return;
          }
          if (response.status === 422) this.#minimum = Math.max(this.#minimum, minimumOf(response));
          done({ kind: 'refused', status: response.status });
        },
        onFailure: () => done({ kind: 'refused', status: 408 }),
      },
    );
  }

  #refreshed(outcome: Outcome): void {
    if (outcome.kind === 'accepted' || this.#dialog.ended) return;
    if (outcome.status === 408 || outcome.status === 481) this.#dialog.hangUp('peer-gone');
    // Anything else may pass; if it does not, the expiry ends the session.
    else if (outcome.status === 491 || outcome.status === 422) this.#dialog.timer.retry(REFRESH_AGAIN);
    else this.#dialog.timer.retry(10 * REFRESH_AGAIN);
  }
}
