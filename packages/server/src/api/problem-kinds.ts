/** Every kind of problem: its status, its title, and what its page says. */
import type { MaskingErrorCode } from '../masking/service.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** For the page: when it comes, and what to do. */
  readonly advice: string;
}

type OwnCode =
  | 'malformed-request'
  | 'malformed-json'
  | 'unsupported-media-type'
  | 'too-large'
  | 'unauthorized'
  | 'forbidden'
  | 'unknown-route'
  | 'method-not-allowed'
  | 'idempotency-in-progress'
  | 'rate-limited'
  | 'reason-required'
  | 'range-not-satisfiable'
  | 'database-unavailable'
  | 'unavailable'
  | 'timeout'
  | 'internal';

export type ProblemCode = OwnCode | MaskingErrorCode;

export const problemKinds: Readonly<Record<ProblemCode, ProblemKind>> = {
  'malformed-request': {
    status: 400,
    title: 'The request cannot be read',
    advice:
      'The request line, a header or the path is not valid HTTP. Check percent-encoding and header sizes.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    advice: 'Send one JSON object (RFC 8259) in UTF-8 with Content-Type: application/json.',
  },
  invalid: {
    status: 422,
    title: 'Something in the request is not valid',
    advice:
      'The errors list names every place (a JSON pointer into the body, or the name of a parameter) and says what is expected there. Unknown fields are refused so that a typing error is not silently ignored.',
  },
  'invalid-number': {
    status: 422,
    title: 'A phone number is not valid',
    advice:
      'Give numbers in E.164 with the leading plus: country code, then the national number, digits only.',
  },
  'number-without-country': {
    status: 422,
    title: 'A phone number belongs to no country',
    advice:
      'Satellite, international network and other numbers without a country cannot take part in a session.',
  },
  'number-not-allowed': {
    status: 422,
    title: 'A phone number is of a kind that is not allowed',
    advice: 'Premium-rate, shared-cost and similar numbers are refused, as they are used for toll fraud.',
  },
  'virtual-number-as-participant': {
    status: 422,
    title: 'A virtual number cannot be a participant',
    advice: 'Give the real phone number of the person; virtual numbers are assigned by the platform.',
  },
  'duplicate-number': {
    status: 422,
    title: 'The same phone number is given twice',
    advice: 'Each real number may stand in one place of a session only; each virtual number once in a list.',
  },
  'number-taken': {
    status: 409,
    title: 'A virtual number is registered already',
    advice: 'It belongs to another pool, carrier or business. Move it with PATCH, or leave it out.',
  },
  'number-in-use': {
    status: 409,
    title: 'The number is in use',
    advice:
      'A live session holds it. Delete it with ?drain=true: it takes no new session, and goes by itself after the last one.',
  },
  'carrier-in-use': {
    status: 409,
    title: 'The carrier is in use',
    advice: 'Numbers belong to it. Delete or move them first.',
  },
  'carrier-taken': {
    status: 409,
    title: 'A carrier of this name exists already',
    advice: 'Choose another name, or change the existing carrier with PATCH.',
  },
  'unknown-carrier': {
    status: 422,
    title: 'There is no such carrier',
    advice: 'Create the carrier first, or give the id or name of an existing one (GET /v1/carriers).',
  },
  'unknown-pool': {
    status: 422,
    title: 'There is no such pool',
    advice: 'A pool comes into being with its first numbers (POST /v1/numbers). GET /v1/pools lists them.',
  },
  'empty-pool': {
    status: 409,
    title: 'The pool has no usable number',
    advice: 'Add numbers to the pool (POST /v1/numbers), or enable those that it has.',
  },
  'pool-exhausted': {
    status: 409,
    title: 'No number of the pool is free for these participants',
    advice:
      'Every number is live or cooling down for one of the participants. Close sessions that are done, add numbers to the pool, shorten its cooldown, or set its exhaustion to another policy than refuse.',
  },
  'session-closed': {
    status: 409,
    title: 'The session has ended',
    advice:
      'A session that was closed or has expired cannot be changed. Reopen it (POST /v1/sessions/{id}/reopen), or open a new one.',
  },
  'session-open': {
    status: 409,
    title: 'The session is open',
    advice: 'Only a closed or expired session can be reopened. Extend an open one with PATCH.',
  },
  'program-invalid': {
    status: 422,
    title: 'The program is not valid',
    advice:
      'The errors list names the place in the program and the rule: an expression that cannot be read, a name that there is not, a verb that is none, blocks that use one another in a circle. Try it with POST /v1/programs/test.',
  },
  'program-taken': {
    status: 409,
    title: 'A program of this name exists already',
    advice: 'Choose another name, or save a new version of the existing program with PUT.',
  },
  'program-in-use': {
    status: 409,
    title: 'The program is in use',
    advice: 'A live session names it. Wait until its sessions have ended, or give them another program.',
  },
  'unknown-program': {
    status: 422,
    title: 'There is no such program',
    advice: 'Save the program first, or give the id or name of an existing one (GET /v1/programs).',
  },
  'unknown-destination': {
    status: 422,
    title: 'There is no such destination',
    advice: 'Programs forward to your own numbers by name: set it first (PUT /v1/destinations/{name}).',
  },
  'destination-in-use': {
    status: 409,
    title: 'The destination is in use',
    advice: 'A saved program forwards to it. Change the program first.',
  },
  'unknown-participant': {
    status: 422,
    title: 'There is no such participant',
    advice:
      'Give the id of a participant, or a role that exactly one participant of the session has at the moment.',
  },
  'participant-taken': {
    status: 409,
    title: 'This person takes part already',
    advice: 'A phone number stands for one participant of a session. Remove that participant, or change it.',
  },
  'participant-unreachable': {
    status: 409,
    title: 'The participant cannot be rung',
    advice: 'Nobody is there to be called now: an open side has no phone, and whoever left is not rung.',
  },
  blocked: {
    status: 409,
    title: 'These people may not reach each other',
    advice: 'A block stands between them (GET /v1/blocks). It ends when it expires or is lifted.',
  },
  'no-display-number': {
    status: 409,
    title: 'The pool has no number to show',
    advice:
      'Participants who are reached by app see a shared number: give one of the pool use: display (PATCH /v1/numbers/{id}).',
  },
  'number-not-available': {
    status: 409,
    title: 'The virtual number that was asked for cannot be had',
    advice:
      'It must be one of yours, enabled, not draining or quarantined, and not held already by this person or an open side.',
  },
  'pin-unavailable': {
    status: 409,
    title: 'No code can be given on this number',
    advice: 'As many sessions as are safe have a code on the number. Close some, or add numbers to the pool.',
  },
  'call-ended': {
    status: 409,
    title: 'The call has ended',
    advice: 'There is nothing left to hang up.',
  },
  'no-explanation': {
    status: 404,
    title: 'The call has no explanation',
    advice: 'It was never decided by a program, or is from before explanations were kept.',
  },
  'idempotency-mismatch': {
    status: 409,
    title: 'The Idempotency-Key was used for another request',
    advice: 'Use a new key for a new request; repeat a key only with the very same request.',
  },
  'idempotency-in-progress': {
    status: 409,
    title: 'The first request with this Idempotency-Key is still at work',
    advice: 'Repeat the request after the time in Retry-After; its answer will be the first one’s.',
  },
  'no-recording': {
    status: 404,
    title: 'The call has no recording',
    advice: 'It was not recorded, or its recording was deleted.',
  },
  'recording-unreadable': {
    status: 410,
    title: 'The recording cannot be read any more',
    advice: 'A key that is needed to open it was destroyed, or the file is damaged or gone.',
  },
  'reason-required': {
    status: 422,
    title: 'A reason is needed',
    advice:
      'Say why in the X-Access-Reason header or the reason parameter, 3 to 500 characters. It is written to the ledger, where the person concerned may read it.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The range lies outside of the recording',
    advice: 'Content-Range gives the length in bytes; ask for a range within it.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing',
    advice: 'The id is unknown, or belongs to another business; the two are not told apart.',
  },
  'unknown-route': {
    status: 404,
    title: 'There is no such path',
    advice: 'GET /reference lists every path of this API.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not take this method',
    advice: 'The Allow header lists the methods that it takes.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of a kind that is not read here',
    advice: 'Send Content-Type: application/json.',
  },
  'too-large': {
    status: 413,
    title: 'The request is too large',
    advice: 'A body may have 1 MB. Send long lists of numbers in several requests.',
  },
  unauthorized: {
    status: 401,
    title: 'A valid API key or a log-in is needed',
    advice:
      'Send Authorization: Bearer <key>; the key may be mistyped, expired or revoked. In the console: log in again.',
  },
  forbidden: {
    status: 403,
    title: 'This API key or user may not do this',
    advice:
      'The detail names the scope that is needed: ask an administrator for a key or a role that has it. A request with the cookie of the console needs the header X-CSRF-Token, and must not come from a page of another site.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    advice: 'Wait for the seconds in Retry-After. The RateLimit headers tell what is left.',
  },
  timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    advice: 'Send the whole request without pauses.',
  },
  'database-unavailable': {
    status: 503,
    title: 'The database cannot be reached',
    advice:
      'Nothing was changed, or it is not known whether it was: repeat with the same Idempotency-Key after Retry-After.',
  },
  unavailable: {
    status: 503,
    title: 'The service is busy or stopping',
    advice: 'Repeat after the seconds in Retry-After.',
  },
  internal: {
    status: 500,
    title: 'Something went wrong on our side',
    advice:
      'Repeat with the same Idempotency-Key. If it stays, give the operator the instance of the answer.',
  },
  'on-hold': {
    status: 409,
    title: 'It is kept for an investigation',
    advice: 'A legal hold stands on the session. Release it (`POST /v1/holds/{id}/release`) before deleting.',
  },
  'own-request': {
    status: 403,
    title: 'A second person must decide',
    advice:
      'Whoever asked for a download cannot approve it. Ask a colleague with the scope `recordings:approve`.',
  },
  'already-decided': {
    status: 409,
    title: 'It is decided already',
    advice: 'Read it again to see what was decided, by whom and when.',
  },
  'download-not-approved': {
    status: 403,
    title: 'The download is not approved',
    advice: 'It waits for a second person, was refused, has expired, or was asked for by somebody else.',
  },
  'dispute-changed': {
    status: 409,
    title: 'Somebody else has changed the dispute',
    advice:
      'Read it again, look at what changed, and send your change with the new `version`. Nothing of yours was applied.',
  },
  'dispute-resolved': {
    status: 409,
    title: 'The dispute is resolved',
    advice: 'Take it up again first: `PATCH` with `status: investigating`.',
  },
  'subject-erased': {
    status: 410,
    title: 'This person was erased',
    advice: 'Nothing is held on them any more but what the receipt of the erasure names.',
  },
  'subject-restricted': {
    status: 409,
    title: "The use of this person's data is restricted",
    advice:
      'They asked for it. Lift the restriction (`POST /v1/privacy/requests/{id}/lift`) before using their data again.',
  },
  'request-not-ready': {
    status: 409,
    title: 'The request is not done yet',
    advice: 'Ask for its status again in a moment; most are done within seconds.',
  },
  'webhook-refused': {
    status: 422,
    title: "The webhook's URL cannot be used",
    advice:
      'It begins with https:// and leads to the public internet, or to a network named in SAMAR_WEBHOOK_ALLOW.',
  },
  'user-taken': {
    status: 409,
    title: 'There is a user with this address',
    advice: 'Invite them again with `POST /v1/users/{id}/invitation` if they lost their password.',
  },
  'last-admin': {
    status: 409,
    title: 'Nobody would be left who can undo it',
    advice: 'Give another active user the role admin first.',
  },
  'weak-password': {
    status: 422,
    title: 'The password is too easy to guess',
    advice: 'Take 12 to 200 characters, not your name or address and not one of the best-known passwords.',
  },
  'wrong-credentials': {
    status: 401,
    title: 'That did not fit',
    advice: 'The address, the password or the code is wrong, or the attempt took too long. Begin again.',
  },
  'locked-out': {
    status: 429,
    title: 'Too many wrong attempts',
    advice: 'Wait for the time in Retry-After. An administrator can send a new invitation.',
  },
  'link-invalid': {
    status: 404,
    title: 'This link does not work',
    advice: 'It was used, has expired, or was never given out. Ask for a new one.',
  },
};
