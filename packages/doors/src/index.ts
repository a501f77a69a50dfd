/**
 * The doors: everything that is not a pure function of its input (time, timers, randomness, network)
 * enters the packages through these interfaces, given at construction. `nodeDoors()` is the real world;
 * `simulatedDoors(seed)` is a world in which one seed decides everything, so a failing run can be replayed.
 *
 * May import: Node only. Imported by: sip, media, server, devcarrier.
 */
export { nodeDoors } from './node.ts';
export { type SimulatedDoors, simulatedDoors } from './simulated.ts';
export type * from './types.ts';
