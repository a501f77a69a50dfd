import { expect, test } from 'vitest';
import { createPlanner, PlannerBusy } from './apart.ts';
import type { PlanTask } from './task.ts';

const demand: PlanTask = {
  kind: 'demand',
  demand: {
    sessionsPerHour: 50,
    duration: { kind: 'exponential', meanSeconds: 600 },
    roles: [{ role: 'agent', parties: 60, spread: { kind: 'even' } }],
  },
};

test('answers in another thread, in the order asked, with what is wrong as a value', async () => {
  const planner = createPlanner();
  const [plan, wrong, refused] = await Promise.all([
    planner.answer(demand),
    planner.answer({ kind: 'demand', demand: { ...demand.demand, sessionsPerHour: -1 } }),
    planner.answer({ kind: 'jobs', csv: 'nothing', settings: {} }),
  ]);
  expect(plan).toMatchObject({ kind: 'plan', plan: { decidedBy: 'agent' } });
  expect(wrong).toMatchObject({ kind: 'wrong', pointer: '/sessionsPerHour' });
  expect(refused).toMatchObject({ kind: 'refused', problems: [{ kind: 'header' }] });
});

test('refuses when too many wait, and gives up on what takes too long', async () => {
  const planner = createPlanner({ mostWaiting: 1, milliseconds: 1 });
  const first = planner.answer(demand);
  const second = planner.answer(demand);
  await expect(planner.answer(demand)).rejects.toMatchObject({ name: 'PlannerBusy', kind: 'queue-full' });
  await expect(first).rejects.toBeInstanceOf(PlannerBusy);
  await expect(second).rejects.toMatchObject({ kind: 'too-long' });
  // It is free again.
  await expect(createPlanner().answer(demand)).resolves.toMatchObject({ kind: 'plan' });
  await expect(planner.answer(demand)).rejects.toMatchObject({ kind: 'too-long' });
});
