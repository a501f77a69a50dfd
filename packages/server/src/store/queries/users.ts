/** The people who use the console: who they are, what they may do, and their invitations. */
import type { Queries } from '../types.ts';

export interface UserRow {
  readonly tenant: string;
  readonly usr: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly locale: string;
  readonly created_at: Date;
  readonly disabled_at: Date | null;
  readonly last_login_at: Date | null;
  /** Has accepted an invitation. */
  readonly accepted: boolean;
  readonly totp: boolean;
  readonly recovery_codes: number;
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly created: string;
    readonly used: string | null;
  }[];
}

const shown = `select u.tenant, u.usr, u.email, u.name, u.role, u.locale, u.created_at, u.disabled_at, u.last_login_at,
    u.password_hash is not null as accepted,
    exists (select from user_totp t where t.tenant = u.tenant and t.usr = u.usr and t.confirmed_at is not null) as totp,
    (select count(*)::integer from user_recovery_codes r where r.tenant = u.tenant and r.usr = u.usr) as recovery_codes,
    coalesce((select json_agg(json_build_object('id', p.passkey, 'name', p.name, 'created', p.created_at,
        'used', p.last_used_at) order by p.passkey)
      from user_passkeys p where p.tenant = u.tenant and p.usr = u.usr), '[]') as passkeys
  from users u`;

/** False: the address belongs to somebody already. In a transaction. */
export async function insertUser(
  queries: Queries,
  user: {
    readonly tenant: string;
    readonly usr: string;
    readonly directoryName: Buffer;
    readonly email: string;
    readonly name: string;
    readonly role: string;
    readonly locale: string;
  },
): Promise<boolean> {
  const rows = await queries.query(
    'insert_user',
    `with d as (
        insert into login_directory (name, tenant, usr) values ($3, $1, $2) on conflict (name) do nothing returning usr
      )
      insert into users (tenant, usr, email, name, role, locale, created_at)
        select $1, d.usr, $4, $5, $6, $7, platform_now() from d returning usr`,
    [user.tenant, user.usr, user.directoryName, user.email, user.name, user.role, user.locale],
  );
  return rows.length > 0;
}

export async function readUser(queries: Queries, tenant: string, usr: string): Promise<UserRow | undefined> {
  const rows = await queries.query<UserRow>('read_user', `${shown} where u.tenant = $1 and u.usr = $2`, [
    tenant,
    usr,
  ]);
  return rows[0];
}

/** Oldest first. */
export function listUsers(
  queries: Queries,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<readonly UserRow[]> {
  return queries.query<UserRow>(
    'list_users',
    `${shown} where u.tenant = $1 and u.usr > $2 order by u.usr limit $3`,
    [tenant, after ?? '', limit],
  );
}

export async function updateUser(
  queries: Queries,
  user: {
    readonly tenant: string;
    readonly usr: string;
    readonly name: string;
    readonly role: string;
    readonly locale: string;
    readonly disabled: boolean;
  },
): Promise<void> {
  await queries.query(
    'update_user',
    `update users set name = $3, role = $4, locale = $5,
        disabled_at = case when $6 then coalesce(disabled_at, platform_now()) end
      where tenant = $1 and usr = $2`,
    [user.tenant, user.usr, user.name, user.role, user.locale, user.disabled],
  );
}

/** Active administrators besides this user. In a transaction that holds the tenant's lock. */
export async function countOtherAdmins(queries: Queries, tenant: string, usr: string): Promise<number> {
  const [row] = await queries.query<{ readonly count: number }>(
    'count_other_admins',
    `select count(*)::integer as count from users u
      where u.tenant = $1 and u.usr <> $2 and u.role = 'admin' and u.disabled_at is null
        and u.password_hash is not null`,
    [tenant, usr],
  );
  return row?.count ?? 0;
}

export async function anyUser(queries: Queries): Promise<boolean> {
  const rows = await queries.query('any_user', 'select from users limit 1', []);
  return rows.length > 0;
}

/** Who has this address or passkey. */
export async function findLogin(
  queries: Queries,
  directoryName: Buffer,
): Promise<{ readonly tenant: string; readonly usr: string } | undefined> {
  const rows = await queries.query<{ readonly tenant: string; readonly usr: string }>(
    'find_login',
    'select d.tenant, d.usr from login_directory d where d.name = $1',
    [directoryName],
  );
  return rows[0];
}

export async function readPasswordHash(
  queries: Queries,
  tenant: string,
  usr: string,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly password_hash: string | null }>(
    'read_password_hash',
    'select u.password_hash from users u where u.tenant = $1 and u.usr = $2',
    [tenant, usr],
  );
  return rows[0]?.password_hash ?? undefined;
}

/** As it is now, and until the transaction ends. */
export async function lockPasswordHash(
  queries: Queries,
  tenant: string,
  usr: string,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly password_hash: string | null }>(
    'lock_password_hash',
    'select u.password_hash from users u where u.tenant = $1 and u.usr = $2 for no key update',
    [tenant, usr],
  );
  return rows[0]?.password_hash ?? undefined;
}

export async function writePasswordHash(
  queries: Queries,
  tenant: string,
  usr: string,
  hash: string,
): Promise<void> {
  await queries.query(
    'write_password_hash',
    'update users set password_hash = $3 where tenant = $1 and usr = $2',
    [tenant, usr, hash],
  );
}

// ---------------------------------------------------------------- invitations

/** Links of before stop to work. When it ends. */
export async function insertInvitation(
  queries: Queries,
  invitation: {
    readonly tenant: string;
    readonly usr: string;
    readonly digest: Buffer;
    readonly secondFactor: boolean;
    readonly seconds: number;
  },
): Promise<Date> {
  await queries.query('forget_invitations', 'delete from user_invitations where tenant = $1 and usr = $2', [
    invitation.tenant,
    invitation.usr,
  ]);
  const [row] = await queries.query<{ readonly expires_at: Date }>(
    'insert_invitation',
    `insert into user_invitations (tenant, digest, usr, second_factor, expires_at)
      values ($1, $2, $3, $4, platform_now() + $5 * interval '1 second') returning expires_at`,
    [invitation.tenant, invitation.digest, invitation.usr, invitation.secondFactor, invitation.seconds],
  );
  if (row === undefined) throw new Error('insert_invitation answered nothing');
  return row.expires_at;
}

export interface InvitationRow {
  readonly usr: string;
  readonly email: string;
  readonly name: string;
  readonly second_factor: boolean;
}

/** Only one that still works, of a user who is not disabled. */
export async function readInvitation(
  queries: Queries,
  tenant: string,
  digest: Buffer,
): Promise<InvitationRow | undefined> {
  const rows = await queries.query<InvitationRow>(
    'read_invitation',
    `select i.usr, u.email, u.name, i.second_factor
      from user_invitations i join users u on u.tenant = i.tenant and u.usr = i.usr
      where i.tenant = $1 and i.digest = $2 and i.expires_at > platform_now() and u.disabled_at is null`,
    [tenant, digest],
  );
  return rows[0];
}

/** Uses it up. False: somebody was faster, or it ran out meanwhile. */
export async function takeInvitation(queries: Queries, tenant: string, digest: Buffer): Promise<boolean> {
  const rows = await queries.query(
    'take_invitation',
    'delete from user_invitations where tenant = $1 and digest = $2 and expires_at > platform_now() returning usr',
    [tenant, digest],
  );
  return rows.length > 0;
}

/** For the ledger: in the transaction of what it tells of. No address and no name of anybody. */
export async function tellLedger(
  queries: Queries,
  entry: {
    readonly tenant: string;
    readonly kind: string;
    readonly actor: string;
    readonly subject: string | undefined;
    readonly details?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await queries.query(
    'tell_ledger',
    `insert into ledger (tenant, entry, kind, actor, subject, details)
      values ($1, new_id('led_'), $2, $3, $4, $5::jsonb)`,
    [entry.tenant, entry.kind, entry.actor, entry.subject ?? null, JSON.stringify(entry.details ?? {})],
  );
}
