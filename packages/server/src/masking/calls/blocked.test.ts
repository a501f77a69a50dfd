import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';

describe('a block of any phone of a person', () => {
  let heart: TestMasking;
  beforeAll(async () => {
    heart = await testMasking();
    await heart.stock({ count: 4 });
  });
  afterAll(() => heart.close());

  it.each([
    ['who called', 11, 13],
    ['whom they call', 13, 11],
  ])('rings nobody, from whichever phone they call: towards %s', async (_, blocked, towards) => {
    const people = blocked * 100;
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [phone(people + 10), phone(people + 11)] },
        { role: 'customer', phones: [phone(people + 13)] },
      ],
    });
    const dial = session.participants[0]?.dial ?? '';
    expect(targetsOf(await heart.dial(phone(people + 10), dial))).toHaveLength(1);
    await heart.masking.createBlock(
      'default',
      { phone: phone(people + blocked), counterpartPhone: phone(people + towards), reason: 'rude' },
      'api',
    );
    for (const from of [10, 11]) {
      // Like a stranger's call.
      expect(await heart.dial(phone(people + from), dial)).toMatchObject({
        kind: 'refuse',
        reason: 'not-connected',
      });
    }
  });
});
