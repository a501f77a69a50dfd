#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { nodeDoors } from '@samar/doors';
import { createDevCarrier } from './carrier.ts';

const help = `samar-devcarrier: a pretend phone network on your desk

  Softphones (Linphone, baresip, …) register here under a phone number; a call to another registered number rings that
  phone, a call to any other number goes to Samar, and what Samar calls is delivered to the phones.

Options
  --listen HOST:PORT   where phones register, UDP and TCP   (127.0.0.1:5070)
  --trunk HOST:PORT    where Samar takes calls              (127.0.0.1:5060)
  --password WORD      every phone's password               (none: phones register without one)
  --help

In the softphone: user = the phone's number (+6281200000001), domain = HOST:PORT of --listen.
In Samar: POST /v1/carriers {"name":"desk","kind":"sip","host":HOST,"port":PORT,"transport":"udp"}
`;

function endpoint(text: string, option: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) throw new Error(`${option} must be HOST:PORT`);
  return { host, port: Number(port) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string', default: '127.0.0.1:5070' },
      trunk: { type: 'string', default: '127.0.0.1:5060' },
      password: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const listen = endpoint(values.listen, '--listen');
  const trunk = endpoint(values.trunk, '--trunk');
  const carrier = await createDevCarrier({
    doors: nodeDoors(),
    address: listen.host,
    port: listen.port,
    trunk: { ...trunk, transport: 'udp' },
    ...(values.password === undefined ? {} : { password: values.password }),
    onCall: ({ from, result }) => process.stdout.write(`call from ${from}: ${result}\n`),
  });
  process.stdout.write(`phones register at ${carrier.local.address}:${carrier.local.port}; Ctrl-C ends\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void carrier.close().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`samar-devcarrier: ${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
