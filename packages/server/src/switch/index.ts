/**
 * The switch: one telephone call as a back-to-back user agent. An INVITE from a trunk we know → `masking.decide` →
 * the steps of its decision, in which a second leg is made, every byte of which is composed here from the decision and
 * our own constants. Nothing of one leg's messages is ever copied to the other: the two meet only in `Call`, in words
 * of our own.
 *
 * May import: sip, media, doors, masking (types). Imported by: cli.
 * Data: SIP stack → switch.ts → inbound.ts → steps.ts → (reach.ts, ring.ts) → talk.ts → the end, in call.ts.
 *
 * switch.ts    which calls there are, and who is told of what
 * call.ts      the life of one call: what it holds, its one way out
 * near.ts      the caller's side: an INVITE that came in, or a leg that we made
 * inbound.ts   a call from its INVITE to its steps · originated.ts  one that we make ourselves
 * steps.ts     what a decision says, step by step
 * ring.ts      one phone rings · reach.ts  several, in turn or at once; whisper, and "press 1"
 * talk.ts      two people: gate, announcement, recording, bridge, warnings, limit · survey.ts  a question after it
 * talk-keys.ts keys while they talk: no recording, a report
 * dialogue.ts  what a caller answers by keys (keypad.ts): menu, session, code · words.ts  what it is told, refusals
 * voicemail.ts a message is left · messages.ts  and heard
 */
export { nameOf } from './errors.ts';
export { loadPrompts, ownPrompts, type PromptBook, type PromptName, promptNames } from './prompts.ts';
export { createSwitch } from './switch.ts';
export {
  type Switch,
  SwitchBusy,
  type SwitchEvents,
  type SwitchLimits,
  type SwitchOptions,
} from './types.ts';
