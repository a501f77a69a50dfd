/**
 * An INVITE of ours, from the first address tried to its final response: forks, PRACK, credentials, session
 * interval, fail-over, CANCEL and the answers that cross it (RFC 3261 sections 9.1, 13.2, RFC 3263 section 4.3).
 */

import { toTag } from '../message/index.ts';
import type { InviteClient } from '../transaction/client-invite.ts';
import {
  composeCancel,
  composeFailureAck,
  composeRequest,
  headerText,
  type Outline,
  safe,
} from '../transaction/compose.ts';
import { sixtyFourT1 } from '../transaction/timing.ts';
import type { TimerOwner, WheelTimer } from '../transaction/wheel.ts';
import type { Hop } from '../transport/hop.ts';
import type { Flow } from '../transport/transport.ts';
import type { Dialog, InviteFailure, InviteOptions, OutgoingInvite, SipResponse } from '../types.ts';
import { addressText } from './addresses.ts';
import { ALLOW, type Context, contactOf, SUPPORTED, viaOf } from './context.ts';
import { coreOfClient } from './core.ts';
import { Authorizer } from './credentials.ts';
import { LiveDialog } from './dialog.ts';
import { LateAnswers } from './late-answers.ts';
import { ReliableReceiver } from './reliable-client.ts';
import { acceptedSession, minimumOf, requestSession } from './session-timer.ts';

/** Milliseconds without news of a call that rings: as timer C of a proxy, more than three minutes. */
const SILENCE = 185_000;
/** Branches of a forking proxy that are followed at once; further ones are heard of only when they answer. */
const FORKS = 16;
/** Times the session interval may be raised by a 422. */
const INTERVALS = 2;

interface Fork {
  readonly dialog: LiveDialog;
  readonly reliable: ReliableReceiver;
}

export class OutgoingCall implements OutgoingInvite, TimerOwner {
  readonly #context: Context;
  readonly #options: InviteOptions;
  readonly #callId: string;
  readonly #localTag: string;
  readonly #from: string;
  readonly #to: string;
  readonly #contactUser: string;
  readonly #extra: string;
  readonly #authorizer: Authorizer;
  readonly #forks = new Map<string, Fork>();
  #sequence: number;
  #minimum: number;
  #intervals = 0;
  #authorization = '';
  #hops: readonly Hop[] = [];
  #hop = 0;
  #outline: Outline | undefined;
  #contact = '';
  #client: InviteClient | undefined;
  #state: 'asking' | 'answered' | 'failed' = 'asking';
  #cancelling = false;
  #cancelSent = false;
  #provisional = false;
  #silence: WheelTimer | undefined;
  #onProgress: ((response: SipResponse) => void) | undefined;
  #onAnswered: ((dialog: Dialog, response: SipResponse) => void) | undefined;
  #onFailed: ((failure: InviteFailure) => void) | undefined;
  #failure: InviteFailure | undefined;

  constructor(context: Context, options: InviteOptions) {
    const { identifiers } = context;
    this.#context = context;
    this.#options = options;
    this.#callId = identifiers.callId();
    this.#localTag = identifiers.tag();
    this.#from = `${addressText(options.from)};tag=${this.#localTag}`;
    this.#to = addressText(options.to);
    safe(options.uri, 'the Request-URI');
    this.#contactUser = safe(options.contactUser ?? identifiers.token(), 'the contact user');
    this.#extra = headerText(options.headers);
    this.#authorizer = new Authorizer(context, options.credentials);
    this.#sequence = identifiers.sequence();
    this.#minimum = context.session.minimum;
    context.calls.add(this);
  }

  start(): void {
    const hops = this.#context.resolver.resolve(this.#options.target);
    const begin = (found: readonly Hop[]) => {
      this.#hops = found;
      if (this.#state === 'asking') this.#attempt();
    };
    if (hops instanceof Promise) void hops.then((found) => this.#context.guard(() => begin(found)));
    else begin(hops);
  }

  onProgress(handler: (response: SipResponse) => void): void {
    this.#onProgress = handler;
  }

  onAnswered(handler: (dialog: Dialog, response: SipResponse) => void): void {
    this.#onAnswered = handler;
  }

  onFailed(handler: (failure: InviteFailure) => void): void {
    this.#onFailed = handler;
    // What fails at once fails before anybody could listen; they hear of it all the same, but not inside `invite`.
    if (this.#failure) queueMicrotask(() => this.#report());
  }

  cancel(): void {
    if (this.#state !== 'asking' || this.#cancelling) return;
    this.#cancelling = true;
    if (this.#provisional) this.#sendCancel();
    else if (!this.#client) this.#fail({ kind: 'cancelled' });
  }

  /** The stack is closing. */
  abandon(): void {
    this.#fail({ kind: 'cancelled' });
  }

  onTimer(name: string): void {
    // 'cancelled': no final response 64 × T1 after CANCEL (section 9.1). 'silence': it rang for ever.
    if (this.#state !== 'asking') return;
    if (name === 'silence' && !this.#cancelSent) {
      this.#sendCancel();
      this.#fail({ kind: this.#cancelling ? 'cancelled' : 'timeout' });
      return;
    }
    this.#client?.terminate();
    this.#fail({ kind: 'cancelled' });
  }

  #attempt(): void {
    const hop = this.#hops[this.#hop];
    if (!hop || this.#cancelling) {
      this.#fail(this.#cancelling ? { kind: 'cancelled' } : { kind: 'unreachable' });
      return;
    }
    const context = this.#context;
    this.#provisional = false;
    this.#contact = contactOf(context, hop.transport, hop.address, this.#contactUser);
    const outline: Outline = {
      method: 'INVITE',
      uri: this.#options.uri,
      via: viaOf(context, hop.transport, hop.address),
      branch: context.identifiers.branch(),
      routes: [],
      from: this.#from,
      to: this.#to,
      callId: this.#callId,
      sequence: this.#sequence++,
    };
    this.#outline = outline;
    const session = requestSession(context.session, undefined, this.#minimum);
    const extra = `Contact: ${this.#contact}\r\n${ALLOW}${SUPPORTED}${session}${this.#extra}${this.#authorization}${context.agentLine}`;
    const bytes = composeRequest(outline, extra, this.#options.contentType, this.#options.body);
    const client = context.layer.invite(
      hop,
      outline.branch,
      bytes,
      (failed) => composeFailureAck(outline, failed),
      {
        onResponse: (response, flow) => this.#receive(outline, hop, response, flow),
        onFailure: (kind) => this.#unanswered(hop, kind),
      },
    );
    // A failure inside `invite` has already gone on to the next address.
    if (this.#outline === outline) this.#client = client;
  }

  #receive(outline: Outline, hop: Hop, response: SipResponse, flow: Flow): void {
    const { status } = response;
    if (status >= 200 && status < 300) this.#accepted(outline, response);
    else if (this.#state !== 'asking' || outline !== this.#outline) return;
    else if (status < 200) this.#progressed(outline, response);
    else this.#refused(outline, hop, response, flow);
  }

  #progressed(outline: Outline, response: SipResponse): void {
    this.#provisional = true;
    this.#silence?.cancel();
    if (this.#cancelling) {
      this.#sendCancel();
      return;
    }
    this.#silence = this.#context.wheel.after(SILENCE, this, 'silence');
    if (response.status === 100) return;
    if (toTag(response) !== '') {
      if (this.#forks.size >= FORKS && !this.#forks.has(toTag(response))) {
        this.#context.onEvent('forks-limit');
        return;
      }
      const fork = this.#fork(outline, response);
      fork.dialog.learn(response, true);
      if (!fork.reliable.take(this.#context, fork.dialog.core, response)) return;
    }
    const handler = this.#onProgress;
    if (handler) this.#context.guard(() => handler(response));
  }

  #fork(outline: Outline, response: SipResponse): Fork {
    const tag = toTag(response);
    const known = this.#forks.get(tag);
    if (known) return known;
    const core = coreOfClient(outline, response, this.#localTag, this.#contact);
    const dialog = new LiveDialog(this.#context, core, this.#options.credentials, {
      onBye: () => {},
      onPrack: () => false,
    });
    dialog.lastLocal = this.#options.body;
    const fork: Fork = { dialog, reliable: new ReliableReceiver() };
    this.#forks.set(tag, fork);
    return fork;
  }

  #accepted(outline: Outline, response: SipResponse): void {
    const context = this.#context;
    const late = new LateAnswers(context, outline, this.#localTag, this.#contact);
    if (this.#client) this.#client.user = late;
    if (this.#state !== 'asking') {
      late.onResponse(response);
      return;
    }
    const { dialog } = this.#fork(outline, response);
    dialog.learn(response, true);
    late.acknowledge(dialog.core);
    dialog.confirmAsClient(acceptedSession(response, context.session));
    this.#clear(dialog);
    const handler = this.#onAnswered;
    if (this.#cancelling || !handler) {
      // The answer crossed our CANCEL (section 9.1).
      context.onEvent('answer-crossed-cancel');
      dialog.hangUp('local-bye');
      this.#fail({ kind: 'cancelled' });
      return;
    }
    this.#state = 'answered';
    context.guard(() => handler(dialog, response));
  }

  #refused(outline: Outline, hop: Hop, response: SipResponse, flow: Flow): void {
    if (this.#cancelling) {
      this.#fail({ kind: 'cancelled' });
      return;
    }
    const { status } = response;
    const line = this.#authorizer.answer(response, flow, hop, 'INVITE', outline.uri, this.#options.body);
    if (line) {
      this.#authorization = line;
      this.#attempt();
      return;
    }
    if (status === 422 && this.#intervals < INTERVALS && minimumOf(response) > this.#minimum) {
      this.#intervals++;
      this.#minimum = minimumOf(response);
      this.#attempt();
      return;
    }
    if (status === 503) this.#context.resolver.avoid(hop);
    if (status === 503 && this.#next()) return;
    this.#fail({ kind: 'response', response });
  }

  #unanswered(hop: Hop, kind: 'timeout' | 'unreachable'): void {
    this.#context.resolver.avoid(hop);
    if (this.#state !== 'asking' || this.#next()) return;
    this.#fail({ kind: this.#cancelling ? 'cancelled' : kind });
  }

  /** RFC 3263 section 4.3: the next address of the target, in a new transaction. */
  #next(): boolean {
    if (this.#cancelling || this.#hop + 1 >= this.#hops.length) return false;
    this.#context.onEvent('failover');
    this.#hop++;
    this.#authorization = '';
    this.#attempt();
    return true;
  }

  #sendCancel(): void {
    const hop = this.#hops[this.#hop];
    const outline = this.#outline;
    if (this.#cancelSent || !hop || !outline) return;
    this.#cancelSent = true;
    const bytes = composeCancel(outline, this.#context.agentLine);
    this.#context.layer.plain(hop, outline.branch, 'CANCEL', bytes, { onResponse() {}, onFailure() {} });
    this.#silence?.cancel();
    this.#silence = this.#context.wheel.after(sixtyFourT1(this.#context.timing), this, 'cancelled');
  }

  #fail(failure: InviteFailure): void {
    if (this.#state !== 'asking') return;
    this.#state = 'failed';
    this.#clear(undefined);
    this.#failure = failure;
    this.#report();
  }

  /** Early dialogs of other forks end with the call; a 2xx of theirs opens them anew to be ended by BYE. */
  #clear(kept: LiveDialog | undefined): void {
    this.#silence?.cancel();
    this.#context.calls.delete(this);
    for (const [tag, fork] of this.#forks) {
      if (fork.dialog !== kept) fork.dialog.end('closed', undefined);
      this.#forks.delete(tag);
    }
  }

  #report(): void {
    const handler = this.#onFailed;
    const failure = this.#failure;
    if (!handler || !failure) return;
    this.#failure = undefined;
    this.#context.guard(() => handler(failure));
  }
}
