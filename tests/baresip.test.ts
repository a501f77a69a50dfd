import { createDevCarrier, createPhone, type DevCarrier, type Phone } from '@samar/devcarrier';
import { nodeDoors } from '@samar/doors';
import { measureTone, tone } from '@samar/media';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Baresip, startBaresip } from './support/baresip.ts';
import { createAviary } from './support/canaries.ts';
import { addresses, type Capture, type Packet, peersAreHere, startCapture } from './support/capture.ts';
import { type Platform, pause, settledCalls, startPlatform } from './support/platform.ts';
import { expectNoLeak, type LegParty } from './support/secrets.ts';
import type { Transport } from './support/sipp.ts';

/** baresip sits where a trunk would, on one side; on the other side is a scripted phone behind a network of its own. */
const doors = nodeDoors();
const aviary = createAviary();
const driver: LegParty = { number: '+6281299110077', planted: aviary.plant('baresip') };
const customer: LegParty = { number: '+6281388220066', planted: aviary.plant('phone') };
const driverHertz = 620;
const customerHertz = 440;

describe.skipIf(!peersAreHere('baresip', 'tcpdump')).each<Transport>(['udp', 'tcp'])(
  'baresip over %s',
  (transport) => {
    let platform: Platform;
    let network: DevCarrier;
    let phone: Phone;
    let baresip: Baresip;
    let capture: Capture;
    let packets: readonly Packet[] = [];

    beforeAll(async () => {
      platform = await startPlatform({ sipHost: addresses.platform });
      const bound = platform.server.sip.find((one) => one.transport === transport);
      const udp = platform.server.sip.find((one) => one.transport === 'udp');
      if (!bound || !udp) throw new Error('not bound');
      network = await createDevCarrier({
        doors,
        address: addresses.callee,
        port: 0,
        trunk: { host: addresses.platform, port: udp.port, transport: 'udp' },
      });
      phone = await createPhone({
        doors,
        number: customer.number,
        carrier: network.local,
        address: addresses.callee,
      });
      baresip = await startBaresip({
        address: addresses.caller,
        number: driver.number,
        displayName: driver.planted.name,
        hertz: driverHertz,
        platform: `${addresses.platform}:${bound.port}`,
        transport,
      });
      const allowedSources = [addresses.caller, addresses.callee];
      const ways = [
        { name: 'to-baresip', host: addresses.caller, port: baresip.port, transport, base: '+622150077001' },
        {
          name: 'to-phone',
          host: addresses.callee,
          port: network.local.port,
          transport: 'udp',
          base: '+622150077002',
        },
      ];
      for (const { base, ...way } of ways) {
        const carrier = await platform.call('POST', '/v1/carriers', { ...way, kind: 'sip', allowedSources });
        expect(carrier.status, carrier.text).toBe(201);
        const numbers = { numbers: [base], pool: way.name, carrier: way.name, capabilities: ['voice'] };
        expect((await platform.call('POST', '/v1/numbers', numbers)).status).toBe(201);
      }
    });

    afterAll(async () => {
      await baresip?.close();
      await phone?.close();
      await network?.close();
      await platform?.stop();
    });

    beforeEach(async () => {
      capture = await startCapture();
    });
    afterEach(() => {
      packets = [];
    });

    async function session(pool: string) {
      const { status, text, body } = await platform.call('POST', '/v1/sessions', {
        pool,
        participants: [
          { role: 'agent', phone: driver.number, name: driver.planted.name },
          { role: 'customer', phone: customer.number, name: customer.planted.name },
        ],
      });
      expect(status, text).toBe(201);
      return {
        id: body.id as string,
        agentDials: body.participants[0].dial,
        customerDials: body.participants[1].dial,
      };
    }

    /** Two seconds of speech; after them, what each end has heard is the other's tone and little else. */
    async function talk(call: { say(pcm: Int16Array): Promise<void>; heard(): Int16Array }) {
      await call.say(tone(customerHertz, 2_000));
      await pause(200);
      return call.heard();
    }

    async function expectBothHeard(heardByPhone: Int16Array): Promise<void> {
      // The first tenth of a second may hold the joining of the legs.
      expect(measureTone(heardByPhone.subarray(800, 12_800), driverHertz).share).toBeGreaterThan(0.95);
      const heard = await baresip.heard();
      expect(heard.length).toBeGreaterThan(8_000);
      expect(loudestTone(heard, customerHertz)).toBeGreaterThan(0.95);
      expect(loudestTone(heard, driverHertz)).toBeLessThan(0.05);
    }

    test('makes a masked call; both hear each other; nothing of the other one is on the wire', async () => {
      const { id, agentDials } = await session('to-phone');
      const incoming = phone.nextCall();
      await baresip.dial(agentDials);
      const call = await incoming;
      await baresip.event('CALL_ESTABLISHED');
      expect(phone.displayed.at(-1)).toBe('+622150077002');
      const heard = await talk(call);
      await baresip.hangUp();
      await call.ended;
      packets = await capture.stop();
      await expectBothHeard(heard);
      expectNoLeak(packets, { caller: driver, callee: customer });
      const [record] = await settledCalls(platform.call, id);
      expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' });
    });

    // Over TCP the platform's own connection can't be told from baresip's: see `sentTo`.
    if (transport === 'udp')
      test('takes a masked call; both hear each other; nothing of the other one is on the wire', async () => {
        const { id, customerDials } = await session('to-baresip');
        const call = phone.dial(customerDials);
        const incoming = await baresip.event('CALL_INCOMING');
        expect(incoming.peeruri).toContain('+622150077001@127.0.0.2');
        expect(incoming.peerdisplayname ?? '').toBe('');
        await baresip.accept();
        expect(await call.answered).toEqual({ ok: true });
        const heard = await talk(call);
        call.hangUp();
        await baresip.event('CALL_CLOSED');
        packets = await capture.stop();
        await expectBothHeard(heard);
        expectNoLeak(packets, { caller: driver, callee: customer });
        const [record] = await settledCalls(platform.call, id);
        expect(record).toMatchObject({ outcome: 'connected', hangupBy: 'caller', hangupCause: 'bye' });
      });
  },
);

/** The tone's share of the energy in the second that has the most of it: before and after the talk there is silence. */
function loudestTone(samples: Int16Array, hertz: number): number {
  let best = 0;
  for (let at = 0; at + 8_000 <= samples.length; at += 2_000) {
    best = Math.max(best, measureTone(samples.subarray(at, at + 8_000), hertz).share);
  }
  return best;
}
