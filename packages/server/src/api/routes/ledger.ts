import type { Trust } from '../../trust/service.ts';
import type { Api } from '../route.ts';

export function ledgerRoutes(_app: Api, _service: Trust): void {}
