import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestBucket, testBucket } from '../packages/server/src/trust/custody/testing.ts';
import { settledCalls } from './support/platform.ts';
import { expectTalk, voices } from './support/scene.ts';
import {
  connect,
  hearsInstead,
  type Pair,
  recordedTalk,
  startTrustScene,
  type TrustScene,
} from './support/trust.ts';

/** Copies and erasures on the whole platform, with recordings of real calls on the disk and in a store of objects. */
let bucket: TestBucket;
let scene: TrustScene;

beforeAll(async () => {
  bucket = await testBucket();
  scene = await startTrustScene({
    ...{ recordingsS3Url: bucket.url, recordingsS3KeyId: bucket.keyId, recordingsS3Secret: bucket.secret },
  });
});

afterAll(async () => {
  await scene?.stop();
  await bucket?.close();
});

const erase = async (phone: string) => {
  const asked = await scene.ask('POST', '/v1/privacy/erase', { phone, reason: 'a letter of today' });
  return scene.finished(asked.id);
};
const onDisk = (file: string) =>
  existsSync(join(scene.platform.directory, 'data', 'recordings', file)) ||
  existsSync(join(scene.platform.directory, 'data', 'recordings', 'cache', file));

async function fileOf(call: string): Promise<string> {
  const { recording } = await scene.ask('GET', `/v1/calls/${call}`);
  return `${recording.id}.rec`;
}

/** Finished and uploaded. */
async function stored(call: string): Promise<string> {
  const file = await fileOf(call);
  await expect.poll(() => bucket.objects.get(file).then(Boolean), { timeout: 30_000 }).toBe(true);
  await expect.poll(() => onDisk(file), { timeout: 10_000 }).toBe(false);
  return file;
}

describe('erasure', () => {
  test('takes the recording from the store of objects, the page, and every way that led to the person', async () => {
    const pair = await scene.pair({ recording: 'announce', metadata: { order: 'A-17' } });
    const { agent, customer, session, pages } = pair;
    const call = await recordedTalk(scene, pair, voices.caller);
    const file = await stored(call);
    // Listened to: a copy is in the cache now.
    expect((await scene.call('GET', `/v1/calls/${call}/recording?reason=because`)).status).toBe(200);
    expect(onDisk(file)).toBe(true);
    const resolved = await scene.ask('POST', '/v1/disputes', {
      ...{
        session: session.id,
        category: 'quality',
        statement: 'She was hard to hear.',
        against: session.ids[1],
      },
    });
    await scene.ask('POST', `/v1/disputes/${resolved.id}/notes`, { text: 'Listened to it.' });
    await scene.ask('POST', `/v1/disputes/${resolved.id}/verdict`, {
      ...{ version: 1, verdict: 'rejected', text: 'Nothing to be heard.' },
    });

    const copy = await scene.ask('POST', '/v1/privacy/export', {
      phone: customer.number,
      reason: 'a letter',
    });
    expect((await scene.finished(copy.id)).status).toBe('done');
    const read = await scene.platform.call('GET', `/v1/privacy/requests/${copy.id}/export?format=json`);
    expect(read.body).toMatchObject({ format: 'samar-export/1', recordings: [{ call }] });
    expect(read.text).toContain(customer.number);
    expect(read.text).not.toContain(agent.number);

    const found = await scene.call('POST', '/v1/ledger/search', { phone: customer.number });
    expect(found.body.items.length).toBeGreaterThan(3);
    const done = await erase(customer.number);
    expect(done).toMatchObject({
      status: 'done',
      receipt: {
        ...{
          recordingsDeleted: 1,
          recordingsHeld: 0,
          recordingsLeft: 0,
          disputesRedacted: 1,
          disputesKept: 0,
        },
      },
    });
    expect(done.phone).toBeUndefined();
    expect(await bucket.objects.get(file)).toBeUndefined();
    expect(onDisk(file)).toBe(false);
    const gone = await scene.call('GET', `/v1/privacy/requests/${copy.id}/export?format=json`);
    expect([gone.status, gone.body.type]).toEqual([410, '/problems/subject-erased']);
    expect((await scene.visit(pages[1])).status).toBe(404);
    const other = await scene.visit(pages[0]);
    expect(other.status).toBe(200);
    expect(other.text).not.toContain('Canary');
    expect((await scene.ask('GET', `/v1/calls/${call}`)).recording.status).toBe('deleted');
    const listening = await scene.call('GET', `/v1/calls/${call}/recording?reason=because`);
    expect(listening.body.type).toBe('/problems/no-recording');
    const words = await scene.ask('GET', `/v1/disputes/${resolved.id}`);
    expect(words).toMatchObject({ statement: '', notes: [], verdict: { verdict: 'rejected', text: '' } });
    expect(words.redactedAt).toBeDefined();

    // The ledger keeps what was done, and leads to nobody.
    const entries = await scene.ask('GET', `/v1/ledger?session=${session.id}&limit=200`);
    const one = entries.items.find(({ kind }: { readonly kind: string }) => kind === 'recording.listened');
    expect(await scene.ask('GET', `/v1/ledger/${one.id}`)).toEqual(one);
    expect((await scene.call('POST', '/v1/ledger/search', { phone: customer.number })).body.items).toEqual(
      [],
    );
    const { people } = await scene.ask('POST', '/v1/privacy/breach-report', {
      ...{ from: new Date(Date.now() - 600_000), to: new Date(), kinds: ['recording.listened'] },
    });
    for (const person of people.filter(({ party }: { readonly party: string }) => party === done.party)) {
      expect(person.phone).toBeUndefined();
    }
    const revealed = await scene.call(
      'POST',
      `/v1/sessions/${session.id}/participants/${session.ids[1]}/reveal`,
      { reason: 'because of it' },
    );
    expect(revealed.status).toBeGreaterThanOrEqual(400);
    const left = await scene.sql(
      `select 'keys' from party_keys where party = $1
        union all select 'phones' from participant_phones where party = $1
        union all select 'bindings' from bindings where party = $1
        union all select 'links' from transparency_links where participant = $2`,
      [done.party, session.ids[1]],
    );
    expect(left).toEqual([]);

    // The same number again is somebody new.
    const again = await scene.open([
      { role: 'agent', phone: agent.number, locale: 'en' },
      { role: 'customer', phone: customer.number, locale: 'en' },
    ]);
    const fresh: Pair = { ...pair, session: again };
    const { call: talking, other: heard } = await connect(scene, fresh);
    await expectTalk(talking, heard);
    talking.hangUp();
    const parties = await scene.sql<{ readonly party: string }>(
      'select party from participant_phones where participant = $1',
      [again.ids[1]],
    );
    expect(parties).toHaveLength(1);
    expect(parties[0]?.party).not.toBe(done.party);
  });

  test('during a call: it is hung up, what was recorded is gone, and nothing connects any more', async () => {
    const pair = await scene.pair({ recording: 'announce' });
    const { agent, customer, session } = pair;
    const { call, other, id } = await connect(scene, pair);
    await expect
      .poll(() => scene.sql(`select from recordings where call = $1 and status = 'recording'`, [id]), {
        timeout: 10_000,
      })
      .toHaveLength(1);
    const done = await erase(customer.number);
    await Promise.all([call.ended, other.ended]);
    expect(done).toMatchObject({ status: 'done', receipt: { recordingsDeleted: 1, recordingsLeft: 0 } });
    const record = (await settledCalls(scene.call, session.id)).at(-1);
    expect(record.recording.status).toBe('deleted');
    const file = await fileOf(id);
    expect(onDisk(file)).toBe(false);
    expect(await bucket.objects.get(file)).toBeUndefined();
    await Promise.all([
      hearsInstead(customer, session.dials[1] ?? '', 'not-connected'),
      hearsInstead(agent, session.dials[0] ?? '', 'ended'),
    ]);
  });

  test('with a hold: the recording stays sealed, nobody listens, and it goes with the release', async () => {
    const pair = await scene.pair({ recording: 'announce' });
    const { customer, session } = pair;
    const call = await recordedTalk(scene, pair, voices.caller);
    const file = await stored(call);
    const dispute = await scene.ask('POST', '/v1/disputes', {
      ...{ call, category: 'safety', statement: 'It is to be looked at.', against: session.ids[0] },
    });
    const about = await scene.ask('POST', '/v1/disputes', {
      ...{ call, category: 'fraud', statement: 'She never paid.', against: session.ids[1] },
    });
    const done = await erase(customer.number);
    expect(done.receipt).toMatchObject({
      ...{ recordingsDeleted: 0, recordingsHeld: 1, recordingsLeft: 0, disputesRedacted: 0, disputesKept: 1 },
    });
    expect(await bucket.objects.get(file)).toBeDefined();
    const listening = await scene.call('GET', `/v1/calls/${call}/recording?reason=because`);
    expect(listening.status).toBeGreaterThanOrEqual(400);
    expect((await scene.ask('GET', `/v1/disputes/${about.id}`)).statement).toBe('She never paid.');
    await scene.ask('POST', `/v1/disputes/${dispute.id}/verdict`, {
      ...{ version: dispute.version, verdict: 'rejected', text: 'Nothing.' },
    });
    const decided = await scene.ask('POST', `/v1/disputes/${about.id}/verdict`, {
      ...{ version: about.version, verdict: 'inconclusive', text: 'Paid or not, nobody knows.' },
    });
    // It was kept for the investigation only.
    expect(decided).toMatchObject({ statement: '', verdict: { text: 'Paid or not, nobody knows.' } });
    expect((await scene.ask('GET', `/v1/disputes/${dispute.id}`)).statement).toBe('It is to be looked at.');
    await scene.sql('update erasure_recordings set try_at = now() where call = $1', [call]);
    await scene.housekeeping();
    expect((await scene.ask('GET', `/v1/calls/${call}`)).recording.status).toBe('deleted');
    const seals = await scene.sql('select from legal_seals where request = $1', [done.id]);
    expect(seals).toEqual([]);
  });

  test('is not said to be whole while a file is left, and takes the file when it can', async () => {
    const pair = await scene.pair({ recording: 'announce' });
    const call = await recordedTalk(scene, pair, voices.caller);
    const file = await stored(call);
    await bucket.away();
    const asked = await scene.ask('POST', '/v1/privacy/erase', {
      ...{ phone: pair.customer.number, reason: 'a letter of today' },
    });
    const done = await scene.finished(asked.id);
    expect(done.receipt).toMatchObject({ recordingsDeleted: 0, recordingsLeft: 1 });
    await bucket.back();
    expect(await bucket.objects.get(file)).toBeDefined();
    await scene.sql('update erasure_recordings set try_at = now() where call = $1', [call]);
    await expect
      .poll(
        async () => {
          await scene.housekeeping();
          return bucket.objects.get(file);
        },
        { timeout: 10_000 },
      )
      .toBeUndefined();
    expect(await scene.sql('select from erasure_recordings where call = $1', [call])).toEqual([]);
  });

  test('asked for on the page: waits for the business, then it is done, and the page says where it stands', async () => {
    const pair = await scene.pair();
    const { session, pages } = pair;
    const asked = await scene.press(`${pages[1]}/erase`);
    expect(asked.status, asked.text).toBe(303);
    expect((await scene.visit(pages[1])).text).toContain('asked');
    await scene.press(`${pages[1]}/erase`);
    const waiting = await scene.ask('GET', '/v1/privacy/requests?status=asked&kind=erase');
    expect(waiting.items).toHaveLength(1);
    const [request] = waiting.items;
    expect(request).toMatchObject({ requestedBy: session.ids[1], status: 'asked' });
    const decided = await scene.ask('POST', `/v1/privacy/requests/${request.id}/decide`, {
      ...{ grant: true, reason: 'no open complaint' },
    });
    expect(decided.decision.reason).toBe('no open complaint');
    const done = await scene.finished(request.id);
    expect(done).toMatchObject({ status: 'done', receipt: { party: request.party, bindingsCut: 1 } });
    expect(done.receipt.signature).toMatch(/^[\w+/]+=*$/);
    expect((await scene.visit(pages[1])).status).toBe(404);
    await hearsInstead(pair.customer, session.dials[1] ?? '', 'not-connected');
  });
});

test('nothing that anybody got meanwhile holds anybody’s number', async () => {
  const { hits } = await scene.leaks();
  expect(hits).toEqual([]);
});
