import type { Doors, Endpoint } from '@samar/doors';
import {
  createSipStack,
  type Dialog,
  type IncomingInvite,
  type InviteFailure,
  type SipStack,
  type Target,
} from '@samar/sip';
import { createRegistrar, numberOf, type Registrar } from './registrar.ts';

export interface DevCarrierOptions {
  readonly doors: Doors;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Samar. Calls to numbers that are no phone here go there; calls from there go to phones. */
  readonly trunk: Target & { readonly host: string };
  /** Every phone's password; undefined: phones register without one. */
  readonly password?: string;
  /** Told of every call: for people who watch. */
  readonly onCall?: (call: {
    readonly from: 'phone' | 'trunk';
    readonly result: 'ringing' | 'answered' | 'failed' | 'ended';
  }) => void;
}

export interface DevCarrier {
  readonly local: Endpoint;
  readonly registrar: Pick<Registrar, 'size' | 'find'>;
  close(): Promise<void>;
}

/** Starts the network on UDP and TCP. Rejects when the port is taken. */
export async function createDevCarrier(options: DevCarrierOptions): Promise<DevCarrier> {
  const { doors, address, trunk } = options;
  const registrar = createRegistrar({
    clock: doors.clock,
    random: doors.random,
    realm: 'devcarrier',
    password: options.password,
  });
  const stack: SipStack = await createSipStack({
    doors,
    listen: [
      { transport: 'udp', address, port: options.port },
      { transport: 'tcp', address, port: options.port },
    ],
    product: 'Samar devcarrier',
    // It is meant for a desk: whoever can reach the address may speak.
    admit: () => true,
    onRequest(incoming) {
      if (incoming.request.method === 'REGISTER') registrar.register(incoming);
      else incoming.respond(incoming.request.method === 'OPTIONS' ? 200 : 405);
    },
    onInvite: route,
  });
  const [local] = stack.bound;
  if (!local) throw new Error('the SIP stack bound no address');

  function route(invite: IncomingInvite): void {
    const called = numberOf(invite.request.uri);
    const phone = registrar.at(invite.source);
    const callee = called === undefined ? undefined : registrar.find(called);
    const withheld = /\bid\b/i.test(invite.request.headers.get('Privacy') ?? '');
    if (!phone && invite.source.address !== trunk.host) invite.reject(403);
    else if (called === undefined) invite.reject(404);
    else if (callee) {
      const caller = phone?.number ?? numberOf(invite.request.headers.get('From')) ?? 'anonymous';
      connect(invite, caller, callee.target, callee.uri);
    } else if (phone) {
      const port = trunk.port === undefined ? '' : `:${trunk.port}`;
      const caller = withheld ? 'anonymous' : phone.number;
      connect(invite, caller, trunk, `sip:${called}@${trunk.host}${port}`);
    } else invite.reject(480);
  }

  /** A second leg with the same media: the network switches signalling, voices flow directly. */
  function connect(invite: IncomingInvite, caller: string, target: Target, uri: string): void {
    const from = registrar.at(invite.source) ? 'phone' : 'trunk';
    const own =
      caller === 'anonymous'
        ? 'sip:anonymous@anonymous.invalid'
        : `sip:${caller}@${local?.address}:${local?.port}`;
    const outgoing = stack.invite({
      target,
      uri,
      from: { uri: own },
      to: { uri },
      // The network vouches for the number that the phone registered with.
      headers: caller === 'anonymous' ? [] : [['P-Asserted-Identity', `<${own}>`]],
      body: invite.request.body,
      contentType: 'application/sdp',
    });
    invite.onCancelled(() => outgoing.cancel());
    outgoing.onProgress((response) => {
      options.onCall?.({ from, result: 'ringing' });
      invite.progress(response.status, sdp(response.body));
    });
    outgoing.onAnswered((far, response) => {
      options.onCall?.({ from, result: 'answered' });
      const near = invite.answer(response.body, { contentType: 'application/sdp' });
      link(near, far, () => options.onCall?.({ from, result: 'ended' }));
      link(far, near, () => {});
    });
    outgoing.onFailed((failure) => {
      options.onCall?.({ from, result: 'failed' });
      if (failure.kind !== 'cancelled') invite.reject(statusOf(failure));
    });
  }

  return {
    local: { address: local.address, port: local.port },
    registrar,
    close: () => stack.close(),
  };
}

function sdp(body: Buffer): { body?: Buffer; contentType?: string } {
  return body.length === 0 ? {} : { body, contentType: 'application/sdp' };
}

function statusOf(failure: InviteFailure): number {
  switch (failure.kind) {
    case 'response':
      return failure.response.status < 400 ? 480 : failure.response.status;
    case 'timeout':
      return 408;
    case 'unreachable':
    case 'cancelled':
      return 503;
  }
}

/** What ends or changes on one side does so on the other. */
function link(from: Dialog, to: Dialog, ended: () => void): void {
  from.onEnd(() => {
    ended();
    if (!to.ended) to.bye();
  });
  from.onOffer((offer) => (offer ? to.offer(offer) : { status: 488 }));
}
