/**
 * Passkeys (WebAuthn level 3): discoverable, user verification preferred. The relying party is the host of the public
 * URL. A challenge stands in a ticket: one use, five minutes, in the database, so that any node can finish.
 */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { type Context, installation, invalid, notFound } from '../masking/context.ts';
import * as logins from '../store/queries/logins.ts';
import * as queries from '../store/queries/passkeys.ts';
import { findLogin, readUser, tellLedger } from '../store/queries/users.ts';
import type { Queries } from '../store/types.ts';
import { known } from './accounts.ts';
import { beginAttempt } from './attempts.ts';
import { LoginBusy } from './passwords.ts';
import { checkPersonName, toUser } from './people.ts';
import { onlyWrong, ticketSeconds, wrongCredentials } from './refusals.ts';
import type { LoggedIn, Users } from './service.ts';
import { startSession } from './sessions.ts';
import { credentialName, newToken, readToken } from './tokens.ts';

const mostPasskeys = 20;
/** ES256, EdDSA, RS256: what authenticators have (COSE's numbers). */
const algorithms = [-7, -8, -257];
/** Challenges that nobody has answered yet, of people we don't know. */
const mostOpenTickets = 20_000;

export function createPasskeys(
  context: Context,
  publicUrl: () => string,
): Pick<Users, 'passkeyOptions' | 'passkeyLogin' | 'passkeyRegistration' | 'addPasskey' | 'removePasskey'> {
  const { database } = context;
  const relyingParty = () => {
    const url = new URL(publicUrl());
    return { id: url.hostname, origin: url.origin };
  };

  async function ticketFor(
    tenant: string,
    purpose: 'passkey' | 'registration',
    usr: string | undefined,
    challenge: string,
  ): Promise<string> {
    const ticket = newToken(tenant);
    const { digest } = ticket;
    await logins.insertTicket(database, { tenant, digest, purpose, usr, challenge, seconds: ticketSeconds });
    return ticket.text;
  }

  return {
    async passkeyOptions(text) {
      const token = text === undefined ? undefined : readToken(text);
      const first = token && (await logins.readTicket(database, token.tenant, token.digest, 'second-factor'));
      if (token && !first?.usr) throw wrongCredentials();
      const tenant = token?.tenant ?? installation;
      const usr = first?.usr ?? undefined;
      const mine = usr === undefined ? [] : await queries.readPasskeys(database, tenant, usr);
      if (!usr && (await logins.countOpenTickets(database, tenant)) >= mostOpenTickets) {
        throw new LoginBusy('too many challenges are open');
      }
      const options = await generateAuthenticationOptions({
        rpID: relyingParty().id,
        allowCredentials: mine.map(credentialOf),
        userVerification: 'preferred',
        timeout: ticketSeconds * 1000,
      });
      return { ticket: await ticketFor(tenant, 'passkey', usr, options.challenge), options };
    },

    async passkeyLogin(text, response, from) {
      const token = readToken(text);
      const attempt = await beginAttempt(context, { address: from.address });
      const ticket = await logins.takeTicket(database, token.tenant, token.digest, 'passkey');
      const credential = credentialIdOf(response);
      const found = credential && (await findLogin(database, credentialName(credential)));
      const session =
        ticket && found && (ticket.usr === null || ticket.usr === found.usr)
          ? await prove(context, relyingParty(), found, ticket.challenge ?? '', response).catch(onlyWrong)
          : undefined;
      if (session === undefined) {
        await attempt.wrong(found, 'passkey');
        throw wrongCredentials();
      }
      await attempt.right();
      return session;
    },

    async passkeyRegistration(tenant, usr) {
      const row = await known(database, tenant, usr);
      const mine = await queries.readPasskeys(database, tenant, usr);
      const options = await generateRegistrationOptions({
        rpName: 'Samar',
        rpID: relyingParty().id,
        userID: Uint8Array.from(Buffer.from(usr)),
        userName: row.email,
        userDisplayName: row.name,
        attestationType: 'none',
        supportedAlgorithmIDs: algorithms,
        excludeCredentials: mine.map(credentialOf),
        authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
        timeout: ticketSeconds * 1000,
      });
      return { ticket: await ticketFor(tenant, 'registration', usr, options.challenge), options };
    },

    async addPasskey(tenant, usr, text, name, response) {
      const label = checkPersonName(name);
      const token = readToken(text);
      const ticket = await logins.takeTicket(database, token.tenant, token.digest, 'registration');
      if (ticket?.usr !== usr || token.tenant !== tenant) throw refused();
      const { id, origin } = relyingParty();
      const { registrationInfo } = await verifyRegistrationResponse({
        response: response as RegistrationResponseJSON,
        expectedChallenge: ticket.challenge ?? '',
        expectedOrigin: origin,
        expectedRPID: id,
        requireUserVerification: false,
        supportedAlgorithmIDs: algorithms,
      }).catch(() => ({ registrationInfo: undefined }));
      if (registrationInfo === undefined) throw refused();
      const made = registrationInfo.credential;
      const credential = Buffer.from(made.id, 'base64url');
      return database.transaction(async (inside) => {
        const row = await known(inside, tenant, usr);
        if (row.passkeys.length >= mostPasskeys) {
          throw invalid(`A user has at most ${mostPasskeys} passkeys. Remove one first.`);
        }
        const passkey = await queries.insertPasskey(inside, {
          tenant,
          usr,
          directoryName: credentialName(credential),
          name: label,
          credential,
          publicKey: Buffer.from(made.publicKey),
          counter: made.counter,
          transports: (made.transports ?? []).slice(0, 8).filter((one) => /^[a-z-]{1,20}$/.test(one)),
        });
        if (passkey === undefined) throw refused();
        await tellLedger(inside, {
          ...{ tenant, kind: 'passkey.added', actor: usr },
          ...{ subject: usr, details: { passkey } },
        });
        return toUser(await known(inside, tenant, usr));
      });
    },

    async removePasskey(tenant, usr, passkey) {
      return database.transaction(async (inside) => {
        if (!(await removeOne(inside, tenant, usr, passkey))) throw notFound('passkey');
        return toUser(await known(inside, tenant, usr));
      });
    },
  };
}

/** Rejects with `wrong-credentials` for whatever does not fit. */
async function prove(
  context: Context,
  { id, origin }: { readonly id: string; readonly origin: string },
  { tenant, usr }: { readonly tenant: string; readonly usr: string },
  challenge: string,
  response: unknown,
): Promise<LoggedIn> {
  const { database } = context;
  const credential = credentialIdOf(response);
  const mine = await queries.readPasskeys(database, tenant, usr);
  const passkey = credential && mine.find((one) => one.credential.equals(credential));
  if (!passkey) throw wrongCredentials();
  const answer = await verifyAuthenticationResponse({
    response: response as AuthenticationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: false,
    credential: {
      ...credentialOf(passkey),
      publicKey: Uint8Array.from(passkey.public_key),
      counter: Number(passkey.counter),
    },
  }).catch(() => undefined);
  if (!answer?.verified) throw wrongCredentials();
  const { newCounter } = answer.authenticationInfo;
  return database.transaction(async (inside) => {
    if (!(await queries.usePasskey(inside, tenant, usr, passkey.passkey, newCounter))) {
      throw wrongCredentials();
    }
    const session =
      (await readUser(inside, tenant, usr)) &&
      (await startSession(context, inside, { tenant, usr }, 'passkey'));
    if (!session) throw wrongCredentials();
    return session;
  });
}

async function removeOne(inside: Queries, tenant: string, usr: string, passkey: string): Promise<boolean> {
  const credential = await queries.removePasskey(inside, tenant, usr, passkey);
  if (credential === undefined) return false;
  await queries.forgetLogin(inside, credentialName(credential));
  await tellLedger(inside, {
    ...{ tenant, kind: 'passkey.removed', actor: usr },
    ...{ subject: usr, details: { passkey } },
  });
  return true;
}

export async function removeAllPasskeys(inside: Queries, tenant: string, usr: string): Promise<void> {
  for (const { passkey } of await queries.readPasskeys(inside, tenant, usr)) {
    await removeOne(inside, tenant, usr, passkey);
  }
}

function credentialOf({ credential, transports }: queries.PasskeyRow) {
  return { id: credential.toString('base64url'), transports: [...transports] };
}

/** What the browser says which key it used. */
function credentialIdOf(response: unknown): Buffer | undefined {
  const id: unknown =
    typeof response === 'object' && response !== null ? (response as { id?: unknown }).id : undefined;
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,1400}$/.test(id)
    ? Buffer.from(id, 'base64url')
    : undefined;
}

function refused() {
  return invalid('The passkey could not be checked. Begin again.', '/response');
}
