import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVault, rotateKeys } from '../../vault/index.ts';
import { type TestMasking, testMasking } from '../testing.ts';
import { createDestinations, openDestination } from './destinations.ts';

/** A program of one rule. */
const rule = (then: unknown) => ({ rules: [{ then }] });

describe('destinations', () => {
  let heart: TestMasking;
  let part: ReturnType<typeof createDestinations>;
  const ask = <Row>(text: string, values: readonly unknown[] = []) =>
    heart.test.database.query<Row>('', text, values);
  beforeEach(async () => {
    heart = await testMasking();
    part = createDestinations({ database: heart.test.database, vault: heart.vault, doors: heart.doors });
    await heart.masking.createTenant({ tenant: 'other', name: 'Other' });
  });
  afterEach(() => heart.close());

  async function program(name: string, definition: unknown, version = 1) {
    await ask(
      `insert into programs (tenant, program, name, version) values ('default', $1, $1, $2)
        on conflict (tenant, program) do update set version = $2`,
      [name, version],
    );
    await ask(
      `insert into program_versions (tenant, program, version, definition, actor)
        values ('default', $1, $2, $3::jsonb, 'test')`,
      [name, version, JSON.stringify(definition)],
    );
  }

  it('are set, changed, listed and deleted, and only ever shown masked', async () => {
    expect(await part.setDestination('default', 'support', '+622150000001')).toEqual({
      name: 'support',
      phone: '+62••••••0001',
    });
    await part.setDestination('default', 'Night_desk', '+14155550100');
    await part.setDestination('default', 'support', '+622150000002');
    await part.setDestination('other', 'support', '+622150000003');
    expect(await part.listDestinations('default')).toEqual([
      { name: 'Night_desk', phone: '+1••••••0100' },
      { name: 'support', phone: '+62••••••0002' },
    ]);
    await part.deleteDestination('default', 'Night_desk');
    expect((await part.listDestinations('default')).map((one) => one.name)).toEqual(['support']);
    expect(await part.listDestinations('other')).toEqual([{ name: 'support', phone: '+62••••••0003' }]);
    await expect(part.deleteDestination('default', 'Night_desk')).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(part.deleteDestination('default', 'a\0b')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are sealed, each in its place, and told of without their numbers', async () => {
    await part.setDestination('default', 'support', '+622150000001');
    await part.setDestination('default', 'support', '+622150000002');
    await part.setDestination('default', 'night', '+622150000003');
    await part.deleteDestination('default', 'night');
    const keys = await heart.vault.unlock('default');
    const [row] = await ask<{ readonly destination: string; readonly phone: Buffer }>(
      'select destination, phone from destinations',
    );
    if (row === undefined) throw new Error('no row');
    expect(openDestination(keys, row)).toBe('+622150000002');
    expect(() => openDestination(keys, { ...row, destination: 'night' })).toThrow();
    const told = await ask<{ readonly row: string; readonly kind: string; readonly subject: string }>(
      `select e.kind, e.subject, e.data::text as row from events e where tenant = 'default' order by event`,
    );
    expect(told.map((one) => [one.kind, one.subject, one.row])).toEqual([
      ['destination.changed', 'support', '{"change": "added"}'],
      ['destination.changed', 'support', '{"change": "changed"}'],
      ['destination.changed', 'night', '{"change": "added"}'],
      ['destination.changed', 'night', '{"change": "deleted"}'],
    ]);
    const entries = await ask<{ readonly kind: string; readonly actor: string }>(
      `select kind, actor from ledger where tenant = 'default' and kind = 'destination.changed'`,
    );
    expect(entries).toEqual(
      Array.from({ length: 4 }, () => ({ kind: 'destination.changed', actor: 'platform' })),
    );
    const everything = await ask<{ readonly text: string }>(
      `select d::text as text from destinations d union all select l::text from ledger l union all select e::text from events e`,
    );
    expect(JSON.stringify(everything)).not.toMatch(/2150000/);
  });

  it('are numbers that a business may send its callers to', async () => {
    await heart.stock({ count: 1 });
    const wrong: readonly (readonly [name: string, phone: string, code: string, pointer: string])[] = [
      ['support', '021500001', 'invalid-number', '/phone'],
      ['support', '+62', 'invalid-number', '/phone'],
      ['support', '+87077300000001'.slice(0, 14), 'number-without-country', '/phone'],
      ['support', '+449098790000', 'number-not-allowed', '/phone'],
      ['support', '+448448790000', 'number-not-allowed', '/phone'],
      ['support', '+62215000001', 'number-not-allowed', '/phone'],
      ['', '+622150000001', 'invalid', '/destination'],
      ['6281110000001', '+622150000001', 'invalid', '/destination'],
      ['+6281110000001', '+622150000001', 'invalid', '/destination'],
      ['two words', '+622150000001', 'invalid', '/destination'],
      ['x'.repeat(64), '+622150000001', 'invalid', '/destination'],
    ];
    for (const [name, phone, code, pointer] of wrong) {
      const error = await part.setDestination('default', name, phone).catch((error) => error);
      expect([name, phone, error.code, error.pointer]).toEqual([name, phone, code, pointer]);
      expect(error.message).not.toContain(phone);
    }
    // A virtual number is one for every business.
    await expect(part.setDestination('other', 'support', '+62215000001')).rejects.toMatchObject({
      code: 'number-not-allowed',
    });
    expect(await part.listDestinations('default')).toEqual([]);
    expect(await ask('select from events')).toEqual([]);
  });

  it('are at most a hundred, however many ask at once', async () => {
    await ask(
      `insert into destinations (tenant, destination, phone, country)
        select 'default', 'd' || n, '', 'ID' from generate_series(1, 97) n`,
    );
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => part.setDestination('default', `e${index}`, '+622150000001')),
    );
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
    for (const one of tries) if (one.status === 'rejected') expect(one.reason.code).toBe('invalid');
    await part.setDestination('default', 'd1', '+622150000001');
  });

  it('stay while a program forwards to them, wherever in it', async () => {
    await part.setDestination('default', 'support', '+622150000001');
    await part.setDestination('default', 'night', '+622150000002');
    const choices = { 1: { connect: 'agent' }, 2: { forward: 'support' } };
    const definitions: readonly unknown[] = [
      rule({ forward: 'support' }),
      rule([{ connect: 'agent' }, { forward: { to: 'support', ringSeconds: 20 } }]),
      { ...rule({ announce: 'closed' }), closed: [{ forward: 'support' }] },
      { ...rule({ use: 'help' }), blocks: { help: { forward: 'support' } } },
      rule({ menu: { prompt: 'choose', choices } }),
      rule({ menu: { prompt: 'choose', choices: {}, otherwise: [{ forward: { to: 'support' } }] } }),
      rule({ ask: { url: 'https://example.com', fallback: { forward: 'support' } } }),
    ];
    for (const [index, definition] of definitions.entries()) {
      await program(`program${index}`, definition);
      await expect(part.deleteDestination('default', 'support')).rejects.toMatchObject({
        code: 'destination-in-use',
        message: expect.stringContaining(`program${index}`),
      });
      await ask(`update programs set deleted_at = now() where program = $1`, [`program${index}`]);
    }
    await part.deleteDestination('default', 'night');
    await part.deleteDestination('default', 'support');
  });

  it('go when only a version of the past forwards to them, unless a live session holds on to that', async () => {
    await part.setDestination('default', 'support', '+622150000001');
    await program('lines', rule({ forward: 'support' }));
    await program('lines', rule({ connect: 'agent' }), 2);
    await ask(
      `insert into sessions (tenant, session, pool, expires_at, program, program_version)
        values ('default', 'ses_1', 'default', now() + interval '1 hour', 'lines', 1)`,
    );
    await expect(part.deleteDestination('default', 'support')).rejects.toMatchObject({
      code: 'destination-in-use',
    });
    await ask(`update sessions set program_version = null`);
    await part.deleteDestination('default', 'support');
  });

  it('are sealed anew when the keys are changed', async () => {
    const { database } = heart.test;
    const masterKey = `1:${randomBytes(32).toString('base64')}`;
    await ask('truncate tenant_keys');
    const quick = { dataDir: '/nonexistent', refreshMilliseconds: 20, activationMilliseconds: 50 };
    const vault = await createVault({ ...quick, database, masterKey });
    const turned = createDestinations({ database, vault, doors: heart.doors });
    await turned.setDestination('default', 'support', '+622150000001');
    const result = await rotateKeys({
      database,
      vault,
      tenant: 'default',
      what: 'tenant',
      retireMilliseconds: 0,
    });
    expect(result).toEqual({ rewrapped: 1, unreadable: 0, retired: 1 });
    const fresh = await createVault({ ...quick, database, masterKey });
    expect(
      await createDestinations({ database, vault: fresh, doors: heart.doors }).listDestinations('default'),
    ).toEqual([{ name: 'support', phone: '+62••••••0001' }]);
  });
});
