import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Canary, createAviary, describeHits, findCanaries, findPlain } from './support/canaries.ts';
import { bytesOfFile, filesOf, tablesOf } from './support/kept.ts';
import { fieldNames, leakyFields } from './support/leaky-fields.ts';
import {
  dial,
  isResponse,
  type LeakyPeer,
  leakyPeer,
  type ReachedLeg,
  reached,
} from './support/leaky-peer.ts';
import { type Platform, pause, settledCalls, startPlatform } from './support/platform.ts';

/**
 * The leak table (what must never cross), field by field: both ends of each call put a canary into every field of every
 * message, packet and report; then everything that the other end got, and everything that the platform keeps or tells,
 * is searched for every canary in every encoding.
 */
const linux = process.platform === 'linux';
/** Linux has all of 127/8; elsewhere the ends are told apart by their sockets alone. */
const address = {
  platform: linux ? '127.0.0.2' : '127.0.0.1',
  caller: '127.0.0.1',
  callee: linux ? '127.0.0.3' : '127.0.0.1',
};

const aviary = { caller: createAviary(0), callee: createAviary(1), api: createAviary(2) };
let platform: Platform;
let caller: LeakyPeer;
let callee: LeakyPeer;

/** A pair of people that nobody else is; their real numbers are canaries, too. */
let people = 0;
async function pair(more: object = {}) {
  people += 1;
  const [agent, customer] = [`+6281277${100_000 + people * 37}`, `+6281388${200_000 + people * 53}`];
  const names = [
    aviary.caller.plant('name of the caller').name,
    aviary.callee.plant('name of the callee').name,
  ];
  const { status, text, body } = await platform.call('POST', '/v1/sessions', {
    participants: [
      { role: 'agent', phone: agent, name: names[0] },
      { role: 'customer', phone: customer, name: names[1] },
    ],
    ...more,
  });
  expect(status, text).toBe(201);
  aviary.caller.add({ where: "the caller's number", kind: 'number', value: agent });
  aviary.callee.add({ where: "the callee's number", kind: 'number', value: customer });
  return { session: body.id as string, agent, customer, dialled: body.participants[0].dial as string };
}

/** So many fields in a message at once: with those that every message has, below the 128 that are read. */
const perMessage = 50;
const chunks = Array.from({ length: Math.ceil(fieldNames.length / perMessage) }, (_, index) =>
  fieldNames.slice(index * perMessage, (index + 1) * perMessage),
);

function sdp(peer: LeakyPeer, version = 1): string {
  return peer.fields.description({ ...peer.media, version });
}

/** The header that must hold the caller's real number, with everything else that fits in. */
function asserted(peer: LeakyPeer, number: string): string {
  const { name, uuid } = peer.fields.at('P-Asserted-Identity');
  return `P-Asserted-Identity: "${name}" <sip:${number}@${peer.address};gr=${uuid}>`;
}

function recordRoute(peer: LeakyPeer): string {
  const { name, uuid } = peer.fields.at('Record-Route');
  return `Record-Route: <sip:${name}@${peer.address}:${peer.port};lr;x=${uuid}>`;
}

/** Requests that either side may send within a call, each with all that it could carry. */
function inDialog(peer: LeakyPeer): readonly (readonly [string, readonly string[], string])[] {
  const at = (where: string) => peer.fields.at(where);
  const third = at('Refer-To of REFER');
  return [
    [
      'UPDATE',
      [`P-Asserted-Identity: <sip:${at('connected identity').number}@${at('connected identity').address}>`],
      '',
    ],
    [
      'INFO',
      ['Content-Type: application/dtmf-relay'],
      `Signal=5\r\nDuration=160\r\nX=${at('body of INFO').number}\r\n`,
    ],
    [
      'INFO',
      [`Info-Package: ${at('Info-Package').name}`, 'Content-Type: text/plain'],
      at('text of INFO').number,
    ],
    ['OPTIONS', [], ''],
    ['REFER', [`Referred-By: <sip:${third.number}@${third.address}>`], ''],
    [
      'MESSAGE',
      ['Content-Type: text/plain'],
      `${at('body of MESSAGE').name} ${at('body of MESSAGE').number}`,
    ],
    [
      'NOTIFY',
      ['Content-Type: message/sipfrag'],
      `SIP/2.0 200 ${at('sipfrag').name}\r\nTo: <sip:${at('sipfrag').number}@x>\r\n`,
    ],
    ['SUBSCRIBE', [], ''],
    ['PUBLISH', ['Content-Type: application/pidf+xml'], `<tel>${at('PIDF').number}</tel>`],
    ['BREW', ['Content-Type: text/vcard'], `TEL:${at('vCard').number}\r\nFN:${at('vCard').name}`],
  ];
}

/** The whole life of a call, with the fields of one chunk in each message of both sides. */
async function wholeCall(
  names: readonly string[],
  talks: boolean,
  endedBy: 'caller' | 'callee',
): Promise<void> {
  const { session, agent, customer, dialled } = await pair(talks ? { recording: 'announce' } : {});
  const near = dial(caller, {
    number: agent,
    dialled,
    names,
    headers: [asserted(caller, agent), recordRoute(caller), 'Require: 100rel'],
    body: sdp(caller),
  });
  const far: ReachedLeg = await reached(callee, customer, names);
  const identity = [asserted(callee, customer), recordRoute(callee)];
  far.respond(far.invite, 180, { headers: identity });
  await near.prack(await near.provisional());
  far.respond(far.invite, 183, {
    headers: [...identity, 'Require: 100rel', 'RSeq: 4711'],
    body: sdp(callee),
  });
  far.respond(await far.awaits('PRACK'), 200);
  far.respond(far.invite, 200, { headers: identity, body: sdp(callee) });
  await far.awaits('ACK');
  const answer = await near.final();
  expect(answer.status).toBe(200);
  near.acknowledge(77);

  for (const [method, headers, body] of inDialog(caller)) await near.request(method, { headers, body });
  for (const [method, headers, body] of inDialog(callee)) await far.request(method, { headers, body });
  for (const [leg, peer] of [
    [near, caller],
    [far, callee],
  ] as const) {
    const again = await leg.request('INVITE', { headers: [recordRoute(peer)], body: sdp(peer, 2) });
    expect(again.status).toBe(200);
    leg.acknowledge(Number.parseInt(again.headers.get('CSeq') ?? '', 10));
  }
  if (talks) {
    // Until the announcement is over, and a while longer.
    for (let round = 0; round < 14; round++) {
      await Promise.all([caller.talk({ rtp: near.remoteRtp }), callee.talk({ rtp: far.remoteRtp })]);
    }
  }
  const [ending, other] = endedBy === 'caller' ? [near, far] : [far, near];
  const over = ending.request('BYE');
  other.respond(await other.awaits('BYE'), 200);
  expect((await over).status).toBe(200);
  const [record] = await settledCalls(platform.call, session);
  expect(record).toMatchObject({ outcome: 'connected', hangupBy: endedBy });
}

async function cancelledCall(names: readonly string[]): Promise<void> {
  const { agent, customer, dialled } = await pair();
  const near = dial(caller, {
    number: agent,
    dialled,
    names,
    headers: [asserted(caller, agent)],
    body: sdp(caller),
  });
  const far = await reached(callee, customer, names);
  far.respond(far.invite, 180, { headers: [asserted(callee, customer)] });
  await near.provisional();
  expect((await near.cancel()).status).toBe(200);
  const refused = await near.final();
  expect(refused.status).toBe(487);
  near.acknowledgeRefusal(refused);
  far.respond(await far.awaits('CANCEL'), 200);
  far.respond(far.invite, 487);
}

/** The callee refuses, with all that a refusal can tell. The caller gets one of four statuses, in the RFC's own words. */
async function refusedCall(status: number, names: readonly string[]): Promise<readonly [number, string]> {
  const { agent, customer, dialled } = await pair();
  // No offer: the refusal isn't spoken, and comes at once.
  const near = dial(caller, { number: agent, dialled, names, headers: [asserted(caller, agent)] });
  const far = await reached(callee, customer, names);
  const other = callee.fields.at(`Contact of ${status}`);
  far.respond(far.invite, status, {
    headers: [
      `Contact: "${other.name}" <sip:${other.number}@${other.address}:5060>`,
      `Warning: 399 ${other.address} "The number ${other.number} of ${other.name}"`,
      `Reason: Q.850;cause=16;text="${other.number}";location=LN, SIP;cause=200;text="${other.name}"`,
      'Content-Type: message/sipfrag',
    ],
    body: `SIP/2.0 200 ${callee.fields.at('body of a refusal').name}\r\nTo: <sip:${callee.fields.at('body of a refusal').number}@x>\r\n`,
  });
  const refused = await near.final();
  near.acknowledgeRefusal(refused);
  return [refused.status, refused.reason];
}

beforeAll(async () => {
  platform = await startPlatform({ sipHost: address.platform });
  const to = { address: address.platform, port: platform.sipPort };
  caller = await leakyPeer({
    address: address.caller,
    platform: to,
    fields: leakyFields(aviary.caller, 'caller'),
  });
  callee = await leakyPeer({
    address: address.callee,
    platform: to,
    fields: leakyFields(aviary.callee, 'callee'),
  });
  const carrier = await platform.call('POST', '/v1/carriers', {
    name: 'leaky',
    kind: 'sip',
    host: address.callee,
    port: callee.port,
    transport: 'udp',
    allowedSources: [address.caller, address.callee],
  });
  expect(carrier.status, carrier.text).toBe(201);
  const numbers = ['+622150090001', '+622150090002'];
  const added = await platform.call('POST', '/v1/numbers', {
    numbers,
    pool: 'default',
    carrier: 'leaky',
    capabilities: ['voice'],
  });
  expect(added.status, added.text).toBe(201);
  if (linux) {
    aviary.caller.add({ where: "the caller's address", kind: 'address', value: address.caller });
    aviary.callee.add({ where: "the callee's address", kind: 'address', value: address.callee });
  }
  aviary.caller.add({
    where: "the caller's socket",
    kind: 'text',
    value: `${address.caller}:${caller.port}`,
  });
  aviary.callee.add({
    where: "the callee's socket",
    kind: 'text',
    value: `${address.callee}:${callee.port}`,
  });
});

afterAll(async () => {
  await caller?.close();
  await callee?.close();
  await platform?.stop();
});

describe('canaries in every field', () => {
  test.each(chunks.map((names, index) => [index + 1, names] as const))(
    'of a call from INVITE to BYE, both ways: part %i of the header fields',
    (index, names) => wholeCall(names, index === 1, index === 2 ? 'callee' : 'caller'),
    60_000,
  );

  test('of a call that its caller cancels', async () => {
    await Promise.all(chunks.map(cancelledCall));
  });

  test('of every refusal: the caller learns no more than busy or unavailable', async () => {
    const statuses = [
      300, 301, 302, 305, 380, 400, 401, 403, 404, 406, 407, 408, 410, 413, 415, 420, 433, 480, 481, 482, 483,
    ];
    statuses.push(
      484,
      485,
      486,
      487,
      488,
      489,
      491,
      493,
      500,
      501,
      502,
      503,
      504,
      513,
      600,
      603,
      604,
      606,
      607,
      608,
    );
    const refusals = new Set<string>();
    for (const [index, status] of statuses.entries()) {
      refusals.add((await refusedCall(status, chunks[index % chunks.length] ?? [])).join(' '));
    }
    expect([...refusals].sort()).toEqual(['480 Temporarily Unavailable', '486 Busy Here']);
  });

  test('of a refusal that the caller is told in words', async () => {
    const { agent, customer, dialled } = await pair();
    const names = chunks[0] ?? [];
    const near = dial(caller, {
      number: agent,
      dialled,
      names,
      headers: [asserted(caller, agent)],
      body: sdp(caller),
    });
    const far = await reached(callee, customer, names);
    far.respond(far.invite, 404, { headers: [asserted(callee, customer)] });
    expect((await near.provisional()).status).toBe(183);
    const refused = await near.final();
    expect(refused.status).toBe(480);
    near.acknowledgeRefusal(refused);
  });

  test('of requests outside any call: nothing goes on', async () => {
    const { agent, dialled } = await pair();
    const before = callee.received.length;
    for (const [
      index,
      method,
    ] of 'OPTIONS MESSAGE REFER SUBSCRIBE NOTIFY PUBLISH REGISTER INFO UPDATE PRACK BYE BREW'
      .split(' ')
      .entries()) {
      const callId = `outside-${index}`;
      const body = caller.fields.at('body outside').number;
      caller.send(
        [
          `${method} sip:${dialled}@${address.platform} SIP/2.0`,
          `Via: SIP/2.0/UDP ${caller.address}:${caller.port};branch=z9hG4bKoutside${index}`,
          'Max-Forwards: 23',
          `From: <sip:${agent}@${caller.address}>;tag=1`,
          `To: <sip:${dialled}@${address.platform}>`,
          `Call-ID: ${callId}`,
          `CSeq: 1 ${method}`,
          'Content-Type: text/plain',
          ...caller.fields.headers(chunks[index % chunks.length] ?? []),
        ],
        body,
      );
      await caller.next(`the answer to ${method}`, isResponse(callId, method, 1, true));
    }
    expect(callee.received.length).toBe(before);
  });

  test('of bodies that are no session description: refused, nothing goes on', async () => {
    const before = callee.received.length;
    const { number, name } = caller.fields.at('other bodies');
    for (const [type, body] of [
      [
        'multipart/mixed;boundary=x',
        `--x\r\nContent-Type: application/sdp\r\n\r\n${sdp(caller)}\r\n--x\r\nContent-Type: text/vcard\r\n\r\nTEL:${number}\r\n--x--\r\n`,
      ],
      ['message/sip', `INVITE sip:${number}@x SIP/2.0\r\nFrom: ${name}\r\n\r\n`],
      ['application/isup;version=itu-t92+', Buffer.from(number.slice(1), 'hex').toString('latin1')],
      ['application/rs-metadata+xml', `<recording>${number}</recording>`],
    ] as const) {
      const { agent, dialled } = await pair();
      const near = dial(caller, {
        number: agent,
        dialled,
        names: [],
        headers: [`Content-Type: ${type}`],
        body,
      });
      const refused = await near.final();
      expect(refused.status).toBe(415);
      near.acknowledgeRefusal(refused);
    }
    expect(callee.received.length).toBe(before);
  });
});

describe('what every caller looks like', () => {
  /** The message with everything that must differ from call to call taken out. */
  const shape = (bytes: string) =>
    bytes
      .replace(/sip:\+?\d+@/g, 'sip:NUMBER@')
      .replace(/(branch=z9hG4bK|tag=|Call-ID: |<sip:)[0-9a-f]{12,}/g, '$1TOKEN')
      .replace(/^CSeq: \d+/gm, 'CSeq: N')
      .replace(/^Content-Length: \d+/gm, 'Content-Length: N')
      .replace(/^o=- \d+/gm, 'o=- N')
      .replace(/^m=audio \d+/gm, 'm=audio N');

  const plain = (peer: LeakyPeer) =>
    [
      'v=0',
      `o=- 1 1 IN IP4 ${peer.address}`,
      's=-',
      `c=IN IP4 ${peer.address}`,
      't=0 0',
      `m=audio ${peer.media.port} RTP/AVP 0`,
      '',
    ].join('\r\n');

  /** What the callee gets of the INVITE, and the caller of 180 and 200. */
  async function seen(
    caller_: { names: readonly string[]; body: string },
    callee_: { names: readonly string[]; body: string },
  ) {
    const { agent, customer, dialled } = await pair();
    const near = dial(caller, { number: agent, dialled, names: caller_.names, body: caller_.body });
    const far = await reached(callee, customer, callee_.names);
    const raw = (peer: LeakyPeer, callId: string, start: string) =>
      peer.received.map(String).find((text) => text.startsWith(start) && text.includes(callId)) ?? '';
    far.respond(far.invite, 180);
    await near.provisional();
    far.respond(far.invite, 200, { body: callee_.body });
    const answer = await near.final();
    near.acknowledge(77);
    await far.awaits('ACK');
    const over = near.request('BYE');
    far.respond(await far.awaits('BYE'), 200);
    await over;
    // A response repeats the request's own headers: only what follows them is the platform's.
    const own = (text: string) => shape(text.slice(text.indexOf('\r\nContact:')));
    expect(answer.status).toBe(200);
    return {
      invite: shape(raw(callee, far.callId, 'INVITE')),
      ack: shape(raw(callee, far.callId, 'ACK')).replace(/^ACK \S+|^To: .*$/gm, ''),
      bye: shape(raw(callee, far.callId, 'BYE')).replace(/^BYE \S+|^To: .*$/gm, ''),
      ringing: own(raw(caller, near.callId, 'SIP/2.0 180')),
      answer: own(raw(caller, near.callId, 'SIP/2.0 200')),
    };
  }

  test('the same, header for header, whatever the devices of both sides are', async () => {
    const [first, second] = chunks;
    const talkative = await seen(
      { names: first ?? [], body: sdp(caller) },
      { names: second ?? [], body: plain(callee) },
    );
    const silent = await seen({ names: [], body: plain(caller) }, { names: [], body: plain(callee) });
    expect(talkative.invite).toBe(silent.invite);
    expect(silent.invite).toMatch(/^INVITE sip:NUMBER@.*\r\nVia: .*\r\nMax-Forwards: 70\r\n/);
    expect(talkative.ack).toBe(silent.ack);
    expect(talkative.bye).toBe(silent.bye);
    const otherCallee = await seen(
      { names: [], body: plain(caller) },
      { names: second ?? [], body: sdp(callee) },
    );
    expect(otherCallee.ringing).toBe(silent.ringing);
    expect(otherCallee.answer).toBe(silent.answer);
  });
});

describe('after all these calls', () => {
  let allOf: Record<'caller' | 'callee', readonly Canary[]>;
  beforeAll(async () => {
    await pause(500);
    allOf = { caller: aviary.caller.canaries, callee: aviary.callee.canaries };
  });
  const everybody = () => [...allOf.caller, ...allOf.callee, ...aviary.api.canaries];
  const joined = (datagrams: readonly Buffer[]) =>
    Buffer.concat(datagrams.flatMap((one) => [one, Buffer.from('\r\n\0\r\n')]));
  const search = (bytes: Buffer | string, canaries: readonly Canary[], shortest?: number) =>
    describeHits(findCanaries(Buffer.from(bytes), canaries, shortest));

  test('the search finds each canary where it was planted', () => {
    for (const [peer, side] of [
      [caller, 'caller'],
      [callee, 'callee'],
    ] as const) {
      const found = new Set(findCanaries(joined(peer.sent), allOf[side]).map(({ canary }) => canary.where));
      const planted = fieldNames.filter((name) => !['MIME-Version', 'Expires', 'Min-Expires'].includes(name));
      expect(planted.filter((name) => !found.has(`${name}, by the ${side}`))).toEqual([]);
      expect(found.size).toBeGreaterThan(planted.length + 50);
    }
  });

  test.each(['caller', 'callee'] as const)('nothing of the %s has reached the other one', (side) => {
    const other = side === 'caller' ? callee : caller;
    expect(other.received.length).toBeGreaterThan(100);
    expect(search(joined(other.received), allOf[side])).toEqual([]);
  });

  test('RTP and RTCP that reach either side are of our own making', () => {
    for (const [peer, ssrc] of [
      [caller, 0x5a5a0000 + callee.port],
      [callee, 0x5a5a0000 + caller.port],
    ] as const) {
      const media = peer.received.filter((bytes) => (bytes[0] ?? 0) >> 6 === 2);
      const rtp = media.filter((bytes) => (bytes[1] ?? 0) < 192 || (bytes[1] ?? 0) > 223);
      expect(rtp.length).toBeGreaterThan(50);
      // No padding, no extension, no contributors.
      expect(rtp.filter((bytes) => bytes[0] !== 0x80)).toEqual([]);
      expect(rtp.filter((bytes) => bytes.length !== 172 && bytes.length !== 16)).toEqual([]);
      const foreign = Buffer.alloc(4);
      foreign.writeUInt32BE(ssrc);
      expect(media.filter((bytes) => bytes.includes(foreign))).toEqual([]);
    }
  });

  test('no answer of the API tells a canary, nor does it repeat what was wrong with one', async () => {
    const { number, name, uuid } = aviary.api.plant('an API request');
    const [session] = (await platform.call('GET', '/v1/sessions?limit=1')).body.items;
    const { items: calls } = (await platform.call('GET', '/v1/calls?limit=200')).body;
    const recorded = calls.find((call: { recording?: object }) => call.recording !== undefined);
    expect(recorded?.recording.status).toBe('complete');
    const reason = { 'x-access-reason': 'a dispute' };
    const answers = await Promise.all([
      platform.call('GET', '/v1/sessions?limit=200'),
      platform.call('GET', `/v1/sessions/${session.id}`),
      platform.call('GET', '/v1/calls?limit=200'),
      platform.call('GET', `/v1/calls/${recorded.id}`),
      platform.call('GET', `/v1/calls/${recorded.id}/recording`, undefined, reason),
      platform.call('GET', '/v1/numbers'),
      platform.call('GET', '/v1/carriers'),
      platform.call('GET', '/metrics'),
      platform.call('GET', '/healthz'),
      platform.call('GET', '/readyz'),
      platform.call('GET', `/v1/sessions?phone=${encodeURIComponent(number)}`),
      platform.call('GET', `/v1/sessions/${number}`),
      platform.call('GET', `/v1/${name}/${uuid}?q=${encodeURIComponent(number)}`),
      platform.call('POST', '/v1/sessions', {
        participants: [
          { role: 'agent', phone: number },
          { role: 'x', phone: number },
        ],
      }),
      platform.call('POST', '/v1/sessions', {
        participants: [{ role: name, phone: `${number}123456`, [number]: number }],
      }),
      platform.call('POST', '/v1/sessions', { [number]: name }),
      platform.call('POST', '/v1/numbers', {
        numbers: [`${number}x`],
        pool: name,
        carrier: uuid,
        capabilities: ['voice'],
      }),
    ]);
    const told = answers.map(({ headers, bytes }) =>
      Buffer.concat([Buffer.from(JSON.stringify([...headers])), bytes]),
    );
    // The carrier's own host and its allowed sources are the tenant's to see.
    const known = new Set<string>([address.caller, address.callee, `${address.callee}:${callee.port}`]);
    const canaries = everybody().filter(({ value }) => !known.has(value));
    expect(search(joined(told), canaries, 6)).toEqual([]);
  });

  test('no log line has one', () => {
    expect(platform.log.length).toBeGreaterThan(50);
    expect(search(platform.log.join('\n'), everybody(), 6)).toEqual([]);
  });

  test('no table has one: numbers and names are there, but nobody can read them', async () => {
    const tables = await tablesOf(platform);
    expect(tables.length).toBeGreaterThan(40);
    const rows = tables.flatMap((table) => table.rows);
    expect(rows.length).toBeGreaterThan(200);
    const carriers = new Set<string>([address.caller, address.callee, `${address.callee}:${callee.port}`]);
    const canaries = everybody().filter(({ value }) => !carriers.has(value));
    expect(search(rows.join('\n'), canaries, 6)).toEqual([]);
  });

  test('no file is named after one, and no file holds one', async () => {
    const files = await filesOf(platform);
    expect(files.some((file) => file.includes('recordings/'))).toBe(true);
    const known = new Set<string>([address.caller, address.callee, `${address.callee}:${callee.port}`]);
    const canaries = everybody().filter(({ value }) => !known.has(value));
    expect(search(files.join('\n').replaceAll(platform.directory, ''), canaries, 6)).toEqual([]);
    // The database's own files and its write-ahead log with them.
    for (const file of files) {
      expect(describeHits(findPlain(await bytesOfFile(file), canaries)), file).toEqual([]);
    }
  });
});
