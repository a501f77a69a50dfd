/**
 * A bare back-to-back agent on `@samar/sip`, driven by SIPp's own uac and uas scenarios over loopback UDP:
 * how many calls a second, and how much CPU a call (both legs, INVITE to BYE, signalling only).
 *
 *   npx node bench/sip-stack.ts [calls-per-second = 1000] [seconds = 10]
 *
 * The agent runs in this process, so that its CPU is this process's. Needs `sipp` (Debian: sip-tester).
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { createSipStack, type Dialog } from '@samar/sip';

const rate = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 10);
const calls = rate * seconds;
const uasPort = 17_062;
const uacPort = 17_064;

const events = new Map<string, number>();
const stack = await createSipStack({
  doors: nodeDoors(),
  listen: [{ transport: 'udp', address: '127.0.0.1', port: 17_060 }],
  admit: (source) => source.address === '127.0.0.1',
  onEvent: (event) => events.set(event, (events.get(event) ?? 0) + 1),
  onInvite(invite) {
    const call = stack.invite({
      target: { host: '127.0.0.1', port: uasPort, transport: 'udp' },
      uri: `sip:service@127.0.0.1:${uasPort}`,
      from: { uri: 'sip:anonymous@127.0.0.1' },
      to: { uri: 'sip:service@127.0.0.1' },
      body: invite.request.body,
    });
    let near: Dialog | undefined;
    invite.onCancelled(() => call.cancel());
    call.onProgress((response) => invite.progress(response.status));
    call.onFailed((failure) => invite.reject(failure.kind === 'response' ? failure.response.status : 480));
    call.onAnswered((far, response) => {
      near = invite.answer(response.body);
      near.onEnd((cause) => cause !== 'local-bye' && far.bye());
      far.onEnd((cause) => cause !== 'local-bye' && near?.bye());
    });
  },
});

const folder = await mkdtemp(join(tmpdir(), 'sip-bench-'));
function sipp(...args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('sipp', args, { cwd: folder, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? -1));
    children.push(child);
  });
}
const children: ReturnType<typeof spawn>[] = [];

const callee = sipp(
  '-sn',
  'uas',
  '-i',
  '127.0.0.1',
  '-p',
  String(uasPort),
  '-nostdin',
  '-buff_size',
  '4000000',
);
await new Promise((resolve) => setTimeout(resolve, 500));
const cpu = process.cpuUsage();
const started = performance.now();
const code = await sipp(
  ...['-sn', 'uac', '-i', '127.0.0.1', '-p', String(uacPort), '127.0.0.1:17060', '-nostdin'],
  ...['-r', String(rate), '-m', String(calls), '-l', String(4 * rate), '-d', '0'],
  ...[
    '-buff_size',
    '4000000',
    '-timeout',
    String(seconds + 40),
    '-trace_stat',
    '-fd',
    '600',
    '-stf',
    'uac.csv',
  ],
);
const elapsed = (performance.now() - started) / 1000;
const used = process.cpuUsage(cpu);
for (const child of children) child.kill('SIGKILL');
await callee;

const lines = (await readFile(join(folder, 'uac.csv'), 'utf8')).trim().split('\n');
const names = lines[0]?.split(';') ?? [];
const values = lines.at(-1)?.split(';') ?? [];
const value = (name: string) => Number(values[names.indexOf(name)]);
const perCall = (used.user + used.system) / 1000 / calls;
console.log(
  JSON.stringify({
    rate,
    calls,
    exit: code,
    succeeded: value('SuccessfulCall(C)'),
    failed: value('FailedCall(C)'),
    retransmissions: value('Retransmissions(C)'),
    callsPerSecond: Math.round(calls / elapsed),
    cpuMillisecondsPerCall: Number(perCall.toFixed(3)),
    user: Number((used.user / 1000 / calls).toFixed(3)),
    system: Number((used.system / 1000 / calls).toFixed(3)),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1_048_576),
    left: stack.counts,
    events: Object.fromEntries(events),
  }),
);
await stack.close();
await rm(folder, { recursive: true, force: true });
