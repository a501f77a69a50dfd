/** Speech as samples: G.711, tones, prompts. Imports nothing but the package's words; knows no clock and no socket. */
export {
  decode,
  decodingTable,
  encode,
  encodingTable,
  SILENCE,
  transcode,
  transcodingTable,
} from './g711.ts';
export { loadPrompt, PromptError, type PromptProblem } from './prompt.ts';
export {
  type Cadence,
  measureLevel,
  measureTone,
  ringback,
  ringbackCadence,
  SAMPLE_RATE,
  type ToneMeasure,
  tone,
} from './tones.ts';
