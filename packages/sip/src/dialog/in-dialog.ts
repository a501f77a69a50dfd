/** The peer's requests inside a dialog, other than ACK (RFC 3261 sections 12.2.2, 14.2, 15.1.2). */
import { cseqOf } from '../message/index.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { DialogEnd, OfferAnswer, SipRequest } from '../types.ts';
import { ACCEPT, ALLOW, SUPPORTED } from './context.ts';
import { bodyIsReadable, lists, unsupported } from './lists.ts';
import type { Negotiating, Negotiator } from './negotiator.ts';
import { answerSession, type SessionAnswer } from './session-timer.ts';

export interface Answering extends Negotiating {
  readonly negotiator: Negotiator;
  readonly early: { onBye(): void; onPrack(request: SipRequest): boolean } | undefined;
  readonly offerHandler: ((offer: Buffer | undefined) => OfferAnswer | Promise<OfferAnswer>) | undefined;
  readonly infoHandler: ((contentType: string, body: Buffer) => void) | undefined;
  confirmAsServer(transaction: ServerTransaction, bytes: Buffer, sequence: number): void;
  end(cause: DialogEnd, request: SipRequest | undefined): void;
}

/** Methods that we know of but do not serve inside a dialog: 405. Others are 501. */
const REFUSED = new Set(['REGISTER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'MESSAGE']);

export function answerInDialog(dialog: Answering, transaction: ServerTransaction): void {
  const { request } = transaction;
  const { core } = dialog;
  if (dialog.ended) {
    transaction.respond(481);
    return;
  }
  const { number } = cseqOf(request);
  if (core.remoteSequence !== undefined && number < core.remoteSequence) {
    // Out of order (section 12.2.2).
    transaction.respond(500);
    return;
  }
  core.remoteSequence = number;
  const unknown = unsupported(request);
  if (unknown.length > 0 && request.method !== 'BYE') {
    transaction.respond(420, { extra: `Unsupported: ${unknown.join(', ')}\r\n` });
    return;
  }
  switch (request.method) {
    case 'BYE':
      transaction.respond(200);
      dialog.early?.onBye();
      dialog.end('remote-bye', request);
      break;
    case 'INVITE':
      answerInvite(dialog, transaction);
      break;
    case 'UPDATE':
      answerUpdate(dialog, transaction);
      break;
    case 'PRACK':
      answerPrack(dialog, transaction);
      break;
    case 'INFO':
      answerInfo(dialog, transaction);
      break;
    case 'OPTIONS':
      transaction.respond(200, { extra: ALLOW + ACCEPT + SUPPORTED });
      break;
    case 'REFER':
      transaction.respond(603);
      break;
    default:
      transaction.respond(REFUSED.has(request.method) ? 405 : 501, { extra: ALLOW });
  }
}

function answerInfo(dialog: Answering, transaction: ServerTransaction): void {
  const { request } = transaction;
  transaction.respond(200);
  const handler = dialog.infoHandler;
  if (handler) {
    dialog.context.guard(() => handler(request.headers.get('Content-Type') ?? '', request.body));
  }
}

function answerPrack(dialog: Answering, transaction: ServerTransaction): void {
  const { request } = transaction;
  if (!dialog.early?.onPrack(request)) {
    transaction.respond(481);
    return;
  }
  // An offer in PRACK (RFC 3262 section 5) finds nobody to answer it before the call is taken.
  transaction.respond(request.body.length > 0 ? 488 : 200);
}

/** Refuses what stands in the way of another negotiation. True: answered. */
function refuseCollision(dialog: Answering, transaction: ServerTransaction): boolean {
  if (dialog.negotiator.asking) {
    dialog.context.onEvent('glare');
    transaction.respond(491);
    return true;
  }
  if (dialog.negotiator.answering || (dialog.early && transaction.request.method === 'INVITE')) {
    transaction.respond(500, { extra: `Retry-After: ${dialog.context.integer(11)}\r\n` });
    return true;
  }
  return false;
}

function sessionOf(dialog: Answering, transaction: ServerTransaction): SessionAnswer | undefined {
  const { session } = dialog.context;
  const answer = answerSession(transaction.request, session);
  if (answer.kind !== 'too-small') return answer;
  transaction.respond(422, { extra: `Min-SE: ${session.minimum}\r\n` });
  return undefined;
}

function answerInvite(dialog: Answering, transaction: ServerTransaction): void {
  const { request } = transaction;
  if (refuseCollision(dialog, transaction)) return;
  if (!bodyIsReadable(request)) {
    transaction.respond(415, { extra: ACCEPT });
    return;
  }
  const session = sessionOf(dialog, transaction);
  if (!session) return;
  dialog.learn(request, true);
  const offer = request.body.length > 0 ? request.body : undefined;
  settle(dialog, transaction, offer, (answer) => {
    if ('status' in answer) {
      transaction.respond(answer.status);
      return;
    }
    const terms = session.kind === 'terms' ? session.headers : '';
    const extra = `Contact: ${dialog.core.contact}\r\n${ALLOW}${SUPPORTED}${terms}`;
    const bytes = transaction.respond(200, { extra, body: answer.body });
    dialog.lastLocal = answer.body;
    dialog.confirmAsServer(transaction, bytes, cseqOf(request).number);
    if (session.kind === 'terms') dialog.timer.renew(session.terms);
  });
}

function answerUpdate(dialog: Answering, transaction: ServerTransaction): void {
  const { request } = transaction;
  const offer = request.body.length > 0 ? request.body : undefined;
  if (offer && refuseCollision(dialog, transaction)) return;
  if (!bodyIsReadable(request)) {
    transaction.respond(415, { extra: ACCEPT });
    return;
  }
  const session = sessionOf(dialog, transaction);
  if (!session) return;
  dialog.learn(request, true);
  const respond = (body: Buffer | undefined) => {
    const terms = session.kind === 'terms' ? session.headers : '';
    const extra = `Contact: ${dialog.core.contact}\r\n${ALLOW}${SUPPORTED}${terms}`;
    transaction.respond(200, { extra, body });
    if (session.kind === 'terms' && !dialog.early) dialog.timer.renew(session.terms);
  };
  if (!offer) {
    respond(undefined);
    return;
  }
  settle(dialog, transaction, offer, (answer) => {
    if ('status' in answer) {
      transaction.respond(answer.status);
      return;
    }
    dialog.lastLocal = answer.body;
    respond(answer.body);
  });
}

/** Asks the user and gives their answer to `use`, unless the dialog ended meanwhile: then 487 says so. */
function settle(
  dialog: Answering,
  transaction: ServerTransaction,
  offer: Buffer | undefined,
  use: (answer: OfferAnswer) => void,
): void {
  const { context, negotiator } = dialog;
  const finish = (answer: OfferAnswer) => {
    if (negotiator.answering === transaction) negotiator.answering = undefined;
    if (transaction.finished) return;
    if (dialog.ended) transaction.respond(487);
    else use(answer);
  };
  const handler = dialog.offerHandler;
  if (!handler) {
    // Nobody to ask. A re-INVITE without SDP only wants to hear our offer again.
    finish(!offer && dialog.lastLocal ? { body: dialog.lastLocal } : { status: 488 });
    return;
  }
  negotiator.answering = transaction;
  transaction.cancelled = () => {
    if (negotiator.answering === transaction) negotiator.answering = undefined;
    transaction.respond(487);
  };
  let answer: OfferAnswer | Promise<OfferAnswer>;
  try {
    answer = handler(offer);
  } catch {
    context.onEvent('handler-error');
    answer = { status: 500 };
  }
  if (!(answer instanceof Promise)) {
    finish(answer);
    return;
  }
  if (transaction.request.method === 'INVITE') transaction.respond(100);
  void answer
    .catch((): OfferAnswer => {
      context.onEvent('handler-error');
      return { status: 500 };
    })
    .then((settled) => context.guard(() => finish(settled)));
}

/** Whether the client of a request takes reliable provisional responses, and whether it insists on them. */
export function reliability(request: SipRequest): 'required' | 'supported' | 'unknown' {
  if (lists(request, 'Require', '100rel')) return 'required';
  return lists(request, 'Supported', '100rel') ? 'supported' : 'unknown';
}
