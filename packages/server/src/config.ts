/**
 * Every setting of a Samar process in one table: where it comes from, what it may be, and what it is when nobody says.
 * Order: environment (`SAMAR_X`, or `SAMAR_X_FILE` naming a file that holds the value), then `samar.toml`, then the
 * default. Unknown keys in the file and unknown `SAMAR_` variables are errors: a typing mistake must not pass.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { parse as parseToml } from 'smol-toml';
import { webhookRules } from './events/index.ts';

export interface Config {
  readonly httpHost: string;
  readonly httpPort: number;
  readonly sipHost: string;
  readonly sipPort: number;
  readonly sipTlsPort: number | undefined;
  readonly sipTlsKey: string | undefined;
  readonly sipTlsCertificate: string | undefined;
  readonly sipCertificateAuthority: string | undefined;
  /** What stands in Via, Contact and SDP; undefined: found out at start. */
  readonly publicHost: string | undefined;
  readonly publicUrl: string | undefined;
  readonly rtpPorts: { readonly from: number; readonly to: number };
  /** Seconds without RTP after which a call is ended. */
  readonly rtpTimeout: number;
  readonly mediaWorkers: number | undefined;
  readonly callsPerWorker: number;
  readonly maxCalls: number;
  readonly dataDir: string;
  /** Own prompts, which go before the built-in ones. */
  readonly promptsDir: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly masterKey: string | undefined;
  readonly adminKey: string | undefined;
  readonly nodeName: string | undefined;
  /** Seconds that running calls get after SIGTERM. */
  readonly drainSeconds: number;
  readonly rateLimit: number;
  readonly logLevel: LogLevel;
  /** Networks, besides the public internet, in which decision webhooks may be asked. */
  readonly webhookAllow: readonly string[];
  /** Bucket of an S3-compatible store, path style, in which finished recordings are kept. */
  readonly recordingsS3Url: string | undefined;
  readonly recordingsS3Region: string;
  readonly recordingsS3KeyId: string | undefined;
  readonly recordingsS3Secret: string | undefined;
  /** A pretend carrier, numbers, and two phones at /try; for trying only. */
  readonly pretendNetwork: boolean;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A setting that can't be used; the message names it and says what it may be, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface Setting<T> {
  /** Environment variable; the key in samar.toml is the same without `SAMAR_`, in lower case. */
  readonly variable: string;
  readonly about: string;
  /** As it stands in the documentation. */
  readonly default: string;
  readonly secret?: true;
  /** Throws an Error whose message completes "NAME …". */
  read(text: string | undefined): T;
}

function text(variable: string, about: string, fallback: string): Setting<string> {
  return { variable, about, default: fallback, read: (value) => value ?? fallback };
}

function optional(variable: string, about: string, fallback: string): Setting<string | undefined> {
  return { variable, about, default: fallback, read: (value) => value };
}

function secret(variable: string, about: string, fallback: string): Setting<string | undefined> {
  return { variable, about, default: fallback, secret: true, read: (value) => value?.trim() };
}

function whole(variable: string, about: string, fallback: number, from: number, to: number): Setting<number> {
  return {
    variable,
    about,
    default: String(fallback),
    read: (value) => wholeNumber(value, from, to) ?? fallback,
  };
}

function wholeNumber(value: string | undefined, from: number, to: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < from || number > to) {
    throw new Error(`must be a whole number from ${from} to ${to}`);
  }
  return number;
}

export const settings: { readonly [Key in keyof Config]: Setting<Config[Key]> } = {
  httpHost: text('SAMAR_HTTP_HOST', 'Address that the HTTP API listens on.', '0.0.0.0'),
  httpPort: whole('SAMAR_HTTP_PORT', 'Port of the HTTP API; 0 lets the system choose.', 8080, 0, 65_535),
  sipHost: {
    variable: 'SAMAR_SIP_HOST',
    about: 'IP address that SIP and RTP listen on.',
    default: '0.0.0.0',
    read(value = '0.0.0.0') {
      if (!isIP(value)) throw new Error('must be an IP address of this machine (0.0.0.0 for all)');
      return value;
    },
  },
  sipPort: whole(
    'SAMAR_SIP_PORT',
    'Port of SIP over UDP and TCP; 0 lets the system choose.',
    5060,
    0,
    65_535,
  ),
  sipTlsPort: {
    variable: 'SAMAR_SIP_TLS_PORT',
    about: 'Port of SIP over TLS; needs key and certificate.',
    default: 'no TLS',
    read: (value) => wholeNumber(value, 0, 65_535),
  },
  sipTlsKey: secret('SAMAR_SIP_TLS_KEY', 'PEM of the TLS key (use …_FILE).', 'none'),
  sipTlsCertificate: optional(
    'SAMAR_SIP_TLS_CERTIFICATE',
    'PEM of the TLS certificate chain (use …_FILE).',
    'none',
  ),
  sipCertificateAuthority: optional(
    'SAMAR_SIP_CERTIFICATE_AUTHORITY',
    'PEM of the authority that trunks reached by TLS must be signed by.',
    "the system's",
  ),
  publicHost: optional(
    'SAMAR_PUBLIC_HOST',
    'IP address under which trunks reach this machine, when it stands behind NAT.',
    'SAMAR_SIP_HOST, or the first address of this machine',
  ),
  publicUrl: optional(
    'SAMAR_PUBLIC_URL',
    'Where people reach the console and the transparency pages; passkeys are bound to its host.',
    'http://localhost:<SAMAR_HTTP_PORT>',
  ),
  rtpPorts: {
    variable: 'SAMAR_RTP_PORTS',
    about: 'Ports of RTP and RTCP, `from-to`; each leg of a call takes two.',
    default: '20000-29999',
    read(value = '20000-29999') {
      const [, from = 0, to = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(value) ?? []).map(Number);
      if (from < 1_024 || to > 65_535 || to - from < 3) {
        throw new Error(
          'must be two ports with a dash, from 1024 to 65535, at least four ports (20000-29999)',
        );
      }
      return { from, to };
    },
  },
  rtpTimeout: whole(
    'SAMAR_RTP_TIMEOUT',
    'Seconds without any RTP after which a call is ended.',
    60,
    5,
    86_400,
  ),
  mediaWorkers: {
    variable: 'SAMAR_MEDIA_WORKERS',
    about: 'Threads that relay media.',
    default: 'one less than the cores, at least 1',
    read: (value) => wholeNumber(value, 1, 64),
  },
  callsPerWorker: whole('SAMAR_CALLS_PER_WORKER', 'Calls with media that one thread takes.', 400, 1, 10_000),
  maxCalls: whole('SAMAR_MAX_CALLS', 'Calls at once; more get 503 with Retry-After.', 5_000, 1, 100_000),
  dataDir: {
    variable: 'SAMAR_DATA_DIR',
    about: 'Directory of the embedded database, keys and recordings.',
    default: './data',
    read: (value = './data') => resolve(value),
  },
  promptsDir: optional(
    'SAMAR_PROMPTS_DIR',
    "Directory of your own prompts, `<language>/<name>.wav`; they go before Samar's, or add to them.",
    'none',
  ),
  databaseUrl: secret('DATABASE_URL', 'PostgreSQL 15 or later; unset: the embedded PostgreSQL.', 'embedded'),
  masterKey: secret(
    'SAMAR_MASTER_KEY',
    '32 bytes, base64 or hexadecimal; several as `version:key`, comma-separated.',
    'made in the data directory, readable by its owner only',
  ),
  adminKey: secret(
    'SAMAR_ADMIN_KEY',
    "The installation's first API key; at least 16 characters.",
    'made and printed once',
  ),
  nodeName: optional(
    'SAMAR_NODE_NAME',
    'Name of this node, unique among nodes of one database.',
    'made in the data directory',
  ),
  drainSeconds: whole('SAMAR_DRAIN_SECONDS', 'Seconds that running calls get after SIGTERM.', 300, 0, 86_400),
  rateLimit: whole('SAMAR_RATE_LIMIT', 'API requests a second of one key.', 1_000, 1, 1_000_000),
  logLevel: {
    variable: 'SAMAR_LOG_LEVEL',
    about: `Least level that is logged: ${logLevels.join(', ')}.`,
    default: 'info',
    read(value = 'info') {
      const level = logLevels.find((known) => known === value);
      if (!level) throw new Error(`must be one of ${logLevels.join(', ')}`);
      return level;
    },
  },
  webhookAllow: {
    variable: 'SAMAR_WEBHOOK_ALLOW',
    about:
      'Networks in which webhooks may be sent and decision webhooks asked besides the public internet, also by http and at any port; addresses or CIDR, comma-separated.',
    default: 'none',
    read(value = '') {
      const networks = value.split(',').flatMap((one) => one.trim() || []);
      webhookRules(networks);
      return networks;
    },
  },
  recordingsS3Url: {
    variable: 'SAMAR_RECORDINGS_S3_URL',
    about:
      'Where finished recordings are kept: a bucket of an S3-compatible store, path style, and a folder in it (https://s3.example.com/bucket/recordings).',
    default: 'none: in the data directory',
    read(value) {
      if (value === undefined) return undefined;
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const usable =
        url !== undefined &&
        /^https?:$/.test(url.protocol) &&
        url.pathname.length > 1 &&
        `${url.username}${url.password}${url.search}${url.hash}` === '';
      if (!usable) throw new Error('must be an http or https URL with a bucket, and nothing else in it');
      return value;
    },
  },
  recordingsS3Region: text('SAMAR_RECORDINGS_S3_REGION', 'Region that requests are signed for.', 'us-east-1'),
  recordingsS3KeyId: secret('SAMAR_RECORDINGS_S3_KEY_ID', 'Access key id of the store.', 'none'),
  recordingsS3Secret: secret('SAMAR_RECORDINGS_S3_SECRET', 'Secret access key of the store.', 'none'),
  pretendNetwork: {
    variable: 'SAMAR_PRETEND_NETWORK',
    about:
      'For trying only: `true` makes a pretend carrier with a few numbers, and two phones in the browser at /try, open to whoever reaches it. Refused beside a SAMAR_PUBLIC_URL with https.',
    default: 'false',
    read(value = 'false') {
      if (value !== 'true' && value !== 'false') throw new Error('must be true or false');
      return value === 'true';
    },
  },
  trustedProxies: {
    variable: 'SAMAR_TRUSTED_PROXIES',
    about:
      'Reverse proxies whose X-Forwarded-For is believed, so that wrong log-ins and keys are counted by the real address; addresses or CIDR, comma-separated.',
    default: 'none',
    read(value = '') {
      const networks = value.split(',').flatMap((one) => one.trim() || []);
      const wrong = networks.some((one) => !ipaddr.isValid(one) && !ipaddr.isValidCIDR(one));
      if (wrong) throw new Error('must be addresses or CIDR, comma-separated (10.0.0.0/8)');
      return networks;
    },
  },
};

/** Variables that other parts of Samar read (tests, tools); allowed to stand in the environment. */
const foreign = /^SAMAR_(TEST|PEERS|BENCH|CONFIG)(_|$)/;

/**
 * Reads the settings. `file`: path of samar.toml; by default `SAMAR_CONFIG`, or `samar.toml` in the working directory
 * where it exists. Throws `ConfigError`.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>, file?: string): Config {
  const named = file ?? environment['SAMAR_CONFIG'];
  const fromFile = readConfigFile(named ?? 'samar.toml', named !== undefined);
  const known = new Set(Object.values(settings).flatMap(({ variable }) => [variable, `${variable}_FILE`]));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('SAMAR_') && !known.has(name) && !foreign.test(name)) {
      throw new ConfigError(`${name} is no setting of Samar; see docs/configuration.md for those that are`);
    }
  }
  const entries = Object.entries(settings).map(([key, setting]) => {
    const { variable } = setting;
    try {
      return [key, setting.read(fromEnvironment(environment, variable) ?? fromFile.get(keyOf(variable)))];
    } catch (error) {
      throw new ConfigError(`${variable} ${error instanceof Error ? error.message : 'is not usable'}`);
    }
  });
  const config = Object.fromEntries(entries) as unknown as Config;
  if (config.sipTlsPort !== undefined && !(config.sipTlsKey && config.sipTlsCertificate)) {
    throw new ConfigError(
      'SAMAR_SIP_TLS_PORT needs SAMAR_SIP_TLS_KEY_FILE and SAMAR_SIP_TLS_CERTIFICATE_FILE',
    );
  }
  const s3 = [config.recordingsS3Url, config.recordingsS3KeyId, config.recordingsS3Secret];
  if (s3.some((one) => one === undefined) && s3.some((one) => one !== undefined)) {
    throw new ConfigError(
      'SAMAR_RECORDINGS_S3_URL, SAMAR_RECORDINGS_S3_KEY_ID and SAMAR_RECORDINGS_S3_SECRET belong together: set all or none',
    );
  }
  if (config.adminKey !== undefined && config.adminKey.length < 16) {
    throw new ConfigError('SAMAR_ADMIN_KEY must have at least 16 characters');
  }
  if (config.pretendNetwork && /^https:/i.test(config.publicUrl ?? '')) {
    throw new ConfigError(
      'SAMAR_PRETEND_NETWORK is for trying only and stands beside no SAMAR_PUBLIC_URL with https: its page at /try has no log-in',
    );
  }
  if (config.publicHost !== undefined && !isIP(config.publicHost)) {
    throw new ConfigError('SAMAR_PUBLIC_HOST must be an IP address: it stands in SDP');
  }
  return config;
}

function keyOf(variable: string): string {
  return variable.replace(/^SAMAR_/, '').toLowerCase();
}

function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  variable: string,
): string | undefined {
  const value = environment[variable];
  const file = environment[`${variable}_FILE`];
  if (value !== undefined && value !== '' && file)
    throw new Error(`and ${variable}_FILE are both set: keep one`);
  if (file) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      throw new Error('can not be read from the file that its _FILE variable names');
    }
  }
  return value === '' ? undefined : value;
}

function readConfigFile(path: string, required: boolean): ReadonlyMap<string, string> {
  if (!existsSync(path)) {
    if (required) throw new ConfigError(`the configuration file ${path} does not exist`);
    return new Map();
  }
  let table: Record<string, unknown>;
  try {
    table = parseToml(readFileSync(path, 'utf8'));
  } catch (error) {
    const line = (error as { line?: number }).line;
    throw new ConfigError(`${path} is not valid TOML${line === undefined ? '' : ` (line ${line})`}`);
  }
  const known = new Set(Object.values(settings).map(({ variable }) => keyOf(variable)));
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(table)) {
    if (!known.has(key))
      throw new ConfigError(`${path}: ${key} is no setting of Samar; see docs/configuration.md`);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new ConfigError(`${path}: ${key} must be a text, a whole number, or true or false`);
    }
    values.set(key, String(value));
  }
  return values;
}
