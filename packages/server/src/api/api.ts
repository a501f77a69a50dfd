/**
 * The HTTP API, version 1: each file in `routes/` is a resource, each in `schemas/` its JSON; the rest are the concerns
 * that cut across them. It translates between HTTP and `Masking` and holds no rule of the business itself.
 * A request passes: security headers → authentication and limits → JSON → schema → idempotency → route → answer.
 */
import type { IncomingMessage } from 'node:http';
import { fastifyCookie } from '@fastify/cookie';
import fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { consolePages, transparencyPages, tryPages } from '../pages/index.ts';
import {
  answerClientError,
  answerFrameworkError,
  newRequestId,
  registerClosing,
  registerProblemAnswers,
  registerSecurityHeaders,
} from './answers.ts';
import { registerAuthentication } from './authentication.ts';
import { createCookies } from './cookies.ts';
import { registerIdempotency } from './idempotency.ts';
import { bodyLimitBytes, registerJsonBody, validatorCompiler } from './input.ts';
import { logFailure, registerRequestLog } from './logging.ts';
import { registerMetrics } from './metrics.ts';
import { registerOpenApi } from './openapi.ts';
import type { ApiLog, ApiOptions } from './options.ts';
import { registerReference } from './reference.ts';
import type { Api } from './route.ts';
import { blockRoutes } from './routes/blocks.ts';
import { bulkRoute } from './routes/bulk.ts';
import { callRoutes } from './routes/calls.ts';
import { carrierRoutes } from './routes/carriers.ts';
import { custodyRoutes } from './routes/custody.ts';
import { disputeRoutes } from './routes/disputes.ts';
import { eventRoutes } from './routes/events.ts';
import { keyRoutes } from './routes/keys.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { liveRoutes } from './routes/live.ts';
import { loginRoutes } from './routes/login.ts';
import { numberRoutes, poolRoutes } from './routes/numbers.ts';
import { operationRoutes } from './routes/operations.ts';
import { participantRoutes, transparencyLinkRoutes } from './routes/participants.ts';
import { planRoutes } from './routes/plan.ts';
import { privacyRoutes } from './routes/privacy.ts';
import { problemRoutes } from './routes/problems.ts';
import { programRoutes } from './routes/programs.ts';
import { recordingRoutes } from './routes/recordings.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { destinationRoutes, settingsRoutes } from './routes/settings.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { stillAllowed } from './still-allowed.ts';

/** A request must have arrived within this time; connections that send nothing are closed after the second. */
const requestMilliseconds = 30_000;
const idleMilliseconds = 75_000;

/**
 * Makes the API; `listen` on it starts to serve. `close()` stops taking connections, closes idle ones and resolves
 * when running requests are answered.
 */
export function createApi(options: ApiOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    genReqId: newRequestId,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestMilliseconds,
    keepAliveTimeout: idleMilliseconds,
    forceCloseConnections: 'idle',
    // Requests that are already on a connection are answered while we stop, instead of Fastify's own 503.
    return503OnClosing: false,
    trustProxy: options.trustProxy ?? false,
    // Anything else that asks for another protocol (clients that offer h2c) is answered as if it had not.
    http: { shouldUpgradeCallback: isWebSocket },
    routerOptions: { maxParamLength: 128 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  }) as unknown as FastifyInstance;
  const { masking, log = silent } = options;
  app.setValidatorCompiler(validatorCompiler);
  registerJsonBody(app);
  registerSecurityHeaders(app);
  registerClosing(app);
  registerProblemAnswers(app, log);
  registerRequestLog(app, log);
  registerMetrics(app, options.registry);
  const platform: FastifyPluginAsync = async (scope) => {
    await registerOpenApi(scope, options.version ?? '0.1.0');
    await registerReference(scope);
    const publicUrl = () => options.publicUrl?.replace(/\/+$/, '') ?? ownUrl(app);
    const cookies = createCookies(publicUrl);
    // Only its codec: cookies are read where one may stand for somebody (cookies.ts).
    await scope.register(fastifyCookie, { hook: false });
    await registerAuthentication(scope, masking, options.users, cookies, {
      requestsPerSecond: options.rateLimit ?? 600,
      wrongKeysPerMinute: options.wrongKeysPerMinute ?? 30,
    });
    registerIdempotency(scope, masking);
    const api = scope as unknown as Api;
    sessionRoutes(api, masking, publicUrl);
    bulkRoute(api, masking, publicUrl);
    participantRoutes(api, masking, options.telephone);
    transparencyLinkRoutes(api, options.trust, publicUrl);
    callRoutes(api, masking);
    recordingRoutes(api, masking, options.trust, log);
    programRoutes(api, masking);
    destinationRoutes(api, masking);
    numberRoutes(api, masking);
    poolRoutes(api, masking);
    planRoutes(api);
    carrierRoutes(api, masking);
    blockRoutes(api, masking);
    eventRoutes(api, masking);
    settingsRoutes(api, masking);
    keyRoutes(api, masking);
    ledgerRoutes(api, options.trust);
    custodyRoutes(api, options.trust, log);
    disputeRoutes(api, options.trust, masking);
    privacyRoutes(api, options.trust);
    webhookRoutes(api, options.webhooks);
    liveRoutes(api, options.live, (request) => stillAllowed(request, 'events:read', options, cookies));
    userRoutes(api, options.users, publicUrl);
    loginRoutes(api, options.users, cookies);
    operationRoutes(api, options);
    problemRoutes(api);
    await transparencyPages(scope, options.trust.transparency, {
      failed: (request, error) => logFailure(log, request, error),
    });
    await consolePages(scope);
    await tryPages(scope, options.phones, options.publicUrl);
  };
  void app.register(platform);
  return app;
}

function isWebSocket({ url, headers }: IncomingMessage): boolean {
  return url?.startsWith('/try/phones/') === true && headers.upgrade?.toLowerCase() === 'websocket';
}

const silent: ApiLog = { info: () => {}, error: () => {} };

function ownUrl(app: FastifyInstance): string {
  const address = app.server.address();
  return `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;
}
