/**
 * The 64 × T1 after an INVITE of ours was answered: repetitions of its 2xx are acknowledged again, and 2xx of other
 * forks are acknowledged and ended (RFC 3261 section 13.2.2.4). Small on purpose, for it outlives the call.
 */
import { toTag } from '../message/index.ts';
import type { ClientUser } from '../transaction/client.ts';
import type { Outline } from '../transaction/compose.ts';
import type { SipResponse } from '../types.ts';
import type { Context } from './context.ts';
import { type Core, coreOfClient } from './core.ts';
import { acknowledge2xx, requestInDialog, type SentAck, sendAck } from './requests.ts';

/** Branches of a forking proxy that are acknowledged and ended; more are left to their own timers. */
const FORKS = 16;

export class LateAnswers implements ClientUser {
  readonly #context: Context;
  readonly #outline: Outline;
  readonly #localTag: string;
  readonly #contact: string;
  readonly #acks = new Map<string, SentAck | undefined>();

  constructor(context: Context, outline: Outline, localTag: string, contact: string) {
    this.#context = context;
    this.#outline = outline;
    this.#localTag = localTag;
    this.#contact = contact;
  }

  /** Sends the ACK of an answer, and remembers it. */
  acknowledge(core: Core): void {
    this.#acks.set(core.remoteTag, undefined);
    acknowledge2xx(this.#context, core, this.#outline.sequence, (ack) => {
      this.#acks.set(core.remoteTag, { hop: ack.hop, bytes: this.#context.retain(ack.bytes) });
    });
  }

  onResponse(response: SipResponse): void {
    const tag = toTag(response);
    if (this.#acks.has(tag)) {
      this.#context.onEvent('retransmission');
      const ack = this.#acks.get(tag);
      if (ack) sendAck(this.#context, ack);
      return;
    }
    if (this.#acks.size >= FORKS) {
      this.#context.onEvent('forks-limit');
      return;
    }
    this.#context.onEvent('forked-answer');
    const core = coreOfClient(this.#outline, response, this.#localTag, this.#contact);
    this.acknowledge(core);
    requestInDialog(this.#context, core, 'BYE', {}, {});
  }

  onFailure(): void {}
}
