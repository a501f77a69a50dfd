import type { webhook as shape } from '../en/webhook.ts';

export const webhook: typeof shape = {
  title: 'Webhook',
};
