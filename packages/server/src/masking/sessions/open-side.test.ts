import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

/** A listing's number: whoever calls gets a conversation of their own, and the seller can call each of them back. */
describe('a session with an open side', () => {
  let heart: TestMasking;
  let reserved = '';
  beforeAll(async () => {
    heart = await testMasking();
    const { numbers } = await heart.stock({ count: 16, cooldown: { '*': 3_600 } });
    for (const number of numbers.slice(-8)) {
      const listed = await heart.masking.listNumbers('default', {}, { limit: 50 });
      const id = listed.items.find((one) => one.number === number)?.id ?? '';
      await heart.masking.updateNumber('default', id, { use: 'reserved' });
    }
    reserved = numbers.at(-1) ?? '';
  });
  afterAll(() => heart.close());

  let people = 100;
  async function list(more: Partial<NewSession> = {}, number?: string) {
    const seller = phone(people++);
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'seller', phones: [seller] },
        { role: 'buyer', phones: [], open: true, ...(number === undefined ? {} : { number }) },
      ],
      reference: 'bicycle',
      ...more,
    });
    return { session, seller, listing: session.participants[1]?.dial ?? '' };
  }
  const conversations = async (parent: string) =>
    (await heart.masking.listSessions('default', { parent }, { limit: 50 })).items;

  it('each caller is put through to the seller, who sees each of them on a number of its own', async () => {
    const { session, seller, listing } = await list({}, reserved);
    expect(listing).toBe(reserved);
    expect(session.participants[1]).toMatchObject({ open: true, phone: '' });
    const shown = [];
    for (const buyer of [phone(people++), phone(people++)]) {
      const [target] = targetsOf(await heart.dial(buyer, listing));
      expect(target?.phone).toBe(seller);
      shown.push(target?.callerId ?? '');
      // The seller calls back the number that showed, and reaches that buyer only.
      const back = targetsOf(await heart.dial(seller, target?.callerId ?? ''));
      expect(back.map((one) => [one.phone, one.callerId])).toEqual([[buyer, listing]]);
    }
    expect(new Set(shown).size).toBe(2);
    const children = await conversations(session.id);
    expect(children).toHaveLength(2);
    expect(children[0]).toMatchObject({ parent: session.id, reference: 'bicycle', status: 'open' });
  });

  it('who calls again is in the same conversation, however many calls come at once', async () => {
    const { session, listing } = await list();
    const buyer = phone(people++);
    const calls = await Promise.all(Array.from({ length: 8 }, () => heart.dial(buyer, listing)));
    expect(new Set(calls.map((one) => (one.kind === 'run' ? one.session : one.kind))).size).toBe(1);
    expect(await conversations(session.id)).toHaveLength(1);
  });

  it('a withheld number, the seller themself and a number that is nobody’s are not connected', async () => {
    const { session, seller, listing } = await list();
    expect(await heart.dial(undefined, listing)).toMatchObject({ kind: 'refuse', reason: 'not-connected' });
    expect(await heart.dial(seller, listing)).toMatchObject({ kind: 'refuse', reason: 'unavailable' });
    expect(await heart.dial('+8812345678', listing)).toMatchObject({ kind: 'refuse', reason: 'unavailable' });
    expect(await conversations(session.id)).toHaveLength(0);
  });

  it('ends with its conversations; a later listing on the number starts anew', async () => {
    const { session, seller, listing } = await list({}, undefined);
    const buyer = phone(people++);
    const [target] = targetsOf(await heart.dial(buyer, listing));
    await heart.masking.closeSession('default', session.id, { reason: 'sold' });
    expect(await heart.dial(buyer, listing)).toMatchObject({ kind: 'refuse', reason: 'ended' });
    expect(await heart.dial(phone(people++), listing)).toMatchObject({ reason: 'not-connected' });
    expect(await heart.dial(seller, target?.callerId ?? '')).toMatchObject({ reason: 'ended' });
    expect((await conversations(session.id)).map((one) => one.closeReason)).toEqual(['sold']);
    const again = await list({}, listing);
    expect(targetsOf(await heart.dial(buyer, listing)).map((one) => one.phone)).toEqual([again.seller]);
  });

  it('needs a reserved number that nobody uses', async () => {
    const { listing } = await list();
    await expect(list({}, listing)).rejects.toMatchObject({
      code: 'number-not-available',
      pointer: '/participants/1/number',
    });
    await expect(list({}, '+6221500000')).rejects.toMatchObject({ pointer: '/participants/1/number' });
    await expect(
      heart.masking.createSession('default', {
        participants: [
          { role: 'buyer', phones: [], open: true },
          { role: 'seller', phones: [], open: true },
        ],
      }),
    ).rejects.toMatchObject({ code: 'invalid', pointer: '/participants' });
    await expect(
      heart.masking.createSession('default', {
        participants: [
          { role: 'seller', phones: [phone(1)] },
          { role: 'buyer', phones: [phone(2)], open: true },
        ],
      }),
    ).rejects.toMatchObject({ pointer: '/participants/1/phones' });
  });

  it('two listings race for the last reserved number: one gets it', async () => {
    const open = await heart.masking.listSessions('default', { status: 'open' }, { limit: 100 });
    for (const one of open.items) await heart.masking.closeSession('default', one.id, { reason: 'done' });
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => list()));
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(8);
  });
});
