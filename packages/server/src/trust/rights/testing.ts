/** Rights over the real heart and a real database, for tests, with calls as the switch makes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MaskingError } from '../../masking/service.ts';
import { type TestMasking, targetsOf, testMasking } from '../../masking/testing.ts';
import { unbuilt } from '../../masking/unbuilt.ts';
import type { Custody, Ledger, RightsRequest } from '../service.ts';
import { createSigner, type Signer } from '../signing.ts';
import type { EraserOfFiles } from './erase.ts';
import { createRights } from './rights.ts';

export interface TestRights {
  readonly heart: TestMasking;
  readonly rights: ReturnType<typeof createRights>;
  readonly signer: Signer;
  /** What failed in the background. */
  readonly reports: unknown[];
  /** Calls whose recordings were deleted. */
  readonly deleted: string[];
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Asks until the request is over. */
  finished(request: string, seconds?: number): Promise<RightsRequest>;
  /** One more process on the same database. */
  another(custody?: EraserOfFiles): ReturnType<typeof createRights>;
  /** An answered call, recorded for a minute when asked for, and ended unless `running`. */
  talk(
    caller: string,
    called: string,
    how?: { readonly recorded?: boolean; readonly running?: boolean },
  ): Promise<{ readonly call: string; readonly recording?: string }>;
  close(): Promise<void>;
}

const tenant = 'default';

export async function testRights(): Promise<TestRights> {
  const heart = await testMasking();
  const { database } = heart.test;
  const signer = await createSigner(heart.vault);
  const reports: unknown[] = [];
  const deleted: string[] = [];
  const sql: TestRights['sql'] = (text, values = []) => database.query('', text, values);
  const made: ReturnType<typeof createRights>[] = [];

  /** Does what `Custody` says of deleting: marks, destroys the key, refuses on hold. */
  const custody: EraserOfFiles = {
    removeFiles: async () => true,
    async deleteRecording(of, call, reason) {
      const held = await sql(
        'select from recordings r where r.tenant = $1 and r.call = $2 and on_hold(r.tenant, r.session)',
        [of, call],
      );
      if (held.length > 0) throw new MaskingError('on-hold', 'A hold stands on the session.');
      const gone = await sql(
        `update recordings set status = 'deleted', wrapped_key = null, deleted_at = now(), delete_reason = $3
          where tenant = $1 and call = $2 and status <> 'deleted' returning call`,
        [of, call, reason],
      );
      if (gone.length === 0) throw new MaskingError('no-recording', 'This call has no recording.');
      deleted.push(call);
    },
  };

  function another(with_: EraserOfFiles = custody) {
    const one = createRights(
      {
        database,
        vault: heart.vault,
        doors: heart.doors,
        masking: heart.masking,
        signer,
        recordings: '/nonexistent',
        report: (_task, error) => void reports.push(error),
      },
      { ledger: unbuilt<Ledger>('ledger'), custody: with_ as Custody },
    );
    made.push(one);
    return one;
  }
  const rights = another();

  return {
    heart,
    rights,
    signer,
    reports,
    deleted,
    sql,
    another,
    async finished(request, seconds = 60) {
      const until = performance.now() + seconds * 1000;
      for (;;) {
        const one = await rights.get(tenant, request);
        if (one.status !== 'running') return one;
        if (performance.now() > until) throw new Error('the request is still running');
        await sleep(20);
      }
    },
    async talk(caller, called, { recorded = false, running = false } = {}) {
      const decision = await heart.dial(caller, called);
      const [target] = targetsOf(decision);
      if (decision.kind !== 'run' || target === undefined) throw new Error(`not connected: ${decision.kind}`);
      const { call, session } = decision;
      const joined = await heart.masking.answered({ tenant, call, session, participant: target.participant });
      if (!joined) throw new Error('the gate was closed');
      const parties = await sql<{ readonly party: string }>(
        `select h.party from calls c join participant_phones h on h.tenant = c.tenant and h.session = c.session
            and h.participant in (c.participant, c.callee) where c.call = $1 and h.position = 1`,
        [call],
      );
      const pair = parties.map((row) => row.party) as unknown as readonly [string, string];
      const recording = recorded
        ? await heart.masking.recordingStarted({
            tenant,
            call,
            session,
            parties: pair,
            announcement: { version: '1' },
          })
        : undefined;
      if (!running) {
        if (recording !== undefined) {
          await heart.masking.recordingEnded({
            tenant,
            recording: recording.recording,
            status: 'complete',
            milliseconds: 60_000,
            bytes: 960_000,
            sha256: 'ab'.repeat(32),
          });
        }
        await end(heart, call, target);
      }
      return recording === undefined ? { call } : { call, recording: recording.recording };
    },
    async close() {
      await Promise.all(made.map((one) => one.stop()));
      await heart.close();
    },
  };
}

async function end(
  heart: TestMasking,
  call: string,
  target: { readonly participant: string },
): Promise<void> {
  const [row] = await heart.test.database.query<{
    readonly participant: string;
    readonly number: string;
    readonly carrier: string;
  }>(
    '',
    `select c.participant, c.number, n.carrier from calls c
      join numbers n on n.tenant = c.tenant and n.number = c.number where c.call = $1`,
    [call],
  );
  if (row === undefined) throw new Error('no such call');
  const now = Date.now();
  const leg = (participant: string, direction: 'in' | 'out', quality: Record<string, number>) => ({
    participant,
    number: row.number,
    carrier: row.carrier,
    direction,
    sipStatus: 200,
    startedAt: now - 61_000,
    answeredAt: now - 60_000,
    endedAt: now,
    quality,
  });
  await heart.masking.ended({
    tenant,
    call,
    outcome: 'connected',
    hangupBy: 'caller',
    hangupCause: 'normal',
    endedAt: now,
    legs: [leg(row.participant, 'in', { loss: 0.01 }), leg(target.participant, 'out', { loss: 0.77 })],
  } as never);
}

/** Whether a text shows a number in any form, whatever stands between its digits. */
export function shows(text: string, e164: string): boolean {
  const plain = text.normalize('NFKC');
  const forms = [plain, plain.replaceAll(/%[0-9A-Fa-f]{2}/g, '')];
  return forms.some((form) => form.replaceAll(/\D/g, '').includes(e164.slice(3)));
}
