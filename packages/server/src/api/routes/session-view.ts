/** A session as it is shown: an allow-list, like the schema. */
import type {
  CreatedSession,
  NewParticipant,
  NewSession,
  Participant,
  Session,
} from '../../masking/service.ts';
import { present } from '../route.ts';

/** The heart's default: a day covers a delivery and most visits. */
const defaultTtlSeconds = 86_400;

export function renderSession(session: Session) {
  const { id, pool, status, recording, sharedNumber } = session;
  return {
    ...{ id, status },
    ...present({ reference: session.reference }),
    ...{ pool, recording, sharedNumber },
    createdAt: session.createdAt.toISOString(),
    ...present({ opensAt: session.opensAt?.toISOString() }),
    expiresAt: session.expiresAt.toISOString(),
    ...present({
      idleSeconds: session.idleSeconds,
      closedAt: session.closedAt?.toISOString(),
      closeReason: session.closeReason,
      afterCloseUntil: session.afterCloseUntil?.toISOString(),
    }),
    ...renderTerms(session),
    ...present({ parent: session.parent }),
    metadata: { ...session.metadata },
    participants: session.participants.map(renderParticipant),
  };
}

function renderTerms(session: Session) {
  const { program, schedule, limits, ongoingCalls, afterClose, whisper, accept, survey } = session;
  return {
    ...present({ program, whisper, accept }),
    ongoingCalls,
    ...present({
      schedule: schedule && renderSchedule(schedule),
      limits: limits && { ...limits },
      afterClose: afterClose && {
        seconds: afterClose.seconds,
        allow: afterClose.allow.map(({ from, to }) => ({ from, to })),
        ...present({ reasons: afterClose.reasons && [...afterClose.reasons] }),
      },
      survey: survey && { of: survey.of, ...present({ prompt: survey.prompt, keys: survey.keys }) },
    }),
  };
}

function renderSchedule(schedule: NonNullable<Session['schedule']>) {
  return {
    timeZone: schedule.timeZone,
    windows: schedule.windows.map(({ days, from, to }) => ({
      ...present({ days: days && [...days] }),
      from,
      to,
    })),
    ...present({
      exceptions: schedule.exceptions?.map((exception) => ({
        date: exception.date,
        ...('closed' in exception
          ? { closed: true as const }
          : { windows: exception.windows.map(({ from, to }) => ({ from, to })) }),
      })),
    }),
  };
}

function renderParticipant(participant: Participant) {
  const { id, role, dial, number, phone, phones, reach, mayStart, open } = participant;
  return {
    ...{ id, role, dial, number, phone, phones: [...phones], reach, mayStart, open },
    joinedAt: participant.joinedAt.toISOString(),
    ...present({
      locale: participant.locale,
      timeZone: participant.timeZone,
      pin: participant.pin,
      leftAt: participant.leftAt?.toISOString(),
      leaveReason: participant.leaveReason,
    }),
  };
}

/** With each participant's own link: shown in this answer only. */
export function renderCreated(created: CreatedSession, publicUrl: string) {
  const session = renderSession(created);
  return {
    ...session,
    participants: session.participants.map((participant) => {
      const token = created.transparencyTokens.get(participant.id);
      return {
        ...participant,
        ...(token === undefined ? {} : { transparencyUrl: `${publicUrl}/t/${token}` }),
      };
    }),
  };
}

/**
 * A repetition is answered as the first time, though the session may have been changed or closed since: what can
 * change is taken from the request, which is the same.
 */
export function asOpened(created: CreatedSession, asked: NewSession): CreatedSession {
  const { id, pool, sharedNumber, createdAt, transparencyTokens, replayed } = created;
  const life = (asked.ttlSeconds ?? defaultTtlSeconds) * 1000;
  const scheduled = asked.opensAt !== undefined && asked.opensAt > createdAt;
  return {
    ...{ id, pool, sharedNumber, createdAt, transparencyTokens, replayed },
    ...present({
      reference: asked.reference,
      idleSeconds: asked.idleSeconds,
      opensAt: asked.opensAt,
      program: asked.program,
      schedule: asked.schedule,
      limits: asked.limits,
      afterClose: asked.afterClose,
      whisper: asked.whisper,
      accept: asked.accept,
      survey: asked.survey,
    }),
    status: scheduled ? 'scheduled' : 'open',
    recording: asked.recording ?? 'off',
    ongoingCalls: asked.ongoingCalls ?? 'finish',
    expiresAt: asked.expiresAt ?? new Date(createdAt.getTime() + life),
    metadata: asked.metadata ?? {},
    participants: firstParticipants(created, asked.participants),
  };
}

/** Those with whom it was opened, in that order, as they were then: others may have come, and they may have gone. */
function firstParticipants(
  { participants: now, createdAt }: Session,
  asked: readonly NewParticipant[],
): readonly Participant[] {
  const byJoining = now.toSorted((one, other) => one.joinedAt.getTime() - other.joinedAt.getTime());
  const first = new Set(byJoining.slice(0, asked.length));
  return asked.flatMap((wanted) => {
    const found = [...first].find((one) => isThat(one, wanted));
    if (!found) return [];
    first.delete(found);
    const { leftAt: _leftAt, leaveReason: _leaveReason, ...participant } = found;
    // A phone that was claimed since stands behind those it was opened with.
    const phones = participant.phones.slice(0, wanted.phones.length);
    return [{ ...participant, phones, joinedAt: createdAt }];
  });
}

/** By role and what the mask leaves of the phone: roles may be had by several. */
function isThat(participant: Participant, wanted: NewParticipant): boolean {
  const shown = /\d*$/.exec(participant.phone)?.[0] ?? '';
  return participant.role === wanted.role && (wanted.phones[0] ?? '').endsWith(shown);
}
