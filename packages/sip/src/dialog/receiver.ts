/** Requests that start something: routes them to a dialog, to the user, or refuses them (RFC 3261 section 8.2). */
import { callId, fromTag, requestUri, toTag } from '../message/index.ts';
import { headerText } from '../transaction/compose.ts';
import type { LayerUser } from '../transaction/layer.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { IncomingRequest, StackOptions } from '../types.ts';
import { ACCEPT, ALLOW, type Context, SUPPORTED } from './context.ts';
import { dialogKey } from './core.ts';
import { incomingCall } from './incoming.ts';
import { bodyIsReadable, unsupported } from './lists.ts';
import { answerSession } from './session-timer.ts';

/** Methods that make sense only inside a dialog. */
const NEEDS_DIALOG = new Set(['BYE', 'UPDATE', 'PRACK', 'INFO', 'NOTIFY']);
/** Known, but nobody serves them unless the user does: 405. Others are 501. */
const KNOWN = new Set(['REGISTER', 'SUBSCRIBE', 'PUBLISH', 'MESSAGE', 'OPTIONS']);

export type Receiver = Omit<LayerUser, 'refusing'>;

export function createReceiver(options: StackOptions, contextOf: () => Context): Receiver {
  function find(request: Parameters<typeof callId>[0]) {
    const key = dialogKey(callId(request), toTag(request), fromTag(request));
    return contextOf().dialogs.get(key);
  }

  function receiveInvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    const context = contextOf();
    const respond = (status: number, extra = '') => void transaction.respond(status, { extra });
    const scheme = requestUri(request)?.scheme;
    if (scheme === undefined) {
      respond(416);
      return;
    }
    if (context.dialogs.size >= context.dialogLimit) {
      context.onEvent('overload');
      respond(503, 'Retry-After: 5\r\n');
      return;
    }
    // No dialog of ours is ever replaced or joined from outside.
    if (request.headers.has('Replaces') || request.headers.has('Join')) {
      respond(481);
      return;
    }
    if (!bodyIsReadable(request)) {
      respond(415, ACCEPT);
      return;
    }
    const session = answerSession(request, context.session);
    if (session.kind === 'too-small') {
      respond(422, `Min-SE: ${context.session.minimum}\r\n`);
      return;
    }
    const call = incomingCall(context, transaction, session);
    if (!call) {
      respond(400);
      return;
    }
    transaction.tryingSoon(timestamp(transaction));
    try {
      options.onInvite(call);
    } catch {
      context.onEvent('handler-error');
      call.reject(500);
    }
  }

  function receiveOther(transaction: ServerTransaction): void {
    const { request, flow } = transaction;
    const { method } = request;
    if (NEEDS_DIALOG.has(method)) transaction.respond(481);
    else if (method === 'REFER') transaction.respond(603);
    else if (options.onRequest) {
      const incoming: IncomingRequest = {
        request,
        source: flow.source,
        transport: flow.transport,
        respond(status, given = {}) {
          // A registrar lists its bindings in Contact (RFC 3261 section 10.3); outside a dialog it is nobody else's.
          transaction.respond(status, { ...given, extra: headerText(given.headers, true) });
        },
      };
      try {
        options.onRequest(incoming);
      } catch {
        contextOf().onEvent('handler-error');
        if (!transaction.finished) transaction.respond(500);
      }
    } else if (method === 'OPTIONS') transaction.respond(200, { extra: ALLOW + ACCEPT + SUPPORTED });
    else transaction.respond(KNOWN.has(method) ? 405 : 501, { extra: ALLOW });
  }

  return {
    onRequest(transaction) {
      const { request } = transaction;
      if (toTag(request) !== '') {
        const dialog = find(request);
        if (dialog) dialog.receive(transaction);
        else transaction.respond(481);
        return;
      }
      const unknown = unsupported(request);
      // Replaces is refused as the dialog it names, so that a client need not guess (RFC 3891 section 3).
      const named = unknown.filter(
        (tag) => !(tag.toLowerCase() === 'replaces' && request.headers.has('Replaces')),
      );
      if (named.length > 0) {
        transaction.respond(420, { extra: `Unsupported: ${named.join(', ')}\r\n` });
      } else if (request.method === 'INVITE') receiveInvite(transaction);
      else receiveOther(transaction);
    },
    onAck(request) {
      const dialog = find(request);
      if (dialog) dialog.acknowledge(request);
      else contextOf().onEvent('stray-ack');
    },
    onCancel: (invite) => invite.cancelled?.(),
  };
}

/** RFC 3261 section 8.2.6.1: the 100 takes the Timestamp along. */
function timestamp(transaction: ServerTransaction): string {
  const value = transaction.request.headers.get('Timestamp');
  return value !== undefined && /^[\d. ]{1,40}$/.test(value) ? `Timestamp: ${value}\r\n` : '';
}
