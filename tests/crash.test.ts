import { readFile } from 'node:fs/promises';
import { createDevCarrier, createPhone, type DevCarrier, likeness, loudness } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { expect, test } from 'vitest';
import { type ChildPlatform, childPlatform } from './support/child-platform.ts';
import { type ApiAnswer, connectTrunk, openSession, pause } from './support/platform.ts';
import { inParallel, rawCarrier } from './support/raw-caller.ts';
import { channel, sweep } from './support/sound.ts';
import { rowsOf } from './support/sql.ts';

/** `kill -9` while calls run and while sessions are being opened: what was acknowledged is there afterwards. */
const doors = nodeDoors();
const agent = '+6281139475502';
const customer = '+6281264819377';
const stock = (count: number) =>
  Array.from({ length: count }, (_, index) => `+62215003${String(index).padStart(4, '0')}`);

/** The bound for a start after a crash, from the process's first moment to a call that was answered. */
const callsAgainWithin = 3_000;
/** A machine that has other things to do delays every start; the fastest of so many counts. */
const starts = 3;
/** What of a recording may be lost, and how late the phones' own voices may be. Milliseconds. */
const lostAtMost = 1_000 + 200;

async function withPlatform(work: (platform: ChildPlatform) => Promise<void>): Promise<void> {
  const platform = await childPlatform();
  try {
    await platform.start();
    await work(platform);
  } finally {
    await platform.remove();
  }
}

async function withPhones(
  platform: ChildPlatform,
  work: (network: DevCarrier, phone: (number: string) => ReturnType<typeof createPhone>) => Promise<void>,
): Promise<void> {
  const network = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: platform.sipPort, transport: 'udp' },
  });
  const phones: { close(): Promise<void> }[] = [];
  try {
    await work(network, async (number) => {
      const phone = await createPhone({ doors, number, carrier: network.local, ringMilliseconds: 0 });
      phones.push(phone);
      return phone;
    });
  } finally {
    for (const phone of phones) await phone.close();
    await network.close();
  }
}

/** Kills the platform's process, and PostgreSQL with it as a power cut would, or leaves it to be taken over. */
async function crash(platform: ChildPlatform, what: 'platform' | 'everything'): Promise<void> {
  platform.signal('SIGKILL');
  if (what === 'everything') platform.killDatabase();
  expect(await platform.exited).toMatchObject({ signal: 'SIGKILL' });
}

test.each([
  ['the platform alone', 'platform'],
  ['the platform and PostgreSQL', 'everything'],
] as const)('kill -9 of %s during a recorded call', async (_, what) => {
  await withPlatform((platform) =>
    withPhones(platform, async (network, phone) => {
      await connectTrunk(platform.call, network.local.port, stock(4));
      const [near, far] = [await phone(agent), await phone(customer)];
      const { id, dials } = await openSession(platform.call, [agent, customer], { recording: 'announce' });
      const incoming = far.nextCall();
      const call = near.dial(dials[0]);
      expect(await call.answered).toEqual({ ok: true });
      const other = await incoming;
      const announcement = loadPrompt(
        await readFile(new URL('../prompts/en/recording.wav', import.meta.url)),
      );
      await pause(announcement.length / 8 + 800);
      const [there, back] = await Promise.all(
        ['driver', 'customer'].map(async (name) =>
          loadPrompt(await readFile(new URL(`../packages/devcarrier/speech/${name}.wav`, import.meta.url))),
        ),
      );
      if (!there || !back) throw new Error('speech is missing');
      await Promise.all([call.say(there), other.say(back)]);
      // Every moment of a sweep exists once: which part was heard tells how far the recording goes.
      const [up, down] = [sweep(300, 3_000, 20_000), sweep(3_000, 300, 20_000)];
      void call.say(up);
      void other.say(down);
      const began = performance.now();
      await pause(2_700);
      await crash(platform, what);
      const spoken = performance.now() - began;

      let fastest = Number.POSITIVE_INFINITY;
      let dialled = 0;
      for (; dialled < starts && fastest > callsAgainWithin; dialled++) {
        if (dialled > 0) await crash(platform, what);
        const ready = await platform.start();
        const began = performance.now();
        expect(await near.dial(dials[0]).answered).toEqual({ ok: true });
        fastest = Math.min(fastest, ready + performance.now() - began);
      }
      expect(fastest).toBeLessThan(callsAgainWithin);

      const calls = await callsOf(platform, id, dialled + 1);
      const record = calls.at(-1);
      expect(record).toMatchObject({ status: 'ended', outcome: 'interrupted', hangupBy: 'platform' });
      expect(record.recording).toMatchObject({ status: 'interrupted' });
      expect(Date.parse(record.answeredAt)).toBeGreaterThan(Date.parse(record.startedAt));
      expect(calls[0]).toMatchObject({ status: 'answered' });

      const wav = await platform.call('GET', `/v1/calls/${record.id}/recording?format=pcm`, undefined, {
        'x-access-reason': 'what was said before the crash',
      });
      expect(wav.status).toBe(200);
      const [left, right] = [channel(wav.bytes, 0), channel(wav.bytes, 1)];
      expect(likeness(left, there)).toBeGreaterThan(0.9);
      expect(likeness(right, back)).toBeGreaterThan(0.9);
      for (const [heard, said] of [
        [left, up],
        [right, down],
      ] as const) {
        const lost = lostOf(heard, said, spoken);
        expect(lost).toBeLessThan(lostAtMost);
        expect(loudness(heard.subarray(-4_000))).toBeGreaterThan(500);
      }
    }),
  );
});

/** Newest first. */
async function callsOf(platform: ChildPlatform, session: string, count: number) {
  const { body } = await platform.call('GET', `/v1/calls?session=${session}`);
  expect(body.items).toHaveLength(count);
  return body.items;
}

/** Milliseconds before the end of what was spoken of which nothing is to be heard; in steps of 50. */
function lostOf(heard: Int16Array, said: Int16Array, spokenMilliseconds: number): number {
  const tail = heard.subarray(-5 * 8_000);
  for (let lost = 0; lost < spokenMilliseconds - 500; lost += 50) {
    const end = Math.floor((spokenMilliseconds - lost) * 8);
    if (likeness(tail, said.subarray(end - 4_000, end)) > 0.9) return lost;
  }
  return Number.POSITIVE_INFINITY;
}

interface Opened {
  readonly id: string;
  readonly people: readonly { readonly phone: string; readonly dial: string }[];
}

interface Ledger {
  readonly opened: Map<string, Opened>;
  /** Sent and not answered when the crash came: may exist or not, and must exist once after a retry. */
  readonly unanswered: { readonly key: string; readonly body: unknown }[];
  readonly answered: { readonly key: string; readonly body: unknown; readonly id: string }[];
  readonly closed: Set<string>;
  /** The close was sent and not answered. */
  readonly closing: Set<string>;
}

test('kill -9 while sessions are opened and closed: nothing acknowledged is lost, nothing is done twice', async () => {
  await withPlatform(async (platform) => {
    const carrier = await rawCarrier(platform.sipPort);
    await connectTrunk(platform.call, carrier.port, stock(600));
    await platform.call('PATCH', '/v1/pools/default', { cooldown: { '*': 0 } });
    const ledger: Ledger = {
      opened: new Map(),
      unanswered: [],
      answered: [],
      closed: new Set(),
      closing: new Set(),
    };
    for (const what of ['platform', 'everything', 'platform'] as const) {
      await loadAndCrash(platform, ledger, what);
      await platform.start();
      // As their clients do, who can't know whether they were heard.
      await inParallel(8, ledger.unanswered.splice(0), async ({ key, body }) => {
        const answer = await platform.call('POST', '/v1/sessions', body, { 'idempotency-key': key });
        expect(answer.status).toBe(201);
        note(ledger, answer, body);
        ledger.answered.push({ key, body, id: answer.body.id });
      });
    }
    expect(ledger.opened.size).toBeGreaterThan(100);
    expect(ledger.closed.size).toBeGreaterThan(20);
    await expectKept(platform, ledger);
    await expectOnce(platform, ledger);
    await expectDecided(carrier, ledger);
    await carrier.close();
  });
});

/** Twelve clients until the platform is killed under them. */
async function loadAndCrash(
  platform: ChildPlatform,
  ledger: Ledger,
  what: 'platform' | 'everything',
): Promise<void> {
  const round = crypto.randomUUID().slice(0, 8);
  let alive = true;
  const enough = ledger.opened.size + 80;
  const clients = Array.from({ length: 12 }, async (_, client) => {
    for (let turn = 0; alive; turn++) {
      const reference = `${round}-${client}-${turn}`;
      // Three agents for all: they meet at the same rows.
      const phones = [`+6281390000${client % 3}01`, nextCustomer()];
      const body = { reference, participants: phones.map((phone) => ({ role: 'agent', phone })) };
      const keyed = client % 2 === 1;
      const answer = await platform
        .call('POST', '/v1/sessions', body, keyed ? { 'idempotency-key': reference } : {})
        .catch(() => undefined);
      if (answer === undefined) {
        if (keyed) ledger.unanswered.push({ key: reference, body });
        return;
      }
      expect(answer.status).toBe(201);
      note(ledger, answer, body);
      if (keyed) ledger.answered.push({ key: reference, body, id: answer.body.id });
      if (turn % 3 !== 2) continue;
      ledger.closing.add(answer.body.id);
      const close = await platform
        .call('POST', `/v1/sessions/${answer.body.id}/close`, { reason: 'resolved' })
        .catch(() => undefined);
      if (close === undefined) return;
      expect(close.status).toBe(200);
      ledger.closing.delete(answer.body.id);
      ledger.closed.add(answer.body.id);
    }
  });
  while (ledger.opened.size < enough) await pause(5);
  await crash(platform, what);
  alive = false;
  await Promise.all(clients);
}

let customers = 10_000_000;
function nextCustomer(): string {
  customers += 1;
  return `+62812${customers}`;
}

function note(ledger: Ledger, answer: ApiAnswer, body: unknown): void {
  const { participants } = body as { participants: readonly { phone: string }[] };
  ledger.opened.set(answer.body.id, {
    id: answer.body.id,
    people: participants.map(({ phone }, index) => ({ phone, dial: answer.body.participants[index].dial })),
  });
}

/** Every acknowledged session is there with its bindings; every acknowledged close stays. */
async function expectKept(platform: ChildPlatform, ledger: Ledger): Promise<void> {
  await inParallel(8, [...ledger.opened.values()], async ({ id, people }) => {
    const { status, body } = await platform.call('GET', `/v1/sessions/${id}`);
    expect(status).toBe(200);
    expect(body.participants.map((one: { dial: string }) => one.dial)).toEqual(
      people.map(({ dial }) => dial),
    );
    if (ledger.closed.has(id)) expect(body.status).toBe('closed');
    else if (!ledger.closing.has(id)) expect(body.status).toBe('open');
  });
  const rows = await rowsOf<{ session: string; dials: string[] | null; status: string }>(
    platform.databaseUrl(),
    `select s.session, s.status, array_agg(n.e164 order by n.e164) filter (where b.released_at is null) as dials
      from sessions s
      left join bindings b on b.tenant = s.tenant and b.session = s.session
      left join numbers n on n.tenant = b.tenant and n.number = b.number
      group by s.session, s.status`,
  );
  const live = new Map(rows.map((row) => [row.session, row]));
  for (const { id, people } of ledger.opened.values()) {
    const row = live.get(id);
    if (row?.status === 'open') expect(row.dials).toEqual(people.map(({ dial }) => dial).sort());
    else expect(row?.dials).toBeNull();
  }
  // Whatever was under way is there as a whole or not at all.
  expect(rows.filter((row) => row.status === 'open' && row.dials?.length !== 2)).toEqual([]);
}

/** One session a key, also when it is asked again, and for another body a refusal. */
async function expectOnce(platform: ChildPlatform, { answered }: Ledger): Promise<void> {
  expect(answered.length).toBeGreaterThan(30);
  await inParallel(8, answered, async ({ key, body, id }) => {
    const again = await platform.call('POST', '/v1/sessions', body, { 'idempotency-key': key });
    expect(again.status).toBe(201);
    expect(again.body.id).toBe(id);
    const found = await platform.call('GET', `/v1/sessions?reference=${key}`);
    expect(found.body.items.map((one: { id: string }) => one.id)).toEqual([id]);
  });
}

/** Calls tell the same, from the customers, each of whom is in one session: those on open sessions ring (here: busy), those on closed ones are refused. */
async function expectDecided(carrier: Awaited<ReturnType<typeof rawCarrier>>, ledger: Ledger): Promise<void> {
  await inParallel(16, [...ledger.opened.values()], async ({ id, people: [, second] }) => {
    if (second === undefined || ledger.closing.has(id)) return;
    const { status } = await carrier.call({ from: second.phone, to: second.dial });
    expect(status).toBe(ledger.closed.has(id) ? 410 : 486);
  });
  expect(carrier.reached.length).toBe(
    [...ledger.opened.keys()].filter((id) => !ledger.closed.has(id) && !ledger.closing.has(id)).length,
  );
}
