/**
 * Listening to a call. The heart gives the key only together with a ledger entry that says who listened and why;
 * from there on nothing but what is being sent is ever in clear, and nothing of it is stored or cached.
 */
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  type ByteRange,
  openRecording,
  RecordingError,
  type StoredRecording,
  wavLength,
  wavStream,
} from '@samar/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Masking, OpenedRecording } from '../../masking/service.ts';
import type { Trust } from '../../trust/service.ts';
import { principalOf } from '../authentication.ts';
import { logFailure } from '../logging.ts';
import type { ApiLog } from '../options.ts';
import { createPlaces } from '../places.ts';
import { Problem } from '../problem.ts';
import { type Api, checkId, words } from '../route.ts';
import { recordingQuery } from '../schemas/calls.ts';
import { idParams } from '../schemas/common.ts';

/** Each holds a file and some seconds of speech. */
const places = createPlaces(
  { all: 64, tenant: 48, actor: 16 },
  'Too many recordings are being listened to at once.',
);

export function recordingRoutes(app: Api, masking: Masking, trust: Trust, log: ApiLog): void {
  app.get(
    '/v1/calls/:id/recording',
    {
      config: {
        scope: 'recordings:listen',
        problems: [
          'not-found',
          'no-recording',
          'recording-unreadable',
          'reason-required',
          'subject-restricted',
          'unavailable',
          'range-not-satisfiable',
        ],
      },
      schema: {
        ...words(
          'Calls',
          'listenToRecording',
          'Listen to a call',
          'WAV, 8 kHz, stereo: the caller left, the other right; of a message that was left, the caller. Give the reason in the X-Access-Reason header or the reason parameter; it is written to the ledger. Range (RFC 9110) is honoured for one range.',
        ),
        params: idParams('call', 'call'),
        querystring: recordingQuery,
        headers: Type.Object({
          'x-access-reason': Type.Optional(
            Type.String({
              description: 'Why it is listened to, 3 to 500 characters.',
              examples: ['dispute 311'],
            }),
          ),
          range: Type.Optional(Type.String({ description: 'One byte range.', examples: ['bytes=0-65535'] })),
        }),
        produces: ['audio/wav'],
        response: {
          200: { description: 'The recording.', content: { 'audio/wav': { schema: audio } } },
          206: {
            description: 'The range of it that was asked for.',
            content: { 'audio/wav': { schema: audio } },
          },
        },
      },
    },
    async (request, reply) => {
      const { tenant, actor } = principalOf(request);
      const reason = reasonOf(request, request.query.reason);
      const call = checkId('call', request.params.id);
      return sendRecording(request, reply, trust, log, {
        open: () => masking.openRecording(tenant, call, { actor, reason }),
        encoding: request.query.format === 'pcm' ? 'pcm' : 'mu-law',
        disposition: 'inline',
      });
    },
  );
}

/** Opens a recording and streams it as WAV. `attachment`: as a whole, to be saved. */
export async function sendRecording(
  request: FastifyRequest,
  reply: FastifyReply,
  trust: Trust,
  log: ApiLog,
  how: {
    readonly open: () => Promise<OpenedRecording>;
    readonly encoding: 'mu-law' | 'pcm';
    readonly disposition: 'inline' | 'attachment';
  },
): Promise<FastifyReply> {
  const leave = places.take(principalOf(request));
  let recording: StoredRecording | undefined;
  try {
    const opened = await how.open();
    recording = await openFile(trust, opened);
    const length = wavLength(recording, how.encoding);
    const range = startAnswer(request, reply, `${opened.recording}.wav`, length, how.disposition);
    const stream = wavStream(recording, range, how.encoding);
    const finished = recording;
    // A damaged frame ends the connection: half of a recording must not look like the whole.
    stream.once('error', (error) => logFailure(log, request, error));
    stream.once('close', () => {
      leave();
      void finished.close();
    });
    return reply.send(stream);
  } catch (error) {
    leave();
    await recording?.close();
    throw error;
  }
}

export const audio = Type.Unsafe<Readable>({ type: 'string', contentMediaType: 'audio/wav' });

export function reasonOf(request: FastifyRequest, parameter: string | undefined): string {
  const header = request.headers['x-access-reason'];
  const reason = (typeof header === 'string' ? utf8(header) : parameter)?.trim() ?? '';
  const length = reason.length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (length < 3 || length > 500 || /[\u0000-\u001f\u007f]/.test(reason)) {
    throw new Problem(
      'reason-required',
      'Say why in the X-Access-Reason header or the reason parameter, 3 to 500 characters.',
      { errors: [{ parameter: 'X-Access-Reason', detail: 'must have 3 to 500 characters' }] },
    );
  }
  return reason;
}

/** Node reads header bytes as Latin-1; people write UTF-8. */
function utf8(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return header;
  }
}

/**
 * Every frame is authenticated as it is read, and the last one says that it is the last: what can be opened, and has the
 * length that the ledger's entry tells, is what was recorded. Hashing all of it for every listener would prove no more.
 */
async function openFile(trust: Trust, opened: OpenedRecording): Promise<StoredRecording> {
  const { recording: id, key, file, sha256, bytes, status } = opened;
  const located = { file, ...(sha256 !== undefined && { sha256 }) };
  // It may move to the store of objects between being found and being opened.
  for (let tries = 0; ; tries++) {
    try {
      const path = await trust.custody.locate(located);
      const stored = await openRecording({ file: path, id, key });
      if (status !== 'complete' || (stored.complete && (await stat(path)).size === bytes)) return stored;
      await stored.close();
      throw new Problem('recording-unreadable', 'The file is not what was recorded.');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === 'RecordingsAway') {
        throw new Problem('unavailable', 'The store of recordings can not be reached at the moment.', {
          retryAfterSeconds: 10,
        });
      }
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' || isMissing(error);
      if (missing && tries === 0) continue;
      if (error.name !== 'RecordingError' && !missing) throw error;
      throw new Problem('recording-unreadable', 'The file is gone or damaged.');
    }
  }
}

function isMissing(error: Error): boolean {
  return error instanceof RecordingError && error.problem === 'missing';
}

/** Status and headers; gives the range to send, or throws 416. */
function startAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  length: number,
  disposition: 'inline' | 'attachment',
): ByteRange {
  reply
    .type('audio/wav')
    .header('content-disposition', `${disposition}; filename="${name}"`)
    .header('cache-control', 'no-store');
  if (disposition === 'attachment') {
    reply.header('content-length', String(length));
    return { start: 0, end: length - 1 };
  }
  reply.header('accept-ranges', 'bytes');
  // We give no validator, so an If-Range can match none: the whole is sent (RFC 9110 section 13.1.5).
  const asked = request.headers['if-range'] === undefined ? request.headers.range : undefined;
  const range = readRange(asked, length);
  if (range === 'unsatisfiable') {
    throw new Problem('range-not-satisfiable', 'The range lies outside of the recording.', {
      headers: { 'content-range': `bytes */${length}` },
    });
  }
  const sent = range ?? { start: 0, end: length - 1 };
  reply.header('content-length', String(sent.end - sent.start + 1));
  if (range) reply.code(206).header('content-range', `bytes ${sent.start}-${sent.end}/${length}`);
  return sent;
}

/** RFC 9110 section 14.1.2. Undefined: no range, several, or one that is not understood, all of which send the whole. */
export function readRange(
  header: string | undefined,
  length: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.replaceAll(' ', '') ?? '');
  if (!match) return undefined;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffix = Number(last);
    return suffix === 0 ? 'unsatisfiable' : { start: Math.max(0, length - suffix), end: length - 1 };
  }
  const start = Number(first);
  const end = last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= length ? 'unsatisfiable' : { start, end };
}
