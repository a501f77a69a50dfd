import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetEvents } from '../../store/queries/events.ts';
import { newId } from '../ids.ts';
import { type Stage, testStage } from '../parties/testing-stage.ts';
import { createEvents } from './events.ts';

describe('events', () => {
  let stage: Stage;
  let events: ReturnType<typeof createEvents>;
  let session: string;
  beforeAll(async () => {
    stage = await testStage();
    events = createEvents(stage.context);
    session = newId(stage.context.doors, 'ses');
    for (let index = 0; index < 7; index++) {
      await stage.sql(`select emit_event('default', $1, $2, $3, $4::jsonb)`, [
        index % 3 === 0 ? 'abuse.suspected' : 'session.changed',
        index < 5 ? session : null,
        `par_${index}`,
        JSON.stringify({ index }),
      ]);
    }
    await stage.sql(`insert into tenants (tenant, name) values ('another', 'Another')`);
    await stage.sql(`select emit_event('another', 'session.changed', $1, null, null)`, [session]);
  });
  afterAll(() => stage.close());

  const indexes = async (filter: { session?: string; kind?: string }, limit = 50, after?: string) => {
    const page = await events.listEvents(
      'default',
      filter,
      after === undefined ? { limit } : { limit, after },
    );
    return { shown: page.items.map((one) => one.data['index']), next: page.next };
  };

  it('are listed newest first, page by page, of one tenant', async () => {
    const first = await indexes({}, 4);
    expect(first.shown).toEqual([6, 5, 4, 3]);
    const second = await indexes({}, 4, first.next);
    expect(second).toEqual({ shown: [2, 1, 0], next: undefined });
    const { items } = await events.listEvents('another', {}, { limit: 5 });
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^evt_/),
        kind: 'session.changed',
        at: expect.any(Date),
        session,
        data: {},
      },
    ]);
  });

  it('are found by session and by kind', async () => {
    expect((await indexes({ session })).shown).toEqual([4, 3, 2, 1, 0]);
    expect((await indexes({ kind: 'abuse.suspected' })).shown).toEqual([6, 3, 0]);
    const first = await indexes({ kind: 'abuse.suspected', session }, 1);
    expect(first.shown).toEqual([3]);
    expect((await indexes({ kind: 'abuse.suspected', session }, 1, first.next)).shown).toEqual([0]);
    expect((await indexes({ session: 'nonsense' })).shown).toEqual([]);
    for (const kind of ['', 'x', "a.b'", 'A.b', `a.${'b'.repeat(80)}`]) {
      await expect(indexes({ kind })).rejects.toMatchObject({ code: 'invalid', pointer: '/kind' });
    }
    await expect(indexes({}, 0)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('are kept for 30 days', async () => {
    await stage.sql('select publish_events(500)');
    await stage.sql(
      `update events set at = now() - interval '30 days 1 minute' where data ->> 'index' in ('0', '1', '2')`,
    );
    await stage.sql(
      `update events set at = now() - interval '29 days 23 hours' where data ->> 'index' = '3'`,
    );
    expect(await forgetEvents(stage.context.database, 2)).toBe(2);
    expect(await forgetEvents(stage.context.database, 2)).toBe(1);
    expect(await forgetEvents(stage.context.database, 2)).toBe(0);
    expect((await indexes({})).shown).toEqual([6, 5, 4, 3]);
  });
});
