/**
 * Deliveries a second from one node, and the CPU of each: events of five to a session, endpoints that answer at once.
 *
 *   npx node bench/deliveries.ts [events, default 20000]
 *
 * `one`: one endpoint hears all of them; `ten`: each of ten endpoints hears a tenth. Receivers are reached without a
 * network (`transport`) and as HTTP servers in this process (`http`), whose CPU counts as ours. The database is made on
 * the tests' server, which does not wait for the disk, and dropped at the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { httpServer } from '../packages/server/src/events/testing.ts';
import { tenant, testWebhooks } from '../packages/server/src/events/testing-webhooks.ts';

const events = Number(process.argv[2] ?? 20_000);

console.log('endpoints   receiver    deliveries/s   own CPU ms each   claims   outcomes');
for (const endpoints of [1, 10]) {
  for (const way of ['transport', 'http'] as const) await round(endpoints, way);
}

async function round(endpoints: number, way: 'transport' | 'http'): Promise<void> {
  let got = 0;
  const on = await testWebhooks({
    'a.example.com': async () => {
      got += 1;
      return { status: 204, body: undefined };
    },
  });
  const server = await httpServer((_request, response) => {
    got += 1;
    response.writeHead(204).end();
  });
  const counts = { claim_deliveries: 0, finish_deliveries: 0 };
  const { database } = on.test;
  const query = database.query.bind(database);
  Object.assign(database, {
    query: (name: string, text: string, values: readonly unknown[]) => {
      if (name in counts) counts[name as keyof typeof counts] += 1;
      return query(name, text, values);
    },
  });
  for (let index = 0; index < endpoints; index++) {
    const url = way === 'http' ? `http://127.0.0.1:${server.port}/` : 'https://a.example.com/';
    await on.webhooks.create(tenant, { url, kinds: [`kind.${String.fromCharCode(97 + index)}`] });
  }
  await on.sql(
    `insert into events (tenant, event, at, kind, session, data)
      select $1, new_id('evt_'), now(), 'kind.' || chr(97 + i % $2::int), 'ses_' || i / 5 / $2::int || '_' || i % $2::int, '{}'
        from generate_series(0, $3::int - 1) i`,
    [tenant, endpoints, events],
  );
  const cpu = process.cpuUsage();
  const began = performance.now();
  await on.webhooks.start();
  while (got < events) await sleep(5);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    String(endpoints).padStart(9) +
      way.padStart(11) +
      (events / seconds).toFixed(0).padStart(16) +
      ((user + system) / 1_000 / events).toFixed(3).padStart(18) +
      String(counts.claim_deliveries).padStart(9) +
      String(counts.finish_deliveries).padStart(11),
  );
  await server.close();
  await on.close();
}
