import type { Users } from '../../users/service.ts';
import type { Api } from '../route.ts';

export function userRoutes(_app: Api, _service: Users): void {}
