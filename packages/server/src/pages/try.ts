import type { FastifyInstance } from 'fastify';

/** Two phones of the pretend network; absent when it is off. */
export interface PretendPhones {
  readonly numbers: readonly string[];
}

/** The page at /try with two phones, and their sound over WebSockets. */
export async function tryPages(_app: FastifyInstance, _phones: PretendPhones | undefined): Promise<void> {}
