/**
 * What one participant may know of their session, and what they may do: by the token of their link alone. One look-up
 * stands at the front of everything, and it is the same for every token: a wrong, a revoked and an expired one can't be
 * told apart by answer or by work. Nothing of another's number or name is read here, and a block or dispute that another
 * made is not shown: who is blocked hears, and sees, what strangers do.
 */
import { createHash } from 'node:crypto';
import { keptDays, strictest } from '../../masking/access/keeping.ts';
import { defaultSettings, settingsOf } from '../../masking/access/settings.ts';
import { actAs, currentActor } from '../../masking/actor.ts';
import { isTenantName, notFound } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import { transparencyToken } from '../../masking/parties/transparency.ts';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/transparency.ts';
import type { TrustContext } from '../context.ts';
import type { Disputes, Rights, SeenActor, Transparency, TransparencyView } from '../service.ts';

const mostCalls = 500;
const mostUses = 500;
/** Two who renew one link at once: each tries again behind the other. */
const linkAttempts = 5;

interface Person extends queries.TransparencyRow {
  readonly tenant: string;
}

export function createTransparency(
  context: TrustContext,
  rooms: { readonly disputes: Disputes; readonly rights: Rights },
): Transparency & { start(): Promise<void>; stop(): Promise<void> } {
  const { database, vault, doors } = context;

  async function find(token: string): Promise<Person | undefined> {
    const { tenant, digest } = readToken(token);
    const row = await queries.findTransparency(database, tenant, digest);
    return row && { ...row, tenant };
  }

  /** Done by the participant, as the ledger sees it. */
  async function as(token: string, work: (person: Person) => Promise<unknown>): Promise<true | undefined> {
    const person = await find(token);
    if (person === undefined) return undefined;
    await actAs(person.participant, () => work(person));
    return true;
  }

  async function view(token: string): Promise<TransparencyView | undefined> {
    const person = await find(token);
    if (person === undefined) return undefined;
    const of = [database, person.tenant, person.session, person.participant] as const;
    const [others, calls, uses] = await Promise.all([
      queries.readOthers(...of),
      queries.readOwnCalls(...of, mostCalls),
      queries.readUses(...of, mostUses),
    ]);
    return toView(person, others, calls, uses);
  }

  async function report(
    person: Person,
    { category, statement, call }: Parameters<Transparency['report']>[1],
  ): Promise<void> {
    const { tenant, session, participant } = person;
    const of = [database, tenant, session, participant] as const;
    const about = call === undefined ? undefined : await callOf(of, call);
    const others = await queries.readOthers(...of);
    const counterpart = about?.caller === participant ? about.callee : about?.caller;
    const against = counterpart ?? (others.length === 1 ? others[0]?.participant : undefined);
    await rooms.disputes.open(tenant, {
      ...{ session, category, statement, openedBy: { kind: 'participant', id: participant } },
      ...(call === undefined ? {} : { call }),
      ...(against === undefined ? {} : { against }),
    });
  }

  async function callOf(
    of: readonly [typeof database, string, string, string],
    call: string,
  ): Promise<queries.OwnCallRow> {
    const found = (await queries.readOwnCalls(...of, mostCalls)).find((one) => one.call === call);
    if (found === undefined) throw new MaskingError('invalid', 'This is none of your calls.', '/call');
    return found;
  }

  async function changeLink(
    tenant: string,
    session: string,
    participant: string,
    renew: boolean,
  ): Promise<string> {
    if (!isId(session, 'ses') || !isId(participant, 'par')) throw notFound('participant');
    const keys = await vault.unlock(tenant);
    for (let attempt = 0; attempt < linkAttempts; attempt++) {
      const before = await queries.readLinkVersion(database, tenant, session, participant);
      if (before === undefined) throw notFound('participant');
      const version = before + 1;
      const token = transparencyToken(keys, participant, version);
      const digest = renew ? digestOf(token) : undefined;
      const link = { tenant, session, participant, version, digest, actor: currentActor() };
      if (await queries.changeLink(database, link)) return token;
    }
    throw new Error('a link changed again and again');
  }

  return {
    view,
    end: (token) =>
      as(token, async ({ tenant, session, left_at }) => {
        // Whoever was replaced has nothing left to end: it is somebody else's session now.
        if (left_at !== null) return;
        await context.masking.closeSession(tenant, session, {
          reason: 'ended-by-participant',
          afterClose: false,
        });
      }),
    block: (token) =>
      as(token, async ({ tenant, session, participant }) => {
        const block = newId(doors, 'blk');
        const failure = await queries.blockOthers(database, tenant, session, participant, block);
        if (failure === 'unreachable') {
          throw new MaskingError('participant-unreachable', 'There is no phone to block.');
        }
      }),
    report: (token, words) => as(token, (person) => report(person, words)),
    askErasure: (token) =>
      as(token, ({ tenant, participant }) => rooms.rights.askErasure(tenant, participant)),
    renew: (tenant, session, participant) => changeLink(tenant, session, participant, true),
    async revoke(tenant, session, participant) {
      await changeLink(tenant, session, participant, false);
    },
    async start() {},
    async stop() {},
  };
}

/** No tenant has this name: what can't be a token is looked up like one. */
const nobody = '-';

function readToken(token: string): { readonly tenant: string; readonly digest: Buffer } {
  const tenant = token.slice(0, Math.max(token.indexOf('.'), 0));
  return { tenant: isTenantName(tenant) ? tenant : nobody, digest: digestOf(token) };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function toView(
  person: Person,
  others: readonly queries.OtherPersonRow[],
  calls: readonly queries.OwnCallRow[],
  uses: readonly queries.OwnUseRow[],
): TransparencyView {
  const { participant, status } = person;
  const actorOf = (actor: string) => seenActor(actor, participant);
  const until = untilOf(person);
  const afterClose = afterCloseOf(person);
  const { recordingPolicy, retention } = settingsOf(person.settings, defaultSettings);
  return {
    tenantName: person.tenant_name,
    locale: person.locale,
    ...(person.reference === null ? {} : { reference: redactNumbers(person.reference) }),
    status,
    openedAt: person.opened_at,
    ...(until === undefined ? {} : { until }),
    ...(person.ended_at === null ? {} : { endedAt: person.ended_at }),
    timeZone: person.time_zone,
    role: person.role,
    number: person.number,
    reachableBy: reachableBy(person, others),
    narrowed: person.narrowed,
    ...(afterClose === undefined ? {} : { afterClose }),
    recording: strictest(person.recording, recordingPolicy, person.countries),
    recordingsKeptDays: keptDays(retention, person.countries),
    calls: calls.map((call) => toCall(call, participant, uses, actorOf)),
    uses: uses.flatMap(({ at, kind, actor, reason }) =>
      kind === 'listen'
        ? []
        : [{ at, kind, by: actorOf(actor), ...(reason === null ? {} : { reason: redactNumbers(reason) }) }],
    ),
    blocked: person.blocked,
    reported: person.reported,
    erasureAsked: person.erasure_asked,
  };
}

function untilOf({ status, expires_at, after_until }: Person): Date | undefined {
  if (status === 'open' || status === 'scheduled') return expires_at;
  return status === 'after-close' ? (after_until ?? undefined) : undefined;
}

function afterCloseOf({ status, after_close, role }: Person): TransparencyView['afterClose'] {
  if (after_close === null || (status !== 'open' && status !== 'scheduled')) return undefined;
  const roles = after_close.allow.filter(({ to }) => to === role).map(({ from }) => from);
  return roles.length === 0 ? undefined : { seconds: after_close.seconds, roles: [...new Set(roles)] };
}

/** Texts are not carried yet, by any carrier. */
const text = false;

function reachableBy(
  { status, after_close, role }: Person,
  others: readonly queries.OtherPersonRow[],
): TransparencyView['reachableBy'] {
  const reach = others.filter(({ blocked }) => !blocked);
  switch (status) {
    case 'scheduled':
    case 'open':
      return reach.map((one) => ({ role: one.role, call: one.may_start || one.is_open, text }));
    case 'after-close':
      return reach
        .filter((one) => after_close?.allow.some(({ from, to }) => from === one.role && to === role))
        .map((one) => ({ role: one.role, call: true, text }));
    case 'closed':
    case 'expired':
      return [];
    default:
      status satisfies never;
      return [];
  }
}

function toCall(
  row: queries.OwnCallRow,
  participant: string,
  uses: readonly queries.OwnUseRow[],
  actorOf: (actor: string) => SeenActor,
): TransparencyView['calls'][number] {
  const { answered_at, ended_at, recording_status } = row;
  const seconds =
    answered_at === null || ended_at === null
      ? undefined
      : Math.max(0, Math.round((ended_at.getTime() - answered_at.getTime()) / 1000));
  return {
    id: row.call,
    at: row.started_at,
    ...(seconds === undefined ? {} : { seconds }),
    direction: row.caller === participant ? 'out' : 'in',
    outcome: row.status === 'ended' ? (row.outcome ?? 'failed') : 'running',
    recorded: recording_status !== null && recording_status !== 'failed',
    deleted: recording_status === 'deleted',
    listens: uses
      .filter((use) => use.kind === 'listen' && use.call === row.call)
      .map(({ at, actor, reason }) => ({ at, by: actorOf(actor), reason: redactNumbers(reason ?? '') })),
  };
}

function seenActor(actor: string, participant: string): SeenActor {
  if (actor === participant) return 'self';
  if (actor.startsWith('usr_')) return 'staff';
  return actor.startsWith('key_') || actor === 'admin' ? 'system' : 'platform';
}

/**
 * What a person of the business wrote may name a number: seven digits or more, of any script, grouped by whatever, are
 * left out. Dates and short ticket numbers stay.
 */
export function redactNumbers(text: string): string {
  return text.replaceAll(/\+?\p{N}(?:[^\p{L}\p{N}\n]{0,3}\p{N}){6,}/gu, (digits) =>
    /^\d{4}-\d{2}-\d{2}$/.test(digits) ? digits : '…',
  );
}
