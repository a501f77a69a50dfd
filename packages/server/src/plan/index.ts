/**
 * plan: how many virtual numbers a demand needs. Pure arithmetic: no database, no clock, no chance.
 *
 * Words: `need` is the most numbers that one party holds at once, live and cooling together, over the horizon; a pool
 * of that size serves everybody, as a number may be used for many parties at once. A demand is described by rates
 * (`planDemand`) or by past jobs (`readJobs`, `planJobs`).
 *
 * May import: csv-parse. Imported by: api, cli, bench. Data: ids of past jobs come in, only counts go out.
 */
export { createPlanner, type Planner, PlannerBusy } from './apart.ts';
export { hoursOrDays, planDemand } from './demand.ts';
export { type JobProblem, type Jobs, type JobsCsvOptions, type JobsRead, readJobs } from './jobs-csv.ts';
export { type JobsSettings, planJobs } from './jobs-plan.ts';
export { drawPlan } from './svg.ts';
export * from './types.ts';
