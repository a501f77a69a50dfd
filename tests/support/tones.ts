import { measureLevel, measureTone, tone } from '@samar/media';
import type { Spoken } from '../../packages/server/src/masking/types.ts';

/**
 * Prompts that are tones, each with a pitch of its own: what a phone has heard is told from its sound, and what it
 * should not have heard as well. What people say is a tone here, too.
 */
const characters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const words = [
  'not-connected',
  'ended',
  'unavailable',
  'closed',
  'recording',
  'consent',
  'try-again',
  'busy',
  'not-allowed',
  'limit',
  'quiet-hours',
  'one-minute',
  'closing',
  'connecting',
  'not-reached',
  'enter-code',
  'wrong-code',
  'code-locked',
  'choose',
  'for-reference',
  'press',
  'call-about',
  'accept',
  'invalid-choice',
  'voicemail',
  'voicemail-saved',
  'messages',
  'no-more-messages',
  'survey',
  'thanks',
  /** Prompts of a tenant's own. */
  'welcome',
  'question',
  'goodbye',
  'discarded',
  'reported',
  'report-call',
];
const names = [...words, ...[...characters].map((character) => `char-${character}`)];
const firstHertz = 512.5;
const stepHertz = 25;

/** Every pitch that can be heard on a call of these tests. */
const pitches = new Map<string, number>([
  ['(ringing)', 425],
  ['(beep)', 1_000],
  ['(caller)', 300],
  ['(callee)', 350],
  ...names.map((name, index) => [name, firstHertz + index * stepHertz] as const),
]);

const promptMilliseconds = 300;

/** In two languages: `xx` is an octave's half above English, so that nobody can hear the other's language unnoticed. */
export const tonePrompts = {
  audio: new Map(names.map((name) => [`en/${name}`, tone(pitches.get(name) ?? 0, promptMilliseconds, -12)])),
  find: (_locale: string, name: string) => `en/${names.includes(name) ? name : 'unavailable'}`,
  keys: (_locale: string, spoken: Spoken) =>
    spoken.flatMap((part) =>
      part.kind === 'prompt'
        ? [`en/${part.name}`]
        : [...part.text.toLowerCase()]
            .filter((character) => characters.includes(character))
            .map((character) => `en/char-${character}`),
    ),
  language: () => 'en',
  wording: (_locale: string, name: string) => `sound of ${name}`,
};

/** So many milliseconds of a voice. */
export function voice(of: '(caller)' | '(callee)', milliseconds = 400): Int16Array {
  return tone(pitches.get(of) ?? 0, milliseconds, -12);
}

const windowSamples = 800;

/** What was heard, in order; the same sound twice in a row is told once. */
export function sounds(heard: Int16Array): readonly string[] {
  const found: string[] = [];
  let before = '';
  for (let at = 0; at + windowSamples <= heard.length; at += windowSamples / 2) {
    const now = soundOf(heard.subarray(at, at + windowSamples));
    // Two windows that agree: one alone may lie across two sounds.
    if (now !== '' && now === before && found.at(-1) !== now) found.push(now);
    before = now;
  }
  return found;
}

function soundOf(window: Int16Array): string {
  if (measureLevel(window) < -35) return '';
  let best = '';
  let share = 0.6;
  for (const [name, hertz] of pitches) {
    const measured = measureTone(window, hertz).share;
    if (measured > share) [best, share] = [name, measured];
  }
  return best;
}
