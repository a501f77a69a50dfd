import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewSession } from '../service.ts';
import { phone, type TestMasking, targetsOf, testMasking } from '../testing.ts';
import type { Asker } from './asking.ts';

/** Programs, schedules and limits as a call meets them: through the database. */
describe('what a session allows', () => {
  let heart: TestMasking;
  const asked: unknown[] = [];
  let answer: Awaited<ReturnType<Asker>> = { ok: false, reason: 'timeout' };
  beforeAll(async () => {
    heart = await testMasking({
      asker: async (question) => {
        asked.push(question);
        return answer;
      },
    });
    await heart.stock({ count: 6 });
    await heart.masking.setDestination('default', 'support', '+622150001234');
  });
  afterAll(() => heart.close());

  let people = 100;
  async function open(more: Partial<NewSession> = {}) {
    const agent = phone(people++);
    const customer = phone(people++);
    const session = await heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [agent] },
        { role: 'customer', phones: [customer] },
      ],
      ...more,
    });
    const call = async () => {
      const decision = await heart.dial(agent, session.participants[0]?.dial ?? '');
      return decision;
    };
    return { session, agent, customer, call, other: session.participants[1]?.id ?? '' };
  }
  async function talk(session: string, call: string, participant: string, seconds: number): Promise<void> {
    expect(await heart.masking.answered({ tenant: 'default', call, session, participant })).toBe(true);
    await heart.test.database.query(
      '',
      `update calls set answered_at = answered_at - make_interval(secs => $2), started_at = started_at - make_interval(secs => $2)
        where call = $1`,
      [call, seconds],
    );
    await heart.masking.ended({
      ...{ tenant: 'default', call, outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' },
      endedAt: Date.now(),
      legs: [],
    });
  }

  it('so many calls, and so many minutes', async () => {
    const one = await open({ limits: { calls: 1 } });
    const first = await one.call();
    expect(targetsOf(first)).toHaveLength(1);
    await talk(one.session.id, first.call, one.other, 10);
    expect(await one.call()).toMatchObject({ steps: [{ kind: 'refuse', reason: 'limit' }] });

    const minutes = await open({ limits: { minutes: 3, callSeconds: 600 } });
    const long = await minutes.call();
    expect(long).toMatchObject({ kind: 'run', maxSeconds: 180, warnSeconds: 60 });
    await talk(minutes.session.id, long.call, minutes.other, 130);
    const rest = await minutes.call();
    expect(rest.kind === 'run' && rest.maxSeconds).toBeGreaterThan(40);
    expect(rest.kind === 'run' && rest.maxSeconds).toBeLessThanOrEqual(50);
    expect(rest.kind === 'run' && rest.warnSeconds).toBeLessThan(26);
  });

  it('so many attempts of one participant; the other is free to call', async () => {
    const { call, session, customer } = await open({ limits: { attempts: { calls: 2, perMinutes: 5 } } });
    expect(targetsOf(await call())).toHaveLength(1);
    expect(targetsOf(await call())).toHaveLength(1);
    expect(await call()).toMatchObject({ steps: [{ kind: 'refuse', reason: 'limit' }] });
    expect(targetsOf(await heart.dial(customer, session.participants[1]?.dial ?? ''))).toHaveLength(1);
  });

  it('a program of its own, by role, metadata and history; what it explains', async () => {
    const { call, session, customer } = await open({
      reference: 'order-99',
      metadata: { vip: true },
      whisper: true,
      survey: { of: 'customer' },
      program: {
        rules: [
          {
            name: 'third time',
            when: 'attempt.calls >= 1 && caller.role == "agent"',
            then: { forward: 'support' },
          },
          {
            name: 'vip',
            when: 'session.metadata.vip',
            then: [
              { announce: 'connecting' },
              { connect: { to: 'customer', ringSeconds: 12 } },
              { voicemail: true },
            ],
          },
          { then: { refuse: 'closed' } },
        ],
      },
    });
    const first = await call();
    expect(first).toMatchObject({
      kind: 'run',
      steps: [
        { kind: 'announce' },
        {
          kind: 'connect',
          ringSeconds: 12,
          targets: [{ phone: customer }],
          whisper: [{ name: 'call-about' }, { text: 'rder99' }],
        },
        { kind: 'voicemail', addressees: [session.participants[1]?.id] },
      ],
      survey: { participant: session.participants[1]?.id, keys: '12345' },
      trace: {
        program: { source: 'inline' },
        rules: [{ outcome: 'false' }, { name: 'vip', outcome: 'fired' }],
      },
    });
    expect(await call()).toMatchObject({
      steps: [
        {
          kind: 'forward',
          phone: '+622150001234',
          callerId: session.participants[0]?.number,
          destination: 'support',
        },
      ],
    });
  });

  it('a saved program, followed at once when it changes; a pinned version is not', async () => {
    const made = await heart.masking.createProgram('default', {
      name: 'nights',
      definition: { rules: [{ then: { refuse: 'closed' } }] },
    });
    const follows = await open({ program: 'nights' });
    const pinned = await open({ program: { name: 'nights', version: 1 } });
    expect(await follows.call()).toMatchObject({
      steps: [{ kind: 'refuse', reason: 'program' }],
      trace: { program: { source: 'named', id: made.id, version: 1 } },
    });
    await heart.masking.updateProgram('default', made.id, {
      definition: { rules: [{ then: { connect: {} } }] },
    });
    expect(await follows.call()).toMatchObject({
      steps: [{ kind: 'connect' }],
      trace: { program: { version: 2 } },
    });
    expect(await pinned.call()).toMatchObject({ steps: [{ kind: 'refuse' }] });
    await expect(open({ program: 'days' })).rejects.toMatchObject({
      code: 'unknown-program',
      pointer: '/program',
    });
    await expect(open({ program: { name: 'nights', version: 9 } })).rejects.toMatchObject({
      code: 'unknown-program',
    });
    await expect(heart.masking.deleteProgram('default', made.id)).rejects.toMatchObject({
      code: 'program-in-use',
    });
  });

  it("the tenant's default program holds for sessions that have none", async () => {
    const plain = await open();
    const made = await heart.masking.createProgram('default', {
      name: 'default-rules',
      definition: { rules: [{ when: 'caller.role == "agent"', then: { refuse: 'limit' } }] },
      default: true,
    });
    expect(await plain.call()).toMatchObject({
      steps: [{ kind: 'refuse' }],
      trace: { program: { source: 'tenant' } },
    });
    const own = await open({ program: { rules: [{ then: { connect: {} } }] } });
    expect(await own.call()).toMatchObject({
      steps: [{ kind: 'connect' }],
      trace: { program: { source: 'inline' } },
    });
    await heart.masking.updateProgram('default', made.id, { default: false });
    expect(await plain.call()).toMatchObject({ steps: [{ kind: 'connect' }] });
  });

  it("asks the tenant's system, and falls back without it", async () => {
    const { call, session } = await open({
      program: {
        rules: [
          { then: { ask: { url: 'https://decide.example/calls', fallback: { refuse: 'unavailable' } } } },
        ],
      },
    });
    const decision = await call();
    if (decision.kind !== 'run') throw new Error('not run');
    const [step] = decision.steps;
    if (step?.kind !== 'ask') throw new Error('not asked');
    const ask = () =>
      heart.masking.ask({ tenant: 'default', call: decision.call, session: session.id, step, keys: '2' });
    expect(await ask()).toMatchObject({ outcome: 'fallback', steps: [{ kind: 'refuse' }] });
    expect(asked.at(-1)).toMatchObject({
      url: 'https://decide.example/calls',
      timeoutMilliseconds: 2_000,
      secret: expect.stringMatching(/^whsec_/),
    });
    expect(JSON.stringify(asked)).not.toContain('+62811');
    answer = { ok: true, answer: { then: { connect: { to: 'customer' } } } };
    expect(await ask()).toMatchObject({ outcome: 'answered', steps: [{ kind: 'connect', targets: [{}] }] });
    answer = { ok: true, answer: { then: { connect: { to: 'somebody' } } } };
    expect(await ask()).toMatchObject({ outcome: 'fallback' });
    answer = { ok: true, answer: 'what?' };
    expect(await ask()).toMatchObject({ outcome: 'fallback' });
  });

  it('outside its schedule the session is closed; quiet hours are the callee’s', async () => {
    const minute = (shift: number) => new Date(Date.now() + shift * 60_000).toISOString().slice(11, 16);
    const window = { from: minute(120), to: minute(180) };
    const closed = await open({ schedule: { timeZone: 'UTC', windows: [window] } });
    expect(await closed.call()).toMatchObject({
      steps: [{ kind: 'refuse', reason: 'closed' }],
      trace: { open: false },
    });
    const quiet = await heart.masking.createSession('default', {
      participants: [
        { role: 'agent', phones: [phone(people++)] },
        { role: 'customer', phones: [phone(people++)], timeZone: 'UTC' },
      ],
      limits: { quietHours: { from: minute(-60), to: minute(60) } },
    });
    const call = await heart.dial(phone(people - 2), quiet.participants[0]?.dial ?? '');
    expect(call).toMatchObject({ steps: [{ kind: 'refuse', reason: 'quiet-hours' }] });
  });

  it('a block keeps two apart in every session, and sounds like nobody', async () => {
    const { call, session, customer, agent } = await open();
    const block = await heart.masking.createBlock(
      'default',
      { participant: session.participants[1]?.id ?? '', counterpartPhone: agent, reason: 'harassment' },
      'key_x',
    );
    expect(await call()).toMatchObject({ kind: 'refuse', reason: 'not-connected' });
    expect(await heart.dial(customer, session.participants[1]?.dial ?? '')).toMatchObject({
      kind: 'refuse',
      reason: 'not-connected',
    });
    await expect(
      heart.masking.createSession('default', {
        participants: [
          { role: 'agent', phones: [agent] },
          { role: 'customer', phones: [customer] },
        ],
      }),
    ).rejects.toMatchObject({ code: 'blocked' });
    await heart.masking.liftBlock('default', block.id);
    expect(targetsOf(await call())).toHaveLength(1);
  });

  it('a message waits for whom it is for, and for nobody else', async () => {
    const { session, agent, customer } = await open();
    const call = await heart.dial(agent, session.participants[0]?.dial ?? '');
    if (call.kind !== 'run') throw new Error('not run');
    const addressee = session.participants[1]?.id ?? '';
    const started = await heart.masking.recordingStarted({
      ...{ tenant: 'default', call: call.call, session: session.id, announcement: {} },
      parties: [call.caller.party, call.caller.party],
      voicemailFor: [addressee],
    });
    await heart.masking.recordingEnded({
      ...{ tenant: 'default', recording: started.recording, status: 'complete' },
      milliseconds: 4_000,
      bytes: 1,
      sha256: '00',
    });
    const waiting = await heart.dial(customer, session.participants[1]?.dial ?? '');
    expect(waiting).toMatchObject({
      kind: 'run',
      steps: [
        { kind: 'messages', messages: [{ recording: started.recording, file: started.file }] },
        { kind: 'connect' },
      ],
    });
    expect(await heart.dial(agent, session.participants[0]?.dial ?? '')).toMatchObject({
      steps: [{ kind: 'connect' }],
    });
    await heart.masking.messageHeard({
      tenant: 'default',
      recording: started.recording,
      participant: addressee,
      call: waiting.call,
    });
    expect(await heart.dial(customer, session.participants[1]?.dial ?? '')).toMatchObject({
      steps: [{ kind: 'connect' }],
    });
    expect(await heart.masking.getCall('default', call.call)).toMatchObject({
      voicemail: { milliseconds: 4_000, heardAt: expect.any(Date) },
    });
  });
});
