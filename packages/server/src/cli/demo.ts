import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDevCarrier, createPhone, likeness, type Phone, type PhoneCall } from '@samar/devcarrier';
import { type Doors, nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { loadConfig } from '../config.ts';
import { createLog } from './log.ts';
import { type Server, startServer } from './server.ts';

/**
 * `samar demo`: the whole product before your eyes. A driver's and a customer's phone on a pretend network; everything
 * between them is the real thing: HTTP, SIP, RTP, PostgreSQL, encryption. Each step is checked, not only shown.
 */
export interface DemoOptions {
  /** End after the last step instead of staying up to be played with. */
  readonly once: boolean;
  /** File for the recording. */
  readonly keep: string;
}

const driverNumber = '+6281100000001';
const customerNumber = '+6281200000002';
/** Its own: the pretend network's browser phones have numbers elsewhere. */
const pool = 'demo';
const virtualNumbers = ['+6221500001', '+6221500002', '+6221500003'];
/** Likeness from which words count as heard; another sentence reaches about 0.2. */
const heardFrom = 0.8;

/** Resolves to the exit code: 0 when every step held. */
export async function demo(options: DemoOptions): Promise<number> {
  const stage = new Stage();
  const directory = await mkdtemp(join(tmpdir(), 'samar-demo-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    await play(stage, directory, stops, options);
    stage.say(`\n${stage.failed === 0 ? 'Every step held.' : `${stage.failed} steps did not hold.`}`);
    if (!options.once && stage.failed === 0) {
      stage.say('The platform stays up for you to try. Ctrl-C ends it.');
      await new Promise((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      });
    }
  } catch (error) {
    stage.check('the demo ran to its end', false, error instanceof Error ? error.message : String(error));
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined);
  }
  return stage.failed === 0 ? 0 : 1;
}

async function play(
  stage: Stage,
  directory: string,
  stops: (() => Promise<unknown>)[],
  options: DemoOptions,
): Promise<void> {
  const doors = nodeDoors();
  stage.title('Starting the platform (PostgreSQL, SIP, media, HTTP) in an empty directory');
  const server = await startServer({
    log: createLog('silent'),
    doors,
    config: {
      // The demo is complete in itself: no setting of the environment reaches it.
      ...loadConfig({ SAMAR_SIP_HOST: '127.0.0.1', SAMAR_HTTP_HOST: '127.0.0.1', SAMAR_DATA_DIR: directory }),
      httpPort: 0,
      sipPort: 0,
      rtpPorts: { from: 42_000, to: 42_999 },
      // For whoever stays: two phones in the browser.
      pretendNetwork: !options.once,
    },
  });
  stops.push(() => server.stop(0));
  const api = client(server);
  stage.check(`the API answers on port ${server.http.port}`, (await api('GET', '/readyz')).status === 200);

  const network = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: server.sip[0]?.port ?? 5_060, transport: 'udp' },
  });
  stops.push(() => network.close());
  const driver = await createPhone({ doors, number: driverNumber, carrier: network.local });
  const customer = await createPhone({ doors, number: customerNumber, carrier: network.local });
  stops.push(() => driver.close());
  stops.push(() => customer.close());
  stage.check('two phones have registered with the pretend network', true);

  stage.title('The business connects its trunk and its numbers');
  const carrier = await api('POST', '/v1/carriers', {
    name: 'pretend network',
    kind: 'sip',
    host: '127.0.0.1',
    port: network.local.port,
    transport: 'udp',
  });
  stage.check('POST /v1/carriers', carrier.status === 201);
  const numbers = await api('POST', '/v1/numbers', {
    numbers: virtualNumbers,
    pool,
    carrier: 'pretend network',
    capabilities: ['voice'],
  });
  stage.check(`POST /v1/numbers: ${virtualNumbers.length} virtual numbers`, numbers.status === 201);

  stage.title('A job is assigned: a session is opened');
  // An earlier job of this customer's, so that the two are given different numbers: the one of then still cools down.
  const earlier = await api('POST', '/v1/sessions', {
    pool,
    participants: [
      { role: 'agent', phone: '+6281100000007' },
      { role: 'customer', phone: customerNumber },
    ],
  });
  await api('POST', `/v1/sessions/${earlier.body['id']}/close`, { reason: 'resolved' });
  const session = await api('POST', '/v1/sessions', {
    reference: 'order-1001',
    pool,
    recording: 'announce',
    participants: [
      { role: 'agent', phone: driverNumber, name: 'Budi', locale: 'en' },
      { role: 'customer', phone: customerNumber, name: 'Sari', locale: 'en' },
    ],
  });
  stage.check('POST /v1/sessions', session.status === 201);
  const id = String(session.body['id']);
  const participants = session.body['participants'] as readonly { dial: string; phone: string }[];
  const driverDials = participants[0]?.dial ?? '';
  const customerDials = participants[1]?.dial ?? '';
  stage.say(`     the driver dials ${driverDials}, the customer dials ${customerDials}`);
  stage.check(
    'the answer shows both real numbers masked only',
    !session.text.includes(driverNumber.slice(1)) && !session.text.includes(customerNumber.slice(1)),
    participants.map((participant) => participant.phone).join(', '),
  );

  const cast: Cast = { stage, doors, driver, customer };
  stage.title('The driver calls the customer');
  await talk(cast, driver, driverDials, customer, customerDials, ['driver', 'customer']);
  stage.title('The customer calls back');
  await talk(cast, customer, customerDials, driver, driverDials, ['customer-back', 'driver-back']);

  stage.title('The job is resolved');
  const closed = await api('POST', `/v1/sessions/${id}/close`, { reason: 'resolved' });
  stage.check('POST /v1/sessions/{id}/close', closed.status === 200 && closed.body['status'] === 'closed');
  await lateCall(cast, driver, driverDials, 'the driver');
  await lateCall(cast, customer, customerDials, 'the customer');

  stage.title('A dispute: the business listens to the first talk');
  await listen(stage, api, id, options.keep);
  if (!options.once) {
    stage.say(`\nCall yourself, on two phones in the browser: http://localhost:${server.http.port}/try`);
    stage.say(`The API: http://127.0.0.1:${server.http.port}/reference`);
    stage.say(`Key:     ${server.newAdminKey ?? ''}`);
  }
}

interface Cast {
  readonly stage: Stage;
  readonly doors: Doors;
  readonly driver: Phone;
  readonly customer: Phone;
}

/** One call with words both ways. `shown` is the only number that the callee may see. */
async function talk(
  { stage, doors }: Cast,
  caller: Phone,
  dials: string,
  callee: Phone,
  shown: string,
  lines: readonly [string, string],
): Promise<void> {
  const began = doors.clock.monotonic();
  const incoming = callee.nextCall();
  const call = caller.dial(dials);
  const answered = await within(doors, call.answered, 20_000);
  stage.check('the call is answered', answered.ok, `${Math.round(doors.clock.monotonic() - began)} ms`);
  if (!answered.ok) return;
  const other = await incoming;
  stage.check(`the other phone shows the virtual number ${shown}`, callee.displayed.at(-1) === shown);
  const announcement = await prompt('en/recording');
  await until(doors, () => likeness(call.heard(), announcement) > heardFrom, 15_000);
  stage.check(
    'both hear that the call is recorded',
    likeness(call.heard(), announcement) > heardFrom && likeness(other.heard(), announcement) > heardFrom,
  );
  await pause(doors, 300);
  await exchange(stage, call, other, lines);
  call.hangUp();
  await within(doors, other.ended, 5_000);
  stage.check('one hangs up, the other is released', true);
}

async function exchange(
  stage: Stage,
  call: PhoneCall,
  other: PhoneCall,
  lines: readonly [string, string],
): Promise<void> {
  const first = await speech(lines[0]);
  const second = await speech(lines[1]);
  await call.say(first);
  await other.say(second);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const there = likeness(other.heard(), first);
  const back = likeness(call.heard(), second);
  stage.check('the callee hears the caller', there > heardFrom, `likeness ${there.toFixed(3)}`);
  stage.check('the caller hears the callee', back > heardFrom, `likeness ${back.toFixed(3)}`);
}

async function lateCall({ stage, doors }: Cast, caller: Phone, dials: string, who: string): Promise<void> {
  const call = caller.dial(dials);
  const answered = await within(doors, call.answered, 30_000);
  const ended = likeness(call.heard(), await prompt('en/ended'));
  stage.check(
    `${who} calls once more, is not connected, and hears that the interaction has ended`,
    !answered.ok && ended > heardFrom,
    `likeness ${ended.toFixed(3)}`,
  );
}

async function listen(stage: Stage, api: Client, session: string, keep: string): Promise<void> {
  const calls = await api('GET', `/v1/calls?session=${session}`);
  const items =
    (calls.body['items'] as readonly { id: string; outcome: string; recording?: { status: string } }[]) ?? [];
  const talks = items
    .filter((call) => call.outcome === 'connected')
    .sort((one, other) => one.id.localeCompare(other.id));
  stage.check(
    'the record shows both talks and both late calls',
    talks.length === 2 && items.length === 4,
    `${items.length} calls`,
  );
  const refused = await api('GET', `/v1/calls/${talks[0]?.id}/recording`);
  stage.check(
    'without a reason nobody listens',
    refused.status >= 400 && refused.status < 500,
    `status ${refused.status}`,
  );
  const recording = await api('GET', `/v1/calls/${talks[0]?.id}/recording?format=pcm`, undefined, {
    'x-access-reason': 'demonstration of a dispute',
  });
  stage.check('GET /v1/calls/{id}/recording', recording.status === 200);
  if (recording.status !== 200) return;
  const [left, right] = channels(recording.bytes);
  const driver = likeness(left, await speech('driver'));
  const customer = likeness(right, await speech('customer'));
  stage.check('the driver is on the left', driver > heardFrom, `likeness ${driver.toFixed(3)}`);
  stage.check('the customer is on the right', customer > heardFrom, `likeness ${customer.toFixed(3)}`);
  await writeFile(keep, recording.bytes);
  stage.check(`the recording can be played: ${keep}`, true, `${(left.length / 8_000).toFixed(1)} s`);
}

/** The two channels of a 16-bit stereo WAV file; its data chunk is the last one. */
function channels(wav: Buffer): [Int16Array, Int16Array] {
  const data = wav.subarray(wav.indexOf('data', 12, 'latin1') + 8);
  const left = new Int16Array(Math.floor(data.length / 4));
  const right = new Int16Array(left.length);
  for (let index = 0; index < left.length; index++) {
    left[index] = data.readInt16LE(index * 4);
    right[index] = data.readInt16LE(index * 4 + 2);
  }
  return [left, right];
}

const root = new URL('../../../../', import.meta.url);

async function prompt(name: string): Promise<Int16Array> {
  return loadPrompt(await readFile(fileURLToPath(new URL(`prompts/${name}.wav`, root))));
}

async function speech(name: string): Promise<Int16Array> {
  return loadPrompt(await readFile(fileURLToPath(new URL(`packages/devcarrier/speech/${name}.wav`, root))));
}

type Client = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<{
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly bytes: Buffer;
}>;

function client(server: Server): Client {
  return async (method, path, body, headers) => {
    const response = await fetch(`http://127.0.0.1:${server.http.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${server.newAdminKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const text = isJson ? bytes.toString() : '';
    return {
      status: response.status,
      body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
      text,
      bytes,
    };
  };
}

function pause(doors: Doors, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void doors.timers.after(milliseconds, resolve));
}

async function until(doors: Doors, condition: () => boolean, milliseconds: number): Promise<void> {
  const end = doors.clock.monotonic() + milliseconds;
  while (!condition() && doors.clock.monotonic() < end) await pause(doors, 500);
}

function within<T>(doors: Doors, promise: Promise<T>, milliseconds: number): Promise<T> {
  return Promise.race([
    promise,
    pause(doors, milliseconds).then((): never => {
      throw new Error(`nothing happened within ${milliseconds / 1_000} s`);
    }),
  ]);
}

/** What the watcher sees. */
class Stage {
  failed = 0;
  #titles = 0;

  title(text: string): void {
    this.#titles += 1;
    this.say(`\n${this.#titles}. ${text}`);
  }

  check(what: string, held: boolean, detail?: string): void {
    if (!held) this.failed += 1;
    this.say(`   ${held ? '✓' : '✗'} ${what}${detail === undefined ? '' : `  (${detail})`}`);
  }

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}
