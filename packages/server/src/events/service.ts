/**
 * What goes out to a tenant's own systems, and to whoever watches live. Words:
 *
 * event      what happened; written in the transaction of what it tells of (the outbox), numbered within its session
 * endpoint   a URL of the tenant's that hears of events
 * delivery   one event on its way to one endpoint: pending, delivered, or dead after the last try
 */
import type { Event, Page, PageRequest } from '../masking/service.ts';

export interface Endpoint {
  /** `whk_…` */
  readonly id: string;
  readonly url: string;
  readonly description?: string;
  /** `session.closed`, a family `session.*`, or `*`. */
  readonly kinds: readonly string[];
  readonly enabled: boolean;
  /** Why the platform itself turned it off (`gone`: answered 410; `failing`: nothing delivered in five days). */
  readonly disabledBecause?: string;
  /** `whpk_…`: checks the ed25519 signature (`v1a`). */
  readonly publicKey: string;
  readonly createdAt: Date;
  readonly lastDeliveredAt?: Date;
  readonly pending: number;
  readonly dead: number;
}
export interface Delivery {
  /** `dlv_…` */
  readonly id: string;
  readonly event: string;
  readonly kind: string;
  readonly session?: string;
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly nextAttemptAt?: Date;
  /** HTTP status of the last answer, or one of the reasons of `Asker`. */
  readonly lastAnswer?: string;
  readonly at: Date;
}
export interface Webhooks {
  /** The secret (`whsec_…`) is shown here and by `secret`. */
  create(
    tenant: string,
    endpoint: { readonly url: string; readonly description?: string; readonly kinds?: readonly string[] },
  ): Promise<Endpoint & { readonly secret: string }>;
  list(tenant: string, page: PageRequest): Promise<Page<Endpoint>>;
  get(tenant: string, endpoint: string): Promise<Endpoint>;
  update(
    tenant: string,
    endpoint: string,
    change: {
      readonly url?: string;
      readonly description?: string;
      readonly kinds?: readonly string[];
      readonly enabled?: boolean;
    },
  ): Promise<Endpoint>;
  remove(tenant: string, endpoint: string): Promise<void>;
  secret(tenant: string, endpoint: string): Promise<string>;
  /** Old and new sign together for 24 hours. */
  rotateSecret(tenant: string, endpoint: string): Promise<string>;
  /** Sends one `webhook.test` event now; what came of it. */
  test(tenant: string, endpoint: string): Promise<Delivery>;
  deliveries(
    tenant: string,
    endpoint: string,
    filter: { readonly status?: Delivery['status'] },
    page: PageRequest,
  ): Promise<Page<Delivery>>;
  /** Puts them in the queue again: dead ones, one event, or everything since a time (at most 30 days back); how many. */
  replay(
    tenant: string,
    endpoint: string,
    what: { readonly dead: true } | { readonly event: string } | { readonly since: Date },
  ): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Live events for consoles: every event of a tenant from now on, on whichever node it was written. */
export interface LiveEvents {
  /**
   * `after`: an event's id; what came since is told first (at most 1,000, else `onGap` is told to read everything
   * anew). At most 200 listeners a node.
   */
  subscribe(
    tenant: string,
    after: string | undefined,
    listener: { event(event: Event): void; gap(): void },
  ): Promise<{ close(): void }>;
  start(): Promise<void>;
  stop(): Promise<void>;
}
