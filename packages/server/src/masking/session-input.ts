/** What a session may be asked to be. The API has checked shapes; limits and meaning are checked here, for every caller. */
import { invalid } from './context.ts';
import type { NewParticipant, NewSession, SessionChange } from './service.ts';
import type { RecordingMode } from './types.ts';

/** A job that nobody closes must not stay reachable: a day covers a delivery and most visits. */
export const defaultTtlSeconds = 86_400;
/** A year: a longer job is a mistake in the request more often than a job. */
const longestSeconds = 366 * 86_400;
const largestMetadata = 16_384;

const recordingModes: readonly RecordingMode[] = ['off', 'announce', 'consent'];

export function checkNewSession(session: NewSession, now: number): void {
  const { participants } = session;
  if (participants.length < 2 || participants.length > 10) {
    throw invalid('A session has 2 to 10 participants.', '/participants');
  }
  participants.forEach((one, index) => void checkParticipant(one, `/participants/${index}`));
  if (session.pool !== undefined) checkPoolName(session.pool, '/pool');
  if (session.ttlSeconds !== undefined && session.expiresAt !== undefined) {
    throw invalid('Give either `ttlSeconds` or `expiresAt`.', '/ttlSeconds');
  }
  checkChange(
    {
      ...(session.expiresAt === undefined ? {} : { expiresAt: session.expiresAt }),
      ...(session.ttlSeconds === undefined ? {} : { ttlSeconds: session.ttlSeconds }),
      ...(session.idleSeconds === undefined ? {} : { idleSeconds: session.idleSeconds }),
      ...(session.reference === undefined ? {} : { reference: session.reference }),
      ...(session.recording === undefined ? {} : { recording: session.recording }),
      ...(session.metadata === undefined ? {} : { metadata: session.metadata }),
    },
    now,
  );
}

export function checkChange(change: SessionChange, now: number): void {
  checkSeconds(change.ttlSeconds, '/ttlSeconds');
  if (change.idleSeconds !== null) checkSeconds(change.idleSeconds, '/idleSeconds');
  if (change.expiresAt !== undefined) {
    const left = change.expiresAt.getTime() - now;
    if (!(left > 0 && left <= longestSeconds * 1000)) {
      throw invalid('`expiresAt` lies in the future, at most 366 days ahead.', '/expiresAt');
    }
  }
  if (change.reference !== undefined && (change.reference === '' || change.reference.length > 200)) {
    throw invalid('The reference has 1 to 200 characters.', '/reference');
  }
  if (change.recording !== undefined && !recordingModes.includes(change.recording)) {
    throw invalid('Recording is `off`, `announce` or `consent`.', '/recording');
  }
  // PostgreSQL's jsonb has no NUL character.
  if (change.metadata !== undefined) {
    const text = JSON.stringify(change.metadata);
    if (Buffer.byteLength(text) > largestMetadata || text.includes('\\u0000')) {
      throw invalid('Metadata is at most 16 KiB of JSON, without NUL characters.', '/metadata');
    }
  }
  if (change.reference?.includes('\0')) throw invalid('The reference has no NUL characters.', '/reference');
}

function checkParticipant(participant: NewParticipant, pointer: string): void {
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(participant.role)) {
    throw invalid(
      'A role is a lower-case word of up to 32 letters, digits, hyphens and underscores.',
      `${pointer}/role`,
    );
  }
  if (participant.phones.length < 1 || participant.phones.length > 5) {
    throw invalid('A participant has 1 to 5 phones.', `${pointer}/phones`);
  }
  if (participant.name !== undefined && (participant.name === '' || participant.name.length > 200)) {
    throw invalid('A name has 1 to 200 characters.', `${pointer}/name`);
  }
  if (participant.locale !== undefined) checkLocale(participant.locale, `${pointer}/locale`);
}

/** BCP 47 (RFC 5646): language, then script, region and variants. */
export function checkLocale(locale: string, pointer: string): void {
  if (!/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}$/.test(locale)) {
    throw invalid('A locale is a BCP 47 language tag such as `en`, `id` or `hi-IN`.', pointer);
  }
}

export function checkPoolName(pool: string, pointer: string): void {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/i.test(pool)) {
    throw invalid('A pool name has up to 63 letters, digits, hyphens and underscores.', pointer);
  }
}

function checkSeconds(seconds: number | undefined, pointer: string): void {
  if (seconds === undefined) return;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestSeconds) {
    throw invalid('A whole number of seconds from 1 to 31,622,400 (366 days).', pointer);
  }
}
