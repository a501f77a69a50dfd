/** What every part of the user agent shares: made once by the stack, handed to dialogs and calls. */
import type { Resolver } from '../resolve/resolve.ts';
import type { Identifiers } from '../transaction/identifiers.ts';
import type { Layer } from '../transaction/layer.ts';
import type { Retain } from '../transaction/retain.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Timing } from '../transaction/timing.ts';
import type { Wheel } from '../transaction/wheel.ts';
import type { Transport } from '../transport/transport.ts';
import type { SipRequest, TransportName } from '../types.ts';

/** RFC 3261 section 20.5; REFER is declined and so not listed. The same on every leg of every call. */
export const ALLOW = 'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE\r\n';
export const SUPPORTED = 'Supported: 100rel, timer\r\n';
export const ACCEPT = 'Accept: application/sdp\r\n';
/** Extensions that a Require may name. */
export const EXTENSIONS: ReadonlySet<string> = new Set(['100rel', 'timer']);

export interface SessionSettings {
  /** Seconds; 0: no session timers of ours, and those of peers are ignored. */
  readonly expires: number;
  /** Seconds; RFC 4028 section 5 demands at least 90. */
  readonly minimum: number;
}

/** What the registry of dialogs hands messages to. */
export interface InDialog {
  receive(transaction: ServerTransaction): void;
  /** ACK of a 2xx. */
  acknowledge(request: SipRequest): void;
  close(): void;
}

export interface Context {
  readonly layer: Layer;
  readonly transport: Transport;
  readonly wheel: Wheel;
  readonly timing: Timing;
  readonly identifiers: Identifiers;
  readonly resolver: Resolver;
  readonly session: SessionSettings;
  readonly retain: Retain;
  /** `User-Agent: …` line. */
  readonly agentLine: string;
  readonly dialogs: Map<string, InDialog>;
  readonly dialogLimit: number;
  /** Calls being set up, so that closing the stack can end them. */
  readonly calls: Set<{ abandon(): void }>;
  /** A uniform integer in [0, limit). */
  integer(limit: number): number;
  onEvent(event: string): void;
  /** Runs a handler of the user's; what it throws is counted and goes no further. */
  guard(run: () => void): void;
}

/** Our Contact for a hop: the user part says nothing of the callee or the caller. */
export function contactOf(context: Context, transport: TransportName, address: string, user: string): string {
  const suffix = transport === 'udp' ? '' : `;transport=${transport}`;
  return `<sip:${user}@${context.transport.localHost(transport, address)}${suffix}>`;
}

/** Via up to and including `branch=`; rport is asked for on UDP alone (RFC 3581). */
export function viaOf(context: Context, transport: TransportName, address: string): string {
  const host = context.transport.localHost(transport, address);
  return transport === 'udp'
    ? `SIP/2.0/UDP ${host};rport;branch=`
    : `SIP/2.0/${transport.toUpperCase()} ${host};branch=`;
}
