import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Canary } from './support/canaries.ts';
import { type Allowed, crawl, type Document, searcherOf, type Told } from './support/crawl.ts';
import { type Crowd, startCrowd } from './support/crowd.ts';

/**
 * No phone number in any answer but by a reveal that is in the ledger: every GET of the API as everybody, every page of
 * the console and of the participants, and everything that is kept or sent, searched for every person of a platform
 * that has been lived on.
 */
let crowd: Crowd;
let document: Document;
let canaries: readonly Canary[];
let allowed: readonly Allowed[];
const told: Told[] = [];

beforeAll(async () => {
  crowd = await startCrowd();
  document = (await crowd.scene.platform.call('GET', '/openapi.json')).body;
  const words = [...crowd.written, ...crowd.secrets];
  canaries = [
    ...crowd.canaries(),
    ...words.map(({ what, text }): Canary => ({ where: what, kind: 'text', value: text })),
  ];
  const subject = crowd.people['customer'];
  allowed = [
    ...words.map(({ text, shownBy }): Allowed => ({ where: shownBy, what: [text] })),
    // A copy is of the person themselves: their own number and name, and nobody else's.
    {
      where: /^GET \/v1\/privacy\/requests\/\{id\}\/export$/,
      what: [subject?.number ?? '', subject?.name ?? ''],
    },
  ];
}, 120_000);
afterAll(() => crowd?.stop());

test('no answer to any GET, whoever asks, holds a number, a name or what somebody wrote elsewhere', async () => {
  for (const asker of [crowd.key, ...crowd.staff]) {
    told.push(...(await crawl(crowd.scene.platform.call, document, asker)));
  }
  const { search } = searcherOf(canaries, allowed);
  expect(told.length).toBeGreaterThan(500);
  expect(told.flatMap(search)).toEqual([]);
});
