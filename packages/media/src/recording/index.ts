/**
 * Recordings: RTP packets of two parties → time line (recorder) → sealed frames (format) → file (writer), and back:
 * file → reader → WAV. Left is one party, right the other. Imports codec/ and the package's words; the only I/O is
 * the file. Time and randomness are given by the caller.
 */
export { FRAME_SAMPLES, KEY_BYTES, RecordingError, type RecordingProblem, SALT_BYTES } from './format.ts';
export { type OpenOptions, openRecording, type SampleRange, type StoredRecording } from './reader.ts';
export {
  createRecorder,
  type RecordedDigit,
  type RecordedPacket,
  type Recorder,
  type RecorderOptions,
  type Side,
  type SideCounts,
} from './recorder.ts';
export {
  type CallRecording,
  type CallRecordingOptions,
  type CallRecordingResult,
  startCallRecording,
} from './recording.ts';
export { readSpeech } from './speech.ts';
export { type ByteRange, type WavEncoding, wavLength, wavStream } from './wav.ts';
export type { RecordingFailure } from './writer.ts';
