import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { simulatedDoors } from '@samar/doors';
import { describe, expect, it } from 'vitest';
import {
  answering,
  countEvents,
  inviteOptions,
  loopbackStack,
  place,
  simulatedStack,
  until,
} from './testing.ts';
import type { Dialog, DialogEnd } from './types.ts';
import { requestLines } from './wire.ts';

async function server(limits = {}) {
  const world = simulatedDoors(31);
  const events = countEvents();
  const stack = await simulatedStack(world, '192.0.2.2', { onEvent: events.onEvent, limits }, 'tcp');
  const connect = async () => {
    const options = {
      address: '192.0.2.2',
      port: 5060,
      localAddress: '192.0.2.9',
      timeoutMilliseconds: 1_000,
    };
    const connection = await world.network.connectTcp(options);
    const seen = { text: '', closed: false };
    connection.onData((data) => {
      seen.text += data.toString();
    });
    connection.onClose(() => {
      seen.closed = true;
    });
    return { connection, seen };
  };
  return { world, stack, events, connect };
}
const options = `${requestLines('OPTIONS').join('\r\n').replace('/UDP', '/TCP')}\r\nContent-Length: 0\r\n\r\n`;

describe('a connection', () => {
  it('is answered on, however its bytes are cut', async () => {
    const { world, connect } = await server();
    const { connection, seen } = await connect();
    for (const character of options + options.replace('OPTIONS-1', 'OPTIONS-2'))
      connection.write(Buffer.from(character));
    await world.advance(10);
    expect(seen.text.match(/SIP\/2\.0 200 OK/g)).toHaveLength(2);
  });

  it('leaves from the address that we listen on, as peers filter by source', async () => {
    const { world, stack } = await server();
    const sources: string[] = [];
    await world.network.listenTcp({ address: '192.0.2.7', port: 5060 }, (connection) => {
      sources.push(connection.remote.address);
      connection.destroy();
    });
    const uri = 'sip:192.0.2.7';
    void stack.request({
      method: 'OPTIONS',
      target: { host: '192.0.2.7', port: 5060, transport: 'tcp' },
      uri,
      from: { uri },
      to: { uri },
    });
    await world.advance(100);
    expect(sources).toEqual(['192.0.2.2']);
  });

  it('gets a CRLF for its double CRLF', async () => {
    const { world, connect } = await server();
    const { connection, seen } = await connect();
    connection.write(Buffer.from('\r\n\r\n'));
    await world.advance(10);
    expect(seen.text).toBe('\r\n');
  });

  it('that never ends its message is closed, though it goes on byte by byte', async () => {
    const { world, connect, stack, events } = await server({ partialMessage: 1_000 });
    const { connection, seen } = await connect();
    for (const character of options.slice(0, 15)) {
      connection.write(Buffer.from(character));
      await world.advance(100);
    }
    expect(seen.closed).toBe(true);
    expect([stack.counts.connections, events.counts.get('slow-connection')]).toEqual([0, 1]);
  });

  it('that is idle is closed', async () => {
    const { world, connect, stack } = await server({ idleConnection: 1_000 });
    const { connection, seen } = await connect();
    connection.write(Buffer.from(options));
    await world.advance(1_500);
    expect(seen.closed).toBe(false);
    await world.advance(1_000);
    expect([seen.closed, stack.counts.connections, world.pending]).toEqual([true, 0, 0]);
  });

  it('past the limit is closed at once', async () => {
    const { world, connect, stack } = await server({ connections: 1 });
    const first = await connect();
    const second = await connect();
    await world.advance(10);
    expect([first.seen.closed, second.seen.closed, stack.counts.connections]).toEqual([false, true, 1]);
  });

  it('with a message that cannot be framed is closed', async () => {
    const { world, connect, events } = await server();
    const { connection, seen } = await connect();
    connection.write(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    await world.advance(10);
    expect([seen.closed, events.counts.get('malformed')]).toEqual([true, 1]);
  });
});

describe('TLS', () => {
  it('carries a call between two stacks, and only to the name on the certificate', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sip-tls-'));
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    await promisify(execFile)('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-keyout', keyFile, '-out', certificateFile],
    ]);
    const [key, certificate] = await Promise.all([readFile(keyFile), readFile(certificateFile)]);
    await rm(folder, { recursive: true });
    const dialogs: Dialog[] = [];
    const ends: DialogEnd[] = [];
    const listen = [{ transport: 'tls' as const, address: '127.0.0.1', port: 0, tls: { key, certificate } }];
    const common = { listen, certificateAuthority: certificate };
    const callee = await loopbackStack({ ...common, onInvite: answering(dialogs, ends) });
    const caller = await loopbackStack(common);
    const stranger = await loopbackStack({ listen });
    try {
      const { outcome } = place(caller, inviteOptions(callee, 'tls'));
      await until(() => outcome.dialog !== undefined, 'the answer');
      outcome.dialog?.bye();
      await until(() => ends.length === 1, 'the end');
      expect(ends).toEqual(['remote-bye']);
      const refused = place(stranger, inviteOptions(callee, 'tls'));
      await until(() => refused.outcome.failure !== undefined, 'the refusal');
      expect(refused.outcome.failure).toEqual({ kind: 'unreachable' });
    } finally {
      await Promise.all([caller.close(), callee.close(), stranger.close()]);
    }
  });
});
