/**
 * SIPp (Debian: sip-tester) as a caller or a callee: scenarios are put together from steps here, each run is its own
 * process, and its exit tells whether every message came as the scenario demands.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, tone } from '@samar/media';
import type { Planted } from './canaries.ts';
import { addresses, type Side } from './capture.ts';
import { pause as wait } from './platform.ts';

export type Transport = 'udp' | 'tcp';

/** One end of a call: the number its network vouches for, and what else its messages tell of it. */
export interface Person {
  readonly number: string;
  readonly planted: Planted;
  /** Of the tone it plays, in hertz. */
  readonly hertz: number;
}

export interface SippOptions {
  readonly side: Side;
  readonly transport: Transport;
  readonly steps: readonly string[];
  /** The platform's port, for callers. */
  readonly target?: number;
  /** Default: a free one. */
  readonly port?: number;
  /** The tone of `playTone`. */
  readonly hertz?: number;
  /** Answer OPTIONS and the like by itself; off by default: what is not in the scenario is a failure. */
  readonly more?: readonly string[];
}

export interface Sipp {
  readonly port: number;
  /** SIPp's own verdict: 0 when every call went by the scenario. `said` is what it complained about. */
  readonly finished: Promise<{ readonly code: number | null; readonly said: string }>;
  stop(): void;
}

/** Calls of one process: always one, so that its exit speaks of this one. Gives up after `patience` seconds. */
const patience = 25;

export async function startSipp(options: SippOptions): Promise<Sipp> {
  const folder = await mkdtemp(join(tmpdir(), 'samar-sipp-'));
  const address = addresses[options.side];
  const port = options.port ?? (await freePort(address));
  await writeFile(join(folder, 'scenario.xml'), scenario(options.steps));
  await writeFile(join(folder, 'tone.ulaw'), encode(tone(options.hertz ?? 440, 10_000), 'PCMU'));
  const child = spawn(
    'sipp',
    [
      ...(options.target === undefined ? [] : [`${addresses.platform}:${options.target}`]),
      ...['-sf', 'scenario.xml', '-i', address, '-p', String(port), '-mi', address],
      ...['-t', options.transport === 'udp' ? 'u1' : 't1', '-m', '1', '-nostdin', '-nd', '-timeout_error'],
      ...['-timeout', `${patience}s`, '-trace_err', '-error_file', 'errors.log', ...(options.more ?? [])],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  // A test that failed half-way leaves nothing running.
  const stop = () => void child.kill('SIGKILL');
  process.once('exit', stop);
  const finished = new Promise<number | null>((resolve, reject) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', reject);
  }).then(async (code) => {
    process.off('exit', stop);
    const said = await readFile(join(folder, 'errors.log'), 'utf8').catch(() => '');
    await rm(folder, { recursive: true, force: true });
    return { code, said };
  });
  if (options.target === undefined) await listening(child, options.transport, address, port);
  return { port, finished, stop };
}

/** A port that was free for TCP a moment ago; tests with peers run one by one. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() =>
        bound && typeof bound === 'object' ? resolve(bound.port) : reject(new Error('no port')),
      );
    });
  });
}

/** SIPp doesn't say when it listens; the kernel does. */
async function listening(
  child: ChildProcess,
  transport: Transport,
  address: string,
  port: number,
): Promise<void> {
  const reversed = address.split('.').reverse().map(Number);
  const hex = (value: number, width: number) => value.toString(16).toUpperCase().padStart(width, '0');
  const local = `${reversed.map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`;
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const sockets = (await readFile(`/proc/net/${transport}`, 'utf8')).split('\n');
    if (sockets.some((line) => line.includes(` ${local} `))) return;
    await wait(25);
  }
  throw new Error('SIPp does not listen');
}

// ---------------------------------------------------------------- scenarios

function scenario(steps: readonly string[]): string {
  const used = [...new Set(steps.join('').match(/assign_to="[^"]+"/g) ?? [])].flatMap((text) =>
    text.slice('assign_to="'.length, -1).split(','),
  );
  const reference = used.length === 0 ? '' : `<Reference variables="${used.join(',')}"/>`;
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="samar">\n${steps.join('\n')}\n${reference}</scenario>\n`;
}

/** `retransmit`: as a client transaction over UDP does; SIPp itself leaves it out over TCP. */
export function send(lines: readonly string[], retransmit = false): string {
  return `<send${retransmit ? ' retrans="500"' : ''}><![CDATA[\n\n${lines.join('\n')}\n\n]]></send>`;
}

export interface Receive {
  readonly optional?: boolean;
  /** Keeps Record-Route and Contact for `[routes]` and `[next_url]`. */
  readonly learn?: boolean;
  /** Keeps the challenge for `[authentication]`. */
  readonly challenge?: boolean;
  /** XML actions. */
  readonly actions?: readonly string[];
  /** Milliseconds until it counts as missing. */
  readonly within?: number;
  /** When it is missing, the scenario goes on at this `label` instead of failing. */
  readonly else?: string;
}

export function receive(what: number | string, options: Receive = {}): string {
  const kind = typeof what === 'number' ? `response="${what}"` : `request="${what}"`;
  const flags = [
    options.optional ? ' optional="true"' : '',
    options.learn ? ' rrs="true"' : '',
    options.challenge ? ' auth="true"' : '',
    options.within === undefined ? '' : ` timeout="${options.within}"`,
    options.else === undefined ? '' : ` ontimeout="${options.else}"`,
  ].join('');
  if (!options.actions) return `<recv ${kind}${flags}/>`;
  return `<recv ${kind}${flags}><action>${options.actions.join('')}</action></recv>`;
}

/** Action: keeps a header's value in a variable, `[$name]`; `demand` fails the call when it doesn't match. */
export function keep(header: string, name: string, pattern = '.*'): string {
  return `<ereg regexp="${pattern}" search_in="hdr" header="${header}:" case_indep="true" check_it="true" assign_to="${name}"/>`;
}

/** Action: the whole message must match; or must not. */
export function demand(pattern: string, name: string, present = true): string {
  const check = present ? 'check_it="true"' : 'check_it_inverse="true"';
  return `<ereg regexp="${pattern}" search_in="msg" ${check} assign_to="${name}"/>`;
}

export const label = (name: string) => `<label id="${name}"/>`;
export const pause = (milliseconds: number) => `<pause milliseconds="${milliseconds}"/>`;
/** From now on the tone is sent to where the last SDP pointed. */
export const playTone = '<nop><action><exec rtp_stream="tone.ulaw,-1,0"/></action></nop>';

// ---------------------------------------------------------------- messages

/** A description full of its owner: names, addresses and ids stand in every line that has room for them. */
export function description(
  person: Person,
  options: {
    readonly media?: string;
    readonly attributes?: readonly string[];
    readonly version?: number;
  } = {},
): readonly string[] {
  const { planted, number } = person;
  const media = options.media ?? 'm=audio [rtpstream_audio_port] RTP/AVP 0 101';
  return [
    'v=0',
    `o=${planted.name} 5365${number.slice(-6)} ${options.version ?? 2} IN IP4 ${planted.address}`,
    `s=${planted.name}`,
    `i=call of ${number}`,
    `u=http://${planted.address}/${planted.uuid}`,
    `e=${planted.name}@example.invalid`,
    `p=${number}`,
    'c=IN IP4 [media_ip]',
    'b=AS:77',
    't=0 0',
    `a=tool:${planted.name}`,
    media,
    ...(options.attributes ?? [
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=sendrecv',
    ]),
    `a=ssrc:775577 cname:${planted.uuid}`,
    `a=candidate:1 1 UDP 2130706431 ${planted.address} 5004 typ host`,
  ];
}

export function body(lines: readonly string[]): readonly string[] {
  return lines.length === 0
    ? ['Content-Length: 0', '']
    : ['Content-Type: application/sdp', 'Content-Length: [len]', '', ...lines];
}

/** What a device says of itself besides what the call needs. */
export function traits({ planted, number }: Person): readonly string[] {
  return [
    `User-Agent: ${planted.name}/7.7`,
    `P-Asserted-Identity: "${planted.name}" <sip:${number}@[local_ip]>`,
    `Organization: ${planted.name}`,
    `Subject: ${planted.name}`,
    `P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=${planted.uuid}`,
    `Call-Info: <http://${planted.address}/${planted.name}.jpg>;purpose=icon`,
    `X-Device: ${planted.uuid}`,
  ];
}

const contact = ({ planted, number }: Person) =>
  `Contact: "${planted.name}" <sip:${number}@[local_ip]:[local_port];transport=[transport]>;+sip.instance="<urn:uuid:${planted.uuid}>"`;

/** The INVITE's transaction, which its CANCEL and the ACK of a refusal share. */
export const inviteBranch = 'z9hG4bK-merak-[pid]-[call_number]';

/** A request of the caller's. Before `receive(200, {learn: true})` it goes to `dialled`, later to the learned Contact. */
export function callerRequest(
  method: string,
  person: Person,
  dialled: string,
  options: {
    readonly sequence?: number;
    readonly inDialog?: boolean;
    /** The ACK of a final response that is no 2xx: the same Request-URI as the INVITE, the tag of the response. */
    readonly refused?: boolean;
    readonly branch?: string;
    readonly headers?: readonly string[];
    readonly sdp?: readonly string[];
    /** Replaces what `traits` says. */
    readonly traits?: readonly string[];
  } = {},
): readonly string[] {
  const inDialog = options.inDialog ?? false;
  return [
    `${method} ${inDialog ? '[next_url]' : `sip:${dialled}@[remote_ip]:[remote_port]`} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${options.branch ?? '[branch]'}`,
    ...(inDialog ? ['[routes]'] : []),
    `From: "${person.planted.name}" <sip:${person.number}@[local_ip]:[local_port]>;tag=[pid]kanari[call_number]`,
    `To: <sip:${dialled}@[remote_ip]:[remote_port]>${inDialog || options.refused ? '[peer_tag_param]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${options.sequence ?? 1} ${method}`,
    contact(person),
    'Max-Forwards: 69',
    ...(options.traits ?? traits(person)),
    ...(options.headers ?? []),
    ...body(options.sdp ?? []),
  ];
}

/** The callee keeps what it must answer with: an INVITE is answered long after other requests have come. */
export const takeInvite = (actions: readonly string[] = []): string =>
  receive('INVITE', {
    learn: true,
    actions: [keep('Via', 'via'), keep('From', 'from'), keep('To', 'to'), keep('CSeq', 'cseq'), ...actions],
  });

export function calleeResponse(
  status: string,
  person: Person,
  options: {
    readonly headers?: readonly string[];
    readonly sdp?: readonly string[];
    readonly tag?: string;
  } = {},
): readonly string[] {
  return [
    `SIP/2.0 ${status}`,
    'Via:[$via]',
    'From:[$from]',
    `To:[$to];tag=${options.tag ?? '[pid]merpati[call_number]'}`,
    'Call-ID: [call_id]',
    'CSeq:[$cseq]',
    contact(person),
    `Server: ${person.planted.name}/8.8`,
    ...traits(person),
    ...(options.headers ?? []),
    ...body(options.sdp ?? []),
  ];
}

/** To the last request that came: BYE, PRACK, UPDATE, … */
export function reply(
  status: string,
  person: Person,
  sdp: readonly string[] = [],
  headers: readonly string[] = [],
) {
  return [
    `SIP/2.0 ${status}`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    contact(person),
    ...traits(person),
    ...headers,
    ...body(sdp),
  ];
}

export function calleeRequest(
  method: string,
  person: Person,
  options: {
    readonly sequence?: number;
    readonly headers?: readonly string[];
    readonly sdp?: readonly string[];
  } = {},
): readonly string[] {
  return [
    `${method} [next_url] SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    '[routes]',
    'From:[$to];tag=[pid]merpati[call_number]',
    'To:[$from]',
    'Call-ID: [call_id]',
    `CSeq: ${options.sequence ?? 1} ${method}`,
    contact(person),
    'Max-Forwards: 69',
    ...traits(person),
    ...(options.headers ?? []),
    ...body(options.sdp ?? []),
  ];
}
