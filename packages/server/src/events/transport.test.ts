import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { httpServer, question } from './testing.ts';
import { nodeTransport } from './transport.ts';

it('sends nothing where it has connected to an address that was not checked', async () => {
  let asked = 0;
  const server = await httpServer((_request, response) => {
    asked += 1;
    response.end('{}');
  });
  try {
    const request = {
      // Node asks nobody for an address that stands in the URL: the guard behind the guard.
      url: new URL(`http://127.0.0.1:${server.port}/`),
      headers: {},
      body: '{}',
      signal: new AbortController().signal,
      mostBytes: 100,
    };
    const transport = nodeTransport();
    await expect(transport({ ...request, addresses: ['127.0.0.2'] })).rejects.toThrow('not checked');
    expect(asked).toBe(0);
    // The same address in another spelling is the same.
    const same = await transport({ ...request, addresses: ['::ffff:127.0.0.1'] });
    expect([same.status, asked]).toEqual([200, 1]);
  } finally {
    await server.close();
  }
});

it('takes no proxy from the environment', async () => {
  const server = await httpServer((_request, response) => response.end('"direct"'));
  const proxy = await httpServer((_request, response) => response.end('"by proxy"'));
  const at = new URL('./index.ts', import.meta.url).href;
  const code = `
    const { createAsker, nodeTransport, webhookRules } = await import(${JSON.stringify(at)});
    const { nodeDoors } = await import('@samar/doors');
    const ask = createAsker({ doors: nodeDoors(), transport: nodeTransport(), rules: webhookRules(['127.0.0.1']) });
    const url = 'http://127.0.0.1:${server.port}/';
    console.log(JSON.stringify(await ask({ ...${JSON.stringify(question)}, url })));`;
  const proxyUrl = `http://127.0.0.1:${proxy.port}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: new URL('.', import.meta.url),
    env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, http_proxy: proxyUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let printed = '';
    child.stdout.on('data', (data) => {
      printed += data;
    });
    await once(child, 'close');
    expect(JSON.parse(printed)).toEqual({ ok: true, answer: 'direct' });
    expect([server.connections, proxy.connections]).toEqual([1, 0]);
  } finally {
    await Promise.all([server.close(), proxy.close()]);
  }
});
