import type { Timer, Timers } from '@samar/doors';
import type { Digit, Playable } from '@samar/media';
import type { LegMedia } from './leg-media.ts';

/**
 * One person's keys, and words that a key interrupts. Keys are kept until they are asked for (people type ahead, and
 * phones dial `number,,123456#` in one go), and never leave this room.
 */
export interface Keypad {
  /** Says these prompts until a key is pressed; not at all when one was pressed already. */
  say(names: readonly string[]): Promise<void>;
  /** Plays this until a key is pressed. False: it was, or nobody listens any more. */
  play(what: Playable): Promise<boolean>;
  /** The next key; undefined when none comes within so many milliseconds, or nobody listens any more. */
  next(milliseconds: number): Promise<Digit | undefined>;
  /** Forgets what was pressed. */
  clear(): void;
  /** The next key is dropped if it is this one and comes within three seconds: a `#` after a code that was complete. */
  skip(key: Digit): void;
  /** Ends every wait, for good: the call, its session or this leg is over. Idempotent. */
  stop(): void;
}

/** Keys that are kept; nobody types further ahead. */
const mostKeys = 32;
const skipMilliseconds = 3_000;

/** From now on this leg's keys come here. Words are cut after `longestWords` milliseconds. */
export function createKeypad(timers: Timers, media: LegMedia, longestWords: number): Keypad {
  const keys: Digit[] = [];
  let wake: (() => void) | undefined;
  let speaking = false;
  let stopped = false;
  let skipped: { readonly key: Digit; readonly until: Timer } | undefined;

  media.onDigit((key) => {
    const drop = skipped?.key === key;
    skipped?.until.cancel();
    skipped = undefined;
    if (drop || stopped || keys.length >= mostKeys) return;
    keys.push(key);
    if (speaking) media.leg.stopPlaying();
    wake?.();
  });

  const interrupted = () => stopped || keys.length > 0;

  return {
    async say(names) {
      let cut = false;
      const late = timers.after(longestWords, () => {
        cut = true;
        media.leg.stopPlaying();
      });
      speaking = true;
      await say(media, names, () => cut || interrupted());
      speaking = false;
      late.cancel();
    },
    async play(what) {
      if (interrupted()) return false;
      speaking = true;
      const how = await media.leg.play(what);
      speaking = false;
      return how === 'finished';
    },
    async next(milliseconds) {
      if (keys.length === 0 && !stopped) {
        await new Promise<void>((resolve) => {
          const late = timers.after(milliseconds, resolve);
          wake = () => {
            late.cancel();
            resolve();
          };
        });
        wake = undefined;
      }
      return stopped ? undefined : keys.shift();
    },
    clear() {
      keys.length = 0;
    },
    skip(key) {
      skipped?.until.cancel();
      skipped = {
        key,
        until: timers.after(skipMilliseconds, () => {
          skipped = undefined;
        }),
      };
    },
    stop() {
      if (stopped) return;
      stopped = true;
      skipped?.until.cancel();
      if (speaking) media.leg.stopPlaying();
      wake?.();
    },
  };
}

/** Names in one `play`; a spoken menu of nine references is longer. */
const namesAtOnce = 48;

/**
 * Says prompts to one leg. True: to the end. A leg that plays something else meanwhile, is closed, or whose words are
 * `unwanted` or can't be said says no more. Never rejects: words that are missing are no reason to lose a call.
 */
export async function say(
  media: LegMedia,
  names: readonly string[],
  unwanted: () => boolean = () => false,
): Promise<boolean> {
  for (let from = 0; from < names.length; from += namesAtOnce) {
    if (unwanted()) return false;
    const words = { kind: 'prompts', names: names.slice(from, from + namesAtOnce) } as const;
    const how = await media.leg.play(words).catch(() => 'closed');
    if (how !== 'finished') return false;
  }
  return true;
}
