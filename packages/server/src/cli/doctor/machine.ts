import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import type { Doors } from '@samar/doors';
import type { Config } from '../../config.ts';
import { attempt, codeOf, type Finding, ok, problem, warning } from './findings.ts';

const MEGABYTE = 1024 * 1024;
/** PostgreSQL stops when its disk is full; below this a day of recordings may fill it. */
const LITTLE_DISK = 2048 * MEGABYTE;
const TOO_LITTLE_DISK = 256 * MEGABYTE;
/** Before the first release: a clock that was never set. */
const EARLIEST = Date.UTC(2026, 0, 1);
/** Files that a server holds besides its calls: database connections, HTTP, logs, Node's own. */
const OTHER_FILES = 500;
/** Two legs, each with a socket for RTP and one for RTCP. */
const PORTS_A_CALL = 4;

export function nodeVersion(version: string): Finding {
  const major = Number(version.replace(/^v/, '').split('.')[0]);
  if (major >= 24) return ok('Node.js', version);
  return problem('Node.js', `${version} is too old`, 'Start Samar through npm, or install Node.js 24.');
}

export function clock(now: number): Finding {
  const time = new Date(now).toISOString();
  if (now >= EARLIEST) return ok('clock', time);
  return problem('clock', `it says ${time}`, 'Set the clock; sessions end by it. Run an NTP service.');
}

/** Process id of the Samar that uses this data directory now, if one does. */
export async function runningProcess(dataDir: string): Promise<number | undefined> {
  const text = await attempt(() => readFile(join(dataDir, 'samar.pid'), 'utf8'));
  const pid = Number.parseInt(text ?? '', 10);
  if (!Number.isInteger(pid) || pid < 1) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return codeOf(error) === 'EPERM' ? pid : undefined;
  }
}

export async function dataDirectory(directory: string): Promise<readonly Finding[]> {
  const what = 'data directory';
  const found = await attempt(() => stat(directory));
  if (found === undefined) {
    const parent = await nearestExisting(directory);
    if (await writable(parent))
      return [ok(what, `${directory} will be made at the first start`), await disk(parent)];
    return [
      problem(
        what,
        `${directory} does not exist, and ${parent} is not writable`,
        'Make it, and give it to this user.',
      ),
    ];
  }
  if (!found.isDirectory()) return [problem(what, `${directory} is not a directory`, 'Set SAMAR_DATA_DIR.')];
  const findings: Finding[] = [];
  if (!(await writable(directory))) {
    findings.push(
      problem(what, `${directory} is not writable for this user`, 'Give it to the user that runs Samar.'),
    );
  } else if ((found.mode & 0o022) !== 0) {
    findings.push(
      problem(what, `other users can write to ${directory}`, `Take that away: chmod go-w ${directory}`),
    );
  } else {
    findings.push(ok(what, directory));
  }
  return [...findings, await disk(directory)];
}

async function nearestExisting(path: string): Promise<string> {
  let at = path;
  while (dirname(at) !== at && (await attempt(() => stat(at))) === undefined) at = dirname(at);
  return at;
}

async function writable(path: string): Promise<boolean> {
  return (await attempt(() => access(path, constants.W_OK | constants.X_OK).then(() => true))) ?? false;
}

async function disk(path: string): Promise<Finding> {
  const found = await attempt(() => statfs(path));
  if (found === undefined)
    return warning('disk', 'the free space can not be read', 'Look at it yourself: df -h');
  const free = found.bavail * found.bsize;
  const words = `${Math.floor(free / MEGABYTE).toLocaleString('en')} MB free`;
  const remedy = 'Make room; an hour of recorded talk takes about 58 MB.';
  if (free < TOO_LITTLE_DISK) return problem('disk', words, remedy);
  return free < LITTLE_DISK ? warning('disk', words, remedy) : ok('disk', words);
}

export async function masterKey(config: Pick<Config, 'masterKey' | 'dataDir'>): Promise<Finding> {
  const what = 'master key';
  if (config.masterKey !== undefined) return ok(what, 'given by SAMAR_MASTER_KEY');
  const file = join(config.dataDir, 'master.key');
  const found = await attempt(() => stat(file));
  if (found === undefined) {
    // The data directory's own files tell a first start from a lost key.
    const used = await attempt(() => stat(join(config.dataDir, 'postgres')));
    if (used === undefined) return ok(what, `${file} will be made at the first start`);
    return problem(
      what,
      `${file} is missing, but there is a database`,
      'Restore the key from your backup; without it nothing personal can be read.',
    );
  }
  if ((found.mode & 0o077) !== 0) {
    return problem(
      what,
      `other users can read ${file}`,
      `Make it private: chmod 600 ${file}; then rotate the key.`,
    );
  }
  return warning(
    what,
    `${file}, beside the data that it protects`,
    'Good for trying. In production give SAMAR_MASTER_KEY_FILE from a secret store, and back the key up elsewhere.',
  );
}

/** `openFiles`: the process's limit, where it is known. */
export function capacity(
  config: Pick<Config, 'rtpPorts' | 'maxCalls'>,
  openFiles: number | undefined,
): readonly Finding[] {
  const byPorts = Math.floor((config.rtpPorts.to - config.rtpPorts.from + 1) / PORTS_A_CALL);
  const calls = Math.min(byPorts, config.maxCalls);
  const bound = byPorts < config.maxCalls ? ', fewer than SAMAR_MAX_CALLS allows' : '';
  const findings: Finding[] = [ok('RTP ports', `enough for ${byPorts} calls at once${bound}`)];
  const needed = calls * PORTS_A_CALL + OTHER_FILES;
  if (openFiles === undefined) return findings;
  findings.push(
    openFiles < needed
      ? problem(
          'open files',
          `the limit of ${openFiles} is too low for ${calls} calls, which need ${needed}`,
          `Raise it: ulimit -n ${needed}, or LimitNOFILE=${needed} in the systemd unit; or lower SAMAR_MAX_CALLS.`,
        )
      : ok('open files', `up to ${openFiles}`),
  );
  return findings;
}

/** The limit of this process, infinity for "unlimited"; undefined where Node can not tell. */
export function openFilesLimit(): number | undefined {
  // A report otherwise looks up the names of every peer.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = report.userLimits?.open_files?.soft;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : typeof soft === 'number' ? soft : undefined;
}

/** Ports that the system gives to other sockets may be taken when a call wants them. Linux only. */
export async function ephemeralPorts(
  config: Pick<Config, 'rtpPorts'>,
  file = '/proc/sys/net/ipv4/ip_local_port_range',
): Promise<Finding | undefined> {
  const text = await attempt(() => readFile(file, 'utf8'));
  const [, from, to] = /^(\d+)\s+(\d+)/.exec(text ?? '') ?? [];
  if (from === undefined || to === undefined) return undefined;
  const { rtpPorts } = config;
  if (rtpPorts.to < Number(from) || rtpPorts.from > Number(to))
    return ok('RTP ports', 'kept apart from the system’s own');
  return warning(
    'RTP ports',
    `the system gives ports ${from} to ${to} to any program, SAMAR_RTP_PORTS lies among them`,
    `Reserve them: sysctl -w net.ipv4.ip_local_reserved_ports=${rtpPorts.from}-${rtpPorts.to}`,
  );
}

/** Tries to bind what `samar serve` binds. `running`: the Samar that may hold them now. */
export async function ports(
  config: Config,
  doors: Doors,
  running: number | undefined,
): Promise<readonly Finding[]> {
  const http = { address: config.httpHost, port: config.httpPort };
  const sip = { address: config.sipHost, port: config.sipPort };
  const tcp = (where: typeof http) => () =>
    doors.network.listenTcp(where, (connection) => connection.destroy());
  const tries: [string, string, number, () => Promise<{ close(): Promise<void> }>][] = [
    ['HTTP port', 'SAMAR_HTTP_PORT', http.port, tcp(http)],
    ['SIP port, UDP', 'SAMAR_SIP_PORT', sip.port, () => doors.network.udp(sip)],
    ['SIP port, TCP', 'SAMAR_SIP_PORT', sip.port, tcp(sip)],
  ];
  if (config.sipTlsPort !== undefined) {
    const tls = { address: config.sipHost, port: config.sipTlsPort };
    tries.push(['SIP port, TLS', 'SAMAR_SIP_TLS_PORT', tls.port, tcp(tls)]);
  }
  return Promise.all(
    tries.map(async ([what, variable, port, bind]) => {
      try {
        await (await bind()).close();
        return ok(what, `${port} is free`);
      } catch (error) {
        return unbound(what, variable, port, codeOf(error), running);
      }
    }),
  );
}

function unbound(
  what: string,
  variable: string,
  port: number,
  code: string,
  running: number | undefined,
): Finding {
  switch (code) {
    case 'EADDRINUSE':
      return running === undefined
        ? problem(
            what,
            `${port} is taken by another program`,
            `Stop that one (ss -lnp shows it), or set ${variable}.`,
          )
        : ok(what, `${port} is in use; Samar runs (process ${running})`);
    case 'EACCES':
      return problem(
        what,
        `this user may not use ${port}`,
        `Choose one above 1023 by ${variable}, or allow it.`,
      );
    case 'EADDRNOTAVAIL':
      return problem(
        what,
        'this machine does not have that address',
        'Set SAMAR_HTTP_HOST or SAMAR_SIP_HOST.',
      );
    default:
      return problem(what, `${port} can not be opened (${code})`, `Set ${variable}.`);
  }
}

/** Whether trunks can reach the address that we write into SIP and SDP. */
export function publicAddress(
  config: Pick<Config, 'publicHost' | 'sipHost'>,
  interfaces = networkInterfaces(),
): Finding {
  const what = 'public address';
  if (config.publicHost !== undefined) return ok(what, 'given by SAMAR_PUBLIC_HOST');
  const everywhere = config.sipHost === '0.0.0.0' || config.sipHost === '::';
  const addresses = everywhere
    ? Object.values(interfaces).flatMap((list) => (list ?? []).filter((entry) => !entry.internal))
    : [{ address: config.sipHost }];
  if (addresses.some(({ address }) => !isPrivate(address))) return ok(what, 'this machine has one');
  return warning(
    what,
    'this machine has only private addresses',
    'Fine for a trunk in the same network. For one on the internet set SAMAR_PUBLIC_HOST to the address it reaches you by, and forward the SIP and RTP ports.',
  );
}

function isPrivate(address: string): boolean {
  return /^(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1$|f[cd]|fe80)/i.test(
    address,
  );
}
