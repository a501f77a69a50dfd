import { nodeDoors } from '@samar/doors';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { phone } from '../testing.ts';
import { type CodeEntry, createCodes } from './codes.ts';
import { type Stage, testStage } from './testing-stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await testStage();
});
afterAll(() => stage.close());

async function wrongOf(subject: string): Promise<number> {
  const [row] = await stage.sql<{ readonly wrong: number }>(
    'select coalesce(sum(wrong), 0)::integer as wrong from pin_failures where subject = $1',
    [subject],
  );
  return row?.wrong ?? 0;
}

describe('codes in a call', () => {
  /** Without the pause after a failure, which one test measures. */
  const hasty = { after: (_: number, action: () => void) => nodeDoors().timers.after(0, action) };
  const codes = () => createCodes({ ...stage.context, doors: { ...stage.context.doors, timers: hasty } });
  let number: string;
  let code: string;
  let participant: string;
  beforeEach(async () => {
    ({ number, code, participant } = await stage.code());
  });
  const entry = (more: object = {}) => ({
    tenant: 'default',
    number,
    code: '918273',
    attempt: 1,
    caller: undefined,
    ...more,
  });

  it('let a withheld, an unknown and an untrusted caller in', async () => {
    for (const caller of [
      undefined,
      { phone: phone(800_000), trusted: true },
      { phone: phone(800_001), trusted: false },
    ]) {
      expect(await codes().tryCode(entry({ code, caller }))).toMatchObject({
        kind: 'accepted',
        participant,
        claim: false,
      });
    }
  });

  it('may be tried three times', async () => {
    expect(await codes().tryCode(entry())).toEqual({ kind: 'wrong', left: 2 });
    expect(await codes().tryCode(entry({ attempt: 2 }))).toEqual({ kind: 'wrong', left: 1 });
    expect(await codes().tryCode(entry({ attempt: 3 }))).toEqual({ kind: 'wrong', left: 0 });
    expect(await codes().tryCode(entry({ attempt: 4, code }))).toEqual({ kind: 'wrong', left: 0 });
    expect(await wrongOf(number)).toBe(3);
  });

  it('cost a number nothing when they are none', async () => {
    for (const none of ['', '12345', '1234567', '12345*', '１２３４５６', "1' or '1"]) {
      expect(await codes().tryCode(entry({ code: none }))).toEqual({ kind: 'wrong', left: 2 });
    }
    expect(await wrongOf(number)).toBe(0);
  });

  it('count what an untrusted caller keys apart from what the same number keys when it is vouched for', async () => {
    const spoofed = phone(800_002);
    const elsewhere = (await stage.number()).id;
    for (let turn = 0; turn < 10; turn++) {
      await stage.sql('delete from pin_failures where subject = $1', [elsewhere]);
      await codes().tryCode(entry({ number: elsewhere, caller: { phone: spoofed, trusted: false } }));
    }
    expect(await codes().tryCode(entry({ code, caller: { phone: spoofed, trusted: false } }))).toEqual({
      kind: 'locked',
    });
    expect(await codes().tryCode(entry({ code, caller: { phone: spoofed, trusted: true } }))).toMatchObject({
      kind: 'accepted',
    });
  });

  it('are refused in the same words and no sooner than others, whatever the reason', async () => {
    const over = await stage.code();
    await stage.sql('update sessions set expires_at = now() where session = $1', [over.session]);
    const claim = await createCodes(stage.context).createClaim(
      'default',
      (
        await stage.sql<{ session: string }>('select session from participants where participant = $1', [
          participant,
        ])
      )[0]?.session ?? '',
      participant,
    );
    const reasons = {
      none: entry(),
      malformed: entry({ code: '12' }),
      'of another number': entry({ code: (await stage.code()).code }),
      expired: entry({ number: over.number, code: over.code }),
      'a claim without a caller': entry({ code: claim.code }),
      'a claim of an untrusted caller': entry({
        code: claim.code,
        caller: { phone: phone(800_003), trusted: false },
      }),
      'a number without codes': entry({ number: (await stage.number()).id }),
    };
    const patient = createCodes(stage.context);
    const timed = async (tried: CodeEntry) => {
      const before = performance.now();
      const outcome = await patient.tryCode(tried);
      // A timer may fire a fraction of a millisecond early.
      return { outcome, late: performance.now() - before > 395 };
    };
    for (const [reason, tried] of Object.entries(reasons)) {
      expect(await timed(tried), reason).toEqual({ outcome: { kind: 'wrong', left: 2 }, late: true });
    }
    await stage.sql('update pin_failures set wrong = 10 where subject = $1', [number]);
    for (const tried of [entry({ code }), entry(), entry({ code: claim.code })]) {
      expect(await timed(tried)).toEqual({ outcome: { kind: 'locked' }, late: true });
    }
  });

  it('stand nowhere in clear, nor do those who key them', async () => {
    await codes().tryCode(entry({ caller: { phone: phone(800_004), trusted: true } }));
    const rows = await stage.sql<{ readonly row: string }>(
      `select t::text as row from pins t union all select t::text from pin_failures t
        union all select t::text from events t union all select t::text from ledger t`,
    );
    const everything = rows.map((one) => one.row).join('\n');
    expect(everything).not.toContain(phone(800_004).slice(1));
    const hexadecimal = Buffer.from(code).toString('hex');
    for (const form of [`"${code}"`, `,${code},`, hexadecimal]) expect(everything).not.toContain(form);
  });
});
