/**
 * baresip (Debian: baresip-core) as a telephone: one process with a folder of its own, driven over its `ctrl_tcp`
 * module (JSON in netstrings). It plays a tone from a file (its own sine knows 48 kHz stereo only) and keeps what it
 * hears, through its `sndfile` filter.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tone } from '@samar/media';
import { pause } from './platform.ts';
import { freePort } from './sipp.ts';
import { wavOf } from './sound.ts';

export interface BaresipOptions {
  readonly address: string;
  /** E.164 with `+`. */
  readonly number: string;
  readonly displayName: string;
  /** Of the tone it plays. */
  readonly hertz: number;
  /** `host:port` of the platform, for numbers that it dials. */
  readonly platform: string;
  readonly transport: 'udp' | 'tcp';
}

export interface Baresip {
  readonly port: number;
  dial(number: string): Promise<void>;
  /** Takes the call that rings. */
  accept(): Promise<void>;
  hangUp(): Promise<void>;
  /** Resolves at the next event of this type that nobody has waited for yet (`CALL_ESTABLISHED`, `CALL_CLOSED`, …). */
  event(type: string): Promise<BaresipEvent>;
  /** Everything heard on its last call, 8,000 Hz; ask when the call is over. */
  heard(): Promise<Int16Array>;
  close(): Promise<void>;
}

export interface BaresipEvent {
  readonly type: string;
  readonly peeruri?: string;
  readonly peerdisplayname?: string;
  readonly param?: string;
}

const modules = '/usr/lib/baresip/modules';
/** Milliseconds until an event counts as missing. */
const patience = 20_000;

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const folder = await mkdtemp(join(tmpdir(), 'samar-baresip-'));
  const heardFolder = join(folder, 'heard');
  await mkdir(heardFolder);
  const tonePath = join(folder, 'tone.wav');
  await writeFile(tonePath, wavOf(tone(options.hertz, 30_000)));
  const port = await freePort(options.address);
  const control = await freePort(options.address);
  await writeFile(join(folder, 'config'), config(options, port, control, heardFolder, tonePath));
  const { displayName, number, address, transport } = options;
  const account = `"${displayName}" <sip:${number}@${address}:${port};transport=${transport}>;regint=0;answermode=manual;audio_codecs=PCMU,PCMA\n`;
  await writeFile(join(folder, 'accounts'), account);
  await writeFile(join(folder, 'contacts'), '');
  const child = spawn('baresip', ['-f', folder], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // A test that failed half-way leaves nothing running.
  process.once('exit', () => child.kill('SIGKILL'));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const socket = await reach(address, control).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`baresip does not listen (${String(error)}): ${said}`);
  });
  const events = readEvents(socket);

  async function command(name: string, params = ''): Promise<void> {
    const text = JSON.stringify({ command: name, params });
    socket.write(`${Buffer.byteLength(text)}:${text},`);
    // Commands are answered in their order; what matters is the event that follows.
    await pause(0);
  }

  return {
    port,
    dial: (called) => command('dial', `sip:${called}@${options.platform}`),
    accept: () => command('accept'),
    hangUp: () => command('hangup'),
    event: (type) =>
      events(type).catch(() => {
        throw new Error(`baresip told of no ${type}: ${said}`);
      }),
    async heard() {
      const [last] = (await readdir(heardFolder))
        .filter((name) => name.endsWith('dec.wav'))
        .sort()
        .reverse();
      if (last === undefined) throw new Error(`baresip has heard nothing: ${said}`);
      return samplesOf(await readFile(join(heardFolder, last)));
    },
    async close() {
      await command('quit');
      const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
      await exited;
      clearTimeout(late);
      socket.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function config(
  options: BaresipOptions,
  port: number,
  control: number,
  heard: string,
  tonePath: string,
): string {
  return [
    'poll_method epoll',
    `sip_listen ${options.address}:${port}`,
    // The address in its SDP.
    `net_interface ${options.address}`,
    `audio_source aufile,${tonePath}`,
    // A device that goes nowhere: what is decoded is kept by the filter.
    'audio_player aubridge,ear',
    'audio_alert aubridge,bell',
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'audio_buffer 20-160',
    `snd_path ${heard}`,
    `module_path ${modules}`,
    ...['g711', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
    ...['account', 'menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen ${options.address}:${control}`,
    'ring_aufile none',
    'ringback_disabled yes',
    '',
  ].join('\n');
}

async function reach(host: string, port: number): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect({ host, port }, () => resolve(socket));
        socket.once('error', reject);
      });
    } catch (error) {
      if (attempt >= 100) throw error;
      await pause(50);
    }
  }
}

/** Events in their order; those that nobody waits for wait themselves. */
function readEvents(socket: Socket): (type: string) => Promise<BaresipEvent> {
  const come: BaresipEvent[] = [];
  const waiting = new Set<() => void>();
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const colon = rest.indexOf(':');
      const length = Number(rest.toString('latin1', 0, Math.max(0, colon)));
      if (colon < 1 || rest.length < colon + length + 2) break;
      const message = JSON.parse(rest.toString('utf8', colon + 1, colon + 1 + length)) as BaresipEvent & {
        event?: boolean;
      };
      rest = rest.subarray(colon + length + 2);
      if (message.event && come.length < 1_000) come.push(message);
    }
    for (const look of waiting) look();
  });
  return (type) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(type));
      }, patience);
      function look(): void {
        const at = come.findIndex((event) => event.type === type);
        if (at < 0) return;
        const [event] = come.splice(at, 1);
        clearTimeout(late);
        waiting.delete(look);
        if (event) resolve(event);
      }
      waiting.add(look);
      look();
    });
}

/** A WAV file of 16-bit mono samples. baresip writes the length when it closes the file: it isn't relied on. */
function samplesOf(wav: Buffer): Int16Array {
  const start = wav.indexOf('data', 12, 'latin1') + 8;
  const count = Math.max(0, Math.floor((wav.length - start) / 2));
  return Int16Array.from({ length: count }, (_, index) => wav.readInt16LE(start + index * 2));
}
