import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Phone, PhoneCall } from '@samar/devcarrier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../packages/server/src/store/testing.ts';
import { type TestBucket, testBucket } from '../packages/server/src/trust/custody/testing.ts';
import { pause, settledCalls } from './support/platform.ts';
import {
  expectTalk,
  hears,
  type OpenSession,
  prompt,
  type Scene,
  startScene,
  voices,
} from './support/scene.ts';

/** Consent and custody by real calls: what is recorded, who stops it, and where it is afterwards. */
let scene: Scene;
let database: TestDatabase;
let bucket: TestBucket;

beforeAll(async () => {
  database = await testDatabase();
  bucket = await testBucket();
  scene = await startScene({
    databaseUrl: database.url,
    ...{ recordingsS3Url: bucket.url, recordingsS3KeyId: bucket.keyId, recordingsS3Secret: bucket.secret },
  });
});

afterAll(async () => {
  await scene?.stop();
  await bucket?.close();
  await database?.drop();
});

const policy = async (recordingPolicy: object) => {
  const { status, text } = await scene.call('PATCH', '/v1/settings', { recordingPolicy });
  expect(status, text).toBe(200);
};

async function pair(callee?: Partial<Parameters<Scene['phone']>[0]>) {
  const [agent, customer] = [await scene.phone(), await scene.phone(callee)];
  return { agent, customer };
}

const people = ({ agent, customer }: { readonly agent: Phone; readonly customer: Phone }) => [
  { role: 'agent', phone: agent.number, locale: 'en' },
  { role: 'customer', phone: customer.number, locale: 'id' },
];

async function talk(
  { agent, customer }: { readonly agent: Phone; readonly customer: Phone },
  session: OpenSession,
): Promise<readonly [PhoneCall, PhoneCall]> {
  const incoming = customer.nextCall();
  const call = agent.dial(session.dials[0] ?? '');
  expect(await call.answered).toEqual({ ok: true });
  return [call, await incoming];
}

async function lastOf(session: OpenSession) {
  const calls = await settledCalls(scene.call, session.id);
  return calls.at(-1);
}

async function ledger(session: OpenSession) {
  return database.database.query<{
    readonly kind: string;
    readonly actor: string;
    readonly subject: string;
    readonly party: string | null;
    readonly details: Readonly<Record<string, unknown>>;
  }>(
    '',
    `select kind, actor, subject, party, details from ledger where session = $1 and kind like 'recording.%' order by entry`,
    [session.id],
  );
}

/** Both have heard the announcement to its end. */
async function begun(session: OpenSession): Promise<void> {
  await expect
    .poll(
      () =>
        database.database.query('', `select from recordings where session = $1 and status = 'recording'`, [
          session.id,
        ]),
      { timeout: 10_000 },
    )
    .toHaveLength(1);
}

describe('the policy', () => {
  test('of a country makes it stricter: both are asked, and who agreed to which words is in the ledger', async () => {
    await policy({ default: 'session', countries: { ID: 'consent' } });
    const actors = await pair();
    const session = await scene.open(people(actors), { recording: 'announce' });
    const [call, other] = await talk(actors, session);
    expect(await hears(call, prompt('en/consent'))).toBeGreaterThan(0.85);
    expect(await hears(other, prompt('id/consent'), 0)).toBeGreaterThan(0.85);
    await Promise.all([call.press('1'), other.press('1')]);
    await expectTalk(call, other);
    call.hangUp();
    const record = await lastOf(session);
    expect(record.recording.status).toBe('complete');
    const entries = await ledger(session);
    const consents = entries.filter(({ kind }) => kind === 'recording.consented');
    expect(consents.map(({ actor, subject, details }) => [actor, subject, details['locale']]).sort()).toEqual(
      [
        [session.ids[0], record.id, 'en'],
        [session.ids[1], record.id, 'id'],
      ].sort(),
    );
    for (const { details, party } of consents) {
      expect(details['wording']).toMatch(/^[0-9a-f]{16}$/);
      expect(Date.parse(String(details['at']))).toBeGreaterThan(Date.now() - 60_000);
      expect(party).toMatch(/^pty_/);
    }
    expect(new Set(consents.map(({ details }) => details['wording'])).size).toBe(2);
    const kept = entries.find(({ kind }) => kind === 'recording.kept');
    expect(kept?.details).toMatchObject({ sha256: record.recording.sha256, call: record.id });
  });

  test('one who doesn’t agree: nothing is recorded, they talk, and the ledger says who said no', async () => {
    await policy({ default: 'consent', countries: {} });
    const actors = await pair();
    const session = await scene.open(people(actors));
    const [call, other] = await talk(actors, session);
    expect(await hears(other, prompt('id/consent'))).toBeGreaterThan(0.85);
    await Promise.all([call.press('1'), other.press('2')]);
    await pause(500);
    await expectTalk(call, other);
    call.hangUp();
    const record = await lastOf(session);
    expect(record.recording).toBeUndefined();
    expect((await ledger(session)).map(({ kind, actor }) => [kind, actor]).sort()).toEqual([
      ['recording.consented', session.ids[0]],
      ['recording.refused', session.ids[1]],
    ]);
  });

  test.each([
    ['of the tenant', { default: 'off', countries: {} }],
    ['of a country', { default: 'announce', countries: { ID: 'off' } }],
  ])('%s forbids it: nothing is announced or recorded', async (_name, forbids) => {
    await policy(forbids);
    const actors = await pair();
    const session = await scene.open(people(actors), { recording: 'consent' });
    const [call, other] = await talk(actors, session);
    await expectTalk(call, other);
    call.hangUp();
    expect((await lastOf(session)).recording).toBeUndefined();
    expect(await ledger(session)).toEqual([]);
  });

  test('of a country records nothing that nobody wanted to be recorded', async () => {
    await policy({ default: 'session', countries: { ID: 'announce' } });
    const actors = await pair();
    const session = await scene.open(people(actors));
    const [call, other] = await talk(actors, session);
    await expectTalk(call, other);
    call.hangUp();
    expect((await lastOf(session)).recording).toBeUndefined();
  });
});

test('*0 during the call: the file and the key are gone, the row and the ledger say so and who it was', async () => {
  await policy({ default: 'session', countries: {} });
  const actors = await pair();
  const session = await scene.open(people(actors), { recording: 'announce' });
  const [call, other] = await talk(actors, session);
  expect(await hears(other, prompt('id/recording'))).toBeGreaterThan(0.85);
  await begun(session);
  await expectTalk(call, other);
  const running = await database.database.query<{ readonly recording: string; readonly file: string }>(
    '',
    'select recording, file from recordings where session = $1',
    [session.id],
  );
  const file = join(scene.platform.directory, 'data', 'recordings', running[0]?.file ?? '');
  expect(existsSync(file)).toBe(true);
  await other.press('*');
  await other.press('0');
  expect(await hears(call, prompt('en/discarded'))).toBeGreaterThan(0.85);
  expect(await hears(other, prompt('id/discarded'))).toBeGreaterThan(0.85);
  expect(existsSync(file)).toBe(false);
  const key = () =>
    database.database.query(
      '',
      'select status, wrapped_key, delete_reason from recordings where session = $1',
      [session.id],
    );
  await expect.poll(key).toEqual([{ status: 'deleted', wrapped_key: null, delete_reason: 'discarded' }]);
  // The words are longer than what they are recognised by.
  await pause(3_000);
  await expectTalk(call, other);
  call.hangUp();
  const record = await lastOf(session);
  expect(record.recording).toMatchObject({ id: running[0]?.recording, status: 'deleted' });
  const listened = await scene.call('GET', `/v1/calls/${record.id}/recording?reason=because`);
  expect(listened.body.type).toBe('/problems/no-recording');
  const discarded = (await ledger(session)).filter(({ kind }) => kind === 'recording.discarded');
  expect(discarded).toMatchObject([
    { actor: session.ids[1], subject: running[0]?.recording, details: { participant: session.ids[1] } },
  ]);
});

test('a finished recording is in the store of objects, and is heard from there', async () => {
  const actors = await pair();
  const session = await scene.open(people(actors), { recording: 'announce' });
  const [call, other] = await talk(actors, session);
  expect(await hears(other, prompt('id/recording'))).toBeGreaterThan(0.85);
  await begun(session);
  await call.say(voices.caller);
  call.hangUp();
  const record = await lastOf(session);
  const file = `${record.recording.id}.rec`;
  const local = join(scene.platform.directory, 'data', 'recordings', file);
  await expect.poll(() => existsSync(local), { timeout: 30_000 }).toBe(false);
  expect(await bucket.objects.get(file)).toBeDefined();
  const heard = await scene.call('GET', `/v1/calls/${record.id}/recording?reason=because`);
  expect(heard.status).toBe(200);
  expect(heard.bytes.length).toBeGreaterThan(10_000);
});

test('nothing that anybody got meanwhile holds anybody’s number', async () => {
  const { hits } = await scene.leaks();
  expect(hits).toEqual([]);
});
