import type { Clock } from '@samar/doors';
import type { Run } from '../masking/types.ts';
import type { Call } from './call.ts';
import { nameOf } from './errors.ts';
import { say } from './keypad.ts';
import type { LegMedia } from './leg-media.ts';
import type { Listener, Person } from './recording.ts';

/**
 * Keys while two people talk: `*0` stops the recording and discards it, `*9` reports the call. They end here: the other
 * side doesn't hear them, no recording holds them, and what means nothing is forgotten.
 */
type TalkKey = 'discard' | 'report';

/** Two keys are one answer within this time. Milliseconds. */
const patience = 3_000;

/** Somebody who talks; no person: who answers a number of the tenant's own. */
export type Side = Listener & { readonly [Word in keyof Person]: Person[Word] | undefined };

export interface TalkKeys {
  /** From now on the keys of both come here. */
  listen(): void;
  /** Who has said, by key, that they want no recording. */
  readonly unwilling: Person | undefined;
  hasReported(by: Side): boolean;
  /** Opens a dispute in the name of this side, once, and tells only them. Never rejects. */
  report(by: Side, when: ReportTime): Promise<void>;
}

export type ReportTime = 'during' | 'after';

export function isPerson<Talker extends Side>(side: Talker): side is Talker & Person {
  return side.participant !== undefined && side.party !== undefined;
}

export function createTalkKeys(call: Call, run: Run, sides: readonly [Side, Side]): TalkKeys {
  const { prompts, doors, events, reportCall } = call.context;
  const reported = new Map<string, Promise<boolean>>();
  let unwilling: Person | undefined;

  async function discard(by: Side): Promise<void> {
    if (!isPerson(by) || unwilling !== undefined) return;
    unwilling = { participant: by.participant, party: by.party };
    if (!(await call.recording?.discard(unwilling)) || call.over) return;
    tellDiscarded(call, sides);
  }

  async function report(by: Side, when: ReportTime): Promise<void> {
    const { participant } = by;
    if (reportCall === undefined || participant === undefined) return;
    const { tenant, session } = run;
    const told =
      reported.get(participant) ??
      reportCall({ tenant, call: call.id, session, participant, when }).then(
        () => true,
        (error: unknown) => {
          events.count('report-failed');
          events.log('error', 'call not reported', { call: call.id, error: nameOf(error) });
          reported.delete(participant);
          return false;
        },
      );
    reported.set(participant, told);
    const name = (await told) ? 'reported' : 'try-again';
    // Only who has pressed: the other doesn't learn of it.
    if (!call.over) await say(by.media, [prompts.find(by.locale, name)]);
  }

  return {
    listen() {
      for (const side of sides) {
        listenTo(
          doors.clock,
          side.media,
          (key) => void (key === 'discard' ? discard(side) : report(side, 'during')),
        );
      }
    },
    get unwilling() {
      return unwilling;
    },
    hasReported: ({ participant }) => participant !== undefined && reported.has(participant),
    report,
  };
}

/** Both hear that nothing of what they say is kept, each in their language. */
export function tellDiscarded(call: Call, sides: readonly Listener[]): void {
  for (const { media, locale } of sides) void say(media, [call.context.prompts.find(locale, 'discarded')]);
}

function listenTo(clock: Clock, media: LegMedia, on: (key: TalkKey) => void): void {
  let star = Number.NEGATIVE_INFINITY;
  media.onDigit((key) => {
    const now = clock.monotonic();
    const second = now - star <= patience;
    star = key === '*' ? now : Number.NEGATIVE_INFINITY;
    if (!second) return;
    if (key === '0') on('discard');
    else if (key === '9') on('report');
  });
}
