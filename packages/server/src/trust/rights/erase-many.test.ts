import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../masking/ids.ts';
import { phone } from '../../masking/testing.ts';
import { type TestRights, testRights } from './testing.ts';

let stage: TestRights;
beforeAll(async () => {
  stage = await testRights();
  await stage.heart.stock({ count: 40 });
});
afterAll(() => stage.close());

const tenant = 'default';
const many = 5_000;
const reasonOf = { tenant, table: 'rights_requests', column: 'reason' };

/** Every ciphertext of a person there is, with what it is bound to. */
const values = () =>
  stage.sql<{
    readonly kind: 'phone' | 'name';
    readonly row: string;
    readonly sealed: Buffer;
    readonly party: string;
  }>(
    `select 'phone' as kind, party as row, phone as sealed, party from parties where phone is not null
      union all select 'name', participant, name, name_party from participants where name is not null`,
  );

function groups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

it('leaves 0 of 10,000 numbers and names (5,000 people) to be opened with any key that is left', async () => {
  for (let first = 0; first < many; first += 40) {
    await Promise.all(
      Array.from({ length: 4 }, (_, group) =>
        stage.heart.masking.createSession(tenant, {
          participants: Array.from({ length: 10 }, (_each, index) => {
            const person = first + 10 * group + index;
            return { role: `role${index}`, phones: [phone(1_000_000 + person)], name: `Person ${person}` };
          }),
        }),
      ),
    );
  }
  // Who stays: their keys are the ones that are left.
  const staying = Array.from({ length: 10 }, (_, index) => phone(2_000_000 + index));
  await stage.heart.masking.createSession(tenant, {
    participants: staying.map((own, index) => ({
      role: `role${index}`,
      phones: [own],
      name: `Stays ${index}`,
    })),
  });
  const stays = new Set(
    (
      await stage.sql<{ readonly party: string }>(
        `select h.party from participant_phones h where h.session = (select max(session) from sessions)`,
      )
    ).map((row) => row.party),
  );
  const before = await values();
  expect(before).toHaveLength(2 * (many + 10));
  const mine = before.filter((value) => !stays.has(value.party));

  // As `requestErasure` asks for one, for nearly all of them in one go; the last ones ask themselves, and set it going.
  // In the order of chance, the end of their ids: people of one session, one after another, would wait for one another.
  const parties = [...new Set(mine.map((value) => value.party))];
  parties.sort((a, b) => (a.slice(-8) < b.slice(-8) ? -1 : 1));
  const [last, ...others] = groups(parties, 100);
  const keysOfTenant = await stage.heart.vault.unlock(tenant);
  for (const asking of others) {
    const requests = asking.map(() => newId(stage.heart.doors, 'prv'));
    await stage.sql(
      `select (open_rights_request('default', 'erase', 'running', array[x.request], array[x.party], array[x.reason],
          'key_1', '{}', now())).request from unnest($1::text[], $2::text[], $3::bytea[]) as x(request, party, reason)`,
      [
        requests,
        asking,
        requests.map((row) => keysOfTenant.seal(Buffer.from('all of them'), { ...reasonOf, row })),
      ],
    );
  }
  const people = await stage.sql<{ readonly party: string; readonly participant: string }>(
    'select party, participant from participant_phones where party = any ($1)',
    [last],
  );
  await Promise.all(
    people.map(({ participant }) => stage.rights.requestErasure(tenant, { participant }, 'all of them')),
  );
  await expect
    .poll(async () => await stage.sql(`select from rights_requests where status = 'running' limit 1`), {
      timeout: 400_000,
      interval: 200,
    })
    .toHaveLength(0);
  expect(
    await stage.sql(`select from rights_requests where status = 'done' and receipt ? 'signature'`),
  ).toHaveLength(many);
  expect(stage.reports).toEqual([]);

  const left = await stage.sql<{
    readonly party: string;
    readonly party_key: string;
    readonly wrapped: Buffer;
    readonly tenant_key_version: number;
  }>('select party, party_key, wrapped, tenant_key_version from party_keys');
  expect(left.length).toBeGreaterThanOrEqual(10);
  const keys = await stage.heart.vault.unlock(tenant);
  let opened = 0;
  let control = 0;
  for (const { party, party_key: partyKey, wrapped, tenant_key_version: tenantKeyVersion } of left) {
    const cipher = keys.openPartyKey(party, { partyKey, wrapped, tenantKeyVersion });
    const opens = (value: (typeof before)[number]) => {
      const [table, column] = value.kind === 'phone' ? ['parties', 'phone'] : ['participants', 'name'];
      try {
        return cipher.decrypt(value.sealed, { tenant, table, column, row: value.row }).length > 0;
      } catch {
        return false;
      }
    };
    opened += mine.filter(opens).length;
    control += before.filter((value) => stays.has(value.party)).filter(opens).length;
  }
  // The same trial does open what it should: those who stay.
  expect(control).toBe(20);
  expect(opened).toBe(0);
}, 600_000);

it('collects and erases a person with a heavy history within a minute', async () => {
  const one = phone(3_000_000);
  await stage.heart.stock({ count: 1_200, first: 1_000, pool: 'busy' });
  for (let first = 0; first < 1_000; first += 8) {
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const session = await stage.heart.masking.createSession(tenant, {
          pool: 'busy',
          metadata: { order: first + index },
          participants: [
            { role: 'agent', phones: [one], name: 'Busy' },
            {
              role: 'customer',
              phones: [phone(3_100_000 + first + index)],
              name: `Customer ${first + index}`,
            },
          ],
        });
        await stage.talk(one, session.participants[0]?.dial ?? '', { recorded: index === 0 });
      }),
    );
  }
  const began = performance.now();
  const copy = await stage.rights.requestExport(tenant, { phone: one }, 'a letter');
  expect((await stage.finished(copy.id)).status).toBe('done');
  const exported = await stage.rights.readExport(tenant, copy.id);
  expect(exported['sessions']).toHaveLength(1_000);
  expect(exported['calls']).toHaveLength(1_000);
  const erasing = await stage.rights.requestErasure(tenant, { phone: one }, 'a letter');
  const done = await stage.finished(erasing.id);
  const seconds = (performance.now() - began) / 1000;
  expect(done.receipt).toMatchObject({ recordingsDeleted: 125, bindingsCut: 1_000 });
  expect(seconds).toBeLessThan(60);
  expect(stage.reports).toEqual([]);
}, 300_000);
