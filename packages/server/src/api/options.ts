/** What the process gives to the API when it makes it. */
import type { FastifyServerOptions } from 'fastify';
import type { Registry } from 'prom-client';
import type { LiveEvents, Webhooks } from '../events/service.ts';
import type { Masking } from '../masking/service.ts';
import type { PretendPhones } from '../pages/index.ts';
import type { Trust } from '../trust/service.ts';
import type { Users } from '../users/service.ts';

/** Resolves to undefined when all is well, else to a short reason in words (no addresses, no numbers). */
export type HealthCheck = () => Promise<string | undefined>;

export interface ApiOptions {
  readonly masking: Masking;
  readonly trust: Trust;
  readonly users: Users;
  readonly webhooks: Webhooks;
  readonly live: LiveEvents;
  /** The pretend phone network's phones, for the page at /try; absent: it is off. */
  readonly phones?: PretendPhones | undefined;
  /** Makes the calls of click-to-call; absent: they are refused as unavailable. */
  readonly telephone?: Telephone | undefined;
  /** `GET /readyz` answers 200 when every one resolves to undefined within two seconds. By part: `database`, `sip`. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Where `GET /metrics` reads from; the API's own metrics are added to it. */
  readonly registry: Registry;
  /** Links to transparency pages are this, `/t/`, and the participant's token. Default: http://localhost and our port. */
  readonly publicUrl?: string | undefined;
  /** The process's log; absent: silent. */
  readonly log?: ApiLog;
  /** Requests that one API key may make in a second, on this node. Default 600. */
  readonly rateLimit?: number;
  /** Wrong keys that one address may try in a minute. Default 30. */
  readonly wrongKeysPerMinute?: number;
  /** Which proxies' X-Forwarded-For is believed for the per-address limit. Default: none. */
  readonly trustProxy?: NonNullable<FastifyServerOptions['trustProxy']>;
  /** Shown in the OpenAPI document. */
  readonly version?: string;
}

/** The door to whoever makes calls. */
export interface Telephone {
  /**
   * Resolves to the call's id once the call is decided and its record is written. Rejects with the heart's
   * `MaskingError`, or with an error of the name `TelephoneUnavailable` while no new calls are made.
   */
  call(request: {
    readonly tenant: string;
    readonly session: string;
    /** A participant's id, or a role that only one has. */
    readonly from: string;
    readonly to?: string;
  }): Promise<string>;
}

export interface ApiLog {
  info(message: string, details: ApiLogDetails): void;
  error(message: string, details: ApiLogDetails): void;
}
type ApiLogDetails = Readonly<Record<string, string | number | undefined>>;
