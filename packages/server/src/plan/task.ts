import { planDemand } from './demand.ts';
import { type JobProblem, readJobs } from './jobs-csv.ts';
import { type JobsSettings, planJobs } from './jobs-plan.ts';
import { type Demand, type Plan, PlanError } from './types.ts';

/** A question as plain values, to be answered in another thread. */
export type PlanTask =
  | { readonly kind: 'demand'; readonly demand: Demand }
  | {
      readonly kind: 'jobs';
      readonly csv: string;
      readonly roles?: readonly string[];
      readonly skipBadRows?: boolean;
      readonly settings: JobsSettings;
    };

export type PlanAnswer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'wrong'; readonly pointer: string; readonly message: string }
  | { readonly kind: 'refused'; readonly problems: readonly JobProblem[]; readonly more: number };

export async function answer(task: PlanTask): Promise<PlanAnswer> {
  try {
    if (task.kind === 'demand') return { kind: 'plan', plan: planDemand(task.demand) };
    const { csv, settings, roles, skipBadRows = false } = task;
    const read = await readJobs({ csv: [csv], skipBadRows, ...(roles === undefined ? {} : { roles }) });
    return read.kind === 'read' ? { kind: 'plan', plan: planJobs(read.jobs, settings) } : read;
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { kind: 'wrong', pointer: error.pointer, message: error.message };
  }
}
