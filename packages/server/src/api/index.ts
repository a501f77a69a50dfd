export { createApi } from './api.ts';
export type { ApiLog, ApiOptions, HealthCheck, Telephone } from './options.ts';
