/**
 * What trust offers to the HTTP API, the pages and the command line. Words:
 *
 * ledger        the append-only record of every use of a person's data; sealed into a chain, signed by the day
 * root          the signed end of a tenant's chain at the end of a day (UTC)
 * custody       who may listen to a recording, take it out of the house, and how long it is kept
 * hold          keeps a session's recordings and records from being deleted while something is investigated
 * dispute       a complaint under investigation: what was said, who looks at it, what became of it
 * subject       a person, by their phone number or as a participant of a session
 * request       what was done for a subject: an export, an erasure, a restriction
 * receipt       the signed proof of an erasure
 *
 * Phone numbers go in; only masked ones come out, but for an export, which is for the subject. Who acts is
 * `currentActor()` (masking/actor.ts). Every refusal is a `MaskingError`.
 */
import type { OpenedRecording, Page, PageRequest } from '../masking/service.ts';

export interface Trust {
  readonly ledger: Ledger;
  readonly custody: Custody;
  readonly disputes: Disputes;
  readonly rights: Rights;
  readonly transparency: Transparency;
  /** Signing of roots, retention, erasures that wait. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

// ---------------------------------------------------------------- ledger
export interface Entry {
  /** `led_…` */
  readonly id: string;
  /** Place in the chain; absent for the seconds before it is sealed. */
  readonly sequence?: number;
  readonly at: Date;
  /** `connection`, `recording.listened`, `phone.revealed`, `login.succeeded`, `settings.changed`, … */
  readonly kind: string;
  readonly actor: string;
  readonly party?: string;
  readonly session?: string;
  readonly subject?: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Hexadecimal SHA-256. */
  readonly digest?: string;
}
export interface EntryFilter {
  readonly session?: string;
  /** Id of what it is about: `call_…`, `num_…`, `dsp_…`, `usr_…`. */
  readonly subject?: string;
  readonly actor?: string;
  /** `recording.listened`, or a family: `recording.*`. */
  readonly kind?: string;
  readonly from?: Date;
  readonly to?: Date;
  /** Everything of one person, across sessions. */
  readonly person?: SubjectRef;
}
export interface Root {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly sequence: number;
  readonly entries: number;
  /** Hexadecimal. */
  readonly digest: string;
  /** Ed25519, base64, over `samar-ledger-root\n<tenant>\n<day>\n<sequence>\n<digest>`. */
  readonly signature: string;
  readonly keyId: string;
}
export type LedgerCheck =
  | {
      readonly ok: true;
      readonly entries: number;
      readonly unsealed: number;
      readonly digest: string;
      readonly roots: number;
    }
  | {
      readonly ok: false;
      readonly fault: 'changed' | 'removed' | 'moved' | 'root-mismatch' | 'root-forged';
      readonly sequence: number;
      readonly entry?: string;
    };
export interface Ledger {
  list(tenant: string, filter: EntryFilter, page: PageRequest): Promise<Page<Entry>>;
  get(tenant: string, entry: string): Promise<Entry>;
  /** Reads the whole chain; `progress` hears how far. Asking again while it runs joins that run. */
  verify(tenant: string, progress?: (read: number, of: number) => void): Promise<LedgerCheck>;
  /** Newest first; the cursor is a day. */
  roots(tenant: string, page: PageRequest): Promise<Page<Root>>;
  /** PEM (SPKI), so that somebody outside can check roots. */
  publicKey(): Promise<{ readonly keyId: string; readonly pem: string }>;
  /** Writes one entry that no other statement writes; for things without a row of their own (log-in, a page opened). */
  note(entry: {
    readonly tenant: string;
    readonly kind: string;
    readonly actor?: string;
    readonly person?: string;
    readonly session?: string;
    readonly subject?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  }): Promise<void>;
}

// ---------------------------------------------------------------- custody
export interface Download {
  /** `dwn_…` */
  readonly id: string;
  readonly call: string;
  readonly reason: string;
  readonly status: 'pending' | 'approved' | 'refused' | 'expired';
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly decidedBy?: string;
  readonly decidedAt?: Date;
  /** Until when an approved one can be fetched: 24 hours. */
  readonly expiresAt?: Date;
}
export interface Hold {
  /** `hld_…` */
  readonly id: string;
  readonly session: string;
  readonly reason: string;
  readonly dispute?: string;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly releasedAt?: Date;
}
export interface Mark {
  /** `mrk_…` */
  readonly id: string;
  readonly milliseconds: number;
  readonly note: string;
  readonly by: string;
  readonly at: Date;
}
/** A recording's file. */
export interface Located {
  readonly file: string;
  /** Hexadecimal; checked when the file comes from the store of objects. */
  readonly sha256?: string;
}
export interface Custody {
  /**
   * The path of a recording's encrypted file on this machine, fetched from the store of objects where it must be. There
   * may be no file at the path: it is gone then. Rejects with an error of the name `RecordingsAway` while the store
   * can't be reached.
   */
  locate(recording: Located): Promise<string>;
  /** Approved at once unless the tenant's `downloadApproval` asks for a second person. Scope `recordings:download`. */
  requestDownload(tenant: string, call: string, reason: string): Promise<Download>;
  listDownloads(
    tenant: string,
    filter: { readonly status?: Download['status'] },
    page: PageRequest,
  ): Promise<Page<Download>>;
  /** Refused (`own-request`) for whoever asked, (`already-decided`) when it is decided. Scope `recordings:approve`. */
  decideDownload(tenant: string, download: string, approve: boolean): Promise<Download>;
  /** The call to open for the requester, with a ledger entry; refused (`download-not-approved`) for anybody else. */
  openDownload(tenant: string, download: string): Promise<OpenedRecording>;
  placeHold(
    tenant: string,
    hold: { readonly session: string; readonly reason: string; readonly dispute?: string },
  ): Promise<Hold>;
  listHolds(
    tenant: string,
    filter: { readonly session?: string; readonly active?: boolean },
    page: PageRequest,
  ): Promise<Page<Hold>>;
  releaseHold(tenant: string, hold: string): Promise<Hold>;
  addMark(
    tenant: string,
    call: string,
    mark: { readonly milliseconds: number; readonly note: string },
  ): Promise<Mark>;
  listMarks(tenant: string, call: string): Promise<readonly Mark[]>;
  removeMark(tenant: string, call: string, mark: string): Promise<void>;
  /** Destroys the key and the file. Refused (`on-hold`) while a hold stands. */
  deleteRecording(tenant: string, call: string, reason: string): Promise<void>;
  /**
   * Of the call's deleted recordings: tries again to remove what is left of their files. False: something still is, here
   * or in the store of objects.
   */
  removeFiles(tenant: string, call: string): Promise<boolean>;
  /** Deletes what is due by the tenant's retention; how many recordings went. */
  runRetention(): Promise<number>;
}

// ---------------------------------------------------------------- disputes
export type DisputeStatus = 'open' | 'investigating' | 'resolved';
export type Verdict = 'upheld' | 'rejected' | 'inconclusive';
export interface Dispute {
  /** `dsp_…` */
  readonly id: string;
  readonly session: string;
  /** The one that it began with, if any. */
  readonly call?: string;
  readonly category: 'harassment' | 'fraud' | 'safety' | 'quality' | 'other';
  readonly status: DisputeStatus;
  /** Changes with every change: give it back with one, so that two people don't overwrite each other. */
  readonly version: number;
  readonly openedBy: { readonly kind: 'operator' | 'participant' | 'call'; readonly id: string };
  readonly openedAt: Date;
  /** Whom it is about: a participant of the session. */
  readonly against?: string;
  readonly statement: string;
  /** Statement, notes and an older verdict's words went then, with somebody who was erased. */
  readonly redactedAt?: Date;
  /** `usr_…` */
  readonly assignee?: string;
  readonly verdict?: {
    readonly verdict: Verdict;
    readonly text: string;
    readonly by: string;
    readonly at: Date;
    readonly block?: string;
  };
  readonly updatedAt: Date;
}
export interface DisputeNote {
  /** `nte_…` */
  readonly id: string;
  readonly by: string;
  readonly at: Date;
  readonly text: string;
}
export interface DisputeFile extends Dispute {
  readonly notes: readonly DisputeNote[];
  /** Ids of the session's calls, with what is known of each: read them with `masking.getCall`. */
  readonly calls: readonly string[];
  readonly hold?: string;
  /** Ledger entries of the dispute itself, oldest first, at most 200. */
  readonly history: readonly Entry[];
}
export interface Disputes {
  /** Places a hold on the session. One open dispute a session, opener and `against`: opening it again answers the one that there is. */
  open(
    tenant: string,
    dispute: {
      readonly session: string;
      readonly call?: string;
      readonly category: Dispute['category'];
      readonly statement: string;
      readonly against?: string;
      readonly openedBy: Dispute['openedBy'];
    },
  ): Promise<Dispute>;
  list(
    tenant: string,
    /** `assignee` null: of those that nobody has taken. */
    filter: { readonly status?: DisputeStatus; readonly assignee?: string | null; readonly session?: string },
    page: PageRequest,
  ): Promise<Page<Dispute>>;
  get(tenant: string, dispute: string): Promise<DisputeFile>;
  /** Refused (`dispute-changed`) when `version` is not the present one. A resolved one can be opened again (`status: investigating`). */
  update(
    tenant: string,
    dispute: string,
    change: {
      readonly version: number;
      readonly status?: 'open' | 'investigating';
      readonly assignee?: string | null;
      readonly category?: Dispute['category'];
      readonly against?: string | null;
    },
  ): Promise<Dispute>;
  addNote(tenant: string, dispute: string, text: string): Promise<DisputeNote>;
  /** Resolves it; `block` makes a block between `against` and the others (or everybody). Releases the hold. */
  decide(
    tenant: string,
    dispute: string,
    verdict: {
      readonly version: number;
      readonly verdict: Verdict;
      readonly text: string;
      readonly block?: { readonly towards: 'others' | 'everybody'; readonly expiresAt?: Date };
    },
  ): Promise<Dispute>;
}

// ---------------------------------------------------------------- rights
export type SubjectRef = { readonly phone: string } | { readonly participant: string };
export interface RightsRequest {
  /** `prv_…` */
  readonly id: string;
  readonly kind: 'export' | 'erase' | 'restrict';
  /** `asked`: by the participant on their page, waits for somebody of the business. */
  readonly status: 'asked' | 'running' | 'done' | 'failed' | 'refused' | 'lifted';
  /** Masked; absent once it was erased. */
  readonly phone?: string;
  readonly party?: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly finishedAt?: Date;
  /** Of an `asked` one: who let it run or refused it, and why. */
  readonly decision?: { readonly by: string; readonly reason: string };
  /** Of an erasure: what was destroyed, what is still kept and until when, signed. */
  readonly receipt?: ErasureReceipt;
}
export interface ErasureReceipt {
  readonly party: string;
  readonly at: Date;
  readonly keysDestroyed: number;
  readonly valuesUnreadable: number;
  readonly recordingsDeleted: number;
  /** Sealed while an investigation's hold stands on them; they go with its release. */
  readonly recordingsHeld: number;
  /** Unreadable, their keys are gone; a file that could not be removed yet goes later. */
  readonly recordingsLeft: number;
  readonly bindingsCut: number;
  /** Resolved ones by or about the person: what was written in them is gone. */
  readonly disputesRedacted: number;
  /** Still open; their words go with the verdict. */
  readonly disputesKept: number;
  /** Sealed under the legal key until then, where the tenant must keep it. */
  readonly keptUntil?: Date;
  readonly signature: string;
  readonly keyId: string;
}
export interface AffectedPerson {
  readonly party: string;
  readonly phone?: string;
  readonly sessions: number;
  readonly first: Date;
  readonly last: Date;
  readonly kinds: readonly string[];
}
export interface Rights {
  /** Everything held on a person. Runs by itself; ask `get` until it is `done`. */
  requestExport(tenant: string, subject: SubjectRef, reason: string): Promise<RightsRequest>;
  /** The finished export, as JSON; kept sealed for 7 days. */
  readExport(tenant: string, request: string): Promise<Readonly<Record<string, unknown>>>;
  requestErasure(tenant: string, subject: SubjectRef, reason: string): Promise<RightsRequest>;
  /** By the participant on their page: waits as `asked`. Asking again answers the one that waits. */
  askErasure(tenant: string, participant: string): Promise<RightsRequest>;
  /** Lets an `asked` one run, or refuses it with a reason. */
  decideAsked(tenant: string, request: string, grant: boolean, reason: string): Promise<RightsRequest>;
  /** No new sessions, calls or listening while it stands. */
  restrict(tenant: string, subject: SubjectRef, reason: string): Promise<RightsRequest>;
  liftRestriction(tenant: string, request: string): Promise<RightsRequest>;
  list(
    tenant: string,
    filter: { readonly kind?: RightsRequest['kind']; readonly status?: RightsRequest['status'] },
    page: PageRequest,
  ): Promise<Page<RightsRequest>>;
  get(tenant: string, request: string): Promise<RightsRequest>;
  /** Who was affected by what an actor (or anybody) did in a time: from the ledger. */
  breachReport(
    tenant: string,
    question: {
      readonly from: Date;
      readonly to: Date;
      readonly actor?: string;
      readonly kinds?: readonly string[];
    },
  ): Promise<{
    readonly people: readonly AffectedPerson[];
    readonly entries: number;
    /** More than 10,000 people were affected: ask for a shorter time. */
    readonly cut: boolean;
  }>;
}

// ---------------------------------------------------------------- transparency
/** Who it was, as far as a participant may know: somebody of the business, its own system, they themselves, ourselves. */
export type SeenActor = 'staff' | 'system' | 'self' | 'platform';
/** What one participant may know of one session; nothing of the other's number or name. */
export interface TransparencyView {
  readonly tenantName: string;
  readonly locale: string;
  readonly reference?: string;
  readonly status: 'scheduled' | 'open' | 'after-close' | 'closed' | 'expired';
  readonly openedAt: Date;
  /** Until when somebody can reach them. */
  readonly until?: Date;
  /** When their part in it ended; they see the page for 90 days after. */
  readonly endedAt?: Date;
  /** IANA; for the times on the page. */
  readonly timeZone: string;
  readonly role: string;
  /** The virtual numbers: what they dial and what they see. */
  readonly number: string;
  readonly reachableBy: readonly { readonly role: string; readonly call: boolean; readonly text: boolean }[];
  /** A program or schedule of the business may narrow it further (certain hours, certain callers). */
  readonly narrowed: boolean;
  /** While it is open: who may still call them after the end, and for how long. */
  readonly afterClose?: { readonly seconds: number; readonly roles: readonly string[] };
  readonly recording: 'off' | 'announce' | 'consent';
  readonly recordingsKeptDays?: number;
  /** Those that reached them or that they made, the newest first, at most 500. */
  readonly calls: readonly {
    readonly id: string;
    readonly at: Date;
    readonly seconds?: number;
    readonly direction: 'in' | 'out';
    /** `running`, or as in `Call.outcome`. */
    readonly outcome: string;
    readonly recorded: boolean;
    /** It was recorded, and the recording is gone. */
    readonly deleted: boolean;
    readonly listens: readonly { readonly at: Date; readonly by: SeenActor; readonly reason: string }[];
  }[];
  /** Reveals, exports, erasures and downloads that concern them, the newest first. */
  readonly uses: readonly {
    readonly at: Date;
    readonly kind: 'reveal' | 'download' | 'export' | 'erase' | 'restrict';
    readonly by: SeenActor;
    readonly reason?: string;
  }[];
  readonly blocked: boolean;
  readonly reported: boolean;
  readonly erasureAsked: boolean;
}
export interface Transparency {
  /** Undefined for a token that never was, was revoked or has expired: in the same time. */
  view(token: string): Promise<TransparencyView | undefined>;
  /** Ends the session for both (reason `ended-by-participant`). Undefined as `view`. */
  end(token: string): Promise<true | undefined>;
  /** The others of this session can't reach them any more, in any session. */
  block(token: string): Promise<true | undefined>;
  report(
    token: string,
    report: { readonly category: Dispute['category']; readonly statement: string; readonly call?: string },
  ): Promise<true | undefined>;
  askErasure(token: string): Promise<true | undefined>;
  /** The old link stops to work; the new token. */
  renew(tenant: string, session: string, participant: string): Promise<string>;
  revoke(tenant: string, session: string, participant: string): Promise<void>;
}
