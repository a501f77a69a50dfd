/**
 * Session descriptions (RFC 8866) for one audio stream: read with care, written by us alone (RFC 3264).
 * Nothing of a peer's text survives parsing but numbers, an IP literal and `lines`, and of those only words of
 * a closed list are ever written. Imports nothing but the package's words.
 */
export { type ChosenCodec, composeAnswer, composeOffer } from './compose.ts';
export { chooseCodec, mirrorDirection } from './negotiate.ts';
export { parseAudio } from './parse.ts';
