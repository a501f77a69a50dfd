import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { asker, failed, httpServer, question, secret } from './testing.ts';

const page = readFileSync(new URL('../../../../docs/decision-webhook.md', import.meta.url), 'utf8');
const block = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((one) => one[1] ?? '');

it('is answered by the server that its documentation shows, and by nobody without the secret', async () => {
  const [code = ''] = block('js');
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(31);
  const [, asked = '{}'] = block('json');
  const body: Record<string, unknown> = JSON.parse(asked);
  const free = await httpServer(() => {});
  await free.close();
  const server = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { PORT: String(free.port), SAMAR_DECISION_SECRET: secret },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    const url = `http://127.0.0.1:${free.port}/calls`;
    const ask = asker();
    await expect
      .poll(() => ask({ ...question, url, body }), { timeout: 20_000 })
      .toEqual({
        ok: true,
        answer: JSON.parse('{"then":[{"connect":"agent"},{"forward":"support"}]}'),
      });
    const stranger = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    expect(await ask({ ...question, url, body, secret: stranger })).toEqual(failed('status'));
  } finally {
    const gone = once(server, 'exit');
    server.kill();
    await gone;
  }
});
