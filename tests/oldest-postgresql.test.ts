import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDoors } from '@samar/doors';
import { expect, test } from 'vitest';
import { createMasking } from '../packages/server/src/masking/index.ts';
import { openDatabase } from '../packages/server/src/store/index.ts';
import { createVault } from '../packages/server/src/vault/index.ts';

const binaries = '/usr/lib/postgresql/15/bin';
const installed = process.env['SAMAR_PEERS']?.split(',').includes('postgresql') ?? false;

test.skipIf(!installed)(
  'a session lives and ends on PostgreSQL 15, the oldest that is supported',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'samar-oldest-'));
    const dataDir = join(directory, 'data');
    const database = await openDatabase({ dataDir, embedded: { binaries, sync: false } });
    try {
      expect(database.embedded?.version).toMatch(/^15\./);
      const doors = nodeDoors();
      const vault = await createVault({ database, masterKey: undefined, dataDir });
      const masking = createMasking({ database, vault, doors });
      await masking.createTenant({ tenant: 'default', name: 'Default' });
      const made = { name: 'trunk', kind: 'sip', host: '192.0.2.1', transport: 'udp' } as const;
      const { id: carrier } = await masking.createCarrier('default', made);
      const numbers = ['+62215000001', '+62215000002'];
      await masking.addNumbers('default', { numbers, pool: 'default', carrier, capabilities: ['voice'] });
      const agent = '+6281100000001';
      const session = await masking.createSession('default', {
        participants: [
          { role: 'agent', phones: [agent] },
          { role: 'customer', phones: ['+6281200000002'] },
        ],
      });
      const dial = (call: string) =>
        masking.decide({
          kind: 'call',
          carriers: [{ tenant: 'default', carrier }],
          called: session.participants[0]?.dial,
          caller: agent,
          call,
        });
      expect(await dial('call_one')).toMatchObject({ kind: 'run', session: session.id });
      await masking.closeSession('default', session.id, { reason: 'resolved' });
      expect(await dial('call_two')).toMatchObject({ kind: 'refuse', reason: 'ended' });
    } finally {
      await database.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
);
