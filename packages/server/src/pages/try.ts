import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * The page at /try: two phones of the pretend network in the browser, their sound over WebSockets at
 * /try/phones/{driver|customer} (messages: web-phone.ts in packages/devcarrier). There is no log-in: it is open to
 * whoever reaches it, and nobody but a page of this very place may use it.
 */
export interface PretendPhones {
  readonly phones: readonly { readonly name: PhoneName; readonly number: string }[];
  attach(phone: PhoneName, channel: PhoneChannel): PhoneListener;
  /** Between the two; closes the one before. */
  openSession(language: 'en' | 'id'): Promise<TrialSession>;
  /** False when none was open. */
  closeSession(): Promise<boolean>;
}

export type PhoneName = 'driver' | 'customer';

export interface PhoneChannel {
  send(message: string | Uint8Array): void;
  readonly buffered: number;
  close(code: number, reason: string): void;
}

export interface PhoneListener {
  text(message: string): void;
  binary(message: Uint8Array): void;
  closed(): void;
}

export interface TrialSession {
  readonly id: string;
  readonly participants: readonly {
    readonly phone: PhoneName;
    /** The virtual number that this phone dials. */
    readonly dial: string;
    /** Path of the participant's transparency page. */
    readonly transparency: string;
  }[];
}

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const files = {
  'try.css': 'text/css; charset=utf-8',
  'try.js': 'text/javascript; charset=utf-8',
  'phone.js': 'text/javascript; charset=utf-8',
  'sound.js': 'text/javascript; charset=utf-8',
  'worklet.js': 'text/javascript; charset=utf-8',
  'resample.js': 'text/javascript; charset=utf-8',
  'words.js': 'text/javascript; charset=utf-8',
} as const;

/** A frame of sound has 320 bytes, a command less than 100. */
const largestMessage = 1_024;
/** A browser that doesn't answer a ping by the next one is gone. */
const pingMilliseconds = 20_000;
/** Sessions that all visitors together open in a minute. */
const sessionsPerMinute = 30;

export async function tryPages(
  app: FastifyInstance,
  phones: PretendPhones | undefined,
  publicUrl?: string,
): Promise<void> {
  const hidden = { schema: { hide: true } as object, config: { policy } };
  await filesOf(app, hidden, phones !== undefined);
  if (!phones) return;
  const guard = sameOrigin(publicUrl);
  await app.register(websocket, { options: { maxPayload: largestMessage, perMessageDeflate: false } });

  app.get('/try/phones', hidden, async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ phones: phones.phones }),
  );
  for (const { name } of phones.phones) {
    app.get(
      `/try/phones/${name}`,
      { ...hidden, websocket: true, preValidation: guard },
      (socket: WebSocketLike) => {
        serve(socket, (channel) => phones.attach(name, channel));
      },
    );
  }

  let opened = 0;
  let minute = 0;
  app.post('/try/session', { ...hidden, preValidation: guard }, async (request, reply) => {
    const now = Math.floor(performance.now() / 60_000);
    if (now !== minute) [minute, opened] = [now, 0];
    opened += 1;
    if (opened > sessionsPerMinute)
      return refuse(reply, 429, 'Too many sessions were opened. Wait a minute.');
    const { language } = (request.body ?? {}) as { readonly language?: unknown };
    const session = await phones.openSession(language === 'id' ? 'id' : 'en');
    return reply.code(201).header('cache-control', 'no-store').send(session);
  });
  app.post('/try/session/close', { ...hidden, preValidation: guard }, async (_request, reply) => {
    const closed = await phones.closeSession();
    return closed ? { status: 'closed' } : refuse(reply, 404, 'No session is open.');
  });
}

async function filesOf(
  app: FastifyInstance,
  hidden: { readonly schema: object; readonly config: { readonly policy: string } },
  on: boolean,
): Promise<void> {
  const read = (name: string) => readFile(new URL(`./try/${name}`, import.meta.url));
  const page = await read(on ? 'index.html' : 'off.html');
  const served = async (_request: FastifyRequest, reply: FastifyReply) =>
    reply
      .code(on ? 200 : 404)
      .headers({ 'cache-control': 'no-cache', 'permissions-policy': 'microphone=(self)' })
      .type('text/html; charset=utf-8')
      .send(page);
  app.get('/try', hidden, served);
  app.get('/try/', hidden, served);
  for (const [name, type] of Object.entries(files)) {
    // The page that says how to turn it on needs its looks only.
    if (!on && name !== 'try.css') continue;
    const file = await read(name);
    app.get(`/try/${name}`, hidden, async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type(type).send(file),
    );
  }
}

/** What is used of `ws`. */
interface WebSocketLike {
  readonly bufferedAmount: number;
  send(message: string | Uint8Array): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'close' | 'pong', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

function serve(socket: WebSocketLike, attach: (channel: PhoneChannel) => PhoneListener): void {
  const listener = attach({
    send: (message) => socket.send(message),
    get buffered() {
      return socket.bufferedAmount;
    },
    close: (code, reason) => socket.close(code, reason),
  });
  let heard = true;
  const pings = setInterval(() => {
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
  }, pingMilliseconds).unref();
  socket.on('pong', () => {
    heard = true;
  });
  socket.on('message', (data, isBinary) => {
    if (isBinary) listener.binary(data);
    else listener.text(data.toString());
  });
  socket.on('close', () => {
    clearInterval(pings);
    listener.closed();
  });
}

/**
 * Another site's page can make a browser on this machine send requests here, and by a name that it points at us even
 * call that the same origin: so the name must also be one of ours.
 */
function sameOrigin(publicUrl: string | undefined) {
  const own = new Set(['localhost', hostname().toLowerCase()]);
  if (publicUrl !== undefined) own.add(URL.parse(publicUrl)?.hostname.toLowerCase() ?? 'localhost');
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { origin, host } = request.headers;
    const from = origin === undefined ? undefined : URL.parse(origin);
    const name = from?.hostname.toLowerCase() ?? '';
    const ours = own.has(name) || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
    if (from && from.host === host && ours) return undefined;
    return refuse(reply, 403, 'Only the page at /try of this installation may do that.');
  };
}

function refuse(reply: FastifyReply, status: number, detail: string): FastifyReply {
  const titles: Readonly<Record<number, string>> = { 403: 'Forbidden', 404: 'Not found', 429: 'Too many' };
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: titles[status], status, detail });
}
