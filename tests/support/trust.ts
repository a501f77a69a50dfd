/** The rooms of trust as people meet them: by phone, by the link to their page, and by the API; for whole-platform tests. */
import { join } from 'node:path';
import type { Phone, PhoneCall } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { expect } from 'vitest';
import { objectStore } from '../../packages/server/src/cli/server.ts';
import type { Config } from '../../packages/server/src/config.ts';
import { createMasking } from '../../packages/server/src/masking/index.ts';
import { type TestDatabase, testDatabase } from '../../packages/server/src/store/testing.ts';
import { createTrust } from '../../packages/server/src/trust/index.ts';
import { createRights } from '../../packages/server/src/trust/rights/rights.ts';
import { createSigner } from '../../packages/server/src/trust/signing.ts';
import { createVault } from '../../packages/server/src/vault/index.ts';
import { type ApiAnswer, pause, settledCalls } from './platform.ts';
import { hears, type OpenSession, prompt, type Scene, startScene } from './scene.ts';

export interface TrustScene extends Scene {
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** 2xx, or the test ends with what came instead. */
  ask(method: string, path: string, body?: unknown): Promise<ApiAnswer['body']>;
  /** An agent and a customer with phones of their own, and a session of theirs. */
  pair(more?: object): Promise<Pair>;
  /** Participants' pages. */
  visit(path: string): Promise<PageAnswer>;
  press(path: string, fields?: Readonly<Record<string, string>>): Promise<PageAnswer>;
  /** A request of somebody's rights, once it is over. */
  finished(request: string): Promise<ApiAnswer['body']>;
  /** Work that the platform does when its time has come, done now. */
  housekeeping(): Promise<{ readonly recordings: number; readonly others: number }>;
}

export interface Pair {
  readonly agent: Phone;
  readonly customer: Phone;
  readonly session: OpenSession;
  /** `/t/…` of the agent and the customer. */
  readonly pages: readonly [string, string];
}

export interface PageAnswer {
  readonly status: number;
  readonly text: string;
}

export async function startTrustScene(settings: Partial<Config> = {}): Promise<TrustScene> {
  const test: TestDatabase = await testDatabase();
  const scene = await startScene({ databaseUrl: test.url, ...settings });
  const base = `http://127.0.0.1:${scene.platform.server.http.port}`;

  async function page(path: string, request: RequestInit): Promise<PageAnswer> {
    const answer = await fetch(`${base}${path}`, { redirect: 'manual', ...request });
    const text = await answer.text();
    scene.keep(`page ${path.replace(/\/t\/[^/?]+/, '/t/…')}`, Buffer.from(text));
    return { status: answer.status, text };
  }

  const ask: TrustScene['ask'] = async (method, path, body) => {
    const answer = await scene.call(method, path, body);
    expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300);
    return answer.body;
  };

  return {
    ...scene,
    ask,
    sql: (text, values = []) => test.database.query('', text, values),
    async pair(more = {}) {
      const [agent, customer] = [await scene.phone(), await scene.phone()];
      const session = await scene.open(
        [
          { role: 'agent', phone: agent.number, locale: 'en', name: 'Wayan Canary' },
          { role: 'customer', phone: customer.number, locale: 'en', name: 'Made Canary' },
        ],
        more,
      );
      const [one = '', other = ''] = session.body.participants.map(
        ({ transparencyUrl }: { readonly transparencyUrl: string }) => new URL(transparencyUrl).pathname,
      );
      return { agent, customer, session, pages: [one, other] };
    },
    visit: (path) => page(path, {}),
    async press(path, fields = {}) {
      const asked = await page(path, {});
      const form = /name="form" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
      const body = new URLSearchParams({ form, ...fields });
      return page(path, { method: 'POST', body });
    },
    async finished(request) {
      const until = performance.now() + 60_000;
      for (;;) {
        const one = await ask('GET', `/v1/privacy/requests/${request}`);
        if (one.status !== 'running') return one;
        if (performance.now() > until) throw new Error('the request is still running');
        await pause(50);
      }
    },
    async housekeeping() {
      const doors = nodeDoors();
      const { database } = test;
      const dataDir = join(scene.platform.directory, 'data');
      const vault = await createVault({ database, masterKey: undefined, dataDir });
      const failed: unknown[] = [];
      const objects = objectStore(settings, doors);
      const context = {
        ...{ database, vault, doors, masking: createMasking({ database, vault, doors }) },
        recordings: join(dataDir, 'recordings'),
        ...(objects && { objects }),
        report: (_task: string, error: unknown) => void failed.push(error),
      };
      const trust = await createTrust(context);
      const rights = createRights({ ...context, signer: await createSigner(vault) }, trust);
      const recordings = await trust.custody.runRetention();
      await rights.tidy();
      const others = await rights.retain();
      await trust.stop();
      expect(failed).toEqual([]);
      return { recordings, others };
    },
    async stop() {
      await scene.stop();
      await test.drop();
    },
  };
}

/** `from` calls by the session's number, and the other answers. */
export async function connect(
  scene: Scene,
  { agent, customer, session }: Pair,
  from: 'agent' | 'customer' = 'agent',
): Promise<{ readonly call: PhoneCall; readonly other: PhoneCall; readonly id: string }> {
  const [caller, callee] = from === 'agent' ? [agent, customer] : [customer, agent];
  const incoming = callee.nextCall();
  const call = caller.dial(session.dials[from === 'agent' ? 0 : 1] ?? '');
  expect(await call.answered).toEqual({ ok: true });
  const other = await incoming;
  const { body } = await scene.call('GET', `/v1/calls?session=${session.id}`);
  return { call, other, id: body.items[0].id };
}

/** Whoever calls is not put through, and hears these words. */
export async function hearsInstead(caller: Phone, dial: string, words: string): Promise<void> {
  const call = caller.dial(dial);
  expect(await hears(call, prompt(`en/${words}`))).toBeGreaterThan(0.85);
  expect((await call.answered).ok).toBe(false);
}

/** A finished recording of a talk of these two; the call's id. */
export async function recordedTalk(scene: Scene, pair: Pair, said: Int16Array): Promise<string> {
  const { call, other, id } = await connect(scene, pair);
  expect(await hears(other, prompt('en/recording'))).toBeGreaterThan(0.85);
  await pause(1_200);
  await call.say(said);
  await pause(200);
  call.hangUp();
  await other.ended;
  const record = (await settledCalls(scene.call, pair.session.id)).at(-1);
  expect(record.recording.status).toBe('complete');
  return id;
}
