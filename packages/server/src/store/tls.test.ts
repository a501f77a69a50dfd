import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { chooseAccount } from './embedded/account.ts';
import { startEmbedded } from './embedded.ts';

const directory = mkdtempSync(join(tmpdir(), 'samar-tls-'));
chmodSync(directory, 0o711);
const file = (name: string) => join(directory, name);
const made = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
  ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key.pem'), '-out', file('certificate.pem')],
]);
expect(made.status).toBe(0);
const { ids } = chooseAccount(file('data/postgres'));
if (ids !== undefined)
  for (const name of ['key.pem', 'certificate.pem']) chownSync(file(name), ids.uid, ids.gid);

const port = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
});
const server = await startEmbedded({
  dataDirectory: file('data'),
  sync: false,
  settings: {
    listen_addresses: '127.0.0.1',
    port: String(port),
    ssl: 'on',
    ssl_cert_file: file('certificate.pem'),
    ssl_key_file: file('key.pem'),
  },
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const open = (host: string, parameters: string) =>
  openDatabase({
    url: `postgresql://samar@${host}:${port}/postgres?${parameters}`,
    migrations: false,
    waitMilliseconds: 2000,
  });

async function encrypted(parameters: string): Promise<boolean | undefined> {
  const database = await open('localhost', parameters);
  try {
    const [row] = await database.query<{ ssl: boolean }>(
      '',
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
      [],
    );
    return row?.ssl;
  } finally {
    await database.close();
  }
}

const authority = `sslrootcert=${encodeURIComponent(file('certificate.pem'))}`;

test('TLS with a known authority', async () => {
  expect(await encrypted(`sslmode=verify-full&${authority}`)).toBe(true);
  expect(await encrypted(`sslmode=require&${authority}`)).toBe(true);
  expect(await encrypted('sslmode=no-verify')).toBe(true);
  expect(await encrypted('sslmode=disable')).toBe(false);
});

test('an unknown authority and a wrong name are refused in words', async () => {
  await expect(open('localhost', 'sslmode=require')).rejects.toThrow('its certificate is self-signed');
  await expect(open('127.0.0.1', `sslmode=verify-full&${authority}`)).rejects.toThrow(
    'for another host name',
  );
});
