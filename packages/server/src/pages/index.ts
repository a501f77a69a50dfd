/**
 * pages: what people open in a browser: the participant's transparency page, the console's files, the page on which
 * two pretend phones try a masked call.
 *
 * May import: trust, users, events, masking and what is below. Imported by: api.
 */
export { consolePages } from './console.ts';
export { transparencyPages } from './transparency.ts';
export { type PhoneName, type PretendPhones, type TrialSession, tryPages } from './try.ts';
