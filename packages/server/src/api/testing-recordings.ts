/** Recorded calls for tests, made as the switch makes them: one second, the left side a row of bytes, the right silent. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startCallRecording } from '@samar/media';
import { targetsOf } from '../masking/testing.ts';
import { phone, type TestApi, twoPeople } from './testing.ts';

export interface RecordedCall {
  readonly call: string;
  readonly session: string;
  readonly recording: string;
  /** Path of the encrypted file. */
  readonly file: string;
  readonly sha256: string;
  readonly parties: readonly string[];
}

export async function recordedCall(
  api: TestApi,
  directory: string,
  seed: number,
  participants: object = {},
): Promise<RecordedCall> {
  const { body: session } = await api.call('POST', '/v1/sessions', {
    body: twoPeople(seed, { recording: 'announce', ...participants }),
  });
  const [agent] = session.participants;
  const { items } = await api.masking.listCarriers('default', { limit: 1 });
  const id = `call_${randomBytes(16).toString('hex')}`;
  const decision = await api.masking.decide({
    kind: 'call',
    carriers: [{ tenant: 'default', carrier: items[0]?.id ?? '' }],
    called: agent.dial,
    caller: phone(2 * seed),
    call: id,
  });
  if (decision.kind !== 'run') throw new Error('not connected');
  const target = targetsOf(decision)[0];
  const whose = { tenant: 'default', call: id, session: session.id };
  await api.masking.answered({ ...whose, participant: target?.participant ?? '' });
  const parties = [decision.caller.party, target?.party ?? ''] as const;
  const started = await api.masking.recordingStarted({
    ...{ ...whose, parties, announcement: { left: 'en', right: 'en' } },
  });
  const path = join(directory, started.file);
  const recording = await startCallRecording({
    ...{
      file: path,
      id: started.recording,
      key: started.key,
      salt: randomBytes(16),
      startedAt: 0,
      lead: 4000,
    },
    onFailed: () => {},
  });
  for (let n = 0; n < 50; n++) {
    recording.packet({
      ...{ side: 'left', ssrc: 1, sequence: n, timestamp: n * 160, arrival: n * 20, codec: 'PCMU' },
      payload: Buffer.alloc(160, 0x10 + n),
    });
    recording.advance(n * 20);
  }
  const { milliseconds, bytes, sha256 } = await recording.stop(1000);
  await api.masking.recordingEnded({
    ...{ tenant: 'default', recording: started.recording, status: 'complete', milliseconds, bytes, sha256 },
  });
  return {
    ...{ call: id, session: session.id, recording: started.recording, file: path, sha256, parties },
  };
}
