import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { destroyPartyKey } from '../../vault/index.ts';
import { MaskingError } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

const agentPhone = '+6285678912345';
const secondPhone = '+6285678954321';
const customerPhone = '+919876501234';
const names = ['Nyoman Sukasada', 'Lakshmi Venkataraman'];

/** A number in every way in which it might hide: as text, backwards, packed, and each of these as hex and base64. */
function encodings(e164: string): readonly string[] {
  const digits = e164.slice(1);
  const national = digits.slice(2);
  const swapped = digits.replace(/(.)(.)/g, '$2$1');
  const texts = [digits, national, `00${digits}`, [...digits].reverse().join(''), swapped];
  const hex = texts.map((text) => Buffer.from(text).toString('hex'));
  const base64 = [digits, e164, national].map((text) => Buffer.from(text).toString('base64').slice(0, -4));
  const wide = Buffer.from(national, 'utf16le').toString('hex');
  return [...texts, ...hex, ...base64, wide, BigInt(digits).toString(16)];
}

describe('personal data', () => {
  let heart: TestMasking;
  const said: string[] = [];
  beforeAll(async () => {
    heart = await testMasking({ report: (task, error) => said.push(`${task} ${String(error)}`) });
    await heart.stock({ count: 3 });
  });
  afterAll(() => heart.close());

  async function everything(): Promise<string> {
    const { database } = heart.test;
    const tables = await database.query<{ readonly name: string }>(
      '',
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'`,
      [],
    );
    const rows: string[] = [];
    for (const { name } of tables) {
      const found = await database.query<{ readonly row: string }>(
        '',
        `select t::text as row from ${name} t`,
        [],
      );
      rows.push(...found.map((one) => `${name} ${one.row}`));
    }
    return rows.join('\n');
  }

  it('is nowhere in the database, nor in an error, a record or the ledger', async () => {
    const { masking } = heart;
    const ask = {
      reference: 'canary',
      participants: [
        { role: 'agent', phones: [agentPhone, secondPhone], name: names[0] ?? '' },
        { role: 'customer', phones: [customerPhone], name: names[1] ?? '' },
      ],
    };
    const key = { key: `call ${agentPhone}`, digest: Buffer.from('digest') };
    const session = await masking.createSession('default', ask, key);
    said.push(JSON.stringify(session));
    said.push(JSON.stringify(await masking.createSession('default', ask, key)));
    const refusals = [
      masking.createSession('default', { participants: [...ask.participants, ...ask.participants.slice(1)] }),
      masking.createSession('default', {
        ...ask,
        participants: [{ role: 'agent', phones: [agentPhone, '+62'] }],
      }),
      masking.createSession('default', { ...ask, pool: 'none' }),
      masking.createSession('default', ask, { key: key.key, digest: Buffer.from('other') }),
      masking.listSessions('default', { phone: `${agentPhone}0000000` }, { limit: 10 }),
      masking.getSession('default', agentPhone),
    ].map((one) =>
      one.then(
        () => 'not refused',
        (error: unknown) => error as Error,
      ),
    );
    for (const refusal of await Promise.all(refusals)) {
      expect(refusal).toBeInstanceOf(MaskingError);
      const { message, pointer, stack } = refusal as MaskingError;
      said.push(`${message} ${pointer} ${stack}`);
    }
    const { call } = await heart.dial(agentPhone, session.participants[0]?.dial ?? '');
    await heart.dial(customerPhone, session.participants[0]?.dial ?? '');
    await heart.dial(phone(7), session.participants[0]?.dial ?? '');
    const participant = session.participants[1]?.id ?? '';
    await masking.answered({ tenant: 'default', call, session: session.id, participant });
    said.push(JSON.stringify(await masking.listCalls('default', {}, { limit: 50 })));
    said.push(JSON.stringify(await masking.listSessions('default', { phone: customerPhone }, { limit: 50 })));
    await masking.closeSession('default', session.id, { reason: 'resolved' });

    const haystack = `${await everything()}\n${said.join('\n')}`.toLowerCase();
    expect(haystack).toContain('canary');
    for (const number of [agentPhone, secondPhone, customerPhone]) {
      const found = encodings(number).filter((one) => haystack.includes(one.toLowerCase()));
      expect(found).toEqual([]);
    }
    for (const name of names) {
      for (const one of [name, Buffer.from(name).toString('hex'), Buffer.from(name).toString('base64')]) {
        expect(haystack).not.toContain(one.toLowerCase());
      }
    }
  });

  it('is revealed, and listened to, only with a reason and a ledger entry', async () => {
    const { masking } = heart;
    const session = await masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [agentPhone, secondPhone] },
        { role: 'customer', phones: [customerPhone] },
      ],
    });
    const [agent] = session.participants;
    const access = { actor: 'key_x', reason: 'ticket 4711' };
    await expect(
      masking.revealPhone('default', session.id, agent?.id ?? '', { ...access, reason: ' ' }),
    ).rejects.toMatchObject({ code: 'invalid', pointer: '/reason' });
    for (const reason of ['call +62 811-2345 678', 'ask (0811) 2345678', 'ask ٠٨١١٢٣٤٥٦٧٨']) {
      await expect(
        masking.revealPhone('default', session.id, agent?.id ?? '', { ...access, reason }),
      ).rejects.toMatchObject({ code: 'invalid', pointer: '/reason' });
    }
    expect(await masking.revealPhone('default', session.id, agent?.id ?? '', access)).toEqual([
      agentPhone,
      secondPhone,
    ]);

    const there = await heart.dial(agentPhone, agent?.dial ?? '');
    if (there.kind !== 'run') throw new Error('not connected');
    const parties = [there.caller.party, targetsOf(there)[0]?.party ?? ''] as const;
    const made = await masking.recordingStarted({
      tenant: 'default',
      call: there.call,
      session: session.id,
      parties,
      announcement: { caller: 'en', callee: 'id', version: '1' },
    });
    expect(made.file).toBe(`${made.recording}.rec`);
    await masking.recordingEnded({
      tenant: 'default',
      recording: made.recording,
      status: 'complete',
      milliseconds: 61_000,
      bytes: 1_000_000,
      sha256: 'ab'.repeat(32),
    });
    const opened = await masking.openRecording('default', there.call, access);
    expect(opened.key.equals(made.key)).toBe(true);
    expect(opened).toMatchObject({ recording: made.recording, status: 'complete' });
    const other = await heart.dial(agentPhone, agent?.dial ?? '');
    await expect(masking.openRecording('default', other.call, access)).rejects.toMatchObject({
      code: 'no-recording',
    });

    const told = await heart.test.database.query<{ readonly kind: string; readonly details: unknown }>(
      '',
      `select kind, actor, subject, details from ledger where session = $1 order by entry`,
      [session.id],
    );
    expect(told.map((one) => one.kind)).toEqual([
      'session.opened',
      'phone.revealed',
      'phone.revealed',
      'recording.started',
      'recording.kept',
      'recording.listened',
    ]);
    expect(told.at(-1)).toMatchObject({
      actor: 'key_x',
      subject: made.recording,
      details: { reason: 'ticket 4711' },
    });

    // One of the two is erased: nobody can listen any more, the number is gone, and a new session makes a new party.
    expect(await destroyPartyKey(heart.test.database, 'default', targetsOf(there)[0]?.party ?? '')).toBe(
      true,
    );
    await expect(masking.openRecording('default', there.call, access)).rejects.toMatchObject({
      code: 'recording-unreadable',
    });
    const after = await masking.getSession('default', session.id);
    expect(after.participants.map((one) => one.phone)).toEqual(['+62•••••••2345', '•••']);
    expect(await heart.dial(agentPhone, agent?.dial ?? '')).toMatchObject({
      kind: 'refuse',
      reason: 'unavailable',
    });
    expect(await heart.dial(customerPhone, session.participants[1]?.dial ?? '')).toMatchObject({
      reason: 'not-connected',
    });
    const again = await masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [agentPhone], name: 'Nyoman' },
        { role: 'customer', phones: [customerPhone], name: 'Lakshmi' },
      ],
    });
    const back = await heart.dial(customerPhone, again.participants[1]?.dial ?? '');
    expect(back).toMatchObject({ kind: 'run', session: again.id });
  });
});
