import { join } from 'node:path';
import type { Timer } from '@samar/doors';
import { MediaBusy, type MediaCall } from '@samar/media';
import {
  type Dialog,
  type DialogEnd,
  formatHostPort,
  type IncomingInvite,
  type OutgoingInvite,
  type SipStack,
  toTag,
} from '@samar/sip';
import type { Trunk } from '../masking/service.ts';
import type {
  CallEnd,
  CallOutcome,
  Connect,
  Decision,
  DecisionTarget,
  LegReport,
  OngoingCalls,
  RefusalReason,
} from '../masking/types.ts';
import { nameOf } from './errors.ts';
import { formatNumber } from './identity.ts';
import { type LegMedia, legMedia, offerStatus } from './leg-media.ts';
import {
  causeOf,
  type Refusal,
  type RingFailure,
  refusalOf,
  ringFailureOf,
  unreachedRefusal,
} from './outcomes.ts';
import { patiently } from './patience.ts';
import type { PromptName } from './prompts.ts';
import { announceRecording, type RunningRecording, startRecording } from './recording.ts';
import type { TrunkTable } from './trunks.ts';
import type { SwitchLimits, SwitchOptions } from './types.ts';

/** What a call needs of the switch around it. */
export interface CallContext
  extends Pick<SwitchOptions, 'doors' | 'masking' | 'media' | 'prompts' | 'events'> {
  readonly stack: () => SipStack;
  readonly trunks: () => TrunkTable;
  readonly limits: SwitchLimits;
  readonly publicHost: string;
  readonly mediaAddress: string;
  readonly recordings: string;
  /** The call belongs to this session from now on. */
  readonly joined: (call: Call) => void;
  /** The decision is made (or failed): the call no longer waits for the database. */
  readonly decided: (call: Call) => void;
  /** Nothing of the call is left. */
  readonly over: (call: Call) => void;
}

/** What an INVITE says, read by `identity.ts`. */
export interface InboundFacts {
  readonly called: string | undefined;
  readonly caller: string | undefined;
  readonly trunks: readonly Trunk[];
}

interface Ending {
  readonly outcome: CallOutcome;
  readonly by: CallEnd['hangupBy'];
  readonly cause: string;
  /** Final response for a caller who was not answered; undefined when the caller gave up. */
  readonly status?: number;
}

type Rung =
  | { readonly kind: 'answered'; readonly dialog: Dialog }
  | { readonly kind: 'failed'; readonly failure: RingFailure };

interface Leg {
  media: LegMedia | undefined;
  readonly participant: string | undefined;
  readonly number: string;
  readonly carrier: string;
  readonly direction: 'in' | 'out';
  readonly startedAt: number;
  answeredAt: number | undefined;
  endedAt: number | undefined;
  sipStatus: number | undefined;
}

/** `near`: the caller's leg. `far`: the leg that we make towards whom the decision names. */
export class Call {
  readonly id: string;
  session: { readonly tenant: string; readonly session: string } | undefined;

  readonly #context: CallContext;
  readonly #invite: IncomingInvite;
  readonly #facts: InboundFacts;
  readonly #startedAt: number;
  readonly #legs: Leg[] = [];
  /** Whose record this call has. More than one only while it is unknown whether, and for whom, it was written. */
  #tenants: readonly string[] = [];
  /** Under way, or made. */
  #decision: Promise<Decision | undefined> | undefined;
  #refusal: RefusalReason | undefined;
  #media: MediaCall | undefined;
  #near: LegMedia | undefined;
  /** Our answer to the caller's offer, once it was made; there is only one, in 183 and in 200. */
  #answer: Buffer | undefined;
  #nearDialog: Dialog | undefined;
  #farDialog: Dialog | undefined;
  #outgoing: OutgoingInvite | undefined;
  #recording: RunningRecording | undefined;
  #timer: Timer | undefined;
  #callerState: 'waiting' | 'ringing' | 'answered' | 'gone' = 'waiting';
  #talking = false;
  #sessionEnded = false;
  #ending: Ending | undefined;

  constructor(id: string, context: CallContext, invite: IncomingInvite, facts: InboundFacts) {
    this.id = id;
    this.#context = context;
    this.#invite = invite;
    this.#facts = facts;
    this.#startedAt = context.doors.clock.now();
  }

  /** The whole way of a call. Never rejects; whatever happens, the call ends by `#end`. */
  async run(): Promise<void> {
    this.#invite.onCancelled(() => {
      this.#callerState = 'gone';
      this.#end({ outcome: 'cancelled', by: 'caller', cause: 'cancel' });
    });
    const unusable =
      this.#invite.request.body.length > 0 ? offerStatus(this.#invite.request.body) : undefined;
    if (unusable !== undefined) {
      this.#context.events.count('bad-offer');
      this.#context.decided(this);
      return this.#end({ outcome: 'failed', by: 'platform', cause: 'bad-offer', status: unusable });
    }
    try {
      await this.#decideAndConnect();
    } catch (error) {
      // What was still being opened when the call ended finds its media released.
      if (this.#ending) return;
      if (error instanceof MediaBusy) return this.#endBusy(error);
      this.#context.events.log('error', 'call failed', { call: this.id, error: nameOf(error) });
      this.#end({ outcome: 'failed', by: 'platform', cause: 'internal-error', status: 500 });
    }
  }

  #endBusy(error: MediaBusy): void {
    this.#context.events.count(`media-busy-${error.reason}`);
    this.#end({ outcome: 'failed', by: 'platform', cause: 'media-busy', status: 503 });
  }

  /** Told when the session was closed or has expired. */
  sessionClosed(ongoingCalls: OngoingCalls): void {
    this.#sessionEnded = true;
    if (this.#talking) {
      if (ongoingCalls === 'hangup') this.hangUp('session-closed');
    } else {
      // Nobody talks yet: nothing may be connected any more, whatever the policy for running calls.
      this.#outgoing?.cancel();
    }
  }

  hangUp(cause: string): void {
    this.#end({ outcome: this.#talking ? 'connected' : 'failed', by: 'platform', cause, status: 503 });
  }

  /** Asks, and knows from then on whose record the call has; undefined when there was no answer. */
  async #decide(): Promise<Decision | undefined> {
    const { masking, events } = this.#context;
    try {
      const decision = await masking.decide({
        kind: 'call',
        carriers: this.#facts.trunks.map((trunk) => ({ tenant: trunk.tenant, carrier: trunk.id })),
        called: this.#facts.called,
        caller: this.#facts.caller,
        call: this.id,
      });
      if (decision.tenant !== undefined) this.#tenants = [decision.tenant];
      return decision;
    } catch (error) {
      // The record may have been written all the same, and must not stay open.
      this.#tenants = [...new Set(this.#facts.trunks.map((trunk) => trunk.tenant))];
      events.count('decision-failed');
      events.log('error', 'no decision', { call: this.id, error: nameOf(error) });
      return undefined;
    } finally {
      this.#context.decided(this);
    }
  }

  async #decideAndConnect(): Promise<void> {
    this.#decision = this.#decide();
    const decision = await this.#decision;
    if (!decision) {
      return this.#end({ outcome: 'failed', by: 'platform', cause: 'decision-failed', status: 503 });
    }
    if (this.#ending) return;
    const carrier = this.#facts.trunks.find((trunk) => trunk.tenant === decision.tenant);
    const near = this.#addLeg({
      participant: decision.kind === 'connect' ? decision.caller.participant : undefined,
      number: this.#facts.called ?? '',
      carrier: carrier?.id ?? '',
      direction: 'in',
    });
    if (decision.kind === 'refuse') {
      this.#refusal = decision.reason;
      return this.#refuse(near, refusalOf(decision.reason), decision.locale, 'refused', decision.reason);
    }
    this.session = { tenant: decision.tenant, session: decision.session };
    this.#context.joined(this);
    if (this.#ending) return;
    await this.#connect(near, decision);
  }

  async #connect(near: Leg, decision: Connect): Promise<void> {
    if (!(await this.#openNear(near))) return;
    let failure: RingFailure = 'unavailable';
    for (const target of decision.targets) {
      if (this.#ending || this.#sessionEnded) break;
      const rung = await this.#ring(target, decision);
      if (rung.kind === 'answered') return this.#join(near, rung.dialog, target, decision);
      failure = rung.failure;
    }
    if (this.#ending) return;
    if (this.#sessionEnded) return this.#refuseEnded(near, decision);
    await this.#refuse(near, unreachedRefusal(failure), decision.caller.locale, failure, failure);
  }

  #refuseEnded(near: Leg, decision: Connect): Promise<void> {
    this.#refusal = 'ended';
    return this.#refuse(near, refusalOf('ended'), decision.caller.locale, 'refused', 'session-closed');
  }

  /** Media for the caller: the port, and the answer to the offer. False: the caller has been refused. */
  async #openNear(near: Leg): Promise<boolean> {
    if (this.#near) return true;
    const { media, doors } = this.#context;
    this.#media = await media.openCall();
    if (!this.#ending) {
      const leg = await this.#media.openLeg();
      this.#near = legMedia({
        leg,
        random: doors.random,
        mediaAddress: this.#context.mediaAddress,
        allowedSources: this.#facts.trunks.flatMap((trunk) => trunk.allowedSources),
      });
      near.media = this.#near;
    }
    if (this.#ending) {
      // The end may have come while the port was being opened: what `#end` could not see is freed here.
      await this.#media?.release();
      return false;
    }
    return true;
  }

  /** Our one answer to the caller's offer; undefined when the INVITE had none. */
  #answerBody(): Buffer | undefined {
    const offer = this.#invite.request.body;
    if (this.#answer || offer.length === 0) return this.#answer;
    const answer = this.#near?.answerTo(offer);
    this.#answer = answer && 'body' in answer ? answer.body : undefined;
    return this.#answer;
  }

  async #ring(target: DecisionTarget, decision: Connect): Promise<Rung> {
    const { doors, trunks, stack, publicHost } = this.#context;
    const trunk = trunks().find(decision.tenant, target.carrier);
    const leg = this.#addLeg({
      participant: target.participant,
      number: target.callerId,
      carrier: target.carrier,
      direction: 'out',
    });
    if (!trunk?.enabled || !this.#media) {
      leg.endedAt = doors.clock.now();
      return { kind: 'failed', failure: 'unavailable' };
    }
    const far = legMedia({
      leg: await this.#media.openLeg(),
      random: doors.random,
      mediaAddress: this.#context.mediaAddress,
      allowedSources: trunk.allowedSources,
    });
    leg.media = far;
    if (this.#ending || this.#sessionEnded) return { kind: 'failed', failure: 'unavailable' };
    const address = formatHostPort(trunk.host, trunk.port);
    const callerId = formatNumber(target.callerId, trunk.numberFormat ?? {});
    const callee = `sip:${formatNumber(target.phone, trunk.numberFormat ?? {})}@${address}`;
    const outgoing = stack().invite({
      target: {
        host: trunk.host,
        transport: trunk.transport,
        ...(trunk.port === undefined ? {} : { port: trunk.port }),
      },
      uri: callee,
      from: { uri: `sip:${callerId}@${publicHost}` },
      to: { uri: callee },
      body: far.offer(),
      contentType: 'application/sdp',
      ...(trunk.auth === undefined ? {} : { credentials: trunk.auth }),
    });
    this.#outgoing = outgoing;
    const rung = await this.#outcome(outgoing, leg, far, decision.ringSeconds);
    this.#outgoing = undefined;
    if (rung.kind === 'failed') {
      leg.endedAt = doors.clock.now();
      await far.leg.close();
    }
    return rung;
  }

  #outcome(outgoing: OutgoingInvite, leg: Leg, far: LegMedia, ringSeconds: number): Promise<Rung> {
    const { timers, clock } = this.#context.doors;
    return new Promise((resolve) => {
      const noAnswer = timers.after(ringSeconds * 1_000, () => outgoing.cancel());
      /** By To tag: each branch of a fork answers for itself. The stack follows a few branches only. */
      const reliableAnswers = new Map<string, Buffer>();
      outgoing.onProgress((response) => {
        if (response.body.length > 0 && response.headers.has('RSeq')) {
          reliableAnswers.set(toTag(response), response.body);
        }
        this.#ringing();
      });
      outgoing.onAnswered((dialog, response) => {
        noAnswer.cancel();
        leg.sipStatus = response.status;
        leg.answeredAt = clock.now();
        // An answer in a reliable 183 is the answer: the 200 needs none (RFC 3262 section 5).
        const early = response.body.length > 0 ? undefined : reliableAnswers.get(toTag(response));
        const usable = far.take(early ?? response.body);
        if (usable && !this.#ending && !this.#sessionEnded) {
          this.#farDialog = dialog;
          return resolve({ kind: 'answered', dialog });
        }
        if (!usable) this.#context.events.count('bad-answer');
        dialog.bye();
        resolve({ kind: 'failed', failure: 'unavailable' });
      });
      outgoing.onFailed((failure) => {
        noAnswer.cancel();
        if (failure.kind === 'response') leg.sipStatus = failure.response.status;
        this.#context.events.count(`far-${causeOf(failure)}`);
        resolve({ kind: 'failed', failure: ringFailureOf(failure) });
      });
    });
  }

  /** 180 without a body: the caller's own network makes the ring tone, nothing of the other side's is passed on. */
  #ringing(): void {
    if (this.#callerState !== 'waiting' || this.#ending) return;
    this.#callerState = 'ringing';
    this.#invite.progress(180);
  }

  async #join(near: Leg, farDialog: Dialog, target: DecisionTarget, decision: Connect): Promise<void> {
    const { masking, doors } = this.#context;
    const far = this.#legs.at(-1);
    this.#watch(farDialog, far, 'callee');
    const alive = await masking
      .answered({
        tenant: decision.tenant,
        call: this.id,
        session: decision.session,
        participant: target.participant,
      })
      .catch(() => {
        this.#context.events.count('decision-failed');
        return undefined;
      });
    if (this.#ending) return;
    if (alive === undefined) {
      return this.#end({ outcome: 'failed', by: 'platform', cause: 'decision-failed', status: 503 });
    }
    if (!alive || this.#sessionEnded) {
      farDialog.bye();
      return this.#refuseEnded(near, decision);
    }
    near.answeredAt = doors.clock.now();
    near.sipStatus = 200;
    this.#talking = true;
    this.#callerState = 'answered';
    const answer = this.#answerBody();
    const nearDialog = this.#invite.answer(answer ?? this.#near?.offer() ?? Buffer.alloc(0), {
      contentType: 'application/sdp',
    });
    this.#nearDialog = nearDialog;
    this.#watch(nearDialog, near, 'caller');
    if (!answer) {
      nearDialog.onAck((body) => {
        if (!body || !this.#near?.take(body)) this.hangUp('bad-answer');
      });
    }
    this.#timer = doors.timers.after(decision.maxSeconds * 1_000, () => this.hangUp('maximum-duration'));
    await this.#talk(decision, target);
  }

  async #talk(decision: Connect, target: DecisionTarget): Promise<void> {
    const near = this.#near;
    const far = this.#legs.at(-1)?.media;
    if (!near || !far || !this.#media) return;
    near.leg.onSilent(() => this.hangUp('media-silence'));
    far.leg.onSilent(() => this.hangUp('media-silence'));
    if (decision.recording !== 'off') {
      const agreed = await announceRecording(this.#context, decision, [
        { media: near, locale: decision.caller.locale },
        { media: far, locale: target.locale },
      ]);
      if (this.#ending) return;
      if (agreed) {
        this.#recording = await startRecording(this.#context, {
          call: this.id,
          decision,
          target,
          media: this.#media,
          left: near.leg,
          right: far.leg,
          directory: (file) => join(this.#context.recordings, file),
        });
      }
      if (this.#ending) return void (await this.#recording?.written());
    }
    this.#media.bridge(near.leg, far.leg);
  }

  #watch(dialog: Dialog, leg: Leg | undefined, side: 'caller' | 'callee'): void {
    dialog.onOffer((offer) => {
      if (!leg?.media) return { status: 488 };
      // A re-INVITE without SDP asks us for an offer (RFC 3261 section 14.2).
      return offer === undefined ? { body: leg.media.offer() } : leg.media.answerTo(offer);
    });
    dialog.onInfo((contentType, body) => leg?.media?.info(contentType, body));
    dialog.onEnd((cause) => {
      if (leg) leg.endedAt ??= this.#context.doors.clock.now();
      if (cause === 'local-bye') return;
      const outcome: CallOutcome = this.#talking ? 'connected' : 'failed';
      this.#end({
        outcome,
        by: cause === 'remote-bye' ? side : 'platform',
        cause: causeOfEnd(cause),
        status: 480,
      });
    });
  }

  async #refuse(
    near: Leg,
    refusal: Refusal,
    locale: string,
    outcome: CallOutcome,
    cause: string,
  ): Promise<void> {
    if (this.#ending) return;
    if (refusal.prompt && this.#invite.request.body.length > 0) {
      try {
        if (!(await this.#openNear(near))) return;
        await this.#speak(refusal.prompt, locale);
      } catch (error) {
        // No port for the words: the status alone refuses.
        if (!(error instanceof MediaBusy)) throw error;
        this.#context.events.count(`media-busy-${error.reason}`);
      }
    }
    near.sipStatus = refusal.status;
    this.#end({ outcome, by: 'platform', cause, status: refusal.status });
  }

  /** Early media of our own (RFC 3960): the caller hears why, and pays nothing for it. */
  async #speak(prompt: PromptName, locale: string): Promise<void> {
    const { prompts, doors, limits } = this.#context;
    const body = this.#answerBody();
    if (!this.#near || !body) return;
    this.#invite.progress(183, { body, contentType: 'application/sdp', reliable: true });
    const cut = doors.timers.after(limits.refusal, () => this.#near?.leg.stopPlaying());
    await this.#near.leg.play({ kind: 'prompts', names: [prompts.find(locale, prompt)] });
    cut.cancel();
  }

  #addLeg(leg: Pick<Leg, 'participant' | 'number' | 'carrier' | 'direction'>): Leg {
    const added: Leg = {
      ...leg,
      media: undefined,
      startedAt: this.#context.doors.clock.now(),
      answeredAt: undefined,
      endedAt: undefined,
      sipStatus: undefined,
    };
    this.#legs.push(added);
    return added;
  }

  /** The only way out; the first reason counts. */
  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#timer?.cancel();
    this.#outgoing?.cancel();
    this.#farDialog?.bye();
    if (this.#nearDialog) this.#nearDialog.bye();
    else if (this.#callerState !== 'gone') {
      const status = ending.status ?? 480;
      this.#invite.reject(status, status === 503 ? { headers: [['Retry-After', '2']] } : undefined);
    }
    void this.#settle(ending);
  }

  async #settle(ending: Ending): Promise<void> {
    const { doors, events, masking } = this.#context;
    const endedAt = doors.clock.now();
    try {
      // A caller who gives up early has a record as well, once the decision has written it.
      await this.#decision;
      await this.#recording?.stop();
      // Before the reports: it brings the quality of every leg along.
      await this.#media?.release();
      const legs = await this.#reports(endedAt);
      await this.#recording?.written();
      for (const tenant of this.#tenants) {
        const end: CallEnd = {
          tenant,
          call: this.id,
          outcome: ending.outcome,
          hangupBy: ending.by,
          hangupCause: ending.cause,
          endedAt,
          legs,
        };
        await patiently(doors.timers, () => masking.ended(end));
      }
    } catch (error) {
      events.count('record-failed');
      events.log('error', 'call not settled', { call: this.id, error: nameOf(error) });
    } finally {
      events.callEnded?.({
        outcome: ending.outcome,
        refusal: this.#refusal,
        seconds: (endedAt - this.#startedAt) / 1_000,
      });
      this.#context.over(this);
    }
  }

  #reports(endedAt: number): Promise<LegReport[]> {
    return Promise.all(
      this.#legs.map(async ({ media, ...leg }) => ({
        ...leg,
        endedAt: leg.endedAt ?? endedAt,
        quality: leg.answeredAt === undefined ? undefined : await media?.leg.quality().then(known),
      })),
    );
  }
}

/** Figures that are known; the record holds no empty ones. */
function known(quality: object): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(quality).filter(([, value]) => typeof value === 'number'));
}

function causeOfEnd(cause: DialogEnd): string {
  switch (cause) {
    case 'local-bye':
    case 'remote-bye':
      return 'bye';
    case 'no-ack':
    case 'session-expired':
    case 'peer-gone':
    case 'closed':
      return cause;
  }
}
