/** The readable reference at /reference: one page and one script, both from here. Nothing is fetched from outside. */
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';

/** The page's own script and styles are inline; nothing may be loaded from, or sent to, anywhere else. */
export const referencePolicy =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export async function registerReference(app: FastifyInstance): Promise<void> {
  await app.register(scalar, {
    routePrefix: '/reference',
    logLevel: 'silent',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Samar API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      mcp: { disabled: true },
      agent: { disabled: true },
    },
  });
}
