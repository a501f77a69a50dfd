/** What was typed into the header's box and may be a person's number, on its way to the sessions page; memory only. */
import { useEffect, useEffectEvent } from 'react';

/** Seven digits and more with nothing but what people write between them. */
export function mayBePhone(text: string): boolean {
  return /^[+(]?[\d\s().-]+$/.test(text) && text.replaceAll(/\D/g, '').length >= 7;
}

let waiting: string | undefined;
let listener: (() => void) | undefined;

export function handOver(text: string): void {
  waiting = text;
  listener?.();
}

/** Called with what waits, once, now or when it comes. */
export function useHandedOver(take: (text: string) => void): void {
  const taking = useEffectEvent(() => {
    const text = waiting;
    waiting = undefined;
    if (text !== undefined) take(text);
  });
  useEffect(() => {
    const own = () => taking();
    listener = own;
    own();
    return () => {
      if (listener === own) listener = undefined;
    };
  }, []);
}
