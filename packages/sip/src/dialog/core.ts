/** The state of a dialog (RFC 3261 section 12), and the requests that follow from it. */
import { callId, cseqOf, fromTag, parseNameAddress, parseUri, toTag } from '../message/index.ts';
import type { Outline } from '../transaction/compose.ts';
import type { Hop } from '../transport/hop.ts';
import type { SipMessage, SipRequest, SipResponse, Target, TransportName } from '../types.ts';
import { type Context, viaOf } from './context.ts';

export interface Core {
  /** We made the Call-ID: decides who waits longer after glare (section 14.1). */
  readonly ownsCallId: boolean;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From of our requests. */
  readonly local: string;
  /** To of our requests. */
  readonly remote: string;
  readonly contact: string;
  readonly routes: readonly string[];
  localSequence: number;
  remoteSequence: number | undefined;
  /** The peer's Contact: where the Request-URI points. */
  remoteTarget: string;
}

/** How the registry knows a dialog. */
export function dialogKey(callIdText: string, localTag: string, remoteTag: string): string {
  return `${callIdText}|${localTag}|${remoteTag}`;
}

/** The URI of the first Contact; undefined when there is none that can be called. */
export function contactUri(message: SipMessage): string | undefined {
  const text = message.headers.get('Contact');
  const uri = text === undefined ? undefined : parseNameAddress(text)?.uri;
  return uri !== undefined && targetOf(uri) ? uri : undefined;
}

/** Section 12.1.1. Undefined when the INVITE lacks a usable Contact. */
export function coreOfServer(
  invite: SipRequest,
  localTag: string,
  contact: string,
  sequence: number,
): Core | undefined {
  const remoteTarget = contactUri(invite);
  if (remoteTarget === undefined) return undefined;
  const to = invite.headers.get('To') ?? '';
  return {
    ownsCallId: false,
    callId: callId(invite),
    localTag,
    remoteTag: fromTag(invite),
    local: `${to};tag=${localTag}`,
    remote: invite.headers.get('From') ?? '',
    contact,
    routes: invite.headers.all('Record-Route'),
    localSequence: sequence,
    remoteSequence: cseqOf(invite).number,
    remoteTarget,
  };
}

/** Section 12.1.2. A response without Contact leaves the Request-URI of the INVITE as the target. */
export function coreOfClient(
  invite: Outline,
  response: SipResponse,
  localTag: string,
  contact: string,
): Core {
  return {
    ownsCallId: true,
    callId: invite.callId,
    localTag,
    remoteTag: toTag(response),
    local: invite.from,
    remote: response.headers.get('To') ?? invite.to,
    contact,
    routes: [...response.headers.all('Record-Route')].reverse(),
    localSequence: invite.sequence,
    remoteSequence: undefined,
    remoteTarget: contactUri(response) ?? invite.uri,
  };
}

/** Where a SIP URI is to be sought (RFC 3263 section 4). Undefined for other schemes and malformed ones. */
export function targetOf(text: string): Target | undefined {
  const uri = parseUri(text);
  if (!uri || uri.scheme === 'tel') return undefined;
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (named !== undefined && !isTransport(named)) return undefined;
  const transport: TransportName | undefined = uri.scheme === 'sips' ? 'tls' : named;
  return {
    host: uri.parameters.get('maddr') ?? uri.host,
    ...(uri.port === undefined ? {} : { port: uri.port }),
    ...(transport === undefined ? {} : { transport }),
  };
}

function isTransport(name: string): name is TransportName {
  return name === 'udp' || name === 'tcp' || name === 'tls';
}

function routeUri(route: string): string {
  return parseNameAddress(route)?.uri ?? '';
}

function isLoose(route: string): boolean {
  return /;\s*lr\s*(?:[;=]|$)/i.test(routeUri(route));
}

/** The next hop of the dialog's requests: the first route, else the remote target. */
export function nextTarget(core: Core): Target | undefined {
  const [first] = core.routes;
  return targetOf(first === undefined ? core.remoteTarget : routeUri(first));
}

/** Section 12.2.1.1. ACK repeats the sequence number of its INVITE. */
export function outlineOf(context: Context, core: Core, hop: Hop, method: string, sequence: number): Outline {
  const [first, ...others] = core.routes;
  const strict = first !== undefined && !isLoose(first);
  return {
    method,
    uri: strict ? routeUri(first) : core.remoteTarget,
    via: viaOf(context, hop.transport, hop.address),
    branch: context.identifiers.branch(),
    routes: strict ? [...others, `<${core.remoteTarget}>`] : core.routes,
    from: core.local,
    to: core.remote,
    callId: core.callId,
    sequence,
  };
}

/** The hop for the dialog's next request: at once where no name must be looked up. */
export function withHop(context: Context, core: Core, use: (hop: Hop | undefined) => void): void {
  const target = nextTarget(core);
  const hops = target ? context.resolver.resolve(target) : [];
  if (hops instanceof Promise) void hops.then((found) => context.guard(() => use(found[0])));
  else use(hops[0]);
}
