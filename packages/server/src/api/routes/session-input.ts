/** What a client writes of a session, as the heart takes it. Used by single requests and by bulks. */
import { Type } from 'typebox';
import type { ProgramDefinition, ScheduleDefinition } from '../../masking/program/types.ts';
import type { NewParticipant, NewSession, SessionChange, SessionTerms } from '../../masking/service.ts';
import { checker, inside, invalid } from '../input.ts';
import { Problem } from '../problem.ts';
import { present, readTime } from '../route.ts';
import { type Json, maxMetadataBytes } from '../schemas/common.ts';
import type { newParticipant } from '../schemas/participants.ts';
import type { newSessionSchema, sessionChangeSchema } from '../schemas/sessions.ts';
import type { schedule } from '../schemas/terms.ts';

const maxLifeMilliseconds = 31_536_000_000;

export function readSession(body: Json<typeof newSessionSchema>): NewSession {
  return {
    ...present({
      reference: body.reference,
      pool: body.pool,
      idleSeconds: body.idleSeconds,
      recording: body.recording,
      sharedNumber: body.sharedNumber,
      sticky: body.sticky,
      pin: body.pin,
      limits: body.limits,
      ongoingCalls: body.ongoingCalls,
      afterClose: body.afterClose,
      whisper: body.whisper,
      accept: body.accept,
      survey: body.survey,
      opensAt: read(body.opensAt, (text) => readTime(text, '/opensAt')),
      program: read(body.program, readProgram),
      schedule: read(body.schedule, readSchedule),
      metadata: read(body.metadata, readMetadata),
    }),
    ...readLife(body),
    participants: readParticipants(body.participants, '/participants'),
  };
}

export function readChange(body: Json<typeof sessionChangeSchema>): SessionChange {
  return {
    ...present({
      reference: body.reference,
      idleSeconds: body.idleSeconds,
      recording: body.recording,
      limits: body.limits,
      ongoingCalls: body.ongoingCalls,
      afterClose: body.afterClose,
      whisper: body.whisper,
      accept: body.accept,
      survey: body.survey,
      opensAt: readOrNull(body.opensAt, (text) => readTime(text, '/opensAt')),
      program: readOrNull(body.program, readProgram),
      schedule: readOrNull(body.schedule, readSchedule),
      metadata: read(body.metadata, readMetadata),
      participants: read(body.participants, readParticipantsChange),
    }),
    ...readLife(body),
  };
}

export function readLife(body: { readonly ttlSeconds?: number; readonly expiresAt?: string }): {
  readonly ttlSeconds?: number;
  readonly expiresAt?: Date;
} {
  const { ttlSeconds, expiresAt } = body;
  if (ttlSeconds !== undefined && expiresAt !== undefined) {
    throw invalid([
      { pointer: '/expiresAt', detail: 'cannot stand together with ttlSeconds; give one of them' },
    ]);
  }
  if (ttlSeconds !== undefined) return { ttlSeconds };
  if (expiresAt === undefined) return {};
  const date = readTime(expiresAt, '/expiresAt');
  const left = date.getTime() - Date.now();
  if (left <= 0) throw invalid([{ pointer: '/expiresAt', detail: 'must lie in the future' }]);
  if (left > maxLifeMilliseconds) {
    throw invalid([{ pointer: '/expiresAt', detail: 'must be at most 365 days from now' }]);
  }
  return { expiresAt: date };
}

/** The heart knows a list of phones; who wrote `phone` is pointed to that. */
export function asWritten(pointer: string, body: unknown): string {
  const [, place] = /^((?:\/[^/]+)+)\/phones(?:\/0)?$/.exec(pointer) ?? [];
  if (place === undefined) return pointer;
  let at = body;
  for (const step of place.split('/').slice(1)) at = (at as Record<string, unknown> | undefined)?.[step];
  const single = (at as { phone?: unknown } | undefined)?.phone !== undefined;
  return single ? `${place}/phone` : pointer;
}

type NewParticipantBody = Json<typeof newParticipant>;

function readParticipants(bodies: readonly NewParticipantBody[], pointer: string): readonly NewParticipant[] {
  const errors = bodies.flatMap((body, index) => {
    const detail = wrongPhones(body);
    return detail === undefined ? [] : [{ pointer: `${pointer}/${index}`, detail }];
  });
  if (errors.length > 0) throw invalid(errors);
  return bodies.map(readParticipant);
}

function wrongPhones({ phone, phones, open = false }: NewParticipantBody): string | undefined {
  if (open) {
    return phone === undefined && phones === undefined
      ? undefined
      : 'must have neither phone nor phones when it is open';
  }
  return (phone === undefined) === (phones === undefined)
    ? 'must have exactly one of phone and phones'
    : undefined;
}

function readParticipant(body: NewParticipantBody): NewParticipant {
  const { role, phone, phones, name, locale, timeZone, number, reach, mayStart, open } = body;
  return {
    role,
    phones: phones ?? (phone === undefined ? [] : [phone]),
    ...present({ name, locale, timeZone, number, reach, mayStart, open }),
  };
}

function readParticipantsChange(
  body: NonNullable<Json<typeof sessionChangeSchema>['participants']>,
): NonNullable<SessionChange['participants']> {
  const errors = (body.replace ?? []).flatMap(({ with: successor }, index) => {
    const detail = wrongPhones(successor);
    return detail === undefined ? [] : [{ pointer: `/participants/replace/${index}/with`, detail }];
  });
  if (errors.length > 0) throw invalid(errors);
  return present({
    add: read(body.add, (added) => readParticipants(added, '/participants/add')),
    replace: body.replace?.map((one) => ({
      participant: one.participant,
      with: readParticipant(one.with),
    })),
    remove: body.remove,
  });
}

const refuseVersion = checker(
  Type.Object(
    { name: Type.String({ minLength: 1, maxLength: 100 }), version: Type.Integer({ minimum: 1 }) },
    { additionalProperties: false },
  ),
);

function readProgram(program: unknown): NonNullable<SessionTerms['program']> {
  if (typeof program === 'string' && program.length >= 1 && program.length <= 100) return program;
  if (typeof program !== 'object' || program === null || Array.isArray(program)) {
    const detail = 'must be the id or name of a program, { "name", "version" } or a definition';
    throw invalid([{ pointer: '/program', detail }]);
  }
  // A definition is read by the heart: what is wrong in it is told with its place in the program.
  if ('rules' in program) return program as ProgramDefinition;
  if (!('name' in program || 'version' in program)) {
    const detail = 'A program has rules.';
    throw new Problem('program-invalid', detail, { errors: [{ pointer: '/program/rules', detail }] });
  }
  const problem = refuseVersion(program);
  if (problem) throw inside('/program', problem);
  return program as { name: string; version: number };
}

function readSchedule(body: Json<typeof schedule>): ScheduleDefinition {
  const { timeZone, windows, exceptions } = body;
  const errors = (exceptions ?? []).flatMap((exception, index) =>
    (exception.closed === undefined) === (exception.windows === undefined)
      ? [{ pointer: `/schedule/exceptions/${index}`, detail: 'must have exactly one of closed and windows' }]
      : [],
  );
  if (errors.length > 0) throw invalid(errors.slice(0, 20));
  return {
    timeZone,
    windows,
    ...present({
      exceptions: exceptions?.map(({ date, windows: other }) =>
        other === undefined ? { date, closed: true as const } : { date, windows: other },
      ),
    }),
  };
}

function readMetadata(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (Buffer.byteLength(JSON.stringify(metadata)) > maxMetadataBytes) {
    throw invalid([{ pointer: '/metadata', detail: `must take at most ${maxMetadataBytes} bytes of JSON` }]);
  }
  return metadata;
}

function read<Value, Result>(value: Value | undefined, reader: (value: Value) => Result): Result | undefined {
  return value === undefined ? undefined : reader(value);
}

function readOrNull<Value, Result>(
  value: Value | null | undefined,
  reader: (value: Value & {}) => Result,
): Result | null | undefined {
  if (value === undefined || value === null) return value as null | undefined;
  return reader(value);
}
