import type { Config } from '../config.ts';
import { createLog } from './log.ts';
import { startServer } from './server.ts';

/** `samar serve`: runs until SIGTERM or SIGINT; a second signal ends it at once. Resolves to the exit code. */
export async function serve(config: Config): Promise<number> {
  const log = createLog(config.logLevel);
  const server = await startServer({ config, log, progress: (step) => log.debug('starting', { step }) });
  if (server.newAdminKey !== undefined) {
    // Its own line, not a log line: it must not end up in a log store.
    process.stderr.write(`\nYour first API key, shown only now:\n\n    ${server.newAdminKey}\n\n`);
  }
  log.info('ready', {
    http: `${server.http.host}:${server.http.port}`,
    sip: server.sip.map(({ transport, address, port }) => `${transport}:${address}:${port}`).join(' '),
    database: server.databaseKind,
  });
  if (server.nobody) {
    log.info('nobody can log in to the console yet', {
      try: 'samar users add --email <address> --name <name> --role admin',
    });
  }
  const signal = await nextSignal();
  log.info('stopping', { signal, drainSeconds: config.drainSeconds });
  void nextSignal().then(() => process.exit(1));
  await server.stop();
  log.info('stopped');
  return 0;
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
  });
}
