/** Health and metrics: open, without a key; they tell nothing about anybody. */
import { Type } from 'typebox';
import type { ApiOptions, HealthCheck } from '../options.ts';
import { type Api, words } from '../route.ts';

/** A check that hangs is a failed one. */
const checkMilliseconds = 2000;

const health = Type.Object({ status: Type.String({ examples: ['ok'] }) }, { title: 'Health' });
const readiness = Type.Object(
  {
    status: Type.String({ examples: ['ready'] }),
    reasons: Type.Optional(
      Type.Array(Type.Object({ part: Type.String(), reason: Type.String() }), {
        description: 'What is not ready, and why.',
      }),
    ),
  },
  { title: 'Readiness' },
);

export function operationRoutes(app: Api, options: Pick<ApiOptions, 'checks' | 'registry'>): void {
  app.get(
    '/healthz',
    {
      schema: {
        ...words('Operations', 'getHealth', 'Whether the process lives'),
        security: [],
        response: { 200: health },
      },
    },
    async () => ({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        ...words('Operations', 'getReadiness', 'Whether the process can do its work'),
        security: [],
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_request, reply) => {
      const checks = Object.entries(options.checks);
      const answers = await Promise.all(checks.map(([part, check]) => runCheck(part, check)));
      const reasons = answers.filter((answer) => answer !== undefined);
      if (reasons.length === 0) return { status: 'ready' };
      return reply.code(503).header('retry-after', '1').send({ status: 'not ready', reasons });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        ...words('Operations', 'getMetrics', 'Metrics in Prometheus’ text format'),
        security: [],
        response: {
          200: {
            description: 'Metrics.',
            content: { 'text/plain': { schema: Type.String() } },
          },
        },
      },
    },
    async (_request, reply) => {
      const text = await options.registry.metrics();
      return reply.type(options.registry.contentType).send(text);
    },
  );
}

async function runCheck(
  part: string,
  check: HealthCheck,
): Promise<{ readonly part: string; readonly reason: string } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer in time'), checkMilliseconds).unref();
  });
  try {
    const reason = await Promise.race([check(), late]);
    return reason === undefined ? undefined : { part, reason };
  } catch {
    // What was thrown may hold anything; the log of that part has it.
    return { part, reason: 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
