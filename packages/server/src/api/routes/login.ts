import type { Users } from '../../users/service.ts';
import type { Api } from '../route.ts';

export function loginRoutes(_app: Api, _service: Users): void {}
