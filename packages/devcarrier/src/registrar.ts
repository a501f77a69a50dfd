import type { Clock, Endpoint, Random } from '@samar/doors';
import {
  createChallenger,
  type IncomingRequest,
  parseNameAddress,
  parseUri,
  type Target,
  type TransportName,
} from '@samar/sip';

/** Where a phone can be reached. Its own address comes from where the REGISTER came from, not from what it claims. */
export interface Registration {
  readonly number: string;
  readonly uri: string;
  readonly target: Target;
  readonly source: Endpoint;
  readonly expiresAt: number;
}

export interface Registrar {
  register(incoming: IncomingRequest): void;
  find(number: string): Registration | undefined;
  /** The phone that speaks from this address. */
  at(source: Endpoint): Registration | undefined;
  readonly size: number;
}

/** Phones at once; it is a desk, not a country. */
const maximum = 1_000;
const longest = 3_600;

export function createRegistrar(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly realm: string;
  /** Every phone's password; undefined: no questions asked. */
  readonly password: string | undefined;
}): Registrar {
  const phones = new Map<string, Registration>();
  const challenger = createChallenger({ realm: options.realm, random: options.random, clock: options.clock });

  function live(phone: Registration | undefined): Registration | undefined {
    return phone && phone.expiresAt > options.clock.now() ? phone : undefined;
  }

  /** True when the phone proved its password; otherwise it has been answered. */
  function authenticated(incoming: IncomingRequest): boolean {
    if (options.password === undefined) return true;
    const { password } = options;
    const verdict = challenger.verify({
      authorizations: incoming.request.headers.all('Authorization'),
      method: incoming.request.method,
      uri: incoming.request.uri,
      body: incoming.request.body,
      lookUp: () => ({ password }),
    });
    switch (verdict.kind) {
      case 'ok':
        return true;
      case 'absent':
      case 'stale':
        incoming.respond(401, {
          headers: challenger
            .challenge(verdict.kind === 'stale')
            .map((value) => ['WWW-Authenticate', value] as const),
        });
        return false;
      case 'wrong':
        incoming.respond(403);
        return false;
    }
  }

  return {
    register(incoming) {
      const { headers } = incoming.request;
      const number = numberOf(headers.get('To'));
      if (number === undefined) return incoming.respond(404);
      if (!authenticated(incoming)) return;
      const contact = headers.get('Contact');
      if (contact === undefined) return answerBindings(incoming, live(phones.get(number)));
      const address = contact === '*' ? undefined : parseNameAddress(contact);
      const asked = Number(address?.parameters.get('expires') ?? headers.get('Expires') ?? longest);
      const seconds = Math.min(Number.isInteger(asked) && asked >= 0 ? asked : longest, longest);
      if (seconds === 0 || !address) {
        phones.delete(number);
        return incoming.respond(200);
      }
      if (phones.size >= maximum && !phones.has(number)) return incoming.respond(503);
      const phone: Registration = {
        number,
        uri: address.uri,
        target: targetOf(incoming.source, incoming.transport),
        source: incoming.source,
        expiresAt: options.clock.now() + seconds * 1_000,
      };
      phones.set(number, phone);
      answerBindings(incoming, phone, seconds);
    },
    find: (number) => live(phones.get(number)),
    at(source) {
      for (const phone of phones.values()) {
        if (phone.source.port === source.port && phone.source.address === source.address) return live(phone);
      }
      return undefined;
    },
    get size() {
      return phones.size;
    },
  };
}

function answerBindings(incoming: IncomingRequest, phone: Registration | undefined, seconds?: number): void {
  const expires = seconds === undefined ? '' : `;expires=${seconds}`;
  incoming.respond(200, phone ? { headers: [['Contact', `<${phone.uri}>${expires}`]] } : {});
}

function targetOf(source: Endpoint, transport: TransportName): Target {
  return { host: source.address, port: source.port, transport };
}

/** The number of a From, To or Request-URI: E.164 with `+`. */
export function numberOf(addressOrUri: string | undefined): string | undefined {
  if (addressOrUri === undefined) return undefined;
  const uri = parseUri(parseNameAddress(addressOrUri)?.uri ?? addressOrUri);
  const digits = uri?.user.replace(/[-.() ]/g, '') ?? '';
  return /^\+?[1-9]\d{3,14}$/.test(digits) ? `+${digits.replace('+', '')}` : undefined;
}
