/**
 * A business as its console shows it: a platform, people with phones who have talked through it, users of each role,
 * and a receiver of webhooks, all of it made over HTTP and SIP as in life. Browsers visit it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Phone, PhoneCall } from '@samar/devcarrier';
import { expect } from 'vitest';
import { type TestDatabase, testDatabase } from '../../packages/server/src/store/testing.ts';
import { type Browser, startBrowser, type Visitor } from './browser.ts';
import { type ApiAnswer, pause, settledCalls } from './platform.ts';
import { eventually, hears, type OpenSession, prompt, type Scene, startScene } from './scene.ts';

export const roles = ['admin', 'operator', 'investigator', 'auditor'] as const;
export type Role = (typeof roles)[number];
const names: Readonly<Record<Role, string>> = {
  admin: 'Adi Wijaya',
  operator: 'Oki Lestari',
  investigator: 'Ines Hartono',
  auditor: 'Aulia Rahman',
};
const password = 'sungai batu kertas';

export interface Stage {
  readonly scene: Scene;
  readonly browser: Browser;
  readonly database: TestDatabase;
  /** Where browsers go: `localhost`, for cookies are for secure places only. */
  readonly origin: string;
  readonly users: Readonly<Record<Role, { readonly id: string; readonly email: string }>>;
  readonly receiver: Receiver;
  /** A visitor who has logged in with the password, at the path below /console. */
  enter(role: Role, path?: string, options?: Parameters<Browser['visitor']>[0]): Promise<Visitor>;
  /** Makes what the business's own systems would; throws unless it is answered with 2xx. */
  make(path: string, body: object, method?: string): Promise<ApiAnswer['body']>;
  stop(): Promise<void>;
}

/** A tenant's own system, which hears of events. */
export interface Receiver {
  readonly url: string;
  /** What it answers with from now on. */
  answers: number;
  readonly got: readonly string[];
}

export async function startStage(): Promise<Stage> {
  const database = await testDatabase();
  const { receiver, close } = await startReceiver();
  const scene = await startScene({ databaseUrl: database.url, webhookAllow: ['127.0.0.0/8'] });
  const browser = await startBrowser();
  const origin = `http://localhost:${scene.platform.server.http.port}`;
  const make: Stage['make'] = async (path, body, method = 'POST') => {
    const { status, text, body: made } = await scene.call(method, path, body);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${text}`);
    return made;
  };
  await make('/v1/settings', { timeZone: 'Asia/Jakarta', businessName: 'Jalan Express' }, 'PATCH');
  const invited = async (role: Role) => {
    const email = `${role}@jalan.example`;
    const { user, invitationUrl } = await make('/v1/users', { email, name: names[role], role });
    const token = new URL(invitationUrl).hash.slice(1);
    const answer = await fetch(`${origin}/v1/auth/invitation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password }),
    });
    if (answer.status !== 200) throw new Error(`invitation: ${await answer.text()}`);
    return { id: String(user.id), email };
  };
  return {
    ...{ scene, browser, database, origin, receiver, make },
    users: {
      admin: await invited('admin'),
      operator: await invited('operator'),
      investigator: await invited('investigator'),
      auditor: await invited('auditor'),
    },
    async enter(role, path = '/sessions', options = {}) {
      const visitor = await browser.visitor(options);
      const { page } = visitor;
      await page.goto(`${origin}/console${path}`);
      const [address, word] = [page.locator('input[type=email]'), page.locator('input[type=password]')];
      await address.fill(`${role}@jalan.example`);
      await word.fill(password);
      await word.press('Enter');
      await page.locator('nav').first().waitFor();
      return visitor;
    },
    async stop() {
      await browser.stop();
      await scene.stop();
      await close();
      await database.drop();
    },
  };
}

async function startReceiver(): Promise<{ readonly receiver: Receiver; close(): Promise<void> }> {
  const got: string[] = [];
  const receiver = { url: '', answers: 204, got };
  const server = createServer((request, response) => {
    got.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.writeHead(receiver.answers).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/samar`;
  return {
    receiver,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Talk {
  readonly session: OpenSession;
  readonly agent: Phone;
  readonly customer: Phone;
  /** Id of the recorded call. */
  readonly call: string;
  /** Path of the customer's own page. */
  readonly customersPage: string;
}

/** Dials again where the platform is too busy with the browser beside it: it says so with 503. */
async function reached(phone: Phone, number = ''): Promise<PhoneCall> {
  for (let attempt = 1; ; attempt++) {
    const call = phone.dial(number);
    const answer = await call.answered;
    if (answer.ok) return call;
    if (answer.status !== 503 || attempt === 10) throw new Error(`not answered: ${answer.status}`);
    await pause(2_000);
  }
}

/** Agent and customer talk by turns, and both have heard that it is recorded. */
export async function recordedTalk(stage: Stage, reference: string): Promise<Talk> {
  const { scene } = stage;
  const [agent, customer] = [await scene.phone(), await scene.phone()];
  const session = await scene.open(
    [
      { role: 'agent', phone: agent.number, name: 'Budi Santoso', locale: 'en' },
      { role: 'customer', phone: customer.number, name: 'Sari Dewi', locale: 'id' },
    ],
    { reference, recording: 'announce' },
  );
  const incoming = customer.nextCall();
  const calling = await reached(agent, session.dials[0]);
  const answered = await incoming;
  expect(await hears(answered, prompt('id/recording'))).toBeGreaterThan(0.85);
  const recording = `select from recordings where session = $1 and status = 'recording'`;
  await eventually(
    'the recording',
    async () => (await stage.database.database.query('', recording, [session.id])).length === 1,
    10_000,
  );
  await calling.say(prompt('en/consent').subarray(0, 20_000));
  await pause(1_500);
  await answered.say(prompt('id/consent').subarray(0, 20_000));
  await pause(1_500);
  await calling.say(prompt('en/unavailable').subarray(0, 8_000));
  calling.hangUp();
  const call = (await settledCalls(scene.call, session.id)).at(-1);
  expect(call.recording.status).toBe('complete');
  const customersPage = new URL(session.body.participants[1].transparencyUrl).pathname;
  return { session, agent, customer, call: call.id, customersPage };
}

const leavesMessage = {
  rules: [
    { name: 'late', when: 'now.hour >= 23', then: { refuse: 'closed' } },
    { then: [{ connect: { to: 'agent', ringSeconds: 5 } }, { voicemail: { for: 'agent', maxSeconds: 30 } }] },
  ],
};

/** A customer leaves a message, for the agent's phone is off. */
export async function leftMessage(stage: Stage, reference: string): Promise<OpenSession> {
  const { scene } = stage;
  const agent = await scene.phone({ onRing: 'unavailable' });
  const customer = await scene.phone();
  const session = await scene.open(
    [
      { role: 'customer', phone: customer.number, locale: 'en' },
      { role: 'agent', phone: agent.number, locale: 'en' },
    ],
    { reference, program: { rules: leavesMessage.rules.slice(1) } },
  );
  const calling = await reached(customer, session.dials[0]);
  expect(await hears(calling, prompt('en/voicemail'))).toBeGreaterThan(0.85);
  // The greeting's last words, and the tone.
  await pause(4_500);
  await calling.say(prompt('en/unavailable'));
  await calling.press('#');
  await calling.ended;
  await settledCalls(scene.call, session.id);
  return session;
}

/** Sessions of a day, a program, a block, a restriction, an export: what lists and pages show. */
export async function daysWork(stage: Stage) {
  const { scene, make } = stage;
  const program = await make('/v1/programs', { name: 'deliveries', definition: leavesMessage });
  const people = await Promise.all(Array.from({ length: 6 }, () => scene.phone()));
  const numberOf = (place: number) => people[place % people.length]?.number;
  const sessions: OpenSession[] = [];
  for (let place = 0; place < 9; place++) {
    sessions.push(
      await scene.open(
        [
          { role: 'agent', phone: numberOf(place) },
          { role: 'customer', phone: numberOf(place + 1 + (place % 3)) },
        ],
        {
          reference: `ORDER-${2201 + place}`,
          ...(place === 7 ? { opensAt: new Date(Date.now() + 3_600_000).toISOString() } : {}),
          ...(place % 2 === 0 ? { program: 'deliveries' } : {}),
        },
      ),
    );
  }
  await make(`/v1/sessions/${sessions[8]?.id}/close`, { reason: 'resolved' });
  await make('/v1/blocks', { phone: numberOf(0), reason: 'report 771: threats' });
  const dispute = await make('/v1/disputes', {
    session: sessions[1]?.id,
    category: 'fraud',
    statement: 'The driver asked for money before the delivery.',
    against: sessions[1]?.ids[0],
  });
  const stranger = await scene.phone();
  await scene.open(
    [
      { role: 'agent', phone: numberOf(1) },
      { role: 'customer', phone: stranger.number },
    ],
    {
      reference: 'ORDER-2100',
    },
  );
  for (const kind of ['export', 'restrict']) {
    await make(`/v1/privacy/${kind}`, { phone: stranger.number, reason: 'letter of 3 November' });
  }
  await make('/v1/keys', { name: 'checkout', scopes: ['sessions:read', 'sessions:write'] });
  return { program: String(program.id), sessions, dispute: String(dispute.id), stranger };
}

/** An endpoint that said 410: what happened for it is dead. */
export async function deadEndpoint(stage: Stage): Promise<string> {
  const { receiver, make, scene } = stage;
  receiver.answers = 410;
  const { id } = await make('/v1/webhooks', { url: receiver.url, description: 'Order system' });
  await scene.open([
    { role: 'agent', phone: (await scene.phone()).number },
    { role: 'customer', phone: (await scene.phone()).number },
  ]);
  const gone = async () => (await scene.call('GET', `/v1/webhooks/${id}`)).body.disabledBecause === 'gone';
  await eventually('the endpoint is off', gone, 20_000);
  receiver.answers = 204;
  return id;
}
