/** Requests inside a dialog, and the ACK of a 2xx. */
import { composeRequest } from '../transaction/compose.ts';
import type { Hop } from '../transport/hop.ts';
import type { Flow } from '../transport/transport.ts';
import type { SipResponse } from '../types.ts';
import type { Context } from './context.ts';
import { type Core, outlineOf, withHop } from './core.ts';

export interface InDialogParts {
  /** Header lines, each ending in CRLF. */
  readonly extra?: string;
  readonly body?: Buffer | undefined;
  readonly contentType?: string;
}

export interface InDialogUser {
  onResponse?(response: SipResponse, flow: Flow): void;
  onFailure?(kind: 'timeout' | 'unreachable'): void;
}

/** BYE, UPDATE, PRACK, INFO: anything but INVITE and ACK. Provisional responses are not reported. */
export function requestInDialog(
  context: Context,
  core: Core,
  method: string,
  parts: InDialogParts,
  user: InDialogUser,
): void {
  const sequence = ++core.localSequence;
  withHop(context, core, (hop) => {
    if (!hop) {
      context.onEvent('unresolved');
      user.onFailure?.('unreachable');
      return;
    }
    const outline = outlineOf(context, core, hop, method, sequence);
    const extra = (parts.extra ?? '') + context.agentLine;
    const bytes = composeRequest(outline, extra, parts.contentType, parts.body);
    context.layer.plain(hop, outline.branch, method, bytes, {
      onResponse(response, flow) {
        if (response.status >= 200) user.onResponse?.(response, flow);
      },
      onFailure: (kind) => user.onFailure?.(kind),
    });
  });
}

/** An ACK that was sent, kept to be sent again for each repetition of its 2xx. */
export interface SentAck {
  readonly hop: Hop;
  readonly bytes: Buffer;
}

/** `sent` receives the ACK for later repetitions (RFC 3261 section 13.2.2.4). */
export function acknowledge2xx(
  context: Context,
  core: Core,
  sequence: number,
  sent: (ack: SentAck) => void,
): void {
  withHop(context, core, (hop) => {
    if (!hop) {
      context.onEvent('unresolved');
      return;
    }
    const bytes = composeRequest(outlineOf(context, core, hop, 'ACK', sequence), context.agentLine);
    const ack: SentAck = { hop, bytes };
    sendAck(context, ack);
    sent(ack);
  });
}

export function sendAck(context: Context, ack: SentAck): void {
  context.transport.send(ack.hop, ack.bytes, () => context.onEvent('ack-unsent'));
}
