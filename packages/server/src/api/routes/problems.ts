/** The pages behind the `type` of problem documents. */
import { type ProblemCode, problemKinds } from '../problem-kinds.ts';
import { type Api, notFound } from '../route.ts';

export function problemRoutes(app: Api): void {
  app.get('/problems', { schema: { hide: true } }, async (_request, reply) => {
    const items = codes().map(
      (code) => `<li><a href="/problems/${code}"><code>${code}</code></a> — ${problemKinds[code].title}</li>`,
    );
    return reply.type('text/html; charset=utf-8').send(page('Problems', `<ul>${items.join('')}</ul>`));
  });

  app.get<{ Params: { code: string } }>(
    '/problems/:code',
    { schema: { hide: true } },
    async (request, reply) => {
      const code = codes().find((known) => known === request.params.code);
      if (code === undefined) throw notFound();
      const { status, title, advice } = problemKinds[code];
      const body = `<p>Status ${status}</p><p>${advice}</p><p><a href="/problems">All problems</a></p>`;
      return reply.type('text/html; charset=utf-8').send(page(title, body));
    },
  );
}

function codes(): readonly ProblemCode[] {
  return Object.keys(problemKinds).sort() as ProblemCode[];
}

/** Only our own constants go in: nothing to escape. */
function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
}
