import type { Context } from '../masking/context.ts';
import { unbuilt } from '../masking/unbuilt.ts';
import type { Webhooks } from './service.ts';
import type { AskTransport } from './transport.ts';
import type { WebhookRules } from './webhook-url.ts';

export function createWebhooks(
  _options: Context & { readonly transport: AskTransport; readonly rules: WebhookRules },
): Webhooks {
  return unbuilt('webhooks');
}
