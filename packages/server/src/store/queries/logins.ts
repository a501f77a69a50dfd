/** How users prove who they are: attempts, tickets, sessions of the console, second factors. */
import type { Queries } from '../types.ts';

// ---------------------------------------------------------------- attempts

export interface Attempt {
  /** Seconds; 0: go on. */
  readonly wait: number;
  /** The last one before the lock falls, if it is wrong. */
  readonly full: boolean;
  /** Names the attempt when it is taken back. */
  readonly at: string;
}

export async function beginAttempt(
  queries: Queries,
  subjects: readonly Buffer[],
  limits: { readonly attempts: number; readonly seconds: number; readonly rows: number },
): Promise<Attempt> {
  const [row] = await queries.query<Attempt>(
    'begin_login_attempt',
    'select a.wait, a."full", a.at from begin_login_attempt($1::bytea[], $2, $3, $4) a',
    [subjects, limits.attempts, limits.seconds, limits.rows],
  );
  if (row === undefined) throw new Error('begin_login_attempt answered nothing');
  return row;
}

/** It was right: as if it had not been. */
export async function takeAttemptBack(
  queries: Queries,
  subjects: readonly Buffer[],
  at: string,
): Promise<void> {
  await queries.query(
    'take_login_attempt_back',
    'update login_attempts set at = array_remove(at, $2::timestamptz) where subject = any ($1::bytea[])',
    [subjects, at],
  );
}

export async function forgetAttempts(queries: Queries, subject: Buffer): Promise<void> {
  await queries.query('forget_login_attempts', 'delete from login_attempts where subject = $1', [subject]);
}

// ---------------------------------------------------------------- tickets

export type TicketPurpose = 'second-factor' | 'passkey' | 'registration';

export interface TicketRow {
  readonly usr: string | null;
  readonly challenge: string | null;
}

export async function insertTicket(
  queries: Queries,
  ticket: {
    readonly tenant: string;
    readonly digest: Buffer;
    readonly purpose: TicketPurpose;
    readonly usr: string | undefined;
    readonly challenge: string | undefined;
    readonly seconds: number;
  },
): Promise<void> {
  await queries.query(
    'insert_login_ticket',
    `with old as (
        select t.tenant, t.digest from login_tickets t where t.expires_at < platform_now()
          order by t.expires_at limit 20 for update skip locked
      ), gone as (
        delete from login_tickets t using old where t.tenant = old.tenant and t.digest = old.digest
      )
      insert into login_tickets (tenant, digest, purpose, usr, challenge, expires_at)
        values ($1, $2, $3, $4, $5, platform_now() + $6 * interval '1 second')`,
    [
      ticket.tenant,
      ticket.digest,
      ticket.purpose,
      ticket.usr ?? null,
      ticket.challenge ?? null,
      ticket.seconds,
    ],
  );
}

/** How many of them are alive: whoever asks for challenges without end is told to wait. */
export async function countOpenTickets(queries: Queries, tenant: string): Promise<number> {
  const [row] = await queries.query<{ readonly count: number }>(
    'count_login_tickets',
    'select count(*)::integer as count from login_tickets t where t.tenant = $1 and t.expires_at > platform_now()',
    [tenant],
  );
  return row?.count ?? 0;
}

/** It stays. */
export async function readTicket(
  queries: Queries,
  tenant: string,
  digest: Buffer,
  purpose: TicketPurpose,
): Promise<TicketRow | undefined> {
  const rows = await queries.query<TicketRow>(
    'read_login_ticket',
    `select t.usr, t.challenge from login_tickets t
      where t.tenant = $1 and t.digest = $2 and t.purpose = $3 and t.expires_at > platform_now()`,
    [tenant, digest, purpose],
  );
  return rows[0];
}

/** Uses it up. */
export async function takeTicket(
  queries: Queries,
  tenant: string,
  digest: Buffer,
  purpose: TicketPurpose,
): Promise<TicketRow | undefined> {
  const rows = await queries.query<TicketRow>(
    'take_login_ticket',
    `delete from login_tickets t
      where t.tenant = $1 and t.digest = $2 and t.purpose = $3 and t.expires_at > platform_now()
      returning t.usr, t.challenge`,
    [tenant, digest, purpose],
  );
  return rows[0];
}

/** After `most` wrong codes it is gone. */
export async function noteWrongTicket(
  queries: Queries,
  tenant: string,
  digest: Buffer,
  most: number,
): Promise<void> {
  await queries.query(
    'note_wrong_ticket',
    `with wrong as (
        update login_tickets set wrong = wrong + 1 where tenant = $1 and digest = $2 and wrong + 1 < $3 returning 1
      )
      delete from login_tickets t where t.tenant = $1 and t.digest = $2 and not exists (select from wrong)`,
    [tenant, digest, most],
  );
}

export async function forgetTickets(queries: Queries, tenant: string, usr: string): Promise<void> {
  await queries.query('forget_login_tickets', 'delete from login_tickets where tenant = $1 and usr = $2', [
    tenant,
    usr,
  ]);
}

// ---------------------------------------------------------------- sessions of the console

/** A user keeps the newest `most`. When it ends; undefined when the user was disabled meanwhile. */
export async function insertSession(
  queries: Queries,
  session: {
    readonly tenant: string;
    readonly digest: Buffer;
    readonly usr: string;
    readonly seconds: number;
    readonly most: number;
  },
): Promise<Date | undefined> {
  const rows = await queries.query<{ readonly expires_at: Date }>(
    'insert_user_session',
    `with u as (
        update users set last_login_at = platform_now()
          where tenant = $1 and usr = $3 and disabled_at is null returning usr
      ), old as (
        delete from user_sessions s where s.tenant = $1 and s.usr = $3 and (s.expires_at < platform_now()
          or s.digest in (select o.digest from user_sessions o where o.tenant = $1 and o.usr = $3
            order by o.created_at desc offset $5 - 1))
      )
      insert into user_sessions (tenant, digest, usr, created_at, seen_at, expires_at)
        select $1, $2, u.usr, platform_now(), platform_now(), platform_now() + $4 * interval '1 second' from u
        returning expires_at`,
    [session.tenant, session.digest, session.usr, session.seconds, session.most],
  );
  return rows[0]?.expires_at;
}

export interface SessionRow {
  readonly usr: string;
  readonly expires_at: Date;
  readonly tenant_name: string;
}

const liveSession = `select s.usr, s.expires_at, s.seen_at, coalesce(nullif(n.settings ->> 'businessName', ''), n.name) as tenant_name from user_sessions s
          join users u on u.tenant = s.tenant and u.usr = s.usr and u.disabled_at is null
          join tenants n on n.tenant = s.tenant
          where s.tenant = $1 and s.digest = $2 and s.expires_at > platform_now()
            and s.seen_at > platform_now() - $3 * interval '1 second'`;

/** Only of one that is alive. */
export async function readSession(
  queries: Queries,
  tenant: string,
  digest: Buffer,
  idleSeconds: number,
): Promise<SessionRow | undefined> {
  const rows = await queries.query<SessionRow>('read_user_session', liveSession, [
    tenant,
    digest,
    idleSeconds,
  ]);
  return rows[0];
}

/** The same, and notes its use once a minute. */
export async function useSession(
  queries: Queries,
  tenant: string,
  digest: Buffer,
  idleSeconds: number,
): Promise<SessionRow | undefined> {
  const rows = await queries.query<SessionRow>(
    'use_user_session',
    `with s as (
        ${liveSession}
      ), touched as (
        update user_sessions t set seen_at = platform_now() from s
          where t.tenant = $1 and t.digest = $2 and s.seen_at < platform_now() - interval '1 minute'
      )
      select s.usr, s.expires_at, s.tenant_name from s`,
    [tenant, digest, idleSeconds],
  );
  return rows[0];
}

export async function endSession(
  queries: Queries,
  tenant: string,
  digest: Buffer,
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly usr: string }>(
    'end_user_session',
    'delete from user_sessions s where s.tenant = $1 and s.digest = $2 returning s.usr',
    [tenant, digest],
  );
  return rows[0]?.usr;
}

export async function endSessions(queries: Queries, tenant: string, usr: string): Promise<void> {
  await queries.query('end_user_sessions', 'delete from user_sessions where tenant = $1 and usr = $2', [
    tenant,
    usr,
  ]);
}

// ---------------------------------------------------------------- TOTP and recovery codes

export interface TotpRow {
  readonly secret: Buffer;
  readonly confirmed: boolean;
}

export async function readTotp(queries: Queries, tenant: string, usr: string): Promise<TotpRow | undefined> {
  const rows = await queries.query<TotpRow>(
    'read_user_totp',
    'select t.secret, t.confirmed_at is not null as confirmed from user_totp t where t.tenant = $1 and t.usr = $2',
    [tenant, usr],
  );
  return rows[0];
}

/** Takes the place of one that was begun and not confirmed. False: there is a confirmed one. */
export async function beginTotp(
  queries: Queries,
  tenant: string,
  usr: string,
  secret: Buffer,
): Promise<boolean> {
  const rows = await queries.query(
    'begin_user_totp',
    `insert into user_totp as t (tenant, usr, secret) values ($1, $2, $3)
      on conflict (tenant, usr) do update set secret = excluded.secret, step = 0 where t.confirmed_at is null
      returning usr`,
    [tenant, usr, secret],
  );
  return rows.length > 0;
}

/** False: the code of this step was used, or it is confirmed already. */
export async function confirmTotp(
  queries: Queries,
  tenant: string,
  usr: string,
  step: number,
): Promise<boolean> {
  const rows = await queries.query(
    'confirm_user_totp',
    `update user_totp set confirmed_at = platform_now(), step = $3
      where tenant = $1 and usr = $2 and confirmed_at is null returning usr`,
    [tenant, usr, step],
  );
  return rows.length > 0;
}

/** False: a code of this step, or of a later one, was used before. */
export async function useTotpStep(
  queries: Queries,
  tenant: string,
  usr: string,
  step: number,
): Promise<boolean> {
  const rows = await queries.query(
    'use_totp_step',
    `update user_totp set step = $3 where tenant = $1 and usr = $2 and confirmed_at is not null and step < $3
      returning usr`,
    [tenant, usr, step],
  );
  return rows.length > 0;
}

/** With its recovery codes. False: there was none. */
export async function removeTotp(queries: Queries, tenant: string, usr: string): Promise<boolean> {
  const rows = await queries.query<{ readonly confirmed: boolean }>(
    'remove_user_totp',
    `with codes as (delete from user_recovery_codes where tenant = $1 and usr = $2)
      delete from user_totp where tenant = $1 and usr = $2 returning confirmed_at is not null as confirmed`,
    [tenant, usr],
  );
  return rows[0]?.confirmed ?? false;
}

export async function replaceRecoveryCodes(
  queries: Queries,
  tenant: string,
  usr: string,
  digests: readonly Buffer[],
): Promise<void> {
  await queries.query(
    'forget_recovery_codes',
    'delete from user_recovery_codes where tenant = $1 and usr = $2',
    [tenant, usr],
  );
  await queries.query(
    'insert_recovery_codes',
    'insert into user_recovery_codes (tenant, usr, digest) select $1, $2, d from unnest($3::bytea[]) d',
    [tenant, usr, digests],
  );
}

/** Uses it up. */
export async function useRecoveryCode(
  queries: Queries,
  tenant: string,
  usr: string,
  digest: Buffer,
): Promise<boolean> {
  const rows = await queries.query(
    'use_recovery_code',
    'delete from user_recovery_codes where tenant = $1 and usr = $2 and digest = $3 returning usr',
    [tenant, usr, digest],
  );
  return rows.length > 0;
}
