/** Session timers (RFC 4028): what is negotiated, and the two timers that follow from it. */
import type { TimerOwner, Wheel, WheelTimer } from '../transaction/wheel.ts';
import type { SipMessage, SipRequest } from '../types.ts';
import type { SessionSettings } from './context.ts';
import { lists } from './lists.ts';

/** RFC 4028 section 5: what Min-SE means when it is absent. Seconds. */
const DEFAULT_MINIMUM = 90;

export interface SessionTerms {
  /** Seconds. */
  readonly interval: number;
  readonly refresher: 'local' | 'remote';
}

export type SessionAnswer =
  | { readonly kind: 'none' }
  /** 422 with our Min-SE. */
  | { readonly kind: 'too-small' }
  | { readonly kind: 'terms'; readonly terms: SessionTerms; readonly headers: string };

function seconds(text: string | undefined): number | undefined {
  const digits = text === undefined ? undefined : /^\s*(\d{1,9})/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Seconds. */
export function minimumOf(message: SipMessage): number {
  return seconds(message.headers.get('Min-SE')) ?? DEFAULT_MINIMUM;
}

function refresherOf(message: SipMessage): 'uac' | 'uas' | undefined {
  const text = message.headers.get('Session-Expires') ?? '';
  const found = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(text)?.[1]?.toLowerCase();
  return found === 'uac' || found === 'uas' ? found : undefined;
}

/** As the server of an INVITE or UPDATE (section 9). */
export function answerSession(request: SipRequest, settings: SessionSettings): SessionAnswer {
  if (settings.expires === 0) return { kind: 'none' };
  const asked = seconds(request.headers.get('Session-Expires'));
  const supports = lists(request, 'Supported', 'timer') || lists(request, 'Require', 'timer');
  // A client that does not know 422 is not refused (section 9); a proxy put the header there.
  if (asked !== undefined && asked < settings.minimum && supports) return { kind: 'too-small' };
  const wanted = Math.min(asked ?? settings.expires, settings.expires);
  const interval = Math.max(wanted, settings.minimum, minimumOf(request));
  const refresher = supports ? (refresherOf(request) ?? 'uac') : 'uas';
  const terms: SessionTerms = { interval, refresher: refresher === 'uac' ? 'remote' : 'local' };
  const require = refresher === 'uac' ? 'Require: timer\r\n' : '';
  return {
    kind: 'terms',
    terms,
    headers: `${require}Session-Expires: ${interval};refresher=${refresher}\r\n`,
  };
}

/** What our request says. `terms` are those in force, on a refresh. */
export function requestSession(
  settings: SessionSettings,
  terms: SessionTerms | undefined,
  minimum: number,
): string {
  if (settings.expires === 0) return '';
  const interval = Math.max(terms?.interval ?? settings.expires, minimum);
  const refresher = terms ? `;refresher=${terms.refresher === 'local' ? 'uac' : 'uas'}` : '';
  return `Session-Expires: ${interval}${refresher}\r\nMin-SE: ${minimum}\r\n`;
}

/** As the client, from a 2xx (section 7.2). Without Session-Expires there is no timer. */
export function acceptedSession(response: SipMessage, settings: SessionSettings): SessionTerms | undefined {
  if (settings.expires === 0) return undefined;
  const interval = seconds(response.headers.get('Session-Expires'));
  if (interval === undefined) return undefined;
  // Less than the RFC allows would only make us refresh ourselves to death.
  return {
    interval: Math.max(interval, DEFAULT_MINIMUM),
    refresher: refresherOf(response) === 'uas' ? 'remote' : 'local',
  };
}

export interface SessionTimerUser {
  refresh(): void;
  expired(): void;
}

/** Section 10: the refresher acts at half the interval, the other side gives up a little before its end. */
export class SessionTimer implements TimerOwner {
  readonly #wheel: Wheel;
  readonly #user: SessionTimerUser;
  #refresh: WheelTimer | undefined;
  #expiry: WheelTimer | undefined;
  terms: SessionTerms | undefined;

  constructor(wheel: Wheel, user: SessionTimerUser) {
    this.#wheel = wheel;
    this.#user = user;
  }

  /** Starts anew; undefined: no timer any more. */
  renew(terms: SessionTerms | undefined): void {
    this.stop();
    this.terms = terms;
    if (!terms) return;
    const { interval, refresher } = terms;
    if (refresher === 'local') this.#refresh = this.#wheel.after(interval * 500, this, 'refresh');
    const margin = Math.min(32, interval / 3);
    this.#expiry = this.#wheel.after((interval - margin) * 1000, this, 'expiry');
  }

  /** Another try of a refresh that met something passing. Milliseconds. */
  retry(milliseconds: number): void {
    this.#refresh?.cancel();
    this.#refresh = this.#wheel.after(milliseconds, this, 'refresh');
  }

  stop(): void {
    this.#refresh?.cancel();
    this.#expiry?.cancel();
  }

  onTimer(name: string): void {
    if (name === 'refresh') this.#user.refresh();
    else this.#user.expired();
  }
}
