/**
 * Live events for consoles, as server-sent events (HTML living standard, section 9.2). A connection ends when whoever
 * opened it may not see events any more, when it doesn't take what it is sent, and when we stop; browsers come back by
 * themselves, with the id of the last event that they have seen.
 */
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { LiveEvents } from '../../events/service.ts';
import type { Event } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { createPlaces } from '../places.ts';
import { Problem } from '../problem.ts';
import { type Api, isId, words } from '../route.ts';
import { renderEvent } from './events.ts';

const heartbeatMilliseconds = 15_000;
const checkMilliseconds = 30_000;
/** What waits for a client that reads slowly; past it the client is cut off. 1,000 events of the past fit. */
const mostWaitingBytes = 1_048_576;
const reconnectMilliseconds = 2_000;
/** `all` is what the service takes on one node; 32 are a person's tabs, or a system's processes. */
const mostWatching = { all: 200, tenant: 160, actor: 32 };

/** Whether whoever made the request may still see what it asked for. */
export type StillAllowed = (request: FastifyRequest) => Promise<boolean>;

export function liveRoutes(app: Api, service: LiveEvents, stillAllowed: StillAllowed): void {
  const open = new Set<Readable>();
  const places = createPlaces(mostWatching, 'As many watch as may.');
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    for (const stream of open) stream.push(null);
    done();
  });

  app.get(
    '/v1/live',
    {
      config: { scope: 'events:read', problems: ['unavailable'] },
      schema: {
        ...words(
          'Events',
          'watchEvents',
          'Watch what happens, live',
          'Server-sent events: `id` is the event’s, `event` its kind, `data` the event as in the list. Last-Event-ID brings what was missed; `event: gap` says that it was too much, and that everything should be read anew.',
        ),
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({
              maxLength: 100,
              description: 'The last event that was seen.',
              examples: ['evt_019b3c5e7a1048f2c6d0a4b8e1f35927'],
            }),
          ),
        }),
        produces: ['text/event-stream'],
        response: {
          200: { description: 'Events without end.', content: { 'text/event-stream': { schema: text } } },
        },
      },
    },
    async (request, reply) => {
      if (closing) throw unavailable('The service is stopping.');
      const { tenant } = principalOf(request);
      const after = request.headers['last-event-id'];
      const leave = places.take(principalOf(request));
      const stream = new Readable({ read() {}, highWaterMark: mostWaitingBytes });
      stream.push(`retry: ${reconnectMilliseconds}\n\n`);
      open.add(stream);
      const end = await follow(service, stream, tenant, after).catch((error: unknown) => {
        open.delete(stream);
        leave();
        throw error instanceof Error && error.name === 'TooManyListeners'
          ? unavailable('As many watch as may.')
          : error;
      });
      const heartbeat = setInterval(() => send(stream, ':\n\n'), heartbeatMilliseconds).unref();
      const check = setInterval(() => {
        // A database that can't be asked now revokes nothing.
        void stillAllowed(request).then(
          (allowed) => void (allowed || stream.push(null)),
          () => {},
        );
      }, checkMilliseconds).unref();
      stream.once('close', () => {
        clearInterval(heartbeat);
        clearInterval(check);
        open.delete(stream);
        leave();
        end.close();
      });
      // Nothing else comes over the connection: kept alive, it would keep us from stopping.
      return reply
        .type('text/event-stream')
        .header('x-accel-buffering', 'no')
        .header('connection', 'close')
        .send(stream);
    },
  );
}

const text = Type.Unsafe<Readable>({ type: 'string' });

function follow(service: LiveEvents, stream: Readable, tenant: string, after: string | undefined) {
  const listener = {
    event: (event: Event) =>
      send(stream, `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(renderEvent(event))}\n\n`),
    gap: () => send(stream, 'event: gap\ndata: {}\n\n'),
  };
  // What is no event's id is no place to go on from: as if too much had been missed.
  const known = after === undefined || isId('evt', after) ? after : 'evt_';
  return service.subscribe(tenant, known, listener);
}

/** A client that doesn't take what it is sent is cut off, so that nothing piles up for it. */
function send(stream: Readable, chunk: string): void {
  if (stream.readableEnded || stream.destroyed || stream.readableLength > mostWaitingBytes) {
    stream.destroy();
    return;
  }
  stream.push(chunk);
}

function unavailable(detail: string): Problem {
  return new Problem('unavailable', detail, { retryAfterSeconds: 5 });
}
