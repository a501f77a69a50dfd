/**
 * One dialog, early or confirmed: what the peer asks in it, and what we ask (RFC 3261 sections 12 to 15,
 * UPDATE of RFC 3311, session timers of RFC 4028).
 */
import { cseqOf } from '../message/index.ts';
import { headerText } from '../transaction/compose.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type {
  Credentials,
  Dialog,
  DialogEnd,
  HeaderList,
  OfferAnswer,
  SipMessage,
  SipRequest,
} from '../types.ts';
import type { Context, InDialog } from './context.ts';
import { type Core, contactUri, dialogKey } from './core.ts';
import { answerInDialog } from './in-dialog.ts';
import { lists } from './lists.ts';
import { Negotiator } from './negotiator.ts';
import { AnswerRepeater } from './repeater.ts';
import { requestInDialog } from './requests.ts';
import { type SessionTerms, SessionTimer } from './session-timer.ts';

type OfferHandler = (offer: Buffer | undefined) => OfferAnswer | Promise<OfferAnswer>;

/** What an early dialog's INVITE, still unanswered, does when the peer acts in the dialog. */
export interface EarlyUser {
  /** BYE in an early dialog: the INVITE is answered 487. */
  onBye(): void;
  /** True when the RAck was awaited. */
  onPrack(request: SipRequest): boolean;
}

export class LiveDialog implements Dialog, InDialog {
  readonly context: Context;
  readonly core: Core;
  readonly key: string;
  readonly credentials: Credentials | undefined;
  readonly timer: SessionTimer;
  readonly negotiator: Negotiator;
  /** Set until the INVITE of this dialog has its final response. */
  early: EarlyUser | undefined;
  /** The last SDP of ours: what a refreshing re-INVITE repeats. */
  lastLocal: Buffer | undefined;
  peerUpdates = false;
  infoHandler: ((contentType: string, body: Buffer) => void) | undefined;
  #offerHandler: OfferHandler | undefined;
  #ended = false;
  #cause: readonly [DialogEnd, SipRequest | undefined] | undefined;
  #endHandler: ((cause: DialogEnd, request: SipRequest | undefined) => void) | undefined;
  #ackHandler: ((body: Buffer | undefined) => void) | undefined;
  #ack: { readonly body: Buffer | undefined } | undefined;
  #repeater: AnswerRepeater | undefined;
  #deferredBye: (() => void) | undefined;

  constructor(context: Context, core: Core, credentials?: Credentials, early?: EarlyUser) {
    this.context = context;
    this.core = core;
    this.credentials = credentials;
    this.early = early;
    this.key = dialogKey(core.callId, core.localTag, core.remoteTag);
    this.negotiator = new Negotiator(this);
    this.timer = new SessionTimer(context.wheel, {
      refresh: () => this.negotiator.refresh(),
      expired: () => this.hangUp('session-expired'),
    });
    context.dialogs.set(this.key, this);
  }

  get callId(): string {
    return this.core.callId;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get offerHandler(): OfferHandler | undefined {
    return this.#offerHandler;
  }

  onAck(handler: (body: Buffer | undefined) => void): void {
    this.#ackHandler = handler;
    this.#reportAck();
  }

  onOffer(handler: OfferHandler): void {
    this.#offerHandler = handler;
  }

  onInfo(handler: (contentType: string, body: Buffer) => void): void {
    this.infoHandler = handler;
  }

  onEnd(handler: (cause: DialogEnd, request: SipRequest | undefined) => void): void {
    this.#endHandler = handler;
    this.#reportEnd();
  }

  offer(body: Buffer): Promise<OfferAnswer> {
    return this.negotiator.offer(body);
  }

  bye(options?: { readonly headers?: HeaderList }): void {
    this.hangUp('local-bye', headerText(options?.headers));
  }

  /** The INVITE was answered with a 2xx of ours; it is repeated until ACK. */
  confirmAsServer(transaction: ServerTransaction, bytes: Buffer, sequence: number): void {
    this.early = undefined;
    this.#repeater?.stop();
    this.#repeater = new AnswerRepeater(this.context, transaction, bytes, sequence, () => {
      this.#repeater = undefined;
      if (this.#ended) this.#runDeferred();
      else this.hangUp('no-ack');
    });
  }

  /** The INVITE was answered with a 2xx of the peer's. */
  confirmAsClient(terms: SessionTerms | undefined): void {
    this.early = undefined;
    this.timer.renew(terms);
  }

  /** Whether a 2xx of ours waits for its ACK. */
  get awaitsAck(): boolean {
    return this.#repeater !== undefined;
  }

  /** What every message of the peer may tell: its target (section 12.2) and what it allows. */
  learn(message: SipMessage, refresh: boolean): void {
    const contact = refresh ? contactUri(message) : undefined;
    if (contact !== undefined) this.core.remoteTarget = contact;
    if (message.headers.has('Allow')) this.peerUpdates = lists(message, 'Allow', 'UPDATE');
  }

  receive(transaction: ServerTransaction): void {
    answerInDialog(this, transaction);
  }

  acknowledge(request: SipRequest): void {
    if (!this.#repeater || cseqOf(request).number !== this.#repeater.sequence) return;
    this.#repeater.stop();
    this.#repeater = undefined;
    this.#ack ??= { body: request.body.length > 0 ? request.body : undefined };
    this.#runDeferred();
    if (!this.#ended) this.#reportAck();
  }

  /** Ends the dialog with a BYE. While our 2xx has no ACK yet, the BYE waits for it (section 15). */
  hangUp(cause: DialogEnd, headers = ''): void {
    if (this.#ended) return;
    const bye = () => {
      // RFC 3261 section 15.1.1: whatever the answer is, or if none comes, the session is over.
      requestInDialog(this.context, this.core, 'BYE', { extra: headers }, {});
    };
    if (this.#repeater) this.#deferredBye = bye;
    else bye();
    this.end(cause, undefined);
  }

  /** Ends the dialog without a BYE. */
  end(cause: DialogEnd, request: SipRequest | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cause = [cause, request];
    this.timer.stop();
    this.negotiator.stop();
    if (cause === 'remote-bye' || cause === 'closed') this.#dropAck();
    if (!this.#repeater) this.context.dialogs.delete(this.key);
    this.#reportEnd();
  }

  close(): void {
    this.#dropAck();
    this.context.dialogs.delete(this.key);
    this.end('closed', undefined);
  }

  #dropAck(): void {
    this.#repeater?.stop();
    this.#repeater = undefined;
    this.#deferredBye = undefined;
  }

  #runDeferred(): void {
    if (!this.#ended) return;
    this.context.dialogs.delete(this.key);
    const bye = this.#deferredBye;
    this.#deferredBye = undefined;
    bye?.();
  }

  #reportAck(): void {
    const handler = this.#ackHandler;
    const ack = this.#ack;
    if (!handler || !ack) return;
    // At most once: re-INVITEs have ACKs, too.
    this.#ackHandler = undefined;
    this.context.guard(() => handler(ack.body));
  }

  #reportEnd(): void {
    const handler = this.#endHandler;
    const cause = this.#cause;
    if (!handler || !cause) return;
    this.#cause = undefined;
    this.context.guard(() => handler(cause[0], cause[1]));
  }
}
