import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialog, IncomingInvite } from '@samar/sip';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { promptNames } from '../packages/server/src/switch/prompts.ts';
import { type ChildPlatform, childPlatform } from './support/child-platform.ts';
import { connectTrunk, openSession, pause } from './support/platform.ts';
import { inParallel, type RawCall, type RawCarrier, rawCarrier } from './support/raw-caller.ts';
import { wavOf } from './support/sound.ts';
import { rowsOf } from './support/sql.ts';

/** Law 2: after `close` is acknowledged nothing connects, ever; and before it, what was promised holds. */
let platform: ChildPlatform;
let carrier: RawCarrier;
let prompts: string;

interface Person {
  readonly phone: string;
  readonly dial: string;
}

interface Job {
  readonly id: string;
  readonly people: readonly [Person, Person];
}

beforeAll(async () => {
  // Short words: the long ones are heard elsewhere, and every one of them holds a port while it is spoken.
  prompts = await mkdtemp(join(tmpdir(), 'samar-prompts-'));
  await mkdir(join(prompts, 'en'));
  for (const name of promptNames) {
    await writeFile(join(prompts, 'en', `${name}.wav`), wavOf(new Int16Array(1_600).fill(1_000)));
  }
  platform = await childPlatform({ SAMAR_PROMPTS_DIR: prompts });
  await platform.start();
  carrier = await rawCarrier(platform.sipPort);
  const numbers = Array.from({ length: 40 }, (_, index) => `+62215005${String(index).padStart(4, '0')}`);
  await connectTrunk(platform.call, carrier.port, numbers);
});

afterAll(async () => {
  await carrier?.close();
  await platform?.remove();
  await rm(prompts, { recursive: true, force: true });
});

afterEach(() => {
  carrier.reached.length = 0;
  carrier.onReached((invite) => invite.reject(486));
});

let people = 10_000_000;

/** Sessions of two people each, whom no other session knows. */
async function jobs(
  count: number,
  more: () => Readonly<Record<string, unknown>> = () => ({}),
): Promise<Job[]> {
  const opened: Job[] = [];
  await inParallel(
    8,
    Array.from({ length: count }, (_, index) => index),
    async () => {
      people += 2;
      const phones = [`+62812${people}`, `+62812${people + 1}`] as const;
      const { id, dials } = await openSession(platform.call, phones, more());
      opened.push({
        id,
        people: [
          { phone: phones[0], dial: dials[0] },
          { phone: phones[1], dial: dials[1] },
        ],
      });
    },
  );
  return opened;
}

/** Resolves to the moment when the close was acknowledged. */
async function close({ id }: Job, ongoingCalls: 'finish' | 'hangup' = 'finish'): Promise<number> {
  const { status } = await platform.call('POST', `/v1/sessions/${id}/close`, {
    reason: 'resolved',
    ongoingCalls,
  });
  expect(status).toBe(200);
  return performance.now();
}

const call = ({ phone, dial }: Person, sdp = false) => carrier.call({ from: phone, to: dial, sdp });

/** A busy platform refuses with 503 and asks to come again, which says nothing about the session. */
async function decided(person: Person, sdp: boolean): Promise<RawCall> {
  for (;;) {
    const outcome = await call(person, sdp);
    if (outcome.status !== 503) return outcome;
    outcome.dialog?.bye();
    await pause(200);
  }
}

test('after the close, 10,000 calls on the old numbers: none is connected, none reaches anybody', async () => {
  const sessions = await jobs(50);
  // The same calls connect before: else their refusal would prove nothing.
  const one = sessions[0]?.people[0];
  if (!one) throw new Error('no session');
  expect((await call(one)).status).toBe(486);
  expect(carrier.reached).toHaveLength(1);
  await inParallel(8, sessions, async (job) => void (await close(job)));
  carrier.reached.length = 0;
  carrier.onReached((invite) => void carrier.answer(invite));

  const statuses = new Map<number | undefined, number>();
  const callers = Array.from(
    { length: 10_000 },
    (_, index) => sessions[index % 50]?.people[Math.floor(index / 50) % 2],
  );
  await inParallel(48, callers, async (person, index) => {
    if (!person) throw new Error('nobody to call');
    // Every twenty-fifth offers media, and hears why.
    const { status, dialog } = await decided(person, index % 25 === 0);
    dialog?.bye();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  expect([...statuses]).toEqual([[410, 10_000]]);
  expect(carrier.reached).toEqual([]);
});

test('calls that race with the close: each that was connected was so before the acknowledgement', async () => {
  const sessions = await jobs(160);
  /** Callees pick up at once, or somewhat later. */
  carrier.onReached((invite) => {
    invite.progress(180);
    const timer = setTimeout(() => carrier.answer(invite), Math.random() * 40);
    invite.onCancelled(() => clearTimeout(timer));
  });
  const connected: { readonly at: number; readonly acknowledged: number; readonly dialog: Dialog }[] = [];
  let refused = 0;
  await inParallel(10, sessions, async (job, index) => {
    const after = Math.random() * 60;
    const calls = job.people.map(async (person) => {
      await pause(Math.random() * 70);
      return call(person, true);
    });
    await pause(after);
    const acknowledged = await close(job, index % 2 === 0 ? 'hangup' : 'finish');
    for (const { status, at, dialog } of await Promise.all(calls)) {
      if (dialog) connected.push({ at, acknowledged, dialog });
      else if (status === 410) refused += 1;
      else throw new Error(`unexpected: ${status}`);
    }
  });
  // A race that is always won by the same side is none.
  expect(connected.length).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(20);
  expect(connected.filter(({ at, acknowledged }) => at > acknowledged)).toEqual([]);
  for (const { dialog } of connected) if (!dialog.ended) dialog.bye();
  // And by the database's clock: what it let pass was before the end.
  expect(await passed('c.answered_at > s.closed_at')).toEqual([]);
});

test('a call that rings when the session is closed: nobody is joined any more, even if the callee picks up', async () => {
  const sessions = await jobs(60);
  const pickedUp: Dialog[] = [];
  let crossed = 0;
  let ringing: (invite: IncomingInvite) => void = () => {};
  carrier.onReached((invite) => {
    invite.progress(180);
    ringing(invite);
  });
  for (const [index, job] of sessions.entries()) {
    const rings = new Promise<IncomingInvite>((resolve) => {
      ringing = resolve;
    });
    const caller = call(job.people[index % 2 === 0 ? 0 : 1], true);
    const invite = await rings;
    let cancelled = false;
    invite.onCancelled(() => {
      cancelled = true;
    });
    const closing = close(job, index % 4 < 2 ? 'finish' : 'hangup');
    // Some pick up while the close is on its way, some would do so after it, and are told first that it is over.
    await pause(index % 20);
    const dialog = cancelled ? undefined : carrier.answer(invite);
    if (dialog) pickedUp.push(dialog);
    const [acknowledged, outcome] = await Promise.all([closing, caller]);
    if (outcome.dialog) {
      expect(outcome.at).toBeLessThanOrEqual(acknowledged);
      outcome.dialog.bye();
    } else {
      expect(outcome.status).toBe(410);
      if (dialog) crossed += 1;
    }
  }
  expect(pickedUp.length).toBeGreaterThan(5);
  expect(pickedUp.length).toBeLessThan(60);
  expect(crossed).toBeGreaterThan(0);
  // Who picked up in vain is not left in the line.
  await pause(500);
  expect(pickedUp.filter(({ ended }) => !ended)).toEqual([]);
});

test('at the instant of expiry: nobody who calls later gets through, nobody who rings is joined after it', async () => {
  const expiry = Date.now() + 4_000;
  const sessions = await jobs(16, () => ({ expiresAt: new Date(expiry).toISOString() }));
  expect(Date.now()).toBeLessThan(expiry - 1_700);
  /** When each person last picked up. */
  const pickedUp = new Map<string, number>();
  /** Who rang before the expiry and picks up, if still asked to, after it. */
  let ringingAtExpiry = 0;
  carrier.onReached((invite) => {
    invite.progress(180);
    const [, phone = ''] = /^sip:(\+\d+)@/.exec(invite.request.uri) ?? [];
    // Half of those who are rung in the last second take so long that it has ended when they pick up.
    const left = expiry - Date.now();
    const slow = left > 0 && left < 1_100 && Math.random() < 0.5;
    if (slow) ringingAtExpiry += 1;
    const timer = setTimeout(
      () => {
        pickedUp.set(phone, Date.now());
        carrier.answer(invite);
      },
      slow ? left + 20 + Math.random() * 200 : Math.random() * 100,
    );
    invite.onCancelled(() => clearTimeout(timer));
  });
  const outcomes: { readonly began: number; readonly joined: number; readonly outcome: RawCall }[] = [];
  await Promise.all(
    sessions.flatMap(({ people: both }) =>
      both.map(async (person, side) => {
        for (const offset of [-1_600, -1_000, -500, -150, 200]) {
          await pause(Math.max(0, expiry + offset + side * 40 + Math.random() * 60 - Date.now()));
          const began = Date.now();
          const outcome = await call(person, true);
          outcomes.push({ began, joined: pickedUp.get(both[1 - side]?.phone ?? '') ?? 0, outcome });
          if (outcome.dialog && !outcome.dialog.ended) outcome.dialog.bye();
        }
      }),
    ),
  );
  const connected = outcomes.filter(({ outcome }) => outcome.dialog);
  expect(connected.length).toBeGreaterThan(5);
  expect(ringingAtExpiry).toBeGreaterThan(5);
  expect(connected.filter(({ began, joined }) => began >= expiry || joined >= expiry)).toEqual([]);
  const others = new Set(
    outcomes.filter(({ outcome }) => !outcome.dialog).map(({ outcome }) => outcome.status),
  );
  expect([...others]).toEqual([410]);
  expect(await passed('c.answered_at >= s.expires_at')).toEqual([]);
});

/** Calls of which this holds. */
function passed(condition: string): Promise<readonly { readonly call: string }[]> {
  return rowsOf(
    platform.databaseUrl(),
    `select c.call from calls c join sessions s on s.tenant = c.tenant and s.session = c.session where ${condition}`,
  );
}

test('nothing of all these calls is left', async () => {
  for (let attempt = 0; ; attempt++) {
    const metrics = (await platform.call('GET', '/metrics')).text;
    if (/^samar_calls 0$/m.test(metrics) && /^samar_media_legs 0$/m.test(metrics)) break;
    if (attempt > 50) throw new Error('calls or ports are left');
    await pause(100);
  }
  expect(await readdir(join(platform.dataDir, 'recordings'))).toEqual([]);
});
