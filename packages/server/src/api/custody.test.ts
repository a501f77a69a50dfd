import { existsSync } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApi, testApi } from './testing.ts';
import { recordedCall } from './testing-recordings.ts';

/** Custody as people have it over HTTP: who asks, who approves, who is refused, and what the ledger says of it. */
let api: TestApi;
let directory: string;
let seed = 0;
/** Investigators: both may ask and both may approve. */
let asking: string;
let approving: string;
const reason = 'police request 4711';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'samar-custody-'));
  api = await testApi({ recordings: directory });
  await api.stock(20);
  const scopes = [
    ...(['recordings:listen', 'recordings:download', 'recordings:approve', 'calls:read'] as const),
    ...(['disputes:read', 'disputes:write', 'ledger:read'] as const),
  ];
  [asking, approving] = [await api.key(scopes), await api.key(scopes)];
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

const recorded = () => recordedCall(api, directory, ++seed);
const approval = (downloadApproval: boolean) =>
  api.call('PATCH', '/v1/settings', { body: { downloadApproval } });

async function kinds(subject: string): Promise<readonly string[]> {
  const rows = await api.database.database.query<{ readonly kind: string }>(
    '',
    `select kind from ledger where subject = $1 or details ->> 'call' = $1 or details ->> 'download' = $1 order by entry`,
    [subject],
  );
  return rows.map(({ kind }) => kind);
}

function ask(call: string, body: unknown = { reason }, key = asking) {
  return api.call('POST', `/v1/calls/${call}/recording/downloads`, { body, key });
}

async function fetchFile(download: string, key = asking) {
  return api.app.inject({
    method: 'GET',
    url: `/v1/downloads/${download}/file`,
    headers: { authorization: `Bearer ${key}` },
  });
}

describe('a download', () => {
  test('is approved at once where the tenant asks for nobody; each fetch is in the ledger', async () => {
    const { call, recording } = await recorded();
    const asked = await ask(call);
    expect(asked.status, asked.text).toBe(201);
    expect(asked.body).toMatchObject({ call, reason, status: 'approved', requestedBy: expect.any(String) });
    expect(asked.body.decidedBy).toBeUndefined();
    const day = Date.parse(asked.body.expiresAt) - Date.parse(asked.body.requestedAt);
    expect(day).toBe(86_400_000);
    for (let times = 0; times < 2; times++) {
      const file = await fetchFile(asked.body.id);
      expect(file.statusCode).toBe(200);
      expect(file.headers['content-disposition']).toBe(`attachment; filename="${recording}.wav"`);
      expect(file.rawPayload.subarray(0, 4).toString()).toBe('RIFF');
    }
    expect(await kinds(asked.body.id)).toEqual([
      'recording.download-requested',
      'recording.downloaded',
      'recording.downloaded',
    ]);
    // Nobody else can use it.
    const stranger = await fetchFile(asked.body.id, approving);
    expect([stranger.statusCode, stranger.json().type]).toEqual([403, '/problems/download-not-approved']);
  });

  test('waits for a second person where the tenant wants it', async () => {
    await approval(true);
    const { call } = await recorded();
    const asked = await ask(call);
    expect(asked.body).toMatchObject({ status: 'pending' });
    expect(asked.body.expiresAt).toBeUndefined();
    // Asking again is no second request.
    expect((await ask(call)).body.id).toBe(asked.body.id);
    const early = await fetchFile(asked.body.id);
    expect([early.statusCode, early.json().type]).toEqual([403, '/problems/download-not-approved']);
    const own = await api.call('POST', `/v1/downloads/${asked.body.id}/approve`, { key: asking });
    expect([own.status, own.body.type]).toEqual([403, '/problems/own-request']);
    const waiting = await api.call('GET', '/v1/downloads?status=pending', { key: approving });
    expect(waiting.body.items.map((one: { id: string }) => one.id)).toEqual([asked.body.id]);

    const approved = await api.call('POST', `/v1/downloads/${asked.body.id}/approve`, { key: approving });
    expect(approved.status, approved.text).toBe(200);
    expect(approved.body).toMatchObject({ status: 'approved', decidedBy: expect.any(String) });
    expect(approved.body.decidedBy).not.toBe(approved.body.requestedBy);
    const twice = await api.call('POST', `/v1/downloads/${asked.body.id}/refuse`, { key: approving });
    expect([twice.status, twice.body.type]).toEqual([409, '/problems/already-decided']);
    expect((await fetchFile(asked.body.id)).statusCode).toBe(200);
    expect((await fetchFile(asked.body.id, approving)).statusCode).toBe(403);
    expect(await kinds(asked.body.id)).toEqual([
      'recording.download-requested',
      'recording.download-approved',
      'recording.downloaded',
    ]);
    await approval(false);
  });

  test('that is refused, or is a day old, can’t be fetched; then it may be asked for again', async () => {
    await approval(true);
    const { call } = await recorded();
    const refused = (await ask(call)).body.id;
    const answer = await api.call('POST', `/v1/downloads/${refused}/refuse`, { key: approving });
    expect(answer.body.status).toBe('refused');
    expect((await fetchFile(refused)).statusCode).toBe(403);
    const second = (await ask(call)).body.id;
    expect(second).not.toBe(refused);
    await api.call('POST', `/v1/downloads/${second}/approve`, { key: approving });
    await api.database.database.query(
      '',
      `update recording_downloads set expires_at = now() - interval '1 second' where download = $1`,
      [second],
    );
    expect((await fetchFile(second)).statusCode).toBe(403);
    const expired = await api.call('GET', '/v1/downloads?status=expired', { key: approving });
    expect(expired.body.items.map((one: { id: string }) => one.id)).toEqual([second]);
    expect((await ask(call)).body.status).toBe('pending');
    await approval(false);
  });

  test('the reason is sealed in its row', async () => {
    const { call } = await recorded();
    await ask(call, { reason: 'canary reason of a download' });
    const rows = await api.database.database.query<{ readonly row: string }>(
      '',
      'select d::text as row from recording_downloads d',
      [],
    );
    const hexadecimal = Buffer.from('canary reason').toString('hex');
    expect(rows.map(({ row }) => row).join()).not.toMatch(new RegExp(`canary|${hexadecimal}`));
    const listed = await api.call('GET', '/v1/downloads', { key: asking });
    expect(listed.body.items[0].reason).toBe('canary reason of a download');
  });

  test.each([
    [{}, 422],
    [{ reason: 'ab' }, 422],
    [{ reason: 'x'.repeat(501) }, 422],
    [{ reason: '   ' }, 422],
    [{ reason: 'because\u0000' }, 422],
    [{ reason: 7 }, 422],
  ])('%j is refused', async (body, status) => {
    const { call } = await recorded();
    expect((await ask(call, body)).status).toBe(status);
  });

  test('of a call without a recording, of another business, or of nothing', async () => {
    expect((await ask(`call_${'0'.repeat(32)}`)).body.type).toBe('/problems/no-recording');
    expect((await ask('x')).status).toBe(404);
    const { call } = await recorded();
    await api.masking.createTenant({ tenant: 'other', name: 'Other' });
    const stranger = await api.key(['recordings:download', 'recordings:approve', 'calls:read'], 'other');
    expect((await ask(call, { reason }, stranger)).body.type).toBe('/problems/no-recording');
    const { id } = (await ask(call)).body;
    expect((await fetchFile(id, stranger)).statusCode).toBe(404);
    expect((await api.call('POST', `/v1/downloads/${id}/approve`, { key: stranger })).status).toBe(404);
    expect((await api.call('GET', '/v1/downloads', { key: stranger })).body).toEqual({ items: [] });
  });
});

describe('marks', () => {
  test('stand in the order of the talk, sealed, and go with the recording', async () => {
    const { call, recording } = await recorded();
    const at = (milliseconds: number, note: string) =>
      api.call('POST', `/v1/calls/${call}/marks`, { body: { milliseconds, note }, key: asking });
    const late = await at(900, 'canary note: he threatens');
    expect(late.status, late.text).toBe(201);
    await at(100, 'hello');
    const listed = await api.call('GET', `/v1/calls/${call}/marks`, { key: asking });
    expect(listed.body.items.map((one: { note: string }) => one.note)).toEqual([
      'hello',
      'canary note: he threatens',
    ]);
    expect((await at(1_001, 'behind its end')).status).toBe(422);
    const removed = await api.call('DELETE', `/v1/calls/${call}/marks/${late.body.id}`, { key: asking });
    expect(removed.status).toBe(204);
    const again = await api.call('DELETE', `/v1/calls/${call}/marks/${late.body.id}`, { key: asking });
    expect(again.status).toBe(404);
    const rows = await api.database.database.query<{ readonly row: string }>(
      '',
      'select m::text as row from recording_marks m where recording = $1',
      [recording],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(Buffer.from('hello').toString('hex'));
    await api.rooms.trust.custody.deleteRecording('default', call, 'test of marks');
    const gone = await api.database.database.query('', 'select from recording_marks where recording = $1', [
      recording,
    ]);
    expect(gone).toHaveLength(0);
  });

  test('are two hundred at most', async () => {
    const { call } = await recorded();
    const { custody } = api.rooms.trust;
    for (let n = 0; n < 200; n++) await custody.addMark('default', call, { milliseconds: n, note: 'x' });
    await expect(custody.addMark('default', call, { milliseconds: 1, note: 'x' })).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

describe('deletion', () => {
  const remove = (call: string, headers: Record<string, string> = { 'x-access-reason': 'asked for' }) =>
    api.call('DELETE', `/v1/calls/${call}/recording`, { key: approving, headers });
  const listen = (call: string) =>
    api.call('GET', `/v1/calls/${call}/recording?reason=because`, { key: asking });

  test('destroys the key and the file; the hash and the entry stay', async () => {
    const { call, recording, file, sha256 } = await recorded();
    expect((await remove(call, {})).body.type).toBe('/problems/reason-required');
    expect(existsSync(file)).toBe(true);
    expect((await remove(call)).status).toBe(204);
    expect(existsSync(file)).toBe(false);
    const [row] = await api.database.database.query(
      '',
      'select status, wrapped_key, sha256, delete_reason, deleted_at from recordings where recording = $1',
      [recording],
    );
    expect(row).toEqual({
      ...{ status: 'deleted', wrapped_key: null, sha256, delete_reason: 'deleted' },
      deleted_at: expect.any(Date),
    });
    const entries = await api.database.database.query<{ readonly details: object }>(
      '',
      `select actor, details from ledger where subject = $1 and kind in ('recording.kept', 'recording.deleted') order by entry`,
      [recording],
    );
    expect(entries.map(({ details }) => details)).toEqual([
      { call, sha256, bytes: expect.any(Number), milliseconds: 1000 },
      { call, sha256, reason: 'asked for' },
    ]);
    expect((await listen(call)).body.type).toBe('/problems/no-recording');
    expect((await remove(call)).body.type).toBe('/problems/no-recording');
    const shown = await api.call('GET', `/v1/calls/${call}`, { key: asking });
    expect(shown.body.recording).toMatchObject({ status: 'deleted', sha256 });
  });

  test('is not possible while a hold stands', async () => {
    const { call, session, file } = await recorded();
    const placed = await api.call('POST', '/v1/holds', {
      ...{ key: asking, body: { session, reason: 'claim 88' } },
    });
    expect(placed.status, placed.text).toBe(201);
    const refused = await remove(call);
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/on-hold']);
    expect(existsSync(file)).toBe(true);
    expect((await listen(call)).status).toBe(200);
    const active = await api.call('GET', `/v1/holds?session=${session}&active=true`, { key: asking });
    expect(active.body.items).toMatchObject([{ id: placed.body.id, session, reason: 'claim 88' }]);
    const released = await api.call('POST', `/v1/holds/${placed.body.id}/release`, { key: asking });
    expect(released.body.releasedAt).toEqual(expect.any(String));
    const twice = await api.call('POST', `/v1/holds/${placed.body.id}/release`, { key: asking });
    expect(twice.body).toEqual(released.body);
    expect(await kinds(placed.body.id)).toEqual(['hold.placed', 'hold.released']);
    expect((await remove(call)).status).toBe(204);
  });

  test('and a hold in the same moment: either it is gone before the hold, or it is kept', async () => {
    for (let round = 0; round < 10; round++) {
      const { call, session, file } = await recorded();
      const { custody } = api.rooms.trust;
      const [deleted] = await Promise.allSettled([
        custody.deleteRecording('default', call, 'race'),
        custody.placeHold('default', { session, reason: 'race' }),
      ]);
      expect(existsSync(file)).toBe(deleted.status === 'rejected');
    }
  });

  test('a hold of a session that isn’t there', async () => {
    const body = { session: `ses_${'0'.repeat(32)}`, reason: 'claim 88' };
    expect((await api.call('POST', '/v1/holds', { key: asking, body })).status).toBe(404);
    expect((await api.call('POST', `/v1/holds/hld_${'0'.repeat(32)}/release`, { key: asking })).status).toBe(
      404,
    );
  });
});

describe('listening', () => {
  test('to somebody who has asked that their data be left alone is refused, and is no listening', async () => {
    const { call, recording, parties } = await recorded();
    const restrict = (status: string) =>
      api.database.database.query(
        '',
        `insert into rights_requests (tenant, request, kind, status, party, reason, requested_by, requested_at)
          values ('default', 'prv_1', 'restrict', $2, $1, '', 'key_1', now())
          on conflict (tenant, request) do update set status = $2`,
        [parties[1], status],
      );
    await restrict('done');
    const download = await ask(call);
    expect([download.status, download.body.type]).toEqual([409, '/problems/subject-restricted']);
    const refused = await api.call('GET', `/v1/calls/${call}/recording?reason=because`, { key: asking });
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/subject-restricted']);
    expect(await kinds(recording)).not.toContain('recording.listened');
    await restrict('lifted');
    const lifted = await api.call('GET', `/v1/calls/${call}/recording?reason=because`, { key: asking });
    expect(lifted.status).toBe(200);
    expect(await kinds(recording)).toContain('recording.listened');
  });

  test('to a file that isn’t as long as the ledger says is refused', async () => {
    const { call, recording } = await recorded();
    await api.database.database.query('', 'update recordings set bytes = bytes + 1 where recording = $1', [
      recording,
    ]);
    const answer = await api.call('GET', `/v1/calls/${call}/recording?reason=because`, { key: asking });
    expect([answer.status, answer.body.type]).toEqual([410, '/problems/recording-unreadable']);
    const cut = await recorded();
    await truncate(cut.file, 2_000);
    const short = await api.call('GET', `/v1/calls/${cut.call}/recording?reason=because`, { key: asking });
    expect(short.body.type).toBe('/problems/recording-unreadable');
  });
});

test('a crash between the key and the file: the next pass over the disk removes what is left', async () => {
  const { call, recording, file } = await recorded();
  const kept = await recorded();
  await api.database.database.query(
    '',
    `select shred_recordings('default', array[$1], 'deleted', 'recording.deleted', 'x', null, '{}')`,
    [recording],
  );
  expect(existsSync(file)).toBe(true);
  const room = api.rooms.trust.custody as unknown as { start(): Promise<void>; stop(): Promise<void> };
  await room.start();
  await expect.poll(() => existsSync(file), { timeout: 5_000 }).toBe(false);
  await room.stop();
  expect(existsSync(kept.file)).toBe(true);
  expect((await ask(call)).body.type).toBe('/problems/no-recording');
});
