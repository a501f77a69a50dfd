/** A user agent server and client on a set of sockets: puts the parts together and opens the doors. */
import type { Context, InDialog, SessionSettings } from './dialog/context.ts';
import { OutgoingCall } from './dialog/outgoing.ts';
import { requestOutside } from './dialog/outside.ts';
import { createReceiver } from './dialog/receiver.ts';
import { defaultLimits } from './message/index.ts';
import { createResolver } from './resolve/resolve.ts';
import { safe } from './transaction/compose.ts';
import { createIdentifiers } from './transaction/identifiers.ts';
import { createLayer, type Layer } from './transaction/layer.ts';
import { createRetain } from './transaction/retain.ts';
import type { Timing } from './transaction/timing.ts';
import { createWheel } from './transaction/wheel.ts';
import { openTransport, type TransportUser } from './transport/transport.ts';
import type { SipStack, StackLimits, StackOptions } from './types.ts';

const defaults: StackLimits = {
  ...defaultLimits,
  transactions: 50_000,
  dialogs: 20_000,
  connections: 1_000,
  partialMessage: 10_000,
  idleConnection: 600_000,
};

/**
 * Binds every address of `listen` and serves. Rejects with the system's error when one cannot be bound (nothing
 * stays bound then), and with a `TypeError` for options that cannot work.
 */
export async function createSipStack(options: StackOptions): Promise<SipStack> {
  check(options);
  const { doors } = options;
  const limits: StackLimits = { ...defaults, ...options.limits };
  const timing: Timing = {
    t1: options.timers?.t1 ?? 500,
    t2: options.timers?.t2 ?? 4_000,
    t4: options.timers?.t4 ?? 5_000,
  };
  const session: SessionSettings = {
    expires: options.session?.expires ?? 1_800,
    // RFC 4028 section 5: never below 90 s.
    minimum: Math.max(90, options.session?.minimum ?? 90),
  };
  const product = safe(options.product ?? 'Samar', 'the product');
  const onEvent = (event: string) => options.onEvent?.(event);
  const onFault = () => onEvent('internal-error');
  const wheel = createWheel(doors.clock, doors.timers, onFault);
  const retain = createRetain();
  const identifiers = createIdentifiers(doors.random);
  const dialogs = new Map<string, InDialog>();
  let draining = false;
  let layer: Layer | undefined;

  const transportUser: TransportUser = {
    onRequest: (request, flow) => layer?.receiveRequest(request, flow),
    onResponse: (response, flow) => layer?.receiveResponse(response, flow),
    onMalformed: (failure, flow) => layer?.receiveMalformed(failure, flow),
    onEvent,
    onFault,
  };
  const transport = await openTransport(
    {
      doors,
      listen: options.listen,
      publicHost: options.publicHost,
      admit: options.admit,
      certificateAuthority: options.certificateAuthority,
    },
    transportUser,
    wheel,
    limits,
  );
  const resolver = createResolver({
    dns: doors.network.dns,
    clock: doors.clock,
    random: doors.random,
    reaches: transport.reaches,
  });

  const calls: Context['calls'] = new Set();
  const receiver = createReceiver(options, () => context);
  const created = createLayer(
    {
      transport,
      wheel,
      timing,
      serverLine: `Server: ${product}\r\n`,
      retain,
      tag: identifiers.tag,
      limit: limits.transactions,
      onEvent,
    },
    { ...receiver, refusing: () => draining },
  );
  const context: Context = {
    layer: created,
    transport,
    wheel,
    timing,
    identifiers,
    resolver,
    session,
    retain,
    agentLine: `User-Agent: ${product}\r\n`,
    dialogs,
    dialogLimit: limits.dialogs,
    calls,
    integer: (limit) => doors.random.integer(limit),
    onEvent,
    guard(run) {
      try {
        run();
      } catch {
        onEvent('handler-error');
      }
    },
  };
  layer = created;

  return {
    bound: transport.bound,
    invite(inviteOptions) {
      const call = new OutgoingCall(context, inviteOptions);
      call.start();
      return call;
    },
    request: (requestOptions) => requestOutside(context, requestOptions),
    get counts() {
      return { transactions: created.count, dialogs: dialogs.size, connections: transport.connections };
    },
    drain() {
      draining = true;
    },
    async close() {
      draining = true;
      for (const dialog of [...dialogs.values()]) dialog.close();
      for (const call of [...calls]) call.abandon();
      created.close();
      await transport.close();
      wheel.close();
    },
  };
}

function check(options: StackOptions): void {
  if (options.listen.length === 0) throw new TypeError('a stack listens on at least one address');
  for (const { address, transport, tls } of options.listen) {
    // An address that means "all of them" cannot be answered to.
    const wildcard = address === '0.0.0.0' || address === '::' || address === '';
    if (wildcard && options.publicHost === undefined) {
      throw new TypeError('listening on every address needs publicHost, for Via and Contact');
    }
    if (transport === 'tls' && !tls) throw new TypeError('a tls listener needs a key and a certificate');
  }
}
