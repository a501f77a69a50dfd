/** An INVITE of a peer's, from its arrival to its final response. */

import type { Endpoint } from '@samar/doors';
import { cseqOf } from '../message/index.ts';
import { headerText, type ResponseParts } from '../transaction/compose.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Dialog, IncomingInvite, ResponseOptions, SipRequest, TransportName } from '../types.ts';
import { ALLOW, type Context, contactOf, SUPPORTED } from './context.ts';
import { type Core, coreOfServer } from './core.ts';
import { LiveDialog } from './dialog.ts';
import { reliability } from './in-dialog.ts';
import { ReliableSender } from './reliable-server.ts';
import type { SessionAnswer } from './session-timer.ts';

export class IncomingCall implements IncomingInvite {
  readonly request: SipRequest;
  readonly source: Endpoint;
  readonly transport: TransportName;
  readonly #context: Context;
  readonly #transaction: ServerTransaction;
  readonly #core: Core;
  readonly #session: SessionAnswer;
  readonly #recordRoute: string;
  #dialog: LiveDialog | undefined;
  #reliable: ReliableSender | undefined;
  #finished = false;
  #cancelled = false;
  #onCancelled: (() => void) | undefined;

  constructor(context: Context, transaction: ServerTransaction, core: Core, session: SessionAnswer) {
    this.#context = context;
    this.#transaction = transaction;
    this.#core = core;
    this.#session = session;
    this.request = transaction.request;
    this.source = transaction.flow.source;
    this.transport = transaction.flow.transport;
    let recordRoute = '';
    for (const route of core.routes) recordRoute += `Record-Route: ${route}\r\n`;
    this.#recordRoute = recordRoute;
    transaction.cancelled = () => this.#giveUp(487);
    context.calls.add(this);
  }

  progress(status: number, options: ResponseOptions & { readonly reliable?: boolean } = {}): void {
    if (status < 101 || status > 199) throw new RangeError('a provisional status is 101 to 199');
    if (this.#finished) return;
    const dialog = this.#open();
    const parts = this.#parts(options);
    const wants = reliability(this.request);
    if (wants === 'required' || (options.reliable && wants === 'supported')) {
      this.#reliable ??= new ReliableSender(this.#context, this.#transaction, () => this.#giveUp(504));
      const send = (headers: string) =>
        this.#transaction.respond(status, { ...parts, extra: parts.extra + headers });
      if (options.body) dialog.lastLocal = options.body;
      this.#reliable.send(send, options.body !== undefined);
    } else this.#transaction.respond(status, parts);
  }

  answer(body: Buffer, options: Omit<ResponseOptions, 'body'> = {}): Dialog {
    const dialog = this.#open();
    // The caller gave up in the same moment: there is a dialog to hold, and it has ended.
    if (this.#finished) return dialog;
    this.#finish();
    const parts = this.#parts({ ...options, body });
    const session = this.#session.kind === 'terms' ? this.#session : undefined;
    const send = () => {
      if (dialog.ended) {
        this.#transaction.respond(487);
        return;
      }
      const extra = parts.extra + (session?.headers ?? '');
      const bytes = this.#transaction.respond(200, { ...parts, extra });
      dialog.lastLocal = body;
      dialog.confirmAsServer(this.#transaction, bytes, cseqOf(this.request).number);
      dialog.timer.renew(session?.terms);
    };
    if (this.#reliable) this.#reliable.whenAcknowledged(send);
    else send();
    return dialog;
  }

  reject(status: number, options: ResponseOptions = {}): void {
    if (status < 300 || status > 699) throw new RangeError('a refusing status is 300 to 699');
    if (this.#finished) return;
    this.#finish();
    this.#reliable?.stop();
    const extra = headerText(options.headers);
    this.#transaction.respond(status, { ...options, extra });
    this.#drop();
  }

  onCancelled(handler: () => void): void {
    this.#onCancelled = handler;
    if (this.#cancelled) this.#context.guard(handler);
  }

  /** The stack is closing. */
  abandon(): void {
    this.#finish();
    this.#reliable?.stop();
    this.#drop();
  }

  #parts(options: ResponseOptions): ResponseParts & { readonly extra: string } {
    const { reason, body, contentType } = options;
    const extra = `${this.#recordRoute}Contact: ${this.#core.contact}\r\n${ALLOW}${SUPPORTED}${headerText(options.headers)}`;
    return { reason, body, contentType, extra };
  }

  /** The dialog that the first response with our tag makes (section 12.1). */
  #open(): LiveDialog {
    if (this.#dialog) return this.#dialog;
    const dialog = new LiveDialog(this.#context, this.#core, undefined, {
      onBye: () => this.#giveUp(487),
      onPrack: (request) => this.#reliable?.acknowledged(request) ?? false,
    });
    this.#dialog = dialog;
    dialog.learn(this.request, false);
    if (this.#finished) dialog.end('remote-bye', undefined);
    return dialog;
  }

  #giveUp(status: number): void {
    // While the 200 waits for a PRACK, the user already holds a dialog: its end is what they hear of.
    if (!this.#transaction.finished) this.#transaction.respond(status);
    if (this.#finished) {
      this.#reliable?.stop();
      this.#dialog?.end('remote-bye', undefined);
      return;
    }
    this.#finish();
    this.#cancelled = true;
    this.#reliable?.stop();
    this.#drop();
    const handler = this.#onCancelled;
    if (handler) this.#context.guard(handler);
  }

  #finish(): void {
    this.#finished = true;
    this.#context.calls.delete(this);
  }

  /** The early dialog goes with its INVITE; the user never held it. */
  #drop(): void {
    this.#dialog?.end('closed', undefined);
  }
}

/** Undefined: the INVITE has no usable Contact. */
export function incomingCall(
  context: Context,
  transaction: ServerTransaction,
  session: SessionAnswer,
): IncomingCall | undefined {
  const { flow, tag, request } = transaction;
  const { identifiers } = context;
  const contact = contactOf(context, flow.transport, flow.source.address, identifiers.token());
  const core = coreOfServer(request, tag, contact, identifiers.sequence());
  return core && new IncomingCall(context, transaction, core, session);
}
