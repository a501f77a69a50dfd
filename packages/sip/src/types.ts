/**
 * The words of this package.
 *
 * message       one SIP request or response (RFC 3261 section 7)
 * transport     UDP, TCP or TLS, and the sockets on it
 * source        the address and port a message came from
 * admission     whether a source may speak to us at all; decided before a byte is parsed
 * transaction   a request with all its responses and retransmissions (section 17)
 * dialog        the relation of two user agents from the first provisional answer to BYE (section 12)
 * stack         all of the above on a set of sockets, as one user agent server and client
 * target        where a request is sent: a host, and maybe a port and transport; names go through RFC 3263
 *
 * Data flow: socket → admission → parser → transaction → dialog → the user's handlers, and back down.
 */
import type { Doors, Endpoint } from '@samar/doors';

export type TransportName = 'udp' | 'tcp' | 'tls';

// ---------------------------------------------------------------- messages (message/)

/** Header names are looked up in any case and in compact form; order and spelling are kept on the wire. */
export interface Headers {
  /** The first value, or undefined. Folded lines are unfolded, surrounding white space is gone. */
  get(name: string): string | undefined;
  /** One entry a header line; comma-separated lists are split for the headers that allow it. */
  all(name: string): readonly string[];
  has(name: string): boolean;
  /** Replaces every value. */
  set(name: string, value: string): void;
  add(name: string, value: string): void;
  remove(name: string): void;
  entries(): Iterable<readonly [name: string, value: string]>;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  /** As on the wire. */
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface SipResponse {
  readonly kind: 'response';
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

/** What the parser says of bytes that are no valid message. Never quotes the bytes: they may hold numbers. */
export interface ParseFailure {
  readonly kind: 'failure';
  /** For counters and tests: `start-line`, `header`, `too-many-headers`, `line-too-long`, `content-length`, … */
  readonly code: string;
  /** A 400-class answer can be composed when Via, From, To, Call-ID and CSeq were readable. */
  readonly answerable?: SipRequest;
}

export interface ParseLimits {
  /** Bytes of a whole message; default 65,535. */
  readonly messageBytes: number;
  /** Header lines; default 128. */
  readonly headers: number;
  /** Bytes of one unfolded header line; default 8,192. */
  readonly lineBytes: number;
}

export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** Unescaped; empty when absent. For `tel`, the number with visual separators removed. */
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface NameAddress {
  readonly displayName: string;
  readonly uri: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

// ---------------------------------------------------------------- digest (digest/), RFC 8760, 7616, 2617

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Answer only challenges of this realm; any realm when absent. */
  readonly realm?: string;
}

// ---------------------------------------------------------------- stack (stack.ts)

export interface ListenOn {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly tls?: { readonly key: string | Buffer; readonly certificate: string | Buffer };
}

export interface StackOptions {
  readonly doors: Doors;
  readonly listen: readonly ListenOn[];
  /** Host name or address that stands in our Via and Contact; default: the listening address. */
  readonly publicHost?: string;
  /** Asked before parsing, for every datagram and every connection. False: dropped without an answer, counted. */
  readonly admit: (source: Endpoint, transport: TransportName) => boolean;
  /** A dialog-creating INVITE from an admitted source. Exactly one of `answer` and `reject` must follow. */
  readonly onInvite: (invite: IncomingInvite) => void;
  /** Out-of-dialog requests other than INVITE, ACK, CANCEL. Without a handler: OPTIONS is answered 200, others 405. */
  readonly onRequest?: (request: IncomingRequest) => void;
  /** Counters for metrics: `dropped-source`, `malformed`, `retransmission`, `overload`, … */
  readonly onEvent?: (event: string) => void;
  /** The value of User-Agent and Server; the same on every leg of every call. Default `Samar`. */
  readonly product?: string;
  readonly limits?: Partial<StackLimits>;
  /** Milliseconds; RFC 3261 table 4. Defaults 500, 4,000, 5,000. */
  readonly timers?: { readonly t1?: number; readonly t2?: number; readonly t4?: number };
  /** Seconds; RFC 4028. Defaults 1,800 and 90. `expires: 0` switches session timers off. */
  readonly session?: { readonly expires?: number; readonly minimum?: number };
  /** For outgoing TLS. */
  readonly certificateAuthority?: string | Buffer;
}

export interface StackLimits extends ParseLimits {
  /** Server transactions alive at once; past it new requests get a stateless 503 with Retry-After. Default 50,000. */
  readonly transactions: number;
  /** Default 20,000. */
  readonly dialogs: number;
  /** TCP and TLS connections. Default 1,000. */
  readonly connections: number;
  /** A connection that has sent part of a message and no more for this long is closed. Milliseconds, default 10,000. */
  readonly partialMessage: number;
  /** Idle connections are closed after this long. Milliseconds, default 600,000. */
  readonly idleConnection: number;
}

export interface SipStack {
  /** What was bound, in the order of `listen` (port 0 resolved). */
  readonly bound: readonly (Endpoint & { readonly transport: TransportName })[];
  /** Starts a call. Never throws for reasons of the network: failures arrive by `onFailed`. */
  invite(options: InviteOptions): OutgoingInvite;
  /** Sends one out-of-dialog request (OPTIONS, REGISTER, MESSAGE) and waits for its final response. */
  request(options: RequestOptions): Promise<RequestOutcome>;
  readonly counts: { readonly transactions: number; readonly dialogs: number; readonly connections: number };
  /** New requests get 503 from now on; what runs goes on. */
  drain(): void;
  /** Closes sockets and timers; dialogs end without BYE. */
  close(): Promise<void>;
}

export interface Target {
  readonly host: string;
  /** When absent: SRV, then the transport's default (RFC 3263 section 4). */
  readonly port?: number;
  readonly transport?: TransportName;
}

export interface RequestOptions {
  readonly method: string;
  readonly target: Target;
  /** Request-URI; composed by the caller, sent as it is. */
  readonly uri: string;
  readonly from: { readonly uri: string; readonly displayName?: string };
  readonly to: { readonly uri: string; readonly displayName?: string };
  /** More headers. Via, From, To, Call-ID, CSeq, Contact, Max-Forwards, Content-Length are the stack's own. */
  readonly headers?: HeaderList;
  readonly body?: Buffer;
  readonly contentType?: string;
  readonly credentials?: Credentials;
  /** User part of our Contact; default: a random token. */
  readonly contactUser?: string;
}

export type RequestOutcome =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable' };

export interface InviteOptions extends Omit<RequestOptions, 'method'> {
  /** The SDP offer. */
  readonly body: Buffer;
}

export interface IncomingRequest {
  readonly request: SipRequest;
  readonly source: Endpoint;
  readonly transport: TransportName;
  respond(status: number, options?: ResponseOptions): void;
}

export interface ResponseOptions {
  /** Default: the RFC's phrase for the status. */
  readonly reason?: string;
  readonly headers?: HeaderList;
  readonly body?: Buffer;
  readonly contentType?: string;
}

export interface IncomingInvite {
  readonly request: SipRequest;
  readonly source: Endpoint;
  readonly transport: TransportName;
  /** 100 has been sent by the stack. 101 to 199; `reliable` uses 100rel when the peer supports it (RFC 3262). */
  progress(status: number, options?: ResponseOptions & { readonly reliable?: boolean }): void;
  /** Sends 200 and repeats it until ACK. The dialog ends with `no-ack` when none comes within 64 × T1. */
  answer(body: Buffer, options?: Omit<ResponseOptions, 'body'>): Dialog;
  /** 300 to 699. */
  reject(status: number, options?: ResponseOptions): void;
  /** The caller gave up before an answer (CANCEL, or its transport is gone); 487 has been sent. */
  onCancelled(handler: () => void): void;
}

export interface OutgoingInvite {
  /** Every provisional response above 100. PRACK is sent by the stack. */
  onProgress(handler: (response: SipResponse) => void): void;
  /** ACK has been sent. Later 2xx of other forks are acknowledged and ended by the stack. */
  onAnswered(handler: (dialog: Dialog, response: SipResponse) => void): void;
  /** Exactly one of `onAnswered` and `onFailed` is called, once. 3xx is a failure: never followed. */
  onFailed(handler: (failure: InviteFailure) => void): void;
  /** CANCEL as soon as it may be sent (RFC 3261 section 9.1); `onFailed` follows with `cancelled`. An answer that crossed is ended by BYE. */
  cancel(): void;
}

export type InviteFailure =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'cancelled' };

export type DialogEnd =
  | 'local-bye'
  | 'remote-bye'
  | 'no-ack'
  | 'session-expired'
  /** An in-dialog request was answered 408 or 481, or not at all. */
  | 'peer-gone'
  | 'closed';

export type OfferAnswer = { readonly body: Buffer } | { readonly status: number };

export interface Dialog {
  readonly callId: string;
  readonly ended: boolean;
  /** An SDP body that came in ACK (delayed offer), at most once. */
  onAck(handler: (body: Buffer | undefined) => void): void;
  /**
   * re-INVITE and UPDATE. `offer` is undefined for a re-INVITE without SDP: answer with an offer.
   * Without a handler, refreshes (UPDATE without SDP) are answered by the stack and offers get 488.
   */
  onOffer(handler: (offer: Buffer | undefined) => OfferAnswer | Promise<OfferAnswer>): void;
  onInfo(handler: (contentType: string, body: Buffer) => void): void;
  /** Called exactly once. BYE from the peer has been answered. */
  onEnd(handler: (cause: DialogEnd, request: SipRequest | undefined) => void): void;
  /** re-INVITE with this offer. Resolves to the answer, or to the status that refused it. 491 is retried once (RFC 3261 section 14.1). */
  offer(body: Buffer): Promise<OfferAnswer>;
  /** Sends BYE; `onEnd('local-bye')` is called at once, the transaction runs on by itself. */
  bye(options?: { readonly headers?: HeaderList }): void;
}
