/**
 * A platform that has been lived on: sessions of every shape, calls, recordings, a message left, disputes, requests of
 * subjects, blocks, webhooks, users of every role. Every person's number and name is a canary, and so is whatever
 * people wrote and whatever opens something. Each POST carries an Idempotency-Key, so that what is kept for a
 * repetition is searched as well.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Phone } from '@samar/devcarrier';
import { expect } from 'vitest';
import { roles } from '../../packages/server/src/users/service.ts';
import { type Aviary, type Canary, createAviary } from './canaries.ts';
import { type ApiAnswer, type ApiCall, adminKey, pause } from './platform.ts';
import { eventually, hears, type OpenSession, prompt, type Scene, startScene, voices } from './scene.ts';

export interface Person {
  readonly number: string;
  readonly name: string;
}
/** Somebody who asks the API: with a key or with the cookie of a log-in. */
export interface Asker {
  readonly who: string;
  readonly headers: Readonly<Record<string, string>>;
}
export interface Staff extends Asker {
  readonly email: string;
  readonly cookie: string;
}
/** A text that is shown where its route is named here, and nowhere else. */
export interface Written {
  readonly what: string;
  readonly text: string;
  readonly shownBy: RegExp;
}
/** One use of the reveal, as the ledger must have it. */
export interface Reveal {
  readonly actor: string;
  readonly session: string;
  readonly participant: string;
  readonly reason: string;
}

export interface Crowd {
  readonly scene: Scene;
  readonly aviary: Aviary;
  readonly key: Asker;
  readonly staff: readonly Staff[];
  readonly sessions: Readonly<Record<'main' | 'group' | 'listing' | 'scheduled' | 'closed', OpenSession>>;
  readonly people: Readonly<Record<string, Person>>;
  /** `/t/…` of the two sides of `main`. */
  readonly pages: readonly [agent: string, customer: string];
  readonly mainCall: string;
  readonly exportRequest: string;
  readonly written: readonly Written[];
  /** What opens something: keys, passwords, links. */
  readonly secrets: readonly Written[];
  readonly reveals: readonly Reveal[];
  readonly delivered: readonly string[];
  /** What `GET /v1/live` has told since before the first session. */
  readonly live: () => string;
  /** A number in a session's metadata. */
  readonly control: Written;
  /** Of people's numbers and names: never shown at all. */
  canaries(): readonly Canary[];
  stop(): Promise<void>;
}

const password = 'sungai batu kertas';
/** The pretend network's own two people, in every installation that has it. */
export const pretendNumbers = ['+6281100000001', '+6281200000002'] as const;
const never = /^$/;
/** Where what the tenant wrote into a session is given back. */
const ownWords =
  /\/v1\/sessions|\/v1\/privacy\/requests\/\{id\}\/export|^table (sessions|idempotency)|^page \/console\/sessions/;
/** No aviary's. */
const control = '+6281299087652';

/** Answers 200 to everything and keeps it. */
async function receiver(): Promise<{
  readonly server: Server;
  readonly url: string;
  readonly got: string[];
}> {
  const got: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push(`${request.url} ${JSON.stringify(request.rawHeaders)} ${body}`);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/samar`, got };
}

async function watch(url: string) {
  const end = new AbortController();
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${adminKey}` },
    signal: end.signal,
  });
  let text = '';
  const read = (async () => {
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
  })().catch(() => {});
  return {
    told: () => text,
    async close() {
      end.abort();
      await read;
    },
  };
}

export async function startCrowd(): Promise<Crowd> {
  const hooks = await receiver();
  const scene = await startScene({ pretendNetwork: true, webhookAllow: ['127.0.0.1/32'] }, 60);
  const stream = await watch(`http://127.0.0.1:${scene.platform.server.http.port}/v1/live`);
  return {
    ...(await seed(scene, hooks.url)),
    scene,
    delivered: hooks.got,
    live: stream.told,
    async stop() {
      await stream.close();
      await scene.stop();
      hooks.server.closeAllConnections();
      hooks.server.close();
    },
  };
}

/** What every part of the seeding needs. */
interface Ground {
  readonly scene: Scene;
  readonly aviary: Aviary;
  readonly key: Asker;
  readonly people: Record<string, Person>;
  readonly written: Written[];
  readonly secrets: Written[];
  readonly reveals: Reveal[];
  /** 2xx or the test fails; with an Idempotency-Key of its own. */
  does(asker: Asker, method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  person(role: string, more?: object): object;
  /** A number and a name in a sentence, which only this route may show. */
  says(what: string, shownBy: RegExp): string;
}

async function seed(
  scene: Scene,
  hookUrl: string,
): Promise<Omit<Crowd, 'scene' | 'stop' | 'delivered' | 'live'>> {
  const ground = await prepare(scene);
  const staff = await users(ground);
  await administration(ground, hookUrl);
  const sessions = await openSessions(ground);
  const calls = await makeCalls(ground, sessions);
  const pages = sessions.main.body.participants.map(
    (one: { readonly transparencyUrl: string }) => new URL(one.transparencyUrl).pathname,
  );
  await trust(ground, staff, sessions, calls.main, pages);
  const exportRequest = await rights(ground, pages);
  const { aviary, key, people, written, secrets, reveals } = ground;
  return {
    ...{ aviary, key, staff, people, written, secrets, reveals, sessions, pages, exportRequest },
    mainCall: calls.main,
    control: { what: 'control', text: control, shownBy: ownWords },
    canaries: () => [
      ...aviary.canaries.filter(({ kind }) => kind === 'number' || kind === 'text'),
      ...pretendNumbers.map((value): Canary => ({ where: `try ${value}`, kind: 'number', value })),
    ],
  };
}

let requests = 0;

async function prepare(scene: Scene): Promise<Ground> {
  const aviary = createAviary(0);
  const people: Record<string, Person> = {};
  const written: Written[] = [];
  const secrets: Written[] = [];
  const does: Ground['does'] = async (asker, method, path, body) => {
    requests += 1;
    const call: ApiCall = scene.platform.call;
    const repeatable = method === 'POST' ? { 'idempotency-key': `crowd-${requests}` } : {};
    const answer = await call(method, path, body, { ...asker.headers, ...repeatable });
    expect(answer.status, `${asker.who}: ${method} ${path} ${answer.text}`).toBeLessThan(300);
    return answer;
  };
  const owner: Asker = { who: 'installation', headers: {} };
  const named = ['privacy:write', 'pii:reveal'];
  const scopes = ['admin', ...named, 'recordings:listen', 'recordings:download', 'recordings:approve'];
  const made = await does(owner, 'POST', '/v1/keys', { name: 'everything', scopes });
  secrets.push({ what: 'API key', text: made.body.secret, shownBy: never });
  return {
    ...{ scene, aviary, people, written, secrets, reveals: [], does },
    key: { who: 'key', headers: { authorization: `Bearer ${made.body.secret}` } },
    person(role, more = {}) {
      const { number, name } = aviary.plant(`person ${Object.keys(people).length} ${role}`);
      people[role] = { number, name };
      return { role: role.replace(/ .*/, ''), phone: number, name, locale: 'en', ...more };
    },
    says(what, shownBy) {
      const text = `Tertulis${letters(written.length)} ${what}`;
      written.push({ what, text: `Tertulis${letters(written.length)}`, shownBy });
      return text;
    },
  };
}

function letters(index: number): string {
  return [7, 5, 3, 11].map((step) => String.fromCharCode(97 + ((index * step + 13) % 26))).join('');
}

async function users({ does, secrets, key, scene }: Ground): Promise<readonly Staff[]> {
  const staff: Staff[] = [];
  for (const role of roles) {
    const email = `${role}@crowd.example`;
    const { body } = await does(key, 'POST', '/v1/users', { email, name: `The ${role}`, role });
    const token = new URL(body.invitationUrl).hash.slice(1);
    const accepted = await does(
      { who: role, headers: { authorization: '' } },
      'POST',
      '/v1/auth/invitation',
      {
        token,
        password,
      },
    );
    const cookie = String(accepted.headers.get('set-cookie')).split(';')[0] ?? '';
    const headers = { authorization: '', cookie, 'x-csrf-token': accepted.body.csrf };
    staff.push({ who: role, email, cookie, headers });
    secrets.push(
      { what: `invitation of the ${role}`, text: token, shownBy: never },
      { what: `cookie of the ${role}`, text: cookie.split('=')[1] ?? '', shownBy: never },
    );
  }
  const auditor = staff.at(-1);
  if (auditor) {
    const { body } = await does(auditor, 'POST', '/v1/auth/totp');
    secrets.push({ what: 'TOTP', text: body.secret, shownBy: never });
  }
  secrets.push({ what: 'password', text: password, shownBy: never });
  expect(scene.platform.log.length).toBeGreaterThan(0);
  return staff;
}

async function administration(
  { aviary, does, key, secrets, people }: Ground,
  hookUrl: string,
): Promise<void> {
  const [office, trunk] = [aviary.plant('the office'), aviary.plant("the trunk's credentials")];
  people['office'] = office;
  await does(key, 'PUT', '/v1/destinations/office', { phone: office.number });
  await does(key, 'POST', '/v1/carriers', {
    ...{ name: 'spare', kind: 'sip', host: 'sip.spare.example', transport: 'udp' },
    auth: { username: trunk.number.slice(1), password: trunk.name, realm: 'spare.example' },
  });
  const hook = await does(key, 'POST', '/v1/webhooks', { url: hookUrl, description: 'all', kinds: ['*'] });
  const decisions = await does(key, 'GET', '/v1/settings/decision-secret');
  for (const [what, text, shownBy] of [
    ['webhook secret', hook.body.secret, /^GET \/v1\/webhooks\/\{id\}\/secret$/],
    ['decision secret', decisions.body.secret, /^GET \/v1\/settings\/decision-secret$/],
  ] as const) {
    secrets.push({ what, text: text.replace('whsec_', ''), shownBy });
  }
  await does(key, 'PATCH', '/v1/settings', { downloadApproval: true });
  const { body } = await does(key, 'GET', '/v1/numbers?limit=200');
  const reserved = body.items.find(({ number }: { number: string }) => number === '+622150010059');
  await does(key, 'PATCH', `/v1/numbers/${reserved.id}`, { use: 'reserved' });
  // The pretend network's own in this pool are none of the trunk's that these people's phones are on.
  for (const { id, number } of body.items) {
    if (/^\+622150008\d$/.test(number)) await does(key, 'PATCH', `/v1/numbers/${id}`, { enabled: false });
  }
}

async function openSessions({ person, does, key, secrets, says }: Ground): Promise<Crowd['sessions']> {
  const open = async (participants: readonly object[], more: object = {}): Promise<OpenSession> => {
    const { body } = await does(key, 'POST', '/v1/sessions', { participants, ...more });
    for (const one of body.participants) {
      if (one.transparencyUrl === undefined) continue;
      const text = new URL(one.transparencyUrl).pathname.split('.').at(-1) ?? '';
      secrets.push({ what: `link of ${one.id}`, text, shownBy: /^page/ });
    }
    return {
      id: body.id,
      body,
      // Without the code that `dial` has where there is one.
      dials: body.participants.map((one: { number: string }) => one.number),
      ids: body.participants.map((one: { id: string }) => one.id),
    };
  };
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const sessions = {
    main: await open([person('agent'), person('customer')], {
      ...{ reference: 'job-main', recording: 'announce', pin: true },
      // The tenant's own free text comes back by design: the control that the search finds a number.
      metadata: { note: says('metadata', ownWords), call: control },
    }),
    group: await open([person('agent grouped'), person('helper'), person('customer grouped')], {
      reference: 'job-group',
      program: {
        rules: [
          {
            then: [
              { connect: { to: 'agent', ringSeconds: 5 } },
              { voicemail: { for: 'agent', maxSeconds: 30 } },
            ],
          },
        ],
      },
    }),
    listing: await open([person('seller'), { role: 'buyer', open: true }], { reference: 'listing-1' }),
    scheduled: await open([person('agent scheduled'), person('customer scheduled')], { opensAt: tomorrow }),
    closed: await open([person('agent late'), person('customer late')], { reference: 'job-closed' }),
  };
  await does(key, 'POST', `/v1/sessions/${sessions.closed.id}/close`, { reason: 'resolved' });
  await does(key, 'POST', `/v1/sessions/${sessions.main.id}/participants/${sessions.main.ids[1]}/claims`);
  return sessions;
}

async function makeCalls(
  { scene, aviary, people, does, key }: Ground,
  sessions: Crowd['sessions'],
): Promise<{ readonly main: string }> {
  const phoneOf = (name: string) => scene.phone({ number: people[name]?.number ?? '' });
  const [agent, customer, seller, late] = (await Promise.all(
    ['agent', 'customer', 'seller', 'agent late'].map(phoneOf),
  )) as [Phone, Phone, Phone, Phone];
  const [grouped, groupedAgent] = [await phoneOf('customer grouped'), await phoneOf('agent grouped')];
  // Somebody who calls a listing's number: known to nobody before.
  people['stranger'] = aviary.plant('the stranger');
  const buyer = await phoneOf('stranger');
  const talk = async (from: Phone, to: Phone, dialled: string) => {
    const incoming = to.nextCall();
    const call = from.dial(dialled);
    expect(await call.answered).toEqual({ ok: true });
    const other = await incoming;
    return { call, other };
  };
  const recorded = async () => {
    const { call, other } = await talk(agent, customer, sessions.main.dials[0] ?? '');
    const announcement = prompt('en/recording');
    expect(await hears(call, announcement, 8_000)).toBeGreaterThan(0.8);
    // Recorded is what comes after its last word.
    await pause(announcement.length / 8);
    await Promise.all([call.say(voices.caller), other.say(voices.callee)]);
    call.hangUp();
    await other.ended;
  };
  const listed = async () => {
    const { call, other } = await talk(buyer, seller, sessions.listing.body.participants[1].number);
    call.hangUp();
    await other.ended;
  };
  const refused = async () => {
    const call = late.dial(sessions.closed.dials[0] ?? '');
    expect((await call.answered).ok).toBe(false);
    await call.ended;
  };
  const messageLeft = async () => {
    groupedAgent.setOnRing('unavailable');
    const call = grouped.dial(sessions.group.dials[2] ?? '');
    expect(await call.answered).toEqual({ ok: true });
    expect(await hears(call, prompt('en/voicemail'), 8_000)).toBeGreaterThan(0.8);
    // The greeting's last words, and the tone.
    await pause(4_500);
    await call.say(voices.caller);
    await call.press('#');
    await call.ended;
  };
  await Promise.all([recorded(), listed(), refused(), messageLeft()]);
  let main = '';
  await eventually('the recording is complete', async () => {
    const { body } = await does(key, 'GET', `/v1/calls?session=${sessions.main.id}`);
    const [call] = body.items;
    main = call?.id ?? '';
    return call?.recording?.status === 'complete';
  });
  return { main };
}

async function trust(
  { does, says, key, reveals, people, scene }: Ground,
  staff: readonly Staff[],
  sessions: Crowd['sessions'],
  call: string,
  pages: readonly string[],
): Promise<void> {
  const [admin, operator, investigator] = staff as [Staff, Staff, Staff, Staff];
  const disputes = /^(GET \/v1\/disputes|POST \/v1\/disputes|page \/console\/disputes)/;
  const { body: dispute } = await does(operator, 'POST', '/v1/disputes', {
    ...{ call, category: 'harassment', against: sessions.main.ids[0] },
    statement: says('statement', disputes),
  });
  await does(operator, 'POST', `/v1/disputes/${dispute.id}/notes`, { text: says('note', disputes) });
  await does(operator, 'POST', '/v1/holds', {
    session: sessions.group.id,
    reason: says('hold', /^(GET \/v1\/holds|page \/console\/sessions)/),
  });
  // The ledger's, and so in the person's copy and on their page: they refuse numbers.
  const listens =
    /^(GET \/v1\/ledger|POST \/v1\/ledger\/search|GET \/v1\/disputes\/{id}|GET \/v1\/privacy\/requests\/{id}\/export|page|table ledger)/;
  const heard = await scene.platform.call('GET', `/v1/calls/${call}/recording`, undefined, {
    ...investigator.headers,
    'x-access-reason': says('reason of listening', listens),
  });
  expect(heard.status).toBe(200);
  await does(investigator, 'POST', `/v1/calls/${call}/marks`, {
    milliseconds: 100,
    note: says('mark', /^(GET \/v1\/calls\/\{id\}\/marks|page)/),
  });
  // In the ledger with each file that is taken.
  const downloads = /^(GET \/v1\/(downloads|ledger)|POST \/v1\/ledger\/search|page|table ledger)/;
  const { body: download } = await does(investigator, 'POST', `/v1/calls/${call}/recording/downloads`, {
    reason: says('reason of a download', downloads),
  });
  await does(admin, 'POST', `/v1/downloads/${download.id}/approve`);
  await does(key, 'POST', '/v1/blocks', {
    phone: people['agent late']?.number,
    counterpartPhone: people['customer late']?.number,
    reason: says('block', /^(GET \/v1\/blocks|page|table blocks)/),
  });
  for (const [asker, participant] of [
    [investigator, sessions.main.ids[0]],
    [key, sessions.group.ids[1]],
  ] as const) {
    const session = participant === sessions.main.ids[0] ? sessions.main : sessions.group;
    const reason = says(`reveal by ${asker.who}`, listens);
    const path = `/v1/sessions/${session.id}/participants/${participant}/reveal`;
    await does(asker, 'POST', path, { reason });
    reveals.push({ actor: asker.who, session: session.id, participant: participant ?? '', reason });
  }
  await press(scene, pages[1] ?? '', 'report', {
    category: 'safety',
    // Their own words, which their copy has.
    statement: says('statement on the page', new RegExp(`${disputes.source}|/requests/{id}/export$`)),
  });
}

/** Presses a button of a participant's page as a browser without scripts does. */
async function press(
  scene: Scene,
  page: string,
  action: string,
  fields: Record<string, string>,
): Promise<void> {
  const asked = await scene.platform.call('GET', `${page}/${action}`);
  const form = /name="form" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
  const base = `http://127.0.0.1:${scene.platform.server.http.port}`;
  const done = await fetch(`${base}${page}/${action}`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ form, ...fields }),
  });
  expect(done.status, await done.text()).toBe(303);
}

/** A copy for the customer of `main`, an erasure, a restriction, and one that was asked for on the page. */
async function rights(
  { does, key, says, person, people, scene }: Ground,
  pages: readonly string[],
): Promise<string> {
  for (const name of ['erased', 'restricted']) {
    await does(key, 'POST', '/v1/sessions', {
      participants: [person(`agent ${name}`), person(`customer ${name}`)],
      reference: `job-${name}`,
    });
  }
  const requested = /^(GET \/v1\/privacy\/requests|page)/;
  const subject = (name: string, what: string) => ({
    phone: people[name]?.number,
    reason: says(`reason of ${what}`, requested),
  });
  const copy = await does(key, 'POST', '/v1/privacy/export', subject('customer', 'the copy'));
  const gone = await does(key, 'POST', '/v1/privacy/erase', subject('customer erased', 'erasure'));
  await does(key, 'POST', '/v1/privacy/restrict', subject('customer restricted', 'restriction'));
  await press(scene, pages[1] ?? '', 'erase', {});
  for (const { body } of [copy, gone]) {
    const done = async () =>
      (await does(key, 'GET', `/v1/privacy/requests/${body.id}`)).body.status === 'done';
    await eventually(`${body.kind} is done`, done, 20_000);
  }
  return copy.body.id;
}
