/**
 * People of the business who use the console: how they log in, and what they may do.
 *
 * user        a person with an e-mail address, a role, and one or two ways to prove who they are
 * role        admin, operator, investigator or auditor: a fixed set of scopes
 * log-in      password (argon2id) and, where set up, a second factor: TOTP (RFC 6238) or a passkey (WebAuthn);
 *             a passkey alone is enough, since it proves possession and the user's presence
 * invitation  a link that sets the first password, or a forgotten one anew; one use, 72 hours
 */
import type { Page, PageRequest, Principal, Scope } from '../masking/service.ts';

export const roles = ['admin', 'operator', 'investigator', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** What each may; the API enforces it as for keys. */
export const roleScopes: Readonly<Record<Role, readonly Scope[]>> = {
  admin: ['admin', 'privacy:write', 'recordings:approve'],
  operator: [
    'sessions:read',
    'sessions:write',
    'calls:read',
    'calls:write',
    'numbers:read',
    'carriers:read',
    'programs:read',
    'blocks:read',
    'blocks:write',
    'events:read',
    'disputes:read',
    'disputes:write',
    'settings:read',
    'webhooks:read',
  ],
  investigator: [
    'sessions:read',
    'calls:read',
    'numbers:read',
    'carriers:read',
    'programs:read',
    'blocks:read',
    'blocks:write',
    'events:read',
    'disputes:read',
    'disputes:write',
    'ledger:read',
    'recordings:listen',
    'recordings:download',
    'recordings:approve',
    'pii:reveal',
    'settings:read',
  ],
  auditor: [
    'sessions:read',
    'calls:read',
    'numbers:read',
    'carriers:read',
    'programs:read',
    'blocks:read',
    'events:read',
    'disputes:read',
    'ledger:read',
    'settings:read',
    'webhooks:read',
    'users:read',
  ],
};

export interface User {
  /** `usr_…` */
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly locale: 'en' | 'id';
  readonly status: 'invited' | 'active' | 'disabled';
  readonly totp: boolean;
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly createdAt: Date;
    readonly lastUsedAt?: Date;
  }[];
  readonly createdAt: Date;
  readonly lastLoginAt?: Date;
}
/** `token` goes into the cookie, and nowhere else. */
export interface LoggedIn {
  readonly token: string;
  readonly csrf: string;
  readonly user: User;
  readonly expiresAt: Date;
}
export type LoginStep =
  | ({ readonly kind: 'logged-in' } & LoggedIn)
  | {
      readonly kind: 'second-factor';
      readonly ticket: string;
      readonly methods: readonly ('totp' | 'passkey' | 'recovery-code')[];
    };

export interface Users {
  /** The invitation's token is in the answer once. Refused (`user-taken`) for an address that is there. */
  invite(
    tenant: string,
    user: {
      readonly email: string;
      readonly name: string;
      readonly role: Role;
      readonly locale?: 'en' | 'id';
    },
  ): Promise<{ readonly user: User; readonly invitation: string; readonly expiresAt: Date }>;
  /** A new link for somebody who lost theirs, or their password or second factor. Ends their log-ins. */
  inviteAgain(
    tenant: string,
    user: string,
    reset: { readonly secondFactor?: boolean },
  ): Promise<{ readonly user: User; readonly invitation: string; readonly expiresAt: Date }>;
  list(tenant: string, page: PageRequest): Promise<Page<User>>;
  /** Whether the installation has any user. */
  any(): Promise<boolean>;
  get(tenant: string, user: string): Promise<User>;
  /** Refused (`last-admin`) when nobody would be left who can undo it. A changed role or a disabled user ends their log-ins. */
  update(
    tenant: string,
    user: string,
    change: {
      readonly name?: string;
      readonly role?: Role;
      readonly locale?: 'en' | 'id';
      readonly disabled?: boolean;
    },
  ): Promise<User>;

  /** Whom the link is for; undefined for one that never was, was used or has expired. */
  readInvitation(token: string): Promise<{ readonly email: string; readonly name: string } | undefined>;
  /** Whoever still has a second factor proves it after it: a link in the wrong hands is not enough. */
  acceptInvitation(token: string, password: string): Promise<LoginStep>;

  /** `wrong-credentials` in the same time whatever was wrong; `locked-out` after 10 wrong ones in 15 minutes an address or account. */
  login(email: string, password: string, from: { readonly address: string }): Promise<LoginStep>;
  secondFactor(
    ticket: string,
    proof: { readonly totp: string } | { readonly recoveryCode: string },
    from: { readonly address: string },
  ): Promise<LoggedIn>;
  /** Options for `navigator.credentials.get`; with a ticket those of its user, else discoverable ones. */
  passkeyOptions(ticket?: string): Promise<{ readonly ticket: string; readonly options: unknown }>;
  passkeyLogin(ticket: string, response: unknown, from: { readonly address: string }): Promise<LoggedIn>;

  /**
   * Who the cookie is; undefined for one that is forged, expired (12 hours, or 60 minutes unused) or ended. `watching`:
   * asked for a connection that only stays open, which is no use of it.
   */
  authenticate(
    token: string,
    purpose?: 'use' | 'watching',
  ): Promise<
    | {
        readonly principal: Principal;
        readonly csrf: string;
        readonly user: User;
        readonly tenantName: string;
        readonly expiresAt: Date;
      }
    | undefined
  >;
  logout(token: string): Promise<void>;

  /** Ends all log-ins of the user, this one too. */
  changePassword(tenant: string, user: string, present: string, next: string): Promise<void>;
  beginTotp(tenant: string, user: string): Promise<{ readonly secret: string; readonly uri: string }>;
  /** Ten recovery codes, shown once. */
  confirmTotp(tenant: string, user: string, code: string): Promise<readonly string[]>;
  removeTotp(tenant: string, user: string, password: string): Promise<void>;
  passkeyRegistration(
    tenant: string,
    user: string,
  ): Promise<{ readonly ticket: string; readonly options: unknown }>;
  addPasskey(tenant: string, user: string, ticket: string, name: string, response: unknown): Promise<User>;
  removePasskey(tenant: string, user: string, passkey: string): Promise<User>;
}
