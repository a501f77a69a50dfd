import type { FastifyInstance } from 'fastify';
import type { Transparency } from '../trust/service.ts';

export async function transparencyPages(_app: FastifyInstance, _service: Transparency): Promise<void> {}
