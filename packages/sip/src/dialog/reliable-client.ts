/** Reliable provisional responses as their receiver: PRACK (RFC 3262 section 4). */
import { cseqOf } from '../message/index.ts';
import type { SipResponse } from '../types.ts';
import type { Context } from './context.ts';
import type { Core } from './core.ts';
import { lists } from './lists.ts';
import { requestInDialog } from './requests.ts';

/** One per early dialog and INVITE. */
export class ReliableReceiver {
  #last: number | undefined;

  /**
   * Sends PRACK when one is due. False: a repetition, or out of order; it must not be passed on, and the peer
   * will send it again.
   */
  take(context: Context, core: Core, response: SipResponse): boolean {
    if (!lists(response, 'Require', '100rel')) return true;
    const text = response.headers.get('RSeq') ?? '';
    const sequence = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (sequence < 1) return false;
    if (this.#last !== undefined && sequence !== this.#last + 1) return false;
    this.#last = sequence;
    const invite = cseqOf(response);
    requestInDialog(context, core, 'PRACK', { extra: `RAck: ${sequence} ${invite.number} INVITE\r\n` }, {});
    return true;
  }
}
