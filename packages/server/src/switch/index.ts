/**
 * The switch: one telephone call as a back-to-back user agent. An INVITE from a trunk we know → `masking.decide` →
 * a second leg, every byte of which is composed here from the decision and our own constants. Nothing of one leg's
 * messages is ever copied to the other: the two meet only in `Call`, in words of our own.
 *
 * May import: sip, media, doors, masking (types). Imported by: cli.
 * Data: SIP stack → switch.ts → call.ts → (masking, media, SIP stack).
 */
export { nameOf } from './errors.ts';
export { loadPrompts, ownPrompts, type PromptBook, type PromptName, promptNames } from './prompts.ts';
export { createSwitch } from './switch.ts';
export type { Switch, SwitchEvents, SwitchLimits, SwitchOptions } from './types.ts';
