/**
 * Session creations a second over HTTP, durable and encrypted, with 1 and with 32 clients on kept connections.
 * The server is this process; the load comes from a child process, so that the two don't share an event loop.
 * Before each round the same is asked of the heart directly: the difference is what HTTP costs.
 *
 *   npx node bench/api-sessions.ts [seconds per round, default 5]
 *
 * DATABASE_URL is not read: a database of its own is made on the test server and dropped at the end.
 */
import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { phone, testApi } from '../packages/server/src/api/testing.ts';

interface Round {
  readonly clients: number;
  readonly seconds: number;
  readonly port: number;
  readonly key: string;
  readonly firstPerson: number;
}
interface Job {
  readonly reference: string;
  readonly participants: readonly { readonly role: string; readonly phone: string }[];
  readonly ttlSeconds: number;
}
interface Figures {
  readonly made: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

const numbersInPool = 200;

if (process.argv[2] === 'load') process.once('message', (round: Round) => void load(round));
else await serve(Number(process.argv[2] ?? 5));

async function serve(seconds: number): Promise<void> {
  const api = await testApi({ rateLimit: 1_000_000 });
  await api.stock(numbersInPool);
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  console.log(
    `POST /v1/sessions, 2 participants, pool of ${numbersInPool}, ${seconds} s a round after a warm-up`,
  );
  let firstPerson = 0;
  for (const clients of [4, 1, 32]) {
    const warmUp = clients === 4;
    const round = { clients, seconds: warmUp ? 2 : seconds, port, key: api.adminKey, firstPerson };
    const open = async ({ reference, participants }: Job) => {
      const people = participants.map(({ role, phone: number }) => ({ role, phones: [number] }));
      await api.masking.createSession('default', { reference, participants: people, ttlSeconds: 3600 });
      return 201;
    };
    for (const [way, run] of [
      ['the heart alone', () => drive(round, open)],
      ['over HTTP', () => inChild({ ...round, firstPerson })],
    ] as const) {
      const cpu = process.cpuUsage();
      const figures = await run();
      const { user, system } = process.cpuUsage(cpu);
      firstPerson += 2 * (figures.made + figures.failed) + 1000;
      if (!warmUp) print(clients, way, figures, (user + system) / Math.max(1, figures.made));
    }
  }
  await api.close();
}

function inChild(round: Round): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1] ?? '', ['load'], { execPath: process.execPath });
    child.once('message', (figures) => resolve(figures as Figures));
    child.once('exit', (code) => reject(new Error(`load process ended with ${code}`)));
    child.send(round);
  });
}

function print(
  clients: number,
  way: string,
  { made, failed, seconds, p50, p99 }: Figures,
  micros: number,
): void {
  const parts = [
    `${String(clients).padStart(2)} clients, ${way.padEnd(15)}: ${(made / seconds).toFixed(0).padStart(5)} sessions/s`,
    `p50 ${p50.toFixed(2)} ms`,
    `p99 ${p99.toFixed(2)} ms`,
    `CPU of this process ${micros.toFixed(0)} µs a session`,
    `${failed} failed`,
  ];
  console.log(parts.join(', '));
}

/** Each client opens one session after the other, every one for two people who never met before. */
async function drive(
  { clients, seconds, firstPerson }: Round,
  open: (job: Job) => Promise<number>,
): Promise<Figures> {
  const latencies: number[] = [];
  let person = firstPerson;
  let failed = 0;
  const started = performance.now();
  const until = started + seconds * 1000;
  async function client(): Promise<void> {
    while (performance.now() < until) {
      const participants = [
        { role: 'agent', phone: phone(person++) },
        { role: 'customer', phone: phone(person++) },
      ];
      const begun = performance.now();
      const status = await open({ reference: `job-${person}`, participants, ttlSeconds: 3600 });
      if (status === 201) latencies.push(performance.now() - begun);
      else failed += 1;
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = (performance.now() - started) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { made: latencies.length, failed, seconds: elapsed, p50: at(0.5), p99: at(0.99) };
}

async function load(round: Round): Promise<void> {
  const { clients, port, key } = round;
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const open = (job: Job) =>
    new Promise<number>((resolve, reject) => {
      const body = JSON.stringify(job);
      const headers = {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/sessions', headers });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
      sent.end(body);
    });
  process.send?.(await drive(round, open));
  process.disconnect();
  agent.destroy();
}
