import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phone } from '../../masking/testing.ts';
import { callsCsv, cell } from './export-csv.ts';
import { exportPage } from './export-page.ts';
import { shows, type TestRights, testRights } from './testing.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into exports freely, and fail when they are wrong
type Exported = any;

describe('an export', () => {
  let stage: TestRights;
  let exported: Exported;
  let dial: string;
  const [customer, driver] = [phone(900_001), phone(900_002)];
  const driverName = 'Bambang Sutrisno';

  beforeAll(async () => {
    stage = await testRights();
    const { heart, rights } = stage;
    await heart.stock({ count: 6 });
    const opened = await heart.masking.createSession('default', {
      reference: `A-77 for ${driver}`,
      recording: 'announce',
      metadata: {
        order: 'A-77',
        note: `call ${driverName.toUpperCase()} on 0${driver.slice(3, 6)}-${driver.slice(6, 10)} ${driver.slice(10)}`,
        number: Number(driver.slice(1)),
        list: [{ deep: `+62 (${driver.slice(3, 6)}) ${driver.slice(6)}` }],
      },
      participants: [
        { role: 'customer', phones: [customer], name: 'Siti <script>alert(1)</script>' },
        { role: 'driver', phones: [driver], name: driverName },
      ],
    });
    const [own, other] = opened.participants;
    dial = own?.dial ?? '';
    const { call } = await stage.talk(customer, dial, { recorded: true });
    await stage.talk(driver, other?.dial ?? '');
    await heart.masking.openRecording('default', call, {
      actor: 'usr_x',
      reason: `complaint of ${driverName} about the other`,
    });
    await heart.masking.revealPhone('default', opened.id, other?.id ?? '', {
      actor: 'usr_x',
      reason: 'not of them',
    });
    await heart.masking.revealPhone('default', opened.id, own?.id ?? '', {
      actor: 'usr_x',
      reason: 'wrong address',
    });
    await heart.masking.createBlock(
      'default',
      { phone: customer, counterpartPhone: driver, reason: 'rude' },
      'api',
    );
    const keys = await heart.vault.unlock('default');
    const statement = keys.seal(Buffer.from(`${driverName} shouted at me`), {
      tenant: 'default',
      table: 'disputes',
      column: 'statement',
      row: 'dsp_1',
    });
    await stage.sql(
      `insert into disputes (tenant, dispute, session, category, opener_kind, opener, opened_at, statement, updated_at)
        values ('default', 'dsp_1', $1, 'harassment', 'participant', $2, now(), $3, now())`,
      [opened.id, own?.id, statement],
    );
    await stage.sql(
      `update tenants set settings = settings || '{"retention":{"recordingDays":30}}' where tenant = 'default'`,
    );
    const asked = await rights.requestExport('default', { phone: customer }, 'a letter');
    expect(asked).toMatchObject({ kind: 'export', status: 'running', phone: expect.stringContaining('•') });
    expect((await stage.finished(asked.id)).status).toBe('done');
    exported = await rights.readExport('default', asked.id);
  });
  afterAll(() => stage.close());

  it('has everything that is held', () => {
    expect(exported.format).toBe('samar-export/1');
    expect(exported.person.phones).toMatchObject([{ number: customer, country: 'ID' }]);
    expect(exported.sessions).toHaveLength(1);
    expect(exported.sessions[0]).toMatchObject({
      role: 'customer',
      name: 'Siti <script>alert(1)</script>',
      virtualNumber: dial,
      metadata: { order: 'A-77' },
      others: ['driver'],
    });
    expect(exported.calls).toHaveLength(2);
    for (const call of exported.calls) {
      expect(call).toMatchObject({ with: 'driver', outcome: 'connected' });
      expect(call.legs).toHaveLength(1);
    }
    expect(exported.calls.map((call: Exported) => [call.direction, call.legs[0].quality.loss])).toEqual([
      ['in', 0.77],
      ['out', 0.01],
    ]);
    expect(exported.recordings).toMatchObject([
      { seconds: 60, status: 'complete', keptUntil: expect.any(String) },
    ]);
    expect(exported.virtualNumbers).toMatchObject([{ number: dial, callsAfterTheEnd: 0 }]);
    expect(exported.blocks).toMatchObject([{ who: 'you', towards: 'somebody else' }]);
    expect(exported.disputes).toMatchObject([{ openedBy: 'you', statement: '••• shouted at me' }]);
    const uses = exported.uses.map((use: Exported) => [use.kind, use.reason]);
    expect(uses).toContainEqual(['phone.revealed', 'wrong address']);
    expect(uses).toContainEqual(['recording.listened', 'complaint of ••• about the other']);
    expect(uses).not.toContainEqual(['phone.revealed', 'not of them']);
    expect(exported.uses.filter((use: Exported) => use.kind === 'connection')).toHaveLength(2);
    expect(exported.requests).toHaveLength(1);
    expect(exported.retention).toEqual({ recordingDays: 30 });
    expect(exported.cut).toEqual([]);
  });

  it('shows nothing of the others, in any form of it', () => {
    for (const text of [JSON.stringify(exported), exportPage(exported), callsCsv(exported)]) {
      expect(shows(text, driver)).toBe(false);
      expect(text.toLowerCase()).not.toContain('bambang');
      expect(text.toLowerCase()).not.toContain('sutrisno');
    }
    expect(shows(JSON.stringify(exported), customer)).toBe(true);
  });

  it('is a page without scripts', () => {
    const page = exportPage(exported);
    expect(page).not.toContain('<script');
    expect(page).toContain('&#60;script&#62;');
    expect(page).not.toMatch(/(?:src|href|url)\s*[=(]/i);
  });

  it('is a table that no spreadsheet runs', () => {
    expect(callsCsv(exported).split('\r\n')[0]).toBe(
      'id,session,direction,with,virtualNumber,startedAt,answeredAt,endedAt,seconds,outcome,refusal',
    );
    expect(callsCsv(exported)).toContain(`,'${dial},`);
    expect(['=1+1', '+62', '-1', '@x', '\tx', '\rx', 'a,"b"', 'plain'].map(cell)).toEqual([
      "'=1+1",
      "'+62",
      "'-1",
      "'@x",
      "'\tx",
      '"\'\rx"',
      '"a,""b"""',
      'plain',
    ]);
  });

  it('is written down, with every reading', async () => {
    const kinds = await stage.sql<{ readonly kind: string }>(
      `select kind from ledger where kind like 'privacy.%' order by entry`,
    );
    expect(kinds.map((row) => row.kind)).toEqual([
      'privacy.export-requested',
      'privacy.exported',
      'privacy.export-read',
    ]);
  });

  it('is kept sealed, and for seven days', async () => {
    const [row] = await stage.sql<{ readonly content: Buffer; readonly days: number }>(
      `select content, round(extract(epoch from expires_at - now()) / 86400)::integer as days from rights_exports`,
    );
    expect(row?.days).toBe(7);
    expect(row?.content.includes(Buffer.from(customer))).toBe(false);
    expect(row?.content.includes(Buffer.from('samar-export'))).toBe(false);
    await stage.sql(`update rights_exports set expires_at = now()`);
    await stage.rights.tidy();
    expect(await stage.sql('select from rights_exports')).toHaveLength(0);
  });
});
