/**
 * events: what goes out to a tenant's own systems, and to whoever watches live. The question of an `ask` step
 * (`ask.ts`); the outbox, its endpoints and deliveries (`webhooks.ts`, `delivery.ts`, `attempt.ts`); live events
 * (`live.ts`). Signed per Standard Webhooks, bounded in time, size and number, and only to where a tenant may make us
 * connect.
 *
 * May import: Node, doors, masking's types and what is below it. Imported by: switch, api, cli.
 */
export { type Answer, type Asker, type AskerOptions, createAsker, type Question } from './ask.ts';
export { createLiveEvents, TooManyListeners } from './live.ts';
export type { LiveEvents, Webhooks } from './service.ts';
export { type AskTransport, nodeTransport } from './transport.ts';
export { checkWebhookUrl, type WebhookRules, webhookRules } from './webhook-url.ts';
export { createWebhooks } from './webhooks.ts';
