import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, settings } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'samar-config-'));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('settings', () => {
  test('have the defaults of the blueprint', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ httpPort: 8080, sipPort: 5060, databaseUrl: undefined, logLevel: 'info' });
    expect(config.dataDir).toMatch(/\/data$/);
    expect(config.trustedProxies).toEqual([]);
    const behind = loadConfig({ SAMAR_TRUSTED_PROXIES: '127.0.0.1, fd00::/8' });
    expect(behind.trustedProxies).toEqual(['127.0.0.1', 'fd00::/8']);
    expect(() => loadConfig({ SAMAR_TRUSTED_PROXIES: 'everybody' })).toThrow('SAMAR_TRUSTED_PROXIES');
    expect(config.webhookAllow).toEqual([]);
    const allowing = loadConfig({ SAMAR_WEBHOOK_ALLOW: '10.0.0.0/8, 192.0.2.1' });
    expect(allowing.webhookAllow).toEqual(['10.0.0.0/8', '192.0.2.1']);
  });

  test('come from the environment before the file', () => {
    const path = file('samar.toml', 'http_port = 9000\nsip_port = 5080\nrtp_ports = "30000-30100"\n');
    const config = loadConfig({ SAMAR_HTTP_PORT: '9001' }, path);
    expect(config).toMatchObject({ httpPort: 9001, sipPort: 5080, rtpPorts: { from: 30_000, to: 30_100 } });
  });

  test('can stand in a file of their own', () => {
    const path = file('admin-key', 'a-key-with-sixteen-characters\n');
    expect(loadConfig({ SAMAR_ADMIN_KEY_FILE: path }).adminKey).toBe('a-key-with-sixteen-characters');
    expect(loadConfig({ DATABASE_URL_FILE: file('url', 'postgres://x\n') }).databaseUrl).toBe('postgres://x');
  });

  test.each([
    [{ SAMAR_HTTP_PORT: '80a' }, 'SAMAR_HTTP_PORT must be a whole number'],
    [{ SAMAR_HTTP_PORT: '70000' }, 'SAMAR_HTTP_PORT must be a whole number from 0 to 65535'],
    [{ SAMAR_RTP_PORTS: '5000' }, 'SAMAR_RTP_PORTS must be two ports'],
    [{ SAMAR_RTP_PORTS: '30000-20000' }, 'SAMAR_RTP_PORTS must be two ports'],
    [{ SAMAR_SIP_HOST: 'example.com' }, 'SAMAR_SIP_HOST must be an IP address'],
    [{ SAMAR_PUBLIC_HOST: 'example.com' }, 'SAMAR_PUBLIC_HOST must be an IP address'],
    [{ SAMAR_ADMIN_KEY: 'short' }, 'SAMAR_ADMIN_KEY must have at least 16'],
    [{ SAMAR_SIP_TLS_PORT: '5061' }, 'SAMAR_SIP_TLS_PORT needs'],
    [{ SAMAR_LOG_LEVEL: 'loud' }, 'SAMAR_LOG_LEVEL must be one of'],
    [{ SAMAR_WEBHOOK_ALLOW: '10.0.0.0/8,decisions' }, 'SAMAR_WEBHOOK_ALLOW must be IP addresses or networks'],
    [{ SAMAR_PRETEND_NETWORK: 'yes' }, 'SAMAR_PRETEND_NETWORK must be true or false'],
    [
      { SAMAR_PRETEND_NETWORK: 'true', SAMAR_PUBLIC_URL: 'https://masking.example' },
      'its page at /try has no log-in',
    ],
    [{ SAMAR_HTPP_PORT: '1' }, 'SAMAR_HTPP_PORT is no setting'],
    [{ SAMAR_MASTER_KEY_FILE: '/does/not/exist' }, 'SAMAR_MASTER_KEY can not be read'],
    [{ SAMAR_ADMIN_KEY: 'a-key-with-sixteen-characters', SAMAR_ADMIN_KEY_FILE: '/x' }, 'both set'],
  ])('say what is wrong: %j', (environment, message) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError);
    expect(() => loadConfig(environment)).toThrow(message);
  });

  test('are refused by line when the file is broken, unknown or missing', () => {
    expect(() => loadConfig({}, file('broken.toml', 'a = 1\nb = = 2\n'))).toThrow(
      /not valid TOML \(line 2\)/,
    );
    expect(() => loadConfig({}, file('unknown.toml', 'htpp_port = 1\n'))).toThrow('htpp_port is no setting');
    expect(() => loadConfig({}, file('list.toml', 'http_port = [1]\n'))).toThrow(
      'must be a text, a whole number, or true or false',
    );
    expect(() => loadConfig({}, join(directory, 'missing.toml'))).toThrow('does not exist');
  });

  test('never repeat a secret', () => {
    const path = file('weak', 'hunter2');
    expect(() => loadConfig({ SAMAR_ADMIN_KEY_FILE: path })).toThrow(/^(?!.*hunter2).*$/s);
  });

  test('are all in docs/configuration.md', () => {
    const documentation = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    for (const { variable } of Object.values(settings)) expect(documentation).toContain(`\`${variable}\``);
  });
});
