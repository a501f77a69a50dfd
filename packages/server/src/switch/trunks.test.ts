import { simulatedDoors } from '@samar/doors';
import { expect, test } from 'vitest';
import type { Trunk } from '../masking/service.ts';
import { hostAddresses, trunkTable } from './trunks.ts';

function trunk(id: string, host: string, allowedSources: readonly string[], enabled = true): Trunk {
  return {
    id,
    tenant: 'default',
    name: id,
    kind: 'sip',
    host,
    transport: 'udp',
    allowedSources,
    hasAuth: false,
    callerTrust: 'trusted',
    enabled,
    createdAt: new Date(0),
  };
}

const world = simulatedDoors(1);
const addressesOf = hostAddresses(world.network.dns, world.clock);

test('only sources of an enabled carrier are admitted', async () => {
  const table = await trunkTable(
    [
      trunk('one', '192.0.2.1', ['192.0.2.0/28', '2001:db8::/64']),
      trunk('two', '192.0.2.5', ['192.0.2.5']),
      trunk('off', '198.51.100.1', ['198.51.100.1'], false),
    ],
    addressesOf,
  );
  const admits = (address: string) => table.admits({ address, port: 5_060 });
  expect(admits('192.0.2.15')).toBe(true);
  expect(admits('2001:db8::7')).toBe(true);
  expect(admits('192.0.2.16')).toBe(false);
  expect(admits('198.51.100.1')).toBe(false);
  expect(admits('2001:db8:1::7')).toBe(false);
  expect(admits('nonsense')).toBe(false);
  expect(table.from('192.0.2.5').map(({ id }) => id)).toEqual(['one', 'two']);
});

test('a host name stands for what it resolves to, also while the DNS is away', async () => {
  world.records.a.set('trunk.example', ['203.0.113.9']);
  const admits = async (address: string) =>
    (await trunkTable([trunk('named', 'trunk.example', [])], addressesOf)).admits({ address, port: 1 });
  expect(await admits('203.0.113.9')).toBe(true);
  expect(await admits('203.0.113.8')).toBe(false);
  world.records.a.delete('trunk.example');
  await world.advance(61_000);
  expect(await admits('203.0.113.9')).toBe(true);
  world.records.a.set('trunk.example', ['203.0.113.8']);
  expect(await admits('203.0.113.8')).toBe(true);
});

test('a host that may not call is still heard when it answers', async () => {
  const table = await trunkTable([trunk('one', '192.0.2.1', ['198.51.100.0/24'])], addressesOf);
  expect(table.admits({ address: '192.0.2.1', port: 5_060 })).toBe(true);
  expect(table.from('192.0.2.1')).toEqual([]);
  expect(table.from('198.51.100.7')).toHaveLength(1);
});

test('ten thousand strangers leave no memory behind that grows', async () => {
  const table = await trunkTable([trunk('one', '192.0.2.1', ['192.0.2.1'])], addressesOf);
  for (let stranger = 0; stranger < 10_000; stranger++) {
    expect(
      table.admits({ address: `10.${stranger >> 16}.${(stranger >> 8) & 255}.${stranger & 255}`, port: 1 }),
    ).toBe(false);
  }
  expect(table.admits({ address: '192.0.2.1', port: 1 })).toBe(true);
});
