import type { Webhooks } from '../../events/service.ts';
import type { Api } from '../route.ts';

export function webhookRoutes(_app: Api, _service: Webhooks): void {}
