/**
 * Listening to a call. The heart gives the key only together with a ledger entry that says who listened and why;
 * from there on nothing but what is being sent is ever in clear, and nothing of it is stored or cached.
 */
import { join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { type ByteRange, openRecording, type StoredRecording, wavLength, wavStream } from '@samar/media';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { logFailure } from '../logging.ts';
import type { ApiLog } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Api, checkId, words } from '../route.ts';
import { recordingQuery } from '../schemas/calls.ts';
import { idParams } from '../schemas/common.ts';

/** Each holds a file and some seconds of speech. */
const maxListeners = 64;

export function recordingRoutes(app: Api, masking: Masking, directory: string, log: ApiLog): void {
  let listeners = 0;

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
      if (listeners >= maxListeners) {
        throw new Problem('unavailable', 'Too many recordings are being listened to at once.', {
          retryAfterSeconds: 5,
        });
      }
      listeners += 1;
      let recording: StoredRecording | undefined;
      try {
        const opened = await masking.openRecording(tenant, call, { actor, reason });
        recording = await openFile(directory, opened);
        const encoding = request.query.format === 'pcm' ? 'pcm' : 'mu-law';
        const range = startAnswer(request, reply, `${opened.recording}.wav`, wavLength(recording, encoding));
        const stream = wavStream(recording, range, encoding);
        const finished = recording;
        // A damaged frame ends the connection: half of a recording must not look like the whole.
        stream.once('error', (error) => logFailure(log, request, error));
        stream.once('close', () => {
          listeners -= 1;
          void finished.close();
        });
        return reply.send(stream);
      } catch (error) {
        listeners -= 1;
        await recording?.close();
        throw error;
      }
    },
  );
}

const audio = Type.Unsafe<Readable>({ type: 'string', contentMediaType: 'audio/wav' });

function reasonOf(request: FastifyRequest, parameter: string | undefined): string {
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

async function openFile(
  directory: string,
  opened: { readonly recording: string; readonly file: string; readonly key: Buffer },
): Promise<StoredRecording> {
  const root = resolve(directory);
  const file = join(root, opened.file);
  if (!file.startsWith(root + sep))
    throw new Problem('recording-unreadable', 'The file is not where it must be.');
  try {
    return await openRecording({ file, id: opened.recording, key: opened.key });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RecordingError') throw error;
    throw new Problem('recording-unreadable', 'The file is gone or damaged.');
  }
}

/** Status and headers; gives the range to send, or throws 416. */
function startAnswer(request: FastifyRequest, reply: FastifyReply, name: string, length: number): ByteRange {
  reply
    .type('audio/wav')
    .header('accept-ranges', 'bytes')
    .header('content-disposition', `inline; filename="${name}"`)
    .header('cache-control', 'no-store');
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
