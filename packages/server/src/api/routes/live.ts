import type { LiveEvents } from '../../events/service.ts';
import type { Api } from '../route.ts';

export function liveRoutes(_app: Api, _service: LiveEvents): void {}
