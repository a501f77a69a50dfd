import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Phone } from '@samar/devcarrier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cast, destination, expectAsForetold, foretell, people, save } from './support/foretold.ts';
import { pause } from './support/platform.ts';
import {
  eventKinds,
  expectTalk,
  hears,
  lastCall,
  prompt,
  type Scene,
  startScene,
  voices,
} from './support/scene.ts';

/** Every step of a program as an outsider has it: said by HTTP, foretold by HTTP, done by real phones, explained by HTTP. */
let scene: Scene;
/** A phone of the business's own. */
let office: Phone;

/** What the tenant's decision system answers, by path. */
const answers = new Map<string, object | 'silence'>();
interface Question {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
const questions: Question[] = [];
let decisions: Server;
let decisionUrl: string;
/** Nobody listens there. */
let deadUrl: string;

beforeAll(async () => {
  decisions = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const question = { path, headers: request.headers, body: Buffer.concat(chunks).toString() };
      questions.push(question);
      scene.keep('question', Buffer.from(JSON.stringify(request.rawHeaders) + question.body));
      const answer = answers.get(path);
      if (answer !== 'silence') response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => decisions.listen(0, '127.0.0.1', resolve));
  decisionUrl = `http://127.0.0.1:${(decisions.address() as AddressInfo).port}`;
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  deadUrl = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((resolve) => gone.close(resolve));

  scene = await startScene({ webhookAllow: ['127.0.0.1/32'] });
  office = await destination(scene, 'office');
});

afterAll(async () => {
  await scene?.stop();
  decisions?.closeAllConnections();
  decisions?.close();
});

describe.concurrent('a call', () => {
  test('connect, one after another: the first does not answer, the second talks', async () => {
    const foretold = await foretell(scene, 'hunt', {
      rules: [
        { name: 'never', when: 'caller.role == "agent"', then: { refuse: {} } },
        { name: 'everybody', then: { connect: { to: ['agent', 'helper'], ringSeconds: 5 } } },
      ],
    });
    const { agent, helper, customer } = foretold.actors;
    const { dials, ids } = foretold.session;
    expect(foretold.summary).toEqual([expect.stringMatching(/connect agent.*helper.*5 s each/)]);
    agent.setOnRing('ignore');
    const incoming = helper.nextCall();
    const call = customer.dial(dials[2] ?? '');
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    expect(helper.displayed.at(-1)).toBe(dials[1]);
    expect(agent.displayed.at(-1)).toBe(dials[0]);
    expect(agent.ringing).toBe(0);
    await expectTalk(call, other);
    call.hangUp();
    await other.ended;
    await expectAsForetold(foretold, '/rules/1', [
      ['connect', '/rules/1/then', 'no-answer'],
      ['connect', '/rules/1/then', 'answered'],
    ]);
    const { why } = await lastCall(scene, foretold.session.id);
    expect(why.steps.map((step: { participant: string }) => step.participant)).toEqual([ids[0], ids[1]]);
  });

  test('connect, all at once: both ring, the first to answer talks, the other stops ringing', async () => {
    const foretold = await foretell(scene, 'together', {
      rules: [{ then: { connect: { to: ['agent', 'helper'], mode: 'all', ringSeconds: 20 } } }],
    });
    const { agent, helper, customer } = foretold.actors;
    agent.setOnRing('ignore');
    const incoming = helper.nextCall();
    const call = customer.dial(foretold.dial);
    expect(await call.answered).toEqual({ ok: true });
    await expectTalk(call, await incoming);
    expect(agent.displayed.at(-1)).toBe(foretold.session.dials[0]);
    expect(agent.ringing).toBe(0);
    call.hangUp();
    const record = await expectAsForetold(foretold, '/rules/0', [
      ['connect', '/rules/0/then', 'cancelled'],
      ['connect', '/rules/0/then', 'answered'],
    ]);
    expect(record.outcome).toBe('connected');
  });

  test('announce: the caller hears it, and only then somebody rings', async () => {
    const foretold = await foretell(scene, 'announced', {
      rules: [{ then: [{ announce: ['connecting', { characters: 'A7' }] }, { connect: 'agent' }] }],
    });
    const { agent, customer } = foretold.actors;
    const incoming = agent.nextCall();
    const call = customer.dial(foretold.dial);
    expect(await hears(call, prompt('en/connecting'))).toBeGreaterThan(0.85);
    expect(agent.displayed).toEqual([]);
    const other = await incoming;
    expect(await hears(call, prompt('en/char-a'), 0)).toBeGreaterThan(0.85);
    expect(await hears(call, prompt('en/char-7'), 0)).toBeGreaterThan(0.85);
    await expectTalk(call, other);
    call.hangUp();
    await expectAsForetold(foretold, '/rules/0', [
      ['announce', '/rules/0/then/0', 'heard'],
      ['connect', '/rules/0/then/1', 'answered'],
    ]);
  });

  describe('menu', () => {
    const desk = (name: string) =>
      foretell(scene, name, {
        rules: [
          {
            name: 'desk',
            when: 'caller.role == "customer"',
            then: {
              menu: {
                prompt: 'choose',
                timeoutSeconds: 2,
                attempts: 2,
                choices: { '1': { connect: 'agent' }, '2': { use: 'office' } },
                otherwise: { refuse: 'goodbye' },
              },
            },
          },
        ],
        blocks: { office: [{ announce: 'connecting' }, { forward: { to: 'office', ringSeconds: 20 } }] },
      });

    test('a key connects', async () => {
      const foretold = await desk('desk-one');
      const { agent, customer } = foretold.actors;
      const incoming = agent.nextCall();
      const call = customer.dial(foretold.dial);
      expect(await call.answered).toEqual({ ok: true });
      expect(await hears(call, prompt('en/choose'))).toBeGreaterThan(0.85);
      await call.press('1');
      await expectTalk(call, await incoming);
      expect(agent.displayed.at(-1)).toBe(foretold.session.dials[0]);
      call.hangUp();
      await expectAsForetold(foretold, '/rules/0', [
        ['menu', '/rules/0/then', 'key-1'],
        ['connect', '/rules/0/then/menu/choices/1', 'answered'],
      ]);
    });

    test("a key leads into a block, and from there to the business's own phone, which sees the caller's virtual number", async () => {
      const foretold = await desk('desk-two');
      const { customer } = foretold.actors;
      const incoming = office.nextCall();
      const call = customer.dial(foretold.dial);
      await call.answered;
      await pause(300);
      await call.press('2');
      const other = await incoming;
      expect(await hears(call, prompt('en/connecting'), 0)).toBeGreaterThan(0.85);
      await expectTalk(call, other);
      expect(office.displayed.at(-1)).toBe(foretold.session.dials[2]);
      other.hangUp();
      await call.ended;
      const record = await expectAsForetold(foretold, '/rules/0', [
        ['menu', '/rules/0/then', 'key-2'],
        ['announce', '/blocks/office/0', 'heard'],
        ['forward', '/blocks/office/1', 'answered'],
      ]);
      expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'callee' });
    });

    test('another key, then none: what is otherwise', async () => {
      const foretold = await desk('desk-other');
      const { customer } = foretold.actors;
      const call = customer.dial(foretold.dial);
      await call.answered;
      await pause(300);
      await call.press('9');
      expect(await hears(call, prompt('en/invalid-choice'))).toBeGreaterThan(0.85);
      expect(await hears(call, prompt('en/goodbye'))).toBeGreaterThan(0.85);
      await call.ended;
      const record = await expectAsForetold(foretold, '/rules/0', [
        ['menu', '/rules/0/then', 'no-choice'],
        ['refuse', '/rules/0/then/menu/otherwise', 'program'],
      ]);
      expect(record).toMatchObject({ outcome: 'refused', refusal: 'program' });
    });
  });

  test('refuse: with words, in early media, which costs the caller nothing', async () => {
    const foretold = await foretell(
      scene,
      'shut',
      {
        rules: [
          {
            name: 'delivered',
            when: 'session.metadata.status == "delivered"',
            then: { refuse: 'not-allowed' },
          },
          { then: { connect: {} } },
        ],
      },
      { metadata: { status: 'delivered' } },
    );
    const { agent, customer } = foretold.actors;
    const call = customer.dial(foretold.dial);
    expect(await call.answered).toEqual({ ok: false, status: 403 });
    expect(await hears(call, prompt('en/not-allowed'), 0)).toBeGreaterThan(0.85);
    expect(agent.displayed).toEqual([]);
    await expectAsForetold(foretold, '/rules/0', [['refuse', '/rules/0/then', 'program']]);

    // The order goes on: the same numbers connect again.
    const { id } = foretold.session;
    expect(
      (await scene.call('PATCH', `/v1/sessions/${id}`, { metadata: { status: 'on the way' } })).status,
    ).toBe(200);
    const incoming = agent.nextCall();
    const again = customer.dial(foretold.dial);
    expect(await again.answered).toEqual({ ok: true });
    again.hangUp();
    await (await incoming).ended;
    const { why } = await lastCall(scene, id);
    expect(why.trace.rules).toEqual([
      { place: '/rules/0', name: 'delivered', outcome: 'false' },
      { place: '/rules/1', outcome: 'fired' },
    ]);
  });

  describe("ask: the business's own system decides", () => {
    const asking = (url: string, more: object = {}) => ({
      rules: [
        { then: { ask: { url, timeoutMilliseconds: 1_000, fallback: { refuse: 'try-again' }, ...more } } },
      ],
    });

    test('its answer is done, and its question is signed and holds no number', async () => {
      answers.set('/good', { then: [{ announce: 'connecting' }, { connect: { to: 'helper' } }] });
      const foretold = await foretell(scene, 'asking', asking(`${decisionUrl}/good`), {
        reference: 'order-4711',
      });
      const { helper, customer } = foretold.actors;
      const incoming = helper.nextCall();
      const call = customer.dial(foretold.dial);
      expect(await call.answered).toEqual({ ok: true });
      await expectTalk(call, await incoming);
      call.hangUp();
      const record = await expectAsForetold(foretold, '/rules/0', [
        ['ask', '/rules/0/then', 'answered'],
        ['announce', 'answer/0', 'heard'],
        ['connect', 'answer/1', 'answered'],
      ]);
      const asked = questions.filter(({ path }) => path === '/good');
      expect(asked).toHaveLength(1);
      const { headers, body } = asked[0] as Question;
      const { secret } = (await scene.call('GET', '/v1/settings/decision-secret')).body;
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      expect(headers['webhook-signature']).toBe(
        `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
      );
      expect(JSON.parse(body)).toMatchObject({
        type: 'call.decision',
        call: record.id,
        session: foretold.session.id,
        place: '/rules/0/then',
        facts: {
          caller: { role: 'customer', participant: foretold.session.ids[2], locale: 'en', trusted: true },
          session: {
            reference: 'order-4711',
            roles: expect.arrayContaining(['agent', 'helper', 'customer']),
          },
        },
      });
    });

    test.each([
      ['dead', () => deadUrl, 'silence'],
      ['silent', () => decisionUrl, 'silence'],
      ['number', () => decisionUrl, { then: { connect: '+6281200000001' } }],
      ['stranger', () => decisionUrl, { then: { connect: 'nobody' } }],
      ['confused', () => decisionUrl, { do: 'connect' }],
    ] as const)('%s: the fallback, which connects nobody unless it says so', async (name, url, answer) => {
      answers.set(`/${name}`, answer);
      const foretold = await foretell(scene, `asking-${name}`, asking(`${url()}/${name}`));
      const { agent, helper, customer } = foretold.actors;
      const began = performance.now();
      const call = customer.dial(foretold.dial);
      expect(await hears(call, prompt('en/try-again'))).toBeGreaterThan(0.85);
      expect((await call.answered).ok).toBe(false);
      expect(performance.now() - began).toBeLessThan(1_000 + 8_000);
      expect([...agent.displayed, ...helper.displayed]).toEqual([]);
      await expectAsForetold(foretold, '/rules/0', [
        ['ask', '/rules/0/then', 'fallback'],
        ['refuse', '/rules/0/then/ask/fallback', 'program'],
      ]);
    });
  });

  test('voicemail: left when nobody answers, heard by the one it is for on their own number', async () => {
    const foretold = await foretell(scene, 'message', {
      rules: [
        {
          then: [
            { connect: { to: 'agent', ringSeconds: 5 } },
            { voicemail: { for: 'agent', maxSeconds: 30 } },
          ],
        },
      ],
    });
    const { agent, helper, customer } = foretold.actors;
    const { id, dials, ids } = foretold.session;
    agent.setOnRing('unavailable');
    const call = customer.dial(dials[2] ?? '');
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/voicemail'))).toBeGreaterThan(0.85);
    // The greeting's last words, and the tone.
    await pause(4_500);
    await call.say(voices.caller);
    await call.press('#');
    expect(await hears(call, prompt('en/voicemail-saved'))).toBeGreaterThan(0.85);
    await call.ended;
    const record = await expectAsForetold(foretold, '/rules/0', [
      ['connect', '/rules/0/then/0', 'unavailable'],
      ['voicemail', '/rules/0/then/1', 'recorded'],
    ]);
    expect(record.voicemail.milliseconds).toBeGreaterThan(700);
    expect(record.voicemail.heardAt).toBeUndefined();

    // Somebody else of the session hears nothing of it.
    const other = helper.dial(dials[1] ?? '');
    await other.answered;
    expect(await hears(other, prompt('en/messages'), 2_500)).toBeLessThan(0.7);
    other.hangUp();

    agent.setOnRing('answer');
    const listening = agent.dial(dials[0] ?? '');
    expect(await listening.answered).toEqual({ ok: true });
    expect(await hears(listening, prompt('en/messages'))).toBeGreaterThan(0.85);
    await listening.press('1');
    expect(await hears(listening, voices.caller)).toBeGreaterThan(0.85);
    expect(await hears(listening, prompt('en/no-more-messages'))).toBeGreaterThan(0.85);
    listening.hangUp();
    const { why } = await lastCall(scene, id);
    expect(why.steps[0]).toMatchObject({ verb: 'messages', outcome: 'heard-1' });
    expect((await scene.call('GET', `/v1/calls/${record.id}`)).body.voicemail.heardAt).toBeDefined();
    expect(await eventKinds(scene, id)).toEqual(
      expect.arrayContaining(['voicemail.left', 'voicemail.heard']),
    );
    expect(ids).toHaveLength(3);
  });

  test('saved programs: the newest version holds at once, a pinned one stays, and the default is for sessions that name none', async () => {
    const id = await save(scene, 'versions', { rules: [{ then: { refuse: 'closed' } }] });
    const actors = await cast(scene);
    const { customer } = actors;
    const following = await scene.open(people(actors), { program: 'versions' });
    const pinned = await scene.open(people(actors), { program: { name: 'versions', version: 1 } });
    const changed = await scene.call('PATCH', '/v1/programs/versions', {
      definition: { rules: [{ then: { refuse: 'goodbye' } }] },
    });
    expect(changed.body).toMatchObject({ id, version: 2 });
    for (const [session, version, words] of [
      [following, 2, 'goodbye'],
      [pinned, 1, 'closed'],
    ] as const) {
      const call = customer.dial(session.dials[2] ?? '');
      expect((await call.answered).ok).toBe(false);
      expect(await hears(call, prompt(`en/${words}`), 0)).toBeGreaterThan(0.85);
      const { why } = await lastCall(scene, session.id);
      expect(why.trace.program).toEqual({ source: 'named', id, version });
    }
    expect((await scene.call('DELETE', '/v1/programs/versions')).status).toBe(409);

    expect((await scene.call('PATCH', '/v1/programs/versions', { default: true })).status).toBe(200);
    const plain = await scene.open(people(actors));
    const call = customer.dial(plain.dials[2] ?? '');
    expect((await call.answered).ok).toBe(false);
    expect(await hears(call, prompt('en/goodbye'), 0)).toBeGreaterThan(0.85);
    expect((await lastCall(scene, plain.id)).why.trace.program).toEqual({ source: 'tenant', id, version: 2 });
    expect((await scene.call('PATCH', '/v1/programs/versions', { default: false })).status).toBe(200);
  });

  test('a program of the session alone, outside its hours: the closed steps', async () => {
    const support = await destination(scene, 'support');
    const actors = await cast(scene);
    const { customer } = actors;
    const definition = {
      rules: [{ then: { connect: {} } }],
      closed: [{ announce: 'closed' }, { forward: 'support' }],
    };
    const today = new Date().toISOString().slice(0, 10);
    const session = await scene.open(people(actors), {
      program: definition,
      schedule: {
        timeZone: 'UTC',
        windows: [{ from: '00:00', to: '24:00' }],
        exceptions: [{ date: today, closed: true }],
      },
    });
    const foretold = await scene.call('POST', '/v1/programs/test', {
      definition,
      session: session.id,
      caller: 'customer',
    });
    expect(foretold.status, foretold.text).toBe(200);
    expect(foretold.body.trace).toMatchObject({ open: false, program: { source: 'inline' } });
    const incoming = support.nextCall();
    const call = customer.dial(session.dials[2] ?? '');
    expect(await hears(call, prompt('en/closed'))).toBeGreaterThan(0.85);
    await expectTalk(call, await incoming);
    call.hangUp();
    const { why } = await lastCall(scene, session.id);
    const { rules, steps, open } = foretold.body.trace;
    expect(why.trace).toMatchObject({ rules, steps, open });
  });
});

test('nothing that the platform told, sent or wrote down meanwhile holds anybody’s real number', async () => {
  const { hits, planted, searched } = await scene.leaks();
  expect(planted).toBeGreaterThan(30);
  expect(searched['others']).toBeGreaterThan(3);
  expect(searched['trunk']).toBeGreaterThan(100);
  expect(hits).toEqual([]);
});
