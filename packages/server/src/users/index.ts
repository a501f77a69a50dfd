/**
 * users: the people of the business who use the console. Words in `service.ts`.
 *
 * May import: masking and what is below it. Imported by: api, cli.
 */
export { type Role, roles, type Users } from './service.ts';
export { createUsers } from './users.ts';
