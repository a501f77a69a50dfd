import type { Dialog, DialogEnd } from '@samar/sip';
import type { LegReport } from '../masking/types.ts';
import type { LegMedia } from './leg-media.ts';

/** One party's end of a call, as the record will tell of it. */
export interface Leg {
  media: LegMedia | undefined;
  participant: string | undefined;
  readonly number: string;
  readonly carrier: string;
  readonly direction: 'in' | 'out';
  readonly startedAt: number;
  answeredAt: number | undefined;
  endedAt: number | undefined;
  sipStatus: number | undefined;
}

/** What a leg's dialog asks of its media; and when it ends, which is told once. */
export function watchDialog(
  dialog: Dialog,
  media: () => LegMedia | undefined,
  ended: (cause: DialogEnd) => void,
): void {
  dialog.onOffer((offer) => {
    const here = media();
    if (!here) return { status: 488 };
    // A re-INVITE without SDP asks us for an offer (RFC 3261 section 14.2).
    return offer === undefined ? { body: here.offer() } : here.answerTo(offer);
  });
  dialog.onInfo((contentType, body) => media()?.info(contentType, body));
  dialog.onEnd(ended);
}

/** The legs for the record. To be called after the media was released: its quality is known then. */
export function legReports(legs: readonly Leg[], endedAt: number): Promise<LegReport[]> {
  return Promise.all(
    legs.map(async ({ media, ...leg }) => ({
      ...leg,
      endedAt: leg.endedAt ?? endedAt,
      quality: leg.answeredAt === undefined ? undefined : await media?.leg.quality().then(known),
    })),
  );
}

/** Figures that are known; the record holds no empty ones. */
function known(quality: object): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(quality).filter(([, value]) => typeof value === 'number'));
}
