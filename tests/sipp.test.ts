import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { join } from 'node:path';
import { measureTone } from '@samar/media';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runningEmbeddedUrl } from '../packages/server/src/store/embedded/running.ts';
import { openDatabase } from '../packages/server/src/store/index.ts';
import { createAviary, describeHits, findCanaries } from './support/canaries.ts';
import {
  addresses,
  audioOf,
  bytesOf,
  type Packet,
  peersAreHere,
  rtpOf,
  sentTo,
  startCapture,
} from './support/capture.ts';
import { type Platform, settledCalls, startPlatform, pause as wait } from './support/platform.ts';
import { canariesOf, expectNoLeak, type LegParty } from './support/secrets.ts';
import {
  calleeRequest,
  calleeResponse,
  callerRequest,
  demand,
  description,
  freePort,
  inviteBranch,
  keep,
  label,
  type Person,
  pause,
  playTone,
  receive,
  reply,
  send,
  startSipp,
  type Transport,
  takeInvite,
} from './support/sipp.ts';

/**
 * Calls between two SIPp processes that the platform stands between. Each call is captured whole; besides SIPp's own
 * verdict and our call record, nothing of one party may be found in what the other one got.
 */
let platform: Platform;
const trunks = new Map<string, number>();
/** Everybody who has called or was called here. */
const everybody: LegParty[] = [];

async function addTrunk(name: string, transport: Transport, more: object = {}): Promise<void> {
  const port = await freePort(addresses.callee);
  trunks.set(name, port);
  const allowedSources = [addresses.caller, addresses.callee];
  const carrier = { name, kind: 'sip', host: addresses.callee, port, transport, allowedSources, ...more };
  expect((await platform.call('POST', '/v1/carriers', carrier)).status).toBe(201);
  const numbers = [1, 2].map((last) => `+62215001${trunks.size}0${last}`);
  const added = await platform.call('POST', '/v1/numbers', {
    numbers,
    pool: name,
    carrier: name,
    capabilities: ['voice'],
  });
  expect(added.status, added.text).toBe(201);
}

/** UDP and TCP have got ports of their own here: the system chose them. */
function platformPort(transport: Transport): number {
  const bound = platform.server.sip.find((one) => one.transport === transport);
  if (!bound) throw new Error(`the platform does not listen on ${transport}`);
  return bound.port;
}

interface Script {
  readonly transport: Transport;
  readonly pool?: string;
  readonly caller: (caller: Person, dialled: string) => readonly string[];
  /** Undefined: nothing may ever reach the callee. */
  readonly callee: ((callee: Person) => readonly string[]) | undefined;
  /** What the From of the caller says, when not the agent's number. */
  readonly as?: (dialled: string) => string;
  readonly more?: readonly string[];
}

interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: see ApiAnswer
  readonly record: any;
  readonly packets: readonly Packet[];
  readonly people: { readonly caller: Person; readonly callee: Person };
}

/** Plays one call. SIPp's verdicts, the capture's silence about the other side, and one record at most are expected here. */
async function play(script: Script): Promise<Outcome> {
  const pool = script.pool ?? script.transport;
  const aviary = createAviary();
  const somebody = (operator: number) => `+62${operator}${randomInt(10_000_000, 99_999_999)}`;
  const agent = somebody(812);
  const callee: Person = { number: somebody(813), planted: aviary.plant('callee'), hertz: 620 };
  const participants = [
    { role: 'agent', phone: agent },
    { role: 'customer', phone: callee.number },
  ];
  const session = await platform.call('POST', '/v1/sessions', { pool, participants });
  expect(session.status, session.text).toBe(201);
  const dialled: string = session.body.participants[0].dial;
  const caller: Person = {
    number: script.as?.(dialled) ?? agent,
    planted: aviary.plant('caller'),
    hertz: 440,
  };
  everybody.push(caller, callee);
  const capture = await startCapture();
  const { transport } = script;
  const far =
    script.callee &&
    (await startSipp({
      side: 'callee',
      transport,
      port: trunks.get(pool) ?? 0,
      hertz: callee.hertz,
      steps: script.callee(callee),
    }));
  const steps = script.caller(caller, dialled);
  const near = await startSipp({
    side: 'caller',
    transport,
    target: platformPort(transport),
    hertz: caller.hertz,
    steps,
    ...(script.more ? { more: script.more } : {}),
  });
  const verdict = await near.finished;
  // The caller has failed: nobody would ever end the callee's part.
  if (verdict.code !== 0) far?.stop();
  const farVerdict = await far?.finished;
  const packets = await capture.stop();
  expect({ caller: verdict, callee: farVerdict }).toEqual({
    caller: { code: 0, said: '' },
    callee: far && { code: 0, said: '' },
  });
  if (!far) expect(bytesOf(packets.filter(sentTo('callee'))).toString('latin1')).toBe('');
  expectNoLeak(packets, far ? { caller, callee } : { caller });
  const records = await settledCalls(platform.call, session.body.id);
  expect(records.length).toBeLessThanOrEqual(1);
  return { record: records[0], packets, people: { caller, callee } };
}

/** Each side hears the other's tone, and next to nothing else. */
function expectTones(packets: readonly Packet[]): void {
  for (const [side, hertz] of [
    ['callee', 440],
    ['caller', 620],
  ] as const) {
    const heard = audioOf(rtpOf(packets.filter(sentTo(side))));
    expect(heard.length, `the ${side} hears something`).toBeGreaterThan(4_000);
    // By tenths of a second: where a hold or a lost packet cuts the tone, its phase jumps.
    const pieces = Array.from({ length: Math.floor(heard.length / 800) }, (_, index) =>
      measureTone(heard.subarray(index * 800, (index + 1) * 800), hertz),
    );
    const clean = pieces.filter(({ share }) => share > 0.95).length;
    expect(clean / pieces.length, `the ${side} hears ${hertz} Hz`).toBeGreaterThan(0.7);
  }
}

const answeringCallee = (callee: Person, ...talk: readonly string[]): readonly string[] => [
  takeInvite(),
  send(calleeResponse('180 Ringing', callee)),
  pause(100),
  send(calleeResponse('200 OK', callee, { sdp: description(callee) }), true),
  receive('ACK'),
  playTone,
  ...(talk.length > 0 ? talk : [receive('BYE'), send(reply('200 OK', callee))]),
];

const dialling = (
  caller: Person,
  dialled: string,
  headers: readonly string[] = [],
  sdp = description(caller),
) => send(callerRequest('INVITE', caller, dialled, { sdp, headers, branch: inviteBranch }), true);

const ringing = [receive(100, { optional: true }), receive(180)];
const answered = (caller: Person, dialled: string, actions: readonly string[] = []) => [
  receive(200, { learn: true, actions }),
  send(callerRequest('ACK', caller, dialled, { inDialog: true })),
];
const hangingUp = (caller: Person, dialled: string, sequence = 2) => [
  send(callerRequest('BYE', caller, dialled, { inDialog: true, sequence }), true),
  receive(200),
];
/** What ends a failed INVITE: the ACK of the same transaction. */
const refused = (caller: Person, dialled: string, status: number) => [
  receive(100, { optional: true }),
  receive(180, { optional: true }),
  receive(183, { optional: true }),
  receive(status),
  send(callerRequest('ACK', caller, dialled, { branch: inviteBranch, refused: true })),
];

describe.skipIf(!peersAreHere('sipp', 'tcpdump'))('between two SIPps', () => {
  beforeAll(async () => {
    platform = await startPlatform({ sipHost: addresses.platform });
    await addTrunk('udp', 'udp');
    await addTrunk('tcp', 'tcp');
    await addTrunk('guarded', 'udp', { auth: { username: 'samar', password: 'merdeka-17' } });
    const url = runningEmbeddedUrl(join(platform.directory, 'data'));
    if (url === undefined) throw new Error('no database');
    const database = await openDatabase({ url, migrations: false });
    await database.query('', `update tenants set settings = settings || '{"ringSeconds": 5}'`, []);
    await database.close();
  });
  afterAll(() => platform?.stop());

  describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
    test('a call with speech both ways, ended by the caller', async () => {
      const { record, packets } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled),
          ...ringing,
          ...answered(caller, dialled),
          playTone,
          pause(1_500),
          ...hangingUp(caller, dialled),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expectTones(packets);
      expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' });
      expect(record.legs.map((leg: { direction: string }) => leg.direction)).toEqual(['in', 'out']);
      for (const leg of record.legs) {
        expect(leg).toMatchObject({ sipStatus: 200, quality: { packetsLost: 0 } });
        expect(leg.quality.packetsReceived).toBeGreaterThan(50);
      }
    });

    test('ended by the callee', async () => {
      const { record } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled),
          ...ringing,
          ...answered(caller, dialled),
          playTone,
          receive('BYE'),
          send(reply('200 OK', caller)),
        ],
        callee: (callee) =>
          answeringCallee(callee, pause(500), send(calleeRequest('BYE', callee), true), receive(200)),
      });
      expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'callee', hangupCause: 'bye' });
    });

    test('the caller gives up while it rings', async () => {
      const { record } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled),
          ...ringing,
          pause(200),
          send(callerRequest('CANCEL', caller, dialled, { branch: inviteBranch }), true),
          receive(200),
          ...refused(caller, dialled, 487),
        ],
        callee: (callee) => [
          takeInvite(),
          send(calleeResponse('180 Ringing', callee)),
          receive('CANCEL'),
          send(reply('200 OK', callee)),
          send(calleeResponse('487 Request Terminated', callee), true),
          receive('ACK'),
        ],
      });
      expect(record).toMatchObject({ outcome: 'cancelled', hangupBy: 'caller' });
    });

    test('the callee is busy', async () => {
      const { record } = await play({
        transport,
        caller: (caller, dialled) => [dialling(caller, dialled), ...refused(caller, dialled, 486)],
        callee: (callee) => [
          takeInvite(),
          send(
            calleeResponse(`486 ${callee.planted.name} is busy`, callee, {
              headers: [
                `Warning: 399 ${callee.planted.address} "The number ${callee.number} is busy"`,
                `Reason: Q.850;cause=17;text="${callee.number} busy"`,
              ],
            }),
            true,
          ),
          receive('ACK'),
        ],
      });
      expect(record).toMatchObject({ outcome: 'busy' });
    });

    test('reliable responses (RFC 3262) asked for by the caller, and offered by the callee with media of its own', async () => {
      const { record, packets } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled, ['Require: 100rel', 'Supported: 100rel']),
          receive(100, { optional: true }),
          receive(180, {
            learn: true,
            actions: [keep('RSeq', 'rseq'), demand('Require: .*100rel', 'required')],
          }),
          send(
            callerRequest('PRACK', caller, dialled, {
              inDialog: true,
              sequence: 2,
              headers: ['RAck:[$rseq] 1 INVITE'],
            }),
            true,
          ),
          receive(200),
          ...answered(caller, dialled),
          playTone,
          pause(1_200),
          ...hangingUp(caller, dialled, 3),
        ],
        callee: (callee) => [
          takeInvite(),
          send(
            calleeResponse('183 Session Progress', callee, {
              headers: ['Require: 100rel', 'RSeq: 77'],
              sdp: description(callee),
            }),
            true,
          ),
          receive('PRACK', { actions: [demand('RAck: 77 [0-9]+ INVITE', 'rack')] }),
          send(reply('200 OK', callee)),
          pause(300),
          send(calleeResponse('200 OK', callee), true),
          receive('ACK'),
          playTone,
          receive('BYE'),
          send(reply('200 OK', callee)),
        ],
      });
      expectTones(packets);
      expect(record).toMatchObject({ outcome: 'connected' });
    });

    test('a session timer: offered too short, then taken, then refreshed by UPDATE', async () => {
      const { record } = await play({
        transport,
        caller: (caller, dialled) => [
          send(
            callerRequest('INVITE', caller, dialled, {
              sdp: description(caller),
              headers: ['Supported: timer', 'Session-Expires: 60'],
              branch: inviteBranch,
            }),
            true,
          ),
          receive(422, { actions: [demand('Min-SE: 90', 'least')] }),
          send(callerRequest('ACK', caller, dialled, { branch: inviteBranch, refused: true })),
          send(
            callerRequest('INVITE', caller, dialled, {
              sdp: description(caller),
              headers: ['Supported: timer', 'Session-Expires: 120;refresher=uac'],
              sequence: 2,
            }),
            true,
          ),
          ...ringing,
          receive(200, { learn: true, actions: [demand('Session-Expires: 120 *;refresher=uac', 'taken')] }),
          send(callerRequest('ACK', caller, dialled, { inDialog: true, sequence: 2 })),
          pause(200),
          send(
            callerRequest('UPDATE', caller, dialled, {
              inDialog: true,
              sequence: 3,
              headers: ['Supported: timer', 'Session-Expires: 120;refresher=uac'],
            }),
            true,
          ),
          receive(200, { actions: [demand('Session-Expires: 120', 'refreshed')] }),
          ...hangingUp(caller, dialled, 4),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expect(record).toMatchObject({ outcome: 'connected' });
    });

    test('hold and back by re-INVITE: the callee hears of it only by silence', async () => {
      const hold = (
        caller: Person,
        dialled: string,
        sequence: number,
        direction: string,
        expected: string,
      ) => [
        send(
          callerRequest('INVITE', caller, dialled, {
            inDialog: true,
            sequence,
            sdp: description(caller, {
              version: sequence + 1,
              attributes: ['a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', `a=${direction}`],
            }),
          }),
          true,
        ),
        receive(100, { optional: true }),
        receive(200, { learn: true, actions: [demand(`a=${expected}`, `as${sequence}`)] }),
        send(callerRequest('ACK', caller, dialled, { inDialog: true, sequence })),
        pause(400),
      ];
      const { record, packets } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled),
          ...ringing,
          ...answered(caller, dialled),
          playTone,
          pause(300),
          ...hold(caller, dialled, 2, 'sendonly', 'recvonly'),
          ...hold(caller, dialled, 3, 'sendrecv', 'sendrecv'),
          pause(600),
          ...hangingUp(caller, dialled, 4),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expectTones(packets);
      expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'caller' });
    });

    test('an INVITE without a description: the offer is ours, the answer comes in ACK', async () => {
      const { record, packets } = await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled, [], []),
          ...ringing,
          receive(200, { learn: true, actions: [demand('m=audio [0-9]+ RTP/AVP 0 8 101', 'offered')] }),
          send(callerRequest('ACK', caller, dialled, { inDialog: true, sdp: description(caller) })),
          playTone,
          pause(1_200),
          ...hangingUp(caller, dialled),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expectTones(packets);
      expect(record).toMatchObject({ outcome: 'connected' });
    });

    test('compact and folded headers', async () => {
      const compact = (lines: readonly string[]) =>
        lines.map((line) =>
          line
            .replace(/^Via:/, 'v:')
            .replace(/^From:/, 'f :')
            .replace(/^To:/, 't:')
            .replace(/^Call-ID:/, 'i:')
            .replace(/^Contact:/, 'm:')
            .replace(/^Content-Type:/, 'c:')
            .replace(/^Content-Length:/, 'l:')
            .replace(/^Subject: /, 's:\n[fold]folded\n[fold]'),
        );
      const { record } = await play({
        transport,
        // SIPp takes white space at the start of a line away, unless a keyword brings it.
        more: ['-key', 'fold', ' '],
        caller: (caller, dialled) => [
          send(compact(callerRequest('INVITE', caller, dialled, { sdp: description(caller) })), true),
          ...ringing,
          ...answered(caller, dialled),
          send(compact(callerRequest('BYE', caller, dialled, { inDialog: true, sequence: 2 })), true),
          receive(200),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expect(record).toMatchObject({ outcome: 'connected' });
    });

    test.each([
      [
        'a codec that we do not speak',
        'm=audio [rtpstream_audio_port] RTP/AVP 97',
        ['a=rtpmap:97 opus/48000/2'],
      ],
      ['no audio', 'm=video [rtpstream_audio_port] RTP/AVP 96', ['a=rtpmap:96 H264/90000']],
    ])('%s: 488, and nobody is called', async (_, media, attributes) => {
      await play({
        transport,
        caller: (caller, dialled) => [
          dialling(caller, dialled, [], description(caller, { media, attributes })),
          ...refused(caller, dialled, 488),
        ],
        callee: undefined,
      });
    });

    test('one of our own numbers calls: refused at once, no loop', async () => {
      const { packets } = await play({
        transport,
        as: (dialled) => dialled,
        caller: (caller, dialled) => [dialling(caller, dialled), ...refused(caller, dialled, 404)],
        callee: undefined,
      });
      const statuses = bytesOf(packets.filter(sentTo('caller')))
        .toString('latin1')
        .match(/^SIP\/2\.0 [2-6]\d\d/gm);
      expect(statuses).toEqual(['SIP/2.0 404']);
    });
  });

  test('nobody answers: the callee is cancelled, the caller hears why', async () => {
    const { record } = await play({
      transport: 'udp',
      caller: (caller, dialled) => [
        dialling(caller, dialled),
        ...ringing,
        receive(183, { within: 8_000 }),
        ...refused(caller, dialled, 480),
      ],
      callee: (callee) => [
        takeInvite(),
        send(calleeResponse('180 Ringing', callee)),
        receive('CANCEL'),
        send(reply('200 OK', callee)),
        send(calleeResponse('487 Request Terminated', callee), true),
        receive('ACK'),
      ],
    });
    expect(record).toMatchObject({ outcome: 'no-answer' });
  });

  test.each([
    ['401', 'WWW-Authenticate', 'Authorization'],
    ['407', 'Proxy-Authenticate', 'Proxy-Authorization'],
  ])('a carrier that asks for credentials by %s', async (status, challenge, response) => {
    const { record, people, packets } = await play({
      transport: 'udp',
      pool: 'guarded',
      caller: (caller, dialled) => [
        dialling(caller, dialled),
        ...ringing,
        ...answered(caller, dialled),
        ...hangingUp(caller, dialled),
      ],
      callee: (callee) => [
        takeInvite(),
        send(
          calleeResponse(`${status} Who are you`, callee, {
            headers: [
              `${challenge}: Digest realm="merpati", nonce="7f5a11c0ffee", algorithm=MD5, qop="auth"`,
            ],
          }),
          true,
        ),
        receive('ACK'),
        takeInvite([
          demand(`${response}: Digest username="samar"`, 'presented'),
          ...(status === '401'
            ? ['<verifyauth assign_to="proved" username="samar" password="merdeka-17"/>']
            : []),
        ]),
        ...(status === '401'
          ? [
              '<nop><action><test assign_to="right" variable="proved" compare="equal" value="1"/></action></nop>',
            ]
          : []),
        send(calleeResponse('180 Ringing', callee)),
        pause(100),
        send(calleeResponse('200 OK', callee, { sdp: description(callee) }), true),
        receive('ACK'),
        receive('BYE'),
        send(reply('200 OK', callee)),
      ],
    });
    expect(record).toMatchObject({ outcome: 'connected' });
    const near = bytesOf(packets.filter(sentTo('caller'))).toString('latin1');
    for (const secret of ['merpati', '7f5a11c0ffee', 'merdeka', people.callee.number])
      expect(near).not.toContain(secret);
  });

  test('whoever is not admitted gets no answer at all, by UDP or by TCP', async () => {
    const stranger: Person = {
      number: '+6281455550000',
      planted: createAviary().plant('stranger'),
      hertz: 440,
    };
    const capture = await startCapture();
    const silent = await startSipp({
      side: 'stranger',
      transport: 'udp',
      target: platformPort('udp'),
      steps: [
        send(callerRequest('INVITE', stranger, '+62215001101', { sdp: description(stranger) })),
        // Whatever comes is no 199: the scenario fails but for silence.
        receive(199, { within: 1_500, else: '1' }),
        label('1'),
        pause(10),
      ],
    });
    const closed = await tcpAnswer(addresses.stranger, 'OPTIONS sip:a SIP/2.0\r\n\r\n');
    expect(await silent.finished).toEqual({ code: 0, said: expect.not.stringContaining('nexpected') });
    const packets = await capture.stop();
    expect(packets.filter((packet) => packet.from.address === addresses.stranger).length).toBeGreaterThan(0);
    expect(packets.filter(sentTo('stranger'))).toEqual([]);
    expect(closed).toBe('');
  });

  describe('what is no SIP, or too much of it', () => {
    const head = (extra: string, callId: string) =>
      [
        'INVITE sip:+62215001101@127.0.0.2 SIP/2.0',
        `Via: SIP/2.0/UDP ${addresses.caller}:5060;branch=z9hG4bK${callId};rport`,
        'From: <sip:+6281455550001@127.0.0.1>;tag=1',
        'To: <sip:+62215001101@127.0.0.2>',
        `Call-ID: ${callId}`,
        'CSeq: 1 INVITE',
        'Max-Forwards: 70',
        `Contact: <sip:a@${addresses.caller}>`,
        extra,
        'Content-Length: 0',
      ].join('\r\n');
    const hostile: readonly (readonly [string, string])[] = [
      ['bytes of no meaning', '\0\x01\x02 SIP/2.0\r\n\r\n\xff\xfe'],
      ['half a start line', 'INVITE sip:+62215001101'],
      ['a folded header of 60 KB', `${head(`Subject: ${'a\r\n '.repeat(15_000)}`, 'folded')}\r\n\r\n`],
      ['a header of 60 KB', `${head(`Subject: ${'a'.repeat(60_000)}`, 'long')}\r\n\r\n`],
      ['a thousand headers', `${head('X-A: b\r\n'.repeat(1_000).trimEnd(), 'many')}\r\n\r\n`],
      ['a Via of 60 KB', `${head('', 'via').replace('rport', `x=${'y'.repeat(60_000)}`)}\r\n\r\n`],
      [
        'a length that lies',
        `${head('', 'lies').replace('Content-Length: 0', 'Content-Length: 99999')}\r\n\r\n`,
      ],
      [
        'a negative length',
        `${head('', 'negative').replace('Content-Length: 0', 'Content-Length: -1')}\r\n\r\n`,
      ],
      ['two Call-IDs', `${head('Call-ID: other', 'two')}\r\n\r\n`],
      [
        'a number of 3,000 digits',
        `${head('', 'digits').replaceAll('+62215001101', '6'.repeat(3_000))}\r\n\r\n`,
      ],
    ];

    test('is refused or dropped, calls nobody, and harms no call after it', async () => {
      const capture = await startCapture();
      const before = await refusals();
      for (const [, message] of hostile) {
        await udpSend(addresses.caller, Buffer.from(message, 'latin1'));
        await tcpAnswer(addresses.caller, message);
      }
      const packets = await capture.stop();
      expect(packets.filter((packet) => packet.from.address === addresses.caller).length).toBeGreaterThan(15);
      expect(packets.filter(sentTo('callee'))).toEqual([]);
      const answers = bytesOf(packets.filter(sentTo('caller'))).toString('latin1');
      const statuses = answers.match(/^SIP\/2\.0 \d{3}/gm) ?? [];
      expect(statuses.filter((status) => !/ (?:100|[45]\d\d)$/.test(status))).toEqual([]);
      // What was wrong is not said in the words of who was wrong.
      expect(answers).not.toContain('aaaaaaaa');
      expect(await refusals()).toBeGreaterThan(before);
      const { record } = await play({
        transport: 'udp',
        caller: (caller, dialled) => [
          dialling(caller, dialled),
          ...ringing,
          ...answered(caller, dialled),
          ...hangingUp(caller, dialled),
        ],
        callee: (callee) => answeringCallee(callee),
      });
      expect(record).toMatchObject({ outcome: 'connected' });
    });
  });

  test('nothing is left of all these calls', async () => {
    await wait(500);
    const metrics = (await platform.call('GET', '/metrics')).text;
    expect(metrics).toMatch(/^samar_calls 0$/m);
    expect(metrics).toMatch(/^samar_media_ports_free 100$/m);
    const told = Buffer.from(`${platform.log.join('\n')}${metrics}`);
    const canaries = everybody.flatMap((person) => canariesOf(person, 'a party'));
    expect(describeHits(findCanaries(told, canaries))).toEqual([]);
    expect(told.toString()).not.toMatch(/\+62|Kanari/);
  });
});

/** Malformed messages that were counted so far. */
async function refusals(): Promise<number> {
  const { text } = await platform.call('GET', '/metrics');
  const counted = text.matchAll(/^samar_switch_events_total\{event="sip-malformed[^"]*"\} (\d+)/gm);
  return [...counted].reduce((sum, [, count]) => sum + Number(count), 0);
}

function udpSend(from: string, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, from, () =>
      socket.send(message, platformPort('udp'), addresses.platform, (error) =>
        setTimeout(() => socket.close(() => (error ? reject(error) : resolve())), 50),
      ),
    );
  });
}

/** What comes back on a connection of its own, until it is closed or half a second has passed. */
function tcpAnswer(from: string, message: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: addresses.platform, port: platformPort('tcp'), localAddress: from });
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // Being cut off is an answer that these messages may get.
    socket.on('error', () => {});
    socket.once('close', () => resolve(answer));
    socket.end(message, 'latin1');
    setTimeout(() => socket.destroy(), 500).unref();
  });
}
