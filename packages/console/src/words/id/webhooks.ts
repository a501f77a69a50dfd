import type { webhooks as shape } from '../en/webhooks.ts';

export const webhooks: typeof shape = {
  title: 'Webhook',
};
