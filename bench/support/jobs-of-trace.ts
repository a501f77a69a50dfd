import type { Jobs } from '../../packages/server/src/plan/index.ts';
import type { Trace } from './traces.ts';

/** A trace as the planner knows past jobs. */
export function jobsOfTrace(trace: Trace): Jobs {
  const milliseconds = (seconds: number) => seconds * 1_000;
  return {
    ...{ sessions: trace.sessions, stillOpen: 0 },
    opened: trace.opened.map(milliseconds),
    closed: trace.closed.map(milliseconds),
    roles: [
      { role: 'agent', parties: trace.agents, party: Uint32Array.from(trace.agent, (party) => party + 1) },
      {
        role: 'customer',
        parties: trace.customers,
        party: Uint32Array.from(trace.customer, (party) => party + 1),
      },
    ],
  };
}
