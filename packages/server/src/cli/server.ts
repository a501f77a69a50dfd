import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Doors, nodeDoors } from '@samar/doors';
import { createMediaEngine } from '@samar/media';
import type { ListenOn } from '@samar/sip';
import { Registry } from 'prom-client';
import { createApi } from '../api/index.ts';
import type { Config } from '../config.ts';
import {
  checkWebhookUrl,
  createAsker,
  createLiveEvents,
  createWebhooks,
  nodeTransport,
  webhookRules,
} from '../events/index.ts';
import { actAs } from '../masking/actor.ts';
import { createMasking } from '../masking/index.ts';
import { scopes } from '../masking/service.ts';
import { openDatabase } from '../store/index.ts';
import { createSwitch, loadPrompts, nameOf, type Switch } from '../switch/index.ts';
import { createObjectStore, createTrust } from '../trust/index.ts';
import { createUsers } from '../users/index.ts';
import { createVault } from '../vault/index.ts';
import type { Logger } from './log.ts';
import { backlogMetrics, failureMetrics, platformMetrics } from './metrics.ts';
import { startPretendNetwork } from './pretend.ts';
import { createTelephone } from './telephone.ts';

/** The tenant of an installation that has only one; the first migration makes it. */
const defaultTenant = 'default';

export interface Server {
  readonly http: { readonly host: string; readonly port: number };
  readonly sip: Switch['bound'];
  readonly databaseKind: 'embedded' | 'external';
  /** The admin key, when this start made it; it can't be shown again. */
  readonly newAdminKey: string | undefined;
  /** Nobody can log in to the console yet. */
  readonly nobody: boolean;
  /** No new calls; running ones get `drainSeconds`; then everything is closed in order. Idempotent. */
  stop(drainSeconds?: number): Promise<void>;
}

export interface ServerOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly doors?: Doors;
  /** Told of each step of the start. */
  readonly progress?: (step: string) => void;
}

/** Starts the platform. When something can't start, what had started is stopped again and the error says what to do. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, log } = options;
  const doors = options.doors ?? nodeDoors();
  const progress = options.progress ?? (() => {});
  const running: { readonly name: string; stop(): Promise<unknown> }[] = [];

  /** Newest first; one part's failure doesn't keep the others from stopping. */
  async function stopAll(): Promise<void> {
    for (const part of running.splice(0).reverse()) {
      await part
        .stop()
        .catch((error: unknown) =>
          log.error('did not stop cleanly', { part: part.name, error: nameOf(error) }),
        );
    }
  }

  try {
    progress('database');
    const database = await openDatabase({
      ...(config.databaseUrl === undefined
        ? { dataDir: config.dataDir, embedded: { report: ({ event }) => log.info('database', { event }) } }
        : { url: config.databaseUrl }),
      onMigration: (migration) => log.info('migration', { migration }),
      report: ({ event }) => log.warn('database', { event }),
      // A caller listens to silence meanwhile: better a clear 503 soon than an answer late.
      waitMilliseconds: 2_500,
    });
    running.push({ name: 'database', stop: () => database.close() });
    const recordings = join(config.dataDir, 'recordings');
    await mkdir(recordings, { recursive: true, mode: 0o700 });
    await chmod(recordings, 0o700);

    const vault = await createVault({ database, masterKey: config.masterKey, dataDir: config.dataDir });
    const prompts = await loadPrompts(promptsDirectory, config.promptsDir);
    const rules = webhookRules(config.webhookAllow);
    const transport = nodeTransport();
    const registry = new Registry();
    backlogMetrics(registry, database);
    const countFailure = failureMetrics(registry);
    const report = (task: string, error: unknown) => {
      countFailure(task);
      log.warn('background work failed', { task, error: nameOf(error) });
    };
    const masking = createMasking({
      database,
      vault,
      doors,
      prompts: prompts.names,
      asker: createAsker({ doors, transport, rules }),
      webhookProblem: (url) => checkWebhookUrl(url, rules),
      report,
      ...(config.adminKey === undefined ? {} : { adminKey: config.adminKey }),
    });
    const newAdminKey = config.adminKey === undefined ? await firstKey(masking) : undefined;
    const node = config.nodeName ?? (await nodeName(config.dataDir, doors));
    const { interrupted } = await masking.start({ node, boot: doors.random.bytes(8).toString('hex') });
    running.push({ name: 'masking', stop: () => masking.stop() });
    if (interrupted > 0) log.warn('calls were interrupted by the last stop', { calls: interrupted });

    const objects = objectStore(config, doors);
    const trust = await createTrust({
      ...{ database, vault, doors, masking, recordings, report },
      anchors: join(config.dataDir, 'ledger-roots'),
      ...(objects && { objects }),
    });
    await trust.start();
    running.push({ name: 'trust', stop: () => trust.stop() });
    const webhooks = createWebhooks({ database, vault, doors, transport, rules, report });
    await webhooks.start();
    running.push({ name: 'webhooks', stop: () => webhooks.stop() });
    const live = createLiveEvents({ database, vault, doors, report });
    await live.start();
    running.push({ name: 'live events', stop: () => live.stop() });

    progress('media');
    const media = await createMediaEngine({
      doors,
      address: config.sipHost,
      ports: config.rtpPorts,
      prompts: prompts.audio,
      callsPerWorker: config.callsPerWorker,
      silence: config.rtpTimeout * 1_000,
      ...(config.mediaWorkers === undefined ? {} : { workers: config.mediaWorkers }),
    });
    running.push({ name: 'media', stop: () => media.close() });

    progress('signalling');
    const metrics = platformMetrics(registry, { media });
    const publicHost = config.publicHost ?? ownAddress(config.sipHost);
    const gate = await createSwitch({
      doors,
      masking,
      media,
      prompts,
      trunks: () => masking.trunks(),
      listen: listenOn(config),
      publicHost: isIPv6(publicHost) ? `[${publicHost}]` : publicHost,
      mediaAddress: publicHost,
      recordings,
      locate: (stored) => trust.custody.locate(stored),
      reportCall: ({ tenant, call, session, participant, when }) =>
        actAs(participant, async () => {
          await trust.disputes.open(tenant, {
            ...{ session, call, category: 'other', statement: reportedByKey[when] },
            openedBy: { kind: 'call', id: participant },
          });
        }),
      limits: { calls: config.maxCalls },
      events: { ...metrics.switchEvents, log: (level, message, details) => log[level](message, details) },
    });
    running.push({ name: 'switch', stop: () => gate.close() });
    metrics.watchSwitch(gate);

    const refreshing = withTrunkRefresh(masking, gate);
    const pretend = config.pretendNetwork
      ? await startPretendNetwork({
          doors,
          masking: refreshing,
          tenant: defaultTenant,
          address: publicHost,
          sipPort: gate.bound[0]?.port ?? config.sipPort,
        })
      : undefined;
    if (pretend) {
      running.push({ name: 'pretend network', stop: () => pretend.stop() });
      log.warn('the pretend phone network is on, for trying only: whoever reaches /try uses its phones');
    }

    progress('api');
    const publicUrl = () => config.publicUrl?.replace(/\/+$/, '') ?? `http://localhost:${httpPort()}`;
    const users = createUsers({ database, vault, doors }, { publicUrl });
    const nobody = !(await users.any());
    const api = createApi({
      masking: refreshing,
      phones: pretend?.phones,
      trust,
      users,
      webhooks,
      live,
      telephone: createTelephone(doors, masking, gate),
      publicUrl: config.publicUrl,
      rateLimit: config.rateLimit,
      ...(config.trustedProxies.length === 0 ? {} : { trustProxy: [...config.trustedProxies] }),
      registry,
      log,
      checks: {
        database: () => database.query('', 'select 1', []).then(() => undefined),
        sip: async () => (gate.bound.length > 0 ? undefined : 'no SIP port is bound'),
      },
    });
    await api.listen({ host: config.httpHost, port: config.httpPort });
    running.push({ name: 'api', stop: () => api.close() });
    const port = httpPort();
    function httpPort(): number {
      const address = api.server.address();
      return typeof address === 'object' && address ? address.port : config.httpPort;
    }

    let stopping: Promise<void> | undefined;
    return {
      http: { host: config.httpHost, port },
      sip: gate.bound,
      databaseKind: config.databaseUrl === undefined ? 'embedded' : 'external',
      newAdminKey,
      nobody,
      stop(drainSeconds = config.drainSeconds) {
        stopping ??= gate.drain(drainSeconds * 1_000).then(stopAll);
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

export const promptsDirectory = fileURLToPath(new URL('../../../../prompts', import.meta.url));

/** The statement of a dispute that nobody has worded. */
const reportedByKey = {
  during: 'Reported by a key during the call.',
  after: 'Reported by a key after the call.',
} as const;

/** Where finished recordings go, if anywhere but the disk. */
export function objectStore(config: ObjectStoreConfig, { clock }: Pick<Doors, 'clock'>) {
  const { recordingsS3Url: url, recordingsS3KeyId: keyId, recordingsS3Secret: secret } = config;
  if (url === undefined || keyId === undefined || secret === undefined) return undefined;
  return createObjectStore({ url, keyId, secret, region: config.recordingsS3Region ?? 'us-east-1', clock });
}

type ObjectStoreConfig = Partial<
  Pick<Config, 'recordingsS3Url' | 'recordingsS3KeyId' | 'recordingsS3Secret' | 'recordingsS3Region'>
>;

/** A carrier that the API has acknowledged must be able to call at once, not when the switch looks next. */
function withTrunkRefresh<M extends Awaited<ReturnType<typeof createMasking>>>(masking: M, gate: Switch): M {
  async function refreshed<T>(change: Promise<T>): Promise<T> {
    const result = await change;
    await gate.refreshTrunks();
    return result;
  }
  return {
    ...masking,
    createCarrier: (...arguments_) => refreshed(masking.createCarrier(...arguments_)),
    updateCarrier: (...arguments_) => refreshed(masking.updateCarrier(...arguments_)),
    deleteCarrier: (...arguments_) => refreshed(masking.deleteCarrier(...arguments_)),
  };
}

/** Made once an installation: the key that makes all other keys. */
async function firstKey(masking: Awaited<ReturnType<typeof createMasking>>): Promise<string | undefined> {
  const { items } = await masking.listApiKeys(defaultTenant, { limit: 1 });
  if (items.length > 0) return undefined;
  const { secret } = await masking.createApiKey(defaultTenant, { name: 'first key', scopes: [...scopes] });
  return secret;
}

/** The same name after every restart on this data directory: so that the calls which a crash cut off are found. */
async function nodeName(dataDir: string, doors: Doors): Promise<string> {
  const file = join(dataDir, 'node-name');
  const known = await readFile(file, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const name = `node-${doors.random.bytes(6).toString('hex')}`;
  await writeFile(file, `${name}\n`, { mode: 0o600 });
  return name;
}

function listenOn(config: Config): ListenOn[] {
  const { sipHost: address, sipPort: port } = config;
  const listen: ListenOn[] = [
    { transport: 'udp', address, port },
    { transport: 'tcp', address, port },
  ];
  if (config.sipTlsPort !== undefined && config.sipTlsKey && config.sipTlsCertificate) {
    const tls = { key: config.sipTlsKey, certificate: config.sipTlsCertificate };
    listen.push({ transport: 'tls', address, port: config.sipTlsPort, tls });
  }
  return listen;
}

/** An address that others can send to, when we listen on all of them. */
function ownAddress(listening: string): string {
  if (listening !== '0.0.0.0' && listening !== '::') return listening;
  const family = listening === '::' ? 'IPv6' : 'IPv4';
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (!address.internal && address.family === family && !address.address.startsWith('fe80'))
        return address.address;
    }
  }
  return family === 'IPv6' ? '::1' : '127.0.0.1';
}
