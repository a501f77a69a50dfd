/**
 * A telephone that tells everything about itself: SIP written by hand over a raw socket, a canary in every field of
 * every message (see leaky-fields.ts). It keeps each byte that it sends and gets.
 */
import { createSocket, type Socket } from 'node:dgram';
import { parseMessage, type SipMessage, type SipRequest, type SipResponse } from '@samar/sip';
import { type LeakyFields, leakyRtcp, leakyRtp } from './leaky-fields.ts';

export interface LeakyPeerOptions {
  readonly address: string;
  readonly platform: { readonly address: string; readonly port: number };
  readonly fields: LeakyFields;
}

export interface LeakyPeer {
  readonly address: string;
  readonly port: number;
  readonly fields: LeakyFields;
  readonly platform: { readonly address: string; readonly port: number };
  readonly media: { readonly address: string; readonly port: number };
  /** Every datagram on any of its three sockets. */
  readonly received: readonly Buffer[];
  readonly sent: readonly Buffer[];
  send(lines: readonly string[], body?: string): void;
  /** The first message not yet taken that matches; rejects after ten seconds. `what` names it in the error. */
  next<M extends SipMessage>(what: string, match: (message: SipMessage) => message is M): Promise<M>;
  /** RTP and RTCP for half a second, to these ports of the platform. */
  talk(to: { readonly rtp: number }): Promise<void>;
  close(): Promise<void>;
}

const patience = 10_000;

export async function leakyPeer(options: LeakyPeerOptions): Promise<LeakyPeer> {
  const { address, platform, fields } = options;
  const received: Buffer[] = [];
  const sent: Buffer[] = [];
  const inbox: SipMessage[] = [];
  const waiting = new Set<() => void>();
  const signalling = await bind(address);
  const [rtp, rtcp] = await bindPair(address);
  signalling.on('message', (bytes) => {
    received.push(bytes);
    const message = parseMessage(bytes);
    if (message.kind === 'failure') throw new Error(`the platform sent what is no SIP: ${message.code}`);
    inbox.push(message);
    for (const look of [...waiting]) look();
  });
  for (const socket of [rtp, rtcp]) socket.on('message', (bytes) => received.push(bytes));
  const ssrc = 0x5a5a0000 + signalling.address().port;

  return {
    address,
    port: signalling.address().port,
    fields,
    platform,
    media: { address, port: rtp.address().port },
    received,
    sent,
    send(lines, body = '') {
      const type =
        body === '' || lines.some((line) => /^Content-Type:/i.test(line))
          ? []
          : ['Content-Type: application/sdp'];
      const head = [...lines, ...type, `Content-Length: ${Buffer.byteLength(body)}`, '', ''].join('\r\n');
      const bytes = Buffer.from(head + body);
      sent.push(bytes);
      signalling.send(bytes, platform.port, platform.address);
    },
    next: (what, match) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          const there = inbox
            .map((one) => (one.kind === 'request' ? one.method : String(one.status)))
            .join(' ');
          reject(new Error(`${what} did not come; what came and was not asked for: ${there}`));
        }, patience);
        function look(): void {
          const at = inbox.findIndex((message) => match(message));
          const [found] = at < 0 ? [] : inbox.splice(at, 1);
          if (!found || !match(found)) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(found);
        }
        waiting.add(look);
        look();
      }),
    async talk(to) {
      for (let sequence = 0; sequence < 25; sequence++) {
        const packet = leakyRtp(fields, { sequence: 7_000 + sequence, ssrc });
        rtp.send(packet, to.rtp, platform.address);
        sent.push(packet);
        if (sequence % 5 === 0) {
          const report = leakyRtcp(fields, ssrc);
          rtcp.send(report, to.rtp + 1, platform.address);
          // Multiplexed (RFC 5761), though nobody offered that.
          rtp.send(report, to.rtp, platform.address);
          sent.push(report);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      for (const socket of [signalling, rtp, rtcp]) socket.close();
    },
  };
}

function bind(address: string, port = 0): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(port, address, () => resolve(socket));
  });
}

/** An even port and the one after it. */
async function bindPair(address: string): Promise<readonly [Socket, Socket]> {
  for (let attempt = 0; ; attempt++) {
    const rtp = await bind(address);
    const { port } = rtp.address();
    const rtcp = port % 2 === 0 ? await bind(address, port + 1).catch(() => undefined) : undefined;
    if (rtcp) return [rtp, rtcp];
    rtp.close();
    if (attempt > 100) throw new Error('no pair of ports');
  }
}

// ---------------------------------------------------------------- one call, as one of its ends

export interface LeakyLeg {
  readonly peer: LeakyPeer;
  readonly callId: string;
  /** Sends a request of this leg and waits for its final response. */
  request(method: string, options?: RequestOptions): Promise<SipResponse>;
  /** ACK of a 2xx. */
  acknowledge(sequence: number, body?: string): void;
  /** Waits for a request of the platform's on this leg. */
  awaits(method: string): Promise<SipRequest>;
  /** Answers a request of the platform's. */
  respond(request: SipRequest, status: number, options?: RespondOptions): void;
  /** The SDP that came last. */
  readonly remoteRtp: number;
}

export interface RequestOptions {
  readonly headers?: readonly string[];
  readonly body?: string;
}
export interface RespondOptions extends RequestOptions {
  readonly reason?: string;
}

export const isResponse =
  (callId: string, method: string, sequence: number, final: boolean) =>
  (message: SipMessage): message is SipResponse =>
    message.kind === 'response' &&
    message.headers.get('Call-ID') === callId &&
    message.headers.get('CSeq') === `${sequence} ${method}` &&
    (final ? message.status >= 200 : message.status > 100 && message.status < 200);

const isRequest =
  (method: string, match: (request: SipRequest) => boolean) =>
  (message: SipMessage): message is SipRequest =>
    message.kind === 'request' && message.method === method && match(message);

export interface DialledLeg extends LeakyLeg {
  provisional(): Promise<SipResponse>;
  final(): Promise<SipResponse>;
  cancel(): Promise<SipResponse>;
  prack(response: SipResponse): Promise<SipResponse>;
  /** ACK of a refusal. */
  acknowledgeRefusal(response: SipResponse): void;
}

let calls = 0;
let branches = 0;

/** Sends an INVITE. `names`: the header fields that all messages of this leg have. */
export function dial(
  peer: LeakyPeer,
  options: {
    readonly number: string;
    readonly dialled: string;
    readonly names: readonly string[];
    readonly headers?: readonly string[];
    readonly body?: string;
  },
): DialledLeg {
  calls += 1;
  const { fields } = peer;
  const { uuid } = fields.at('Call-ID');
  const callId = `${uuid}-${calls}@${fields.at('Call-ID').address}`;
  const fromTag = `${fields.at('From tag').uuid}${calls}`;
  const from = identity(
    peer,
    'From',
    options.number,
    `;tag=${fromTag};x=${fields.at('From parameters').uuid}`,
  );
  const host = `${peer.platform.address}:${peer.platform.port}`;
  const line = fields.at('Request-URI');
  const uri = `sip:${options.dialled};npdi;rn=${line.number};isub=${line.uuid}@${host};user=phone;cic=${line.number};tgrp=${line.name};x=${line.uuid}`;
  const to = identity(peer, 'To', options.dialled, '', host);
  const branch = `z9hG4bK${fields.at('branch').uuid}${calls}`;
  const invite = (method: string, toText: string) => [
    `${method} ${uri} SIP/2.0`,
    via(peer, branch),
    // A hop before this one.
    `Via: SIP/2.0/UDP ${fields.at('second Via').address}:5060;branch=z9hG4bK${fields.at('second Via').uuid};received=${fields.at('second Via').address}`,
    'Max-Forwards: 23',
    from,
    toText,
    `Call-ID: ${callId}`,
    `CSeq: 77 ${method}`,
    contact(peer, options.number),
  ];
  peer.send(
    [...invite('INVITE', to), ...fields.headers(options.names), ...(options.headers ?? [])],
    options.body,
  );
  const leg = talking(peer, {
    callId,
    names: options.names,
    from: from.slice('From: '.length),
    to: to.slice('To: '.length),
    target: uri,
    number: options.number,
  });
  return {
    ...leg,
    get remoteRtp() {
      return leg.remoteRtp;
    },
    provisional: async () =>
      leg.learn(await peer.next('a provisional response', isResponse(callId, 'INVITE', 77, false))),
    final: async () =>
      leg.learn(await peer.next('the final response', isResponse(callId, 'INVITE', 77, true))),
    async cancel() {
      peer.send([...invite('CANCEL', to), ...fields.headers(options.names)]);
      return peer.next('200 to CANCEL', isResponse(callId, 'CANCEL', 77, true));
    },
    prack: (response) =>
      leg.request('PRACK', { headers: [`RAck: ${response.headers.get('RSeq')} 77 INVITE`] }),
    acknowledgeRefusal(response) {
      peer.send([...invite('ACK', `To: ${response.headers.get('To')}`), ...fields.headers(options.names)]);
    },
    acknowledge: leg.acknowledge,
  };
}

export interface ReachedLeg extends LeakyLeg {
  readonly invite: SipRequest;
}

/** Waits until the platform calls this number. */
export async function reached(
  peer: LeakyPeer,
  number: string,
  names: readonly string[],
): Promise<ReachedLeg> {
  const invite = await peer.next(
    'INVITE',
    isRequest('INVITE', (request) => request.uri.includes(number)),
  );
  const { fields } = peer;
  calls += 1;
  const to = `"${fields.at('To display name').name}" <${invite.uri};x=${fields.at('To parameters').uuid}>;tag=${fields.at('To tag').uuid}${calls}`;
  const leg = talking(peer, {
    callId: invite.headers.get('Call-ID') ?? '',
    names,
    from: to,
    to: invite.headers.get('From') ?? '',
    target: /<([^>]+)>/.exec(invite.headers.get('Contact') ?? '')?.[1] ?? '',
    number,
  });
  leg.learn(invite);
  return {
    ...leg,
    invite,
    get remoteRtp() {
      return leg.remoteRtp;
    },
  };
}

interface LegState {
  readonly callId: string;
  readonly names: readonly string[];
  /** Our side of the dialog, with tag. */
  readonly from: string;
  to: string;
  target: string;
  readonly number: string;
}

function talking(
  peer: LeakyPeer,
  state: LegState,
): LeakyLeg & { learn<M extends SipMessage>(message: M): M } {
  const { fields } = peer;
  let { to, target } = state;
  let sequence = 77;
  let remoteRtp = 0;
  const request = (method: string, number: number) => [
    `${method} ${target} SIP/2.0`,
    via(peer, `z9hG4bK${fields.at('branch').uuid}-${number}-${branches}`),
    'Max-Forwards: 23',
    `From: ${state.from}`,
    `To: ${to}`,
    `Call-ID: ${state.callId}`,
    `CSeq: ${number} ${method}`,
    contact(peer, state.number),
    ...fields.headers(state.names),
  ];
  return {
    peer,
    callId: state.callId,
    get remoteRtp() {
      return remoteRtp;
    },
    learn(message) {
      if (message.kind === 'response' && message.headers.get('CSeq')?.endsWith(' INVITE')) {
        to = message.headers.get('To') ?? to;
        target = /<([^>]+)>/.exec(message.headers.get('Contact') ?? '')?.[1] ?? target;
      }
      remoteRtp = Number(/^m=audio (\d+)/m.exec(message.body.toString())?.[1] ?? remoteRtp);
      return message;
    },
    request(method, options = {}) {
      sequence += 1;
      branches += 1;
      peer.send([...request(method, sequence), ...(options.headers ?? [])], options.body);
      return peer.next(`the answer to ${method}`, isResponse(state.callId, method, sequence, true));
    },
    acknowledge(number, body) {
      branches += 1;
      peer.send(request('ACK', number), body);
    },
    awaits: (method) =>
      peer.next(
        method,
        isRequest(method, (message) => message.headers.get('Call-ID') === state.callId),
      ),
    respond(message, status, options = {}) {
      const toText = message.headers.get('To') ?? '';
      const initial = message.method === 'INVITE' && !/;tag=/.test(toText);
      peer.send(
        [
          `SIP/2.0 ${status} ${options.reason ?? `${fields.at('reason phrase').name} ${fields.at('reason phrase').number}`}`,
          ...message.headers.all('Via').map((value) => `Via: ${value}`),
          `From: ${message.headers.get('From')}`,
          `To: ${initial ? state.from : toText}`,
          `Call-ID: ${state.callId}`,
          `CSeq: ${message.headers.get('CSeq')}`,
          contact(peer, state.number),
          ...fields.headers(state.names),
          ...(options.headers ?? []),
        ],
        options.body,
      );
    },
  };
}

/** With all the parameters that a Via can have. */
function via(peer: LeakyPeer, branch: string): string {
  const { uuid, name, address } = peer.fields.at('Via');
  return `Via: SIP/2.0/UDP ${peer.address}:${peer.port};rport;branch=${branch};alias;keep;x=${uuid};received-realm="${name}";oc=1;ttl=7;maddr-was=${address}`;
}

function contact(peer: LeakyPeer, number: string): string {
  const { name, uuid, address } = peer.fields.at('Contact');
  const uri = `sip:${number}@${peer.address}:${peer.port};ob;gr=urn:uuid:${uuid};x=${address}`;
  return `Contact: "${name}" <${uri}>;+sip.instance="<urn:uuid:${uuid}>";reg-id=1;q=0.7;isfocus;audio;mobility="mobile";x=${name};pub-gruu="sip:${number}@${address};gr=${uuid}"`;
}

function identity(
  peer: LeakyPeer,
  header: string,
  number: string,
  parameters: string,
  host = peer.address,
): string {
  const { name, uuid } = peer.fields.at(`${header} display name`);
  return `${header}: "${name}" <sip:${number}@${host};user=phone;epid=${uuid}>${parameters}`;
}
