/** RTP for servers: calls of two legs, relayed, played to, listened to for digits, recorded. See README.md. */
export * from './codec/index.ts';
export { createMediaEngine, MediaBusy, type MediaEngineOptions } from './engine.ts';
export type * from './types.ts';
