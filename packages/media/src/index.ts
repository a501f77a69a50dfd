/** RTP for servers: calls of two legs, relayed, played to, listened to for digits, recorded. See README.md. */
export { MOST_PROMPTS } from './call.ts';
export * from './codec/index.ts';
export { createMediaEngine, MediaBusy, type MediaBusyReason, type MediaEngineOptions } from './engine.ts';
export * from './recording/index.ts';
export * from './sdp/index.ts';
export type * from './types.ts';
