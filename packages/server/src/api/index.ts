export { createApi } from './api.ts';
export type { ApiLog, ApiOptions, HealthCheck } from './options.ts';
