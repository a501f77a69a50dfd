/**
 * A carrier without phones, for calls by the thousand: one SIP stack that calls as anybody, and takes what comes back.
 * It sees on the wire whatever the platform connects.
 */
import { createSocket } from 'node:dgram';
import { nodeDoors } from '@samar/doors';
import { createSipStack, type Dialog, type IncomingInvite } from '@samar/sip';

export interface RawCall {
  /** The final response; undefined when none came. */
  readonly status: number | undefined;
  /** `performance.now()` when the final response was here. */
  readonly at: number;
  /** Of a call that was answered. */
  readonly dialog: Dialog | undefined;
}

export interface RawCarrier {
  readonly port: number;
  /** Calls that the platform made towards somebody. */
  readonly reached: { readonly at: number; readonly invite: IncomingInvite }[];
  /** What the callees do; at first all are busy. */
  onReached(handler: (invite: IncomingInvite) => void): void;
  /** A call to a virtual number. Without `sdp`, the INVITE has no offer: a refusal then needs no words. */
  call(options: { readonly from: string; readonly to: string; readonly sdp?: boolean }): Promise<RawCall>;
  /** For callees: 200, with media that nobody listens to. */
  answer(invite: IncomingInvite): Dialog;
  close(): Promise<void>;
}

/** `platform`: the SIP port. */
export async function rawCarrier(platform: number): Promise<RawCarrier> {
  const doors = nodeDoors();
  // What the platform sends as media ends here.
  const sink = createSocket('udp4');
  await new Promise<void>((resolve) => sink.bind(0, '127.0.0.1', resolve));
  const sdp = Buffer.from(
    [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${sink.address().port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      '',
    ].join('\r\n'),
  );
  const reached: RawCarrier['reached'] = [];
  let onReached = (invite: IncomingInvite) => invite.reject(486);
  const stack = await createSipStack({
    doors,
    listen: [{ transport: 'udp', address: '127.0.0.1', port: 0 }],
    admit: () => true,
    onInvite(invite) {
      reached.push({ at: performance.now(), invite });
      onReached(invite);
    },
  });
  const port = stack.bound[0]?.port ?? 0;
  return {
    port,
    reached,
    onReached(handler) {
      onReached = handler;
    },
    call: ({ from, to, sdp: offered = false }) =>
      new Promise((resolve) => {
        const outgoing = stack.invite({
          target: { host: '127.0.0.1', port: platform, transport: 'udp' },
          uri: `sip:${to}@127.0.0.1:${platform}`,
          from: { uri: `sip:${from}@127.0.0.1:${port}` },
          to: { uri: `sip:${to}@127.0.0.1:${platform}` },
          body: offered ? sdp : Buffer.alloc(0),
          ...(offered ? { contentType: 'application/sdp' } : {}),
        });
        outgoing.onAnswered((dialog, response) =>
          resolve({ status: response.status, at: performance.now(), dialog }),
        );
        outgoing.onFailed((failure) =>
          resolve({
            status: failure.kind === 'response' ? failure.response.status : undefined,
            at: performance.now(),
            dialog: undefined,
          }),
        );
      }),
    answer: (invite) => invite.answer(sdp, { contentType: 'application/sdp' }),
    async close() {
      await stack.close();
      sink.close();
    },
  };
}

/** Runs every job, at most `width` at once. */
export async function inParallel<T>(
  width: number,
  items: readonly T[],
  job: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < items.length) {
        const index = next++;
        await job(items[index] as T, index);
      }
    }),
  );
}
