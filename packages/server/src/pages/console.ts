import type { FastifyInstance } from 'fastify';

/** The console's files, at /console/. */
export async function consolePages(_app: FastifyInstance): Promise<void> {}
