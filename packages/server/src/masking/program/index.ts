/**
 * Programs: what a business says about its calls, checked when it is saved and planned for each call.
 *
 *     definition (JSON) ──checkProgram──► ProgramDefinition ──planCall(facts, people, instant)──► steps + trace
 *
 * A pure room: no I/O, no database, no clock; the instant and all facts come in, a finite tree of steps comes out.
 * It may import `../types.ts`, `../service.ts` (for `MaskingError`) and the CEL library. docs/programs.md is its guide.
 */
export { checkProgram, type ProgramKnown } from './check.ts';
export { checkLimits, checkQuietHours, checkSchedule, checkSpoken, checkTimeZone } from './check-terms.ts';
export { type PlanInput, planAnswer, planCall } from './plan.ts';
export { spoken } from './plan-steps.ts';
export { summary } from './summary.ts';
