import type { TransportName } from '../types.ts';

/** One address a request can be sent to. */
export interface Hop {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  /** For TLS: the name the certificate must carry. */
  readonly serverName?: string;
}
