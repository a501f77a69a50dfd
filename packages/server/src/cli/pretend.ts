/**
 * The pretend phone network inside the platform's own process (`SAMAR_PRETEND_NETWORK`): a carrier, a few virtual
 * numbers, and the two phones of the page at /try. Everything between the phones is the real thing: SIP, RTP, the
 * heart, the database. For trying only: whoever reaches the page uses the phones.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createDevCarrier, createWebPhone } from '@samar/devcarrier';
import type { Doors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { actAs } from '../masking/actor.ts';
import { type Carrier, type Masking, MaskingError } from '../masking/service.ts';
import type { PhoneName, PretendPhones, TrialSession } from '../pages/index.ts';

export interface PretendNetwork {
  readonly phones: PretendPhones;
  stop(): Promise<void>;
}

export interface PretendOptions {
  readonly doors: Doors;
  readonly masking: Masking;
  readonly tenant: string;
  /** Where this platform takes calls and media, as seen from this machine; the phones are at the same address. */
  readonly address: string;
  readonly sipPort: number;
}

const people: readonly { readonly name: PhoneName; readonly role: string; readonly number: string }[] = [
  { name: 'driver', role: 'agent', number: '+6281100000001' },
  { name: 'customer', role: 'customer', number: '+6281200000002' },
];
const carrierName = 'pretend';
/** For sessions that people open by the API while they try: the default pool, while it has no numbers. */
const defaultPool = { name: 'default', numbers: ['+6221500081', '+6221500082', '+6221500083'] };
/** The page's own: tried again and again by the same two, so it takes numbers that still cool down. */
const tryPool = { name: 'try', numbers: ['+6221500091', '+6221500092', '+6221500093', '+6221500094'] };
const reference = 'try';
const sessionSeconds = 3_600;

export async function startPretendNetwork(options: PretendOptions): Promise<PretendNetwork> {
  const { doors, masking, tenant, address } = options;
  // Others on this network of machines must not register phones here.
  const password = doors.random.bytes(16).toString('hex');
  const network = await createDevCarrier({
    doors,
    address,
    port: 0,
    trunk: { host: address, port: options.sipPort, transport: 'udp' },
    password,
  });
  const sentences = await loadSentences();
  const phones = await Promise.all(
    people.map(({ number }) =>
      createWebPhone({ doors, number, carrier: network.local, address, password, sentences }),
    ),
  );
  await actAs('try', () => connect(masking, tenant, address, network.local.port));
  const sessions = trialSessions(masking, tenant);
  return {
    phones: {
      phones: people.map(({ name, number }) => ({ name, number })),
      attach(name, channel) {
        const phone = phones[people.findIndex((person) => person.name === name)];
        if (!phone) throw new Error('there is no such phone');
        return phone.attach(channel);
      },
      openSession: (language) => actAs('try', () => sessions.open(language)),
      closeSession: () => actAs('try', () => sessions.close()),
    },
    async stop() {
      await Promise.all(phones.map((phone) => phone.close()));
      await network.close();
    },
  };
}

async function loadSentences(): Promise<ReadonlyMap<string, Int16Array>> {
  const names = ['driver', 'customer', 'customer-back', 'driver-back'];
  const directory = new URL('../../../devcarrier/speech/', import.meta.url);
  const load = async (name: string) =>
    loadPrompt(await readFile(fileURLToPath(new URL(`${name}.wav`, directory))));
  return new Map(await Promise.all(names.map(async (name) => [name, await load(name)] as const)));
}

/** What an installation needs before it can call: made once, and found again at the next start. */
async function connect(masking: Masking, tenant: string, host: string, port: number): Promise<void> {
  const place = { host, port, transport: 'udp' as const };
  const known = await findCarrier(masking, tenant);
  if (!known) await masking.createCarrier(tenant, { name: carrierName, kind: 'sip', ...place });
  else await masking.updateCarrier(tenant, known.id, { ...place, allowedSources: [host], enabled: true });
  for (const pool of [defaultPool, tryPool]) {
    const { items } = await masking.listNumbers(tenant, { pool: pool.name }, { limit: 1 });
    if (items.length > 0) continue;
    const { numbers, name } = pool;
    await masking.addNumbers(tenant, { numbers, pool: name, carrier: carrierName, capabilities: ['voice'] });
  }
  await masking.updatePool(tenant, tryPool.name, { exhaustion: 'reuse-oldest' });
}

async function findCarrier(masking: Masking, tenant: string): Promise<Carrier | undefined> {
  let after: string | undefined;
  do {
    const page = await masking.listCarriers(tenant, {
      limit: 200,
      ...(after === undefined ? {} : { after }),
    });
    const found = page.items.find(({ name }) => name === carrierName);
    if (found) return found;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

/** One session at a time: opening another closes the one before. */
function trialSessions(masking: Masking, tenant: string) {
  let open: string | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  /** Two visitors at once wait for each other. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work, work);
    turn = next.catch(() => undefined);
    return next;
  }
  async function end(): Promise<boolean> {
    if (open === undefined) return false;
    const ending = open;
    open = undefined;
    await masking.closeSession(tenant, ending, { reason: 'resolved' });
    return true;
  }
  async function begin(language: 'en' | 'id'): Promise<TrialSession> {
    await end();
    const session = await masking.createSession(tenant, {
      reference,
      pool: tryPool.name,
      ttlSeconds: sessionSeconds,
      recording: 'announce',
      participants: people.map(({ role, number }) => ({ role, phones: [number], locale: language })),
    });
    open = session.id;
    return {
      id: session.id,
      participants: session.participants.map((participant, index) => {
        const token = session.transparencyTokens.get(participant.id);
        const person = people[index];
        if (token === undefined || !person) throw new MaskingError('invalid', 'The session is incomplete.');
        return { phone: person.name, dial: participant.dial, transparency: `/t/${token}` };
      }),
    };
  }
  return {
    open: (language: 'en' | 'id') => inTurn(() => begin(language)),
    close: () => inTurn(end),
  };
}
