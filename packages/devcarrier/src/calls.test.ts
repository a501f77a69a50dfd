import { readFile } from 'node:fs/promises';
import { nodeDoors } from '@samar/doors';
import { loadPrompt } from '@samar/media';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDevCarrier, createPhone, type DevCarrier, likeness, type Phone } from './index.ts';

const doors = nodeDoors();
const password = 'desk';
let network: DevCarrier;
let one: Phone;
let other: Phone;

async function speech(name: string): Promise<Int16Array> {
  return loadPrompt(await readFile(new URL(`../speech/${name}.wav`, import.meta.url)));
}

beforeAll(async () => {
  network = await createDevCarrier({
    doors,
    address: '127.0.0.1',
    port: 0,
    trunk: { host: '127.0.0.1', port: 9, transport: 'udp' },
    password,
  });
  one = await createPhone({ doors, number: '+6281100000001', carrier: network.local, password });
  other = await createPhone({ doors, number: '+6281200000002', carrier: network.local, password });
});

afterAll(async () => {
  await one.close();
  await other.close();
  await network.close();
});

test('phones register with a password and are not taken without', async () => {
  expect(network.registrar.size).toBe(2);
  await expect(createPhone({ doors, number: '+6281300000003', carrier: network.local })).rejects.toThrow(
    '401',
  );
  const wrong = createPhone({ doors, number: '+6281300000003', carrier: network.local, password: 'guess' });
  await expect(wrong).rejects.toThrow(/40[13]/);
  expect(network.registrar.size).toBe(2);
});

test('two phones talk, and each hears the words of the other only', async () => {
  const incoming = other.nextCall();
  const call = one.dial(other.number);
  expect(await call.answered).toEqual({ ok: true });
  const answered = await incoming;
  expect(other.displayed.at(-1)).toBe(one.number);
  const [first, second] = [await speech('driver'), await speech('customer')];
  await Promise.all([call.say(first), answered.say(second)]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(likeness(answered.heard(), first)).toBeGreaterThan(0.95);
  expect(likeness(call.heard(), second)).toBeGreaterThan(0.95);
  expect(likeness(answered.heard(), second)).toBeLessThan(0.6);
  call.hangUp();
  await answered.ended;
});

test('busy, unregistered and given-up calls end as such', async () => {
  other.setOnRing('busy');
  expect(await one.dial(other.number).answered).toEqual({ ok: false, status: 486 });
  other.setOnRing('ignore');
  const call = one.dial(other.number);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(call.ringing).toBe(true);
  call.hangUp();
  expect((await call.answered).ok).toBe(false);
  other.setOnRing('answer');
});
