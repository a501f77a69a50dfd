/** What a session may be asked to be. The API has checked shapes; limits and meaning are checked here, for every caller. */
import { invalid } from '../context.ts';
import { checkPoolName } from '../numbers/pool-name.ts';
import { checkLimits, checkProgram, checkSchedule, checkSpoken, checkTimeZone } from '../program/index.ts';
import {
  type AfterClose,
  MaskingError,
  type NewParticipant,
  type NewSession,
  type SessionChange,
  type SessionTerms,
} from '../service.ts';
import type { OngoingCalls, RecordingMode } from '../types.ts';

/** A job that nobody closes must not stay reachable: a day covers a delivery and most visits. */
export const defaultTtlSeconds = 86_400;
/** A year: a longer job is a mistake in the request more often than a job. */
const longestSeconds = 366 * 86_400;
const largestMetadata = 16_384;

const recordingModes: readonly RecordingMode[] = ['off', 'announce', 'consent'];

const policies: readonly OngoingCalls[] = ['finish', 'warn', 'hangup'];

/** What programs and words may name: the tenant's destinations and the prompts that are installed. */
export interface Known {
  readonly destinations: ReadonlySet<string>;
  readonly prompts: ReadonlySet<string>;
  readonly webhookProblem?: (url: string) => string | undefined;
}

export function checkNewSession(session: NewSession, now: number, known: Known): void {
  const { participants } = session;
  if (participants.length < 2 || participants.length > 10) {
    throw invalid('A session has 2 to 10 participants.', '/participants');
  }
  participants.forEach((one, index) => void checkParticipant(one, `/participants/${index}`));
  if (participants.filter((one) => one.open === true).length > 1) {
    throw invalid('A session has one open side at most.', '/participants');
  }
  if (participants.some((one) => one.open === true) && session.sharedNumber === true) {
    throw invalid('An open side has a number of its own: it can not be shared.', '/sharedNumber');
  }
  if (session.pool !== undefined) checkPoolName(session.pool, '/pool');
  if (session.ttlSeconds !== undefined && session.expiresAt !== undefined) {
    throw invalid('Give either `ttlSeconds` or `expiresAt`.', '/ttlSeconds');
  }
  checkSeconds(session.idleSeconds, '/idleSeconds');
  if (session.opensAt !== undefined) checkMoment(session.opensAt, now, '/opensAt');
  checkTerms(session, now, known, new Set(participants.map((one) => one.role)));
  const end = session.expiresAt?.getTime() ?? now + (session.ttlSeconds ?? defaultTtlSeconds) * 1000;
  if (session.opensAt !== undefined && session.opensAt.getTime() >= end) {
    throw invalid('The session would expire before it opens: set `expiresAt` after `opensAt`.', '/opensAt');
  }
}

export function checkReopening(
  again: { readonly ttlSeconds?: number; readonly expiresAt?: Date },
  now: number,
): void {
  checkSeconds(again.ttlSeconds, '/ttlSeconds');
  if (again.expiresAt !== undefined) checkMoment(again.expiresAt, now, '/expiresAt');
  if (again.ttlSeconds !== undefined && again.expiresAt !== undefined) {
    throw invalid('Give either `ttlSeconds` or `expiresAt`.', '/ttlSeconds');
  }
}

/** `roles`: of those who take part, when they are known. */
export function checkChange(
  change: SessionChange,
  now: number,
  known: Known,
  roles: ReadonlySet<string> | undefined,
): void {
  const { participants, idleSeconds, opensAt, ...terms } = change;
  if (idleSeconds !== null) checkSeconds(idleSeconds, '/idleSeconds');
  if (opensAt !== undefined && opensAt !== null) checkMoment(opensAt, now, '/opensAt');
  if (change.ttlSeconds != null && change.expiresAt != null) {
    throw invalid('Give either `ttlSeconds` or `expiresAt`.', '/ttlSeconds');
  }
  for (const name of ['recording', 'ongoingCalls', 'expiresAt', 'ttlSeconds', 'metadata'] as const) {
    if (change[name] === null) throw invalid('It can be changed, not taken away.', `/${name}`);
  }
  const given = Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== null));
  checkTerms(given as SessionTerms, now, known, roles);
  participants?.add?.forEach((one, index) => void checkParticipant(one, `/participants/add/${index}`));
  participants?.replace?.forEach((one, index) => {
    checkParticipant(one.with, `/participants/replace/${index}/with`);
  });
}

function checkTerms(
  terms: SessionTerms,
  now: number,
  known: Known,
  roles: ReadonlySet<string> | undefined,
): void {
  checkSeconds(terms.ttlSeconds, '/ttlSeconds');
  if (terms.expiresAt !== undefined) checkMoment(terms.expiresAt, now, '/expiresAt');
  const { reference } = terms;
  if (reference !== undefined && (reference === '' || reference.length > 200)) {
    throw invalid('The reference has 1 to 200 characters.', '/reference');
  }
  if (reference?.includes('\0')) throw invalid('The reference has no NUL characters.', '/reference');
  if (terms.recording !== undefined && !recordingModes.includes(terms.recording)) {
    throw invalid('Recording is `off`, `announce` or `consent`.', '/recording');
  }
  // PostgreSQL's jsonb has no NUL character.
  if (terms.metadata !== undefined) {
    const text = JSON.stringify(terms.metadata);
    if (Buffer.byteLength(text) > largestMetadata || text.includes('\\u0000')) {
      throw invalid('Metadata is at most 16 KiB of JSON, without NUL characters.', '/metadata');
    }
  }
  const { program } = terms;
  if (typeof program === 'object' && 'rules' in program) {
    checkProgram(program, { ...known, ...(roles === undefined ? {} : { roles }) }, '/program');
  }
  const { schedule, limits } = terms;
  if (schedule !== undefined) asTerm(() => checkSchedule(schedule, '/schedule'));
  if (limits !== undefined) asTerm(() => checkLimits(limits, '/limits'));
  if (terms.ongoingCalls !== undefined && !policies.includes(terms.ongoingCalls)) {
    throw invalid('Running calls `finish`, are told by `warn`, or `hangup`.', '/ongoingCalls');
  }
  if (terms.afterClose !== undefined) checkAfterClose(terms.afterClose, roles);
  const { whisper } = terms;
  if (whisper !== undefined && whisper !== true) {
    asTerm(() => checkSpoken(whisper, '/whisper', known.prompts));
  }
  if (terms.survey !== undefined) checkSurvey(terms.survey, known, roles);
}

/** The same words and place, but no fault of a program: these terms stand in the session itself. */
function asTerm(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (error instanceof MaskingError) throw invalid(error.message, error.pointer);
    throw error;
  }
}

function checkAfterClose(after: AfterClose, roles: ReadonlySet<string> | undefined): void {
  if (!Number.isInteger(after.seconds) || after.seconds < 60 || after.seconds > 2_592_000) {
    throw invalid('A whole number of seconds from 60 to 2,592,000 (30 days).', '/afterClose/seconds');
  }
  if (after.allow.length < 1 || after.allow.length > 20) {
    throw invalid('Say who may call whom: 1 to 20 directions.', '/afterClose/allow');
  }
  after.allow.forEach((direction, index) => {
    for (const end of ['from', 'to'] as const) {
      if (roles !== undefined && !roles.has(direction[end])) {
        throw invalid('Nobody in this session has that role.', `/afterClose/allow/${index}/${end}`);
      }
    }
  });
  for (const [index, reason] of (after.reasons ?? []).entries()) {
    if (reason === '' || reason.length > 100) {
      throw invalid('A reason has 1 to 100 characters.', `/afterClose/reasons/${index}`);
    }
  }
}

function checkSurvey(
  survey: NonNullable<SessionTerms['survey']>,
  known: Known,
  roles: ReadonlySet<string> | undefined,
): void {
  if (roles !== undefined && !roles.has(survey.of)) {
    throw invalid('Nobody in this session has that role.', '/survey/of');
  }
  const { prompt } = survey;
  if (prompt !== undefined) asTerm(() => checkSpoken(prompt, '/survey/prompt', known.prompts));
  if (survey.keys !== undefined && !/^(?!.*(.).*\1)[0-9*#]{1,12}$/.test(survey.keys)) {
    throw invalid('Keys that answer: each of 0 to 9, * and # once at most.', '/survey/keys');
  }
}

function checkParticipant(participant: NewParticipant, pointer: string): void {
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(participant.role)) {
    throw invalid(
      'A role is a lower-case word of up to 32 letters, digits, hyphens and underscores.',
      `${pointer}/role`,
    );
  }
  if (participant.open === true) {
    if (participant.phones.length > 0) {
      throw invalid('An open side has no phones: whoever calls is the participant.', `${pointer}/phones`);
    }
    if (participant.reach === 'app') throw invalid('An open side is called by number.', `${pointer}/reach`);
  } else if (participant.phones.length < 1 || participant.phones.length > 5) {
    throw invalid('A participant has 1 to 5 phones.', `${pointer}/phones`);
  }
  if (participant.reach === 'app' && participant.number !== undefined) {
    throw invalid("Whoever is reached by app sees the pool's display number.", `${pointer}/number`);
  }
  if (participant.name !== undefined && (participant.name === '' || participant.name.length > 200)) {
    throw invalid('A name has 1 to 200 characters.', `${pointer}/name`);
  }
  if (participant.locale !== undefined) checkLocale(participant.locale, `${pointer}/locale`);
  const { timeZone } = participant;
  if (timeZone !== undefined) asTerm(() => checkTimeZone(timeZone, `${pointer}/timeZone`));
}

function checkMoment(moment: Date, now: number, pointer: string): void {
  const left = moment.getTime() - now;
  if (!(left > 0 && left <= longestSeconds * 1000)) {
    throw invalid('It lies in the future, at most 366 days ahead.', pointer);
  }
}

/** BCP 47 (RFC 5646): language, then script, region and variants. */
export function checkLocale(locale: string, pointer: string): void {
  if (!/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}$/.test(locale)) {
    throw invalid('A locale is a BCP 47 language tag such as `en`, `id` or `hi-IN`.', pointer);
  }
}

function checkSeconds(seconds: number | undefined, pointer: string): void {
  if (seconds === undefined) return;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestSeconds) {
    throw invalid('A whole number of seconds from 1 to 31,622,400 (366 days).', pointer);
  }
}
