/**
 * The console's files, at /console/: what Vite built into packages/console/dist. Its assets carry a hash in their
 * names and never change; every other path is the console's own route and gets index.html. Open to everybody: there is
 * nothing in them but the program; what it shows comes from the API.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';

const built = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

/**
 * Everything from here, nothing from elsewhere, nothing inline: plots and the waveform place things through the style
 * object, which the policy doesn't concern. A recording is played from a blob.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

const unbuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Samar</title>
<h1>The console is not built</h1>
<p>Run <code>npm run prepare</code> in the directory of Samar, and load this page again.</p>
</html>
`;

/** `directory`: where index.html is. */
export async function consolePages(app: FastifyInstance, directory: string = built): Promise<void> {
  // In a scope of its own: others may serve files from elsewhere.
  const files: FastifyPluginAsync = async (scope) => {
    await scope.register(fastifyStatic, { root: directory, serve: false, cacheControl: false, index: false });
    consoleRoutes(scope, directory);
  };
  await app.register(files);
}

function consoleRoutes(app: FastifyInstance, directory: string): void {
  const options = { config: { policy }, schema: { hide: true } as object };
  const there = (path: string) => existsSync(join(directory, path));

  function index(reply: FastifyReply): FastifyReply {
    reply.header('cache-control', 'no-cache');
    // Asked each time: it may be built while we run.
    if (there('index.html')) return reply.sendFile('index.html');
    return reply.code(503).type('text/html; charset=utf-8').send(unbuilt);
  }

  app.get('/', options, (_request, reply) => reply.redirect('/console/', 302));
  app.get('/console', options, (_request, reply) => reply.redirect('/console/', 302));
  app.get<{ Params: { '*': string } }>('/console/*', options, (request, reply) => {
    const path = request.params['*'];
    if (!fileName.test(path)) return index(reply);
    const asset = path.startsWith('assets/');
    // A file has a kind, the console's own routes have none; an asset of another version is not the page.
    if (!asset && !(path.includes('.') && there(path))) return index(reply);
    const hashed = asset && there(path);
    reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    return reply.sendFile(path);
  });
}

/** No name begins with a dot, so there is no way up either. */
const fileName = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;
