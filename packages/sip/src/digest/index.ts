/** Digest authentication for both sides (RFC 8760, 7616, 2617). */
export { type AnswerOptions, answerChallenge, type ChallengeAnswer } from './client.ts';
export { type Algorithm, passwordHash, type QualityOfProtection } from './compute.ts';
export {
  type Challenger,
  type ChallengerOptions,
  createChallenger,
  type Secret,
  type Verdict,
  type VerifyOptions,
} from './server.ts';
