/** Public keys of users' authenticators (WebAuthn). */
import type { Queries } from '../types.ts';

export interface PasskeyRow {
  readonly passkey: string;
  readonly credential: Buffer;
  readonly public_key: Buffer;
  readonly counter: string;
  readonly transports: readonly string[];
}

const columns = 'p.passkey, p.credential, p.public_key, p.counter, p.transports';

export function readPasskeys(queries: Queries, tenant: string, usr: string): Promise<readonly PasskeyRow[]> {
  return queries.query<PasskeyRow>(
    'read_passkeys',
    `select ${columns} from user_passkeys p where p.tenant = $1 and p.usr = $2 order by p.passkey`,
    [tenant, usr],
  );
}

/** False: the credential belongs to somebody already. In a transaction. */
export async function insertPasskey(
  queries: Queries,
  passkey: {
    readonly tenant: string;
    readonly usr: string;
    readonly directoryName: Buffer;
    readonly name: string;
    readonly credential: Buffer;
    readonly publicKey: Buffer;
    readonly counter: number;
    readonly transports: readonly string[];
  },
): Promise<string | undefined> {
  const rows = await queries.query<{ readonly passkey: string }>(
    'insert_passkey',
    `with d as (
        insert into login_directory (name, tenant, usr) values ($3, $1, $2) on conflict (name) do nothing returning usr
      )
      insert into user_passkeys (tenant, usr, passkey, name, credential, public_key, counter, transports, created_at)
        select $1, d.usr, new_id('psk_'), $4, $5, $6, $7, $8, platform_now() from d returning passkey`,
    [
      passkey.tenant,
      passkey.usr,
      passkey.directoryName,
      passkey.name,
      passkey.credential,
      passkey.publicKey,
      passkey.counter,
      passkey.transports,
    ],
  );
  return rows[0]?.passkey;
}

/** False: it was used meanwhile with a counter that is not below this one (a copy), or is gone. */
export async function usePasskey(
  queries: Queries,
  tenant: string,
  usr: string,
  passkey: string,
  counter: number,
): Promise<boolean> {
  const rows = await queries.query(
    'use_passkey',
    `update user_passkeys set counter = $4, last_used_at = platform_now()
      where tenant = $1 and usr = $2 and passkey = $3 and (counter < $4 or (counter = 0 and $4 = 0)) returning usr`,
    [tenant, usr, passkey, counter],
  );
  return rows.length > 0;
}

/** The credential's id, whose entry in the directory goes too. */
export async function removePasskey(
  queries: Queries,
  tenant: string,
  usr: string,
  passkey: string,
): Promise<Buffer | undefined> {
  const rows = await queries.query<{ readonly credential: Buffer }>(
    'remove_passkey',
    'delete from user_passkeys p where p.tenant = $1 and p.usr = $2 and p.passkey = $3 returning p.credential',
    [tenant, usr, passkey],
  );
  return rows[0]?.credential;
}

export async function forgetLogin(queries: Queries, directoryName: Buffer): Promise<void> {
  await queries.query('forget_login', 'delete from login_directory where name = $1', [directoryName]);
}
