/** A heart on a real, fresh database, for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Doors, nodeDoors } from '@samar/doors';
import { type TestDatabase, testDatabase } from '../store/testing.ts';
import { createVault, type OpenVault } from '../vault/index.ts';
import { newId } from './ids.ts';
import { createMasking, type MaskingOptions } from './masking.ts';
import type { Masking, Pool } from './service.ts';
import type { CallMasking, Decision, DecisionTarget } from './types.ts';

export interface TestMasking {
  readonly test: TestDatabase;
  readonly vault: OpenVault;
  readonly doors: Doors;
  readonly masking: Masking & CallMasking;
  /** A carrier and `count` numbers (+62215000001 …) in `pool`; cooldown 0 for everybody unless given. */
  stock(options?: {
    readonly tenant?: string;
    readonly count?: number;
    readonly first?: number;
    readonly pool?: string;
    readonly cooldown?: Readonly<Record<string, number>>;
    readonly exhaustion?: Pool['exhaustion'];
  }): Promise<{ readonly carrier: string; readonly numbers: readonly string[] }>;
  /** As if `caller` had dialled `called` over the carrier. */
  dial(
    caller: string | undefined,
    called: string,
    from?: { readonly tenant?: string; readonly carrier?: string },
  ): Promise<Decision & { readonly call: string }>;
  close(): Promise<void>;
}

export async function testMasking(options: Partial<MaskingOptions> = {}): Promise<TestMasking> {
  const test = await testDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'samar-masking-'));
  const vault = await createVault({ database: test.database, masterKey: undefined, dataDir });
  const doors = nodeDoors();
  const masking = createMasking({ database: test.database, vault, doors, ...options });
  const carriers = new Map<string, string>();
  return {
    test,
    vault,
    doors,
    masking,
    async stock({
      tenant = 'default',
      count = 10,
      first = 1,
      pool = 'default',
      cooldown = { '*': 0 },
      exhaustion,
    } = {}) {
      let carrier = carriers.get(tenant);
      if (carrier === undefined) {
        const made = { name: 'trunk', kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
        carrier = (await masking.createCarrier(tenant, made)).id;
        carriers.set(tenant, carrier);
      }
      const numbers = Array.from(
        { length: count },
        (_, index) => `+62215${String(first + index).padStart(6, '0')}`,
      );
      await masking.addNumbers(tenant, { numbers, pool, carrier, capabilities: ['voice'] });
      await masking.updatePool(tenant, pool, {
        cooldown,
        ...(exhaustion === undefined ? {} : { exhaustion }),
      });
      return { carrier, numbers };
    },
    async dial(caller, called, { tenant = 'default', carrier = carriers.get(tenant) ?? '' } = {}) {
      const call = newId(doors, 'call');
      const decision = await masking.decide({
        kind: 'call',
        carriers: [{ tenant, carrier }],
        called,
        caller,
        call,
      });
      return { ...decision, call };
    },
    async close() {
      await masking.stop();
      await test.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Whom the first `connect` step of a decision would ring; nobody when it doesn't connect. */
export function targetsOf(decision: Decision): readonly DecisionTarget[] {
  if (decision.kind !== 'run') return [];
  const step = decision.steps.find((one) => one.kind === 'connect');
  return step?.kind === 'connect' ? step.targets : [];
}

/** Distinct Indonesian mobile numbers. */
export function phone(index: number): string {
  return `+62811${String(10_000_000 + index)}`;
}
