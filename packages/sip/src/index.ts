/**
 * SIP for servers: messages, transports, transactions, dialogs, digest. Knows nothing of masking.
 * May import: `@samar/doors` and Node's own text and crypto functions. See types.ts for the words.
 */
export * from './digest/index.ts';
export * from './message/index.ts';
export { createSipStack } from './stack.ts';
export type * from './types.ts';
