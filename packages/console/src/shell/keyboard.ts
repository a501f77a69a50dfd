/** Keys without a modifier: `/`, `?` and `g` with a page's letter. Silent while something is typed or a dialog is open. */
import { useEffect, useEffectEvent } from 'react';

const pairMilliseconds = 1_500;

/** Whether a plain key belongs to what has the focus, or to a dialog. */
export function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || document.querySelector('dialog[open]')) return true;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'range'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

export function useShellKeys(on: {
  readonly enabled: boolean;
  readonly search: () => void;
  readonly help: () => void;
  readonly go: (key: string) => boolean;
}): void {
  const press = useEffectEvent((event: KeyboardEvent, afterG: boolean): 'g' | undefined => {
    if (!on.enabled || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return undefined;
    if (event.defaultPrevented || typing(event.target)) return undefined;
    if (afterG && on.go(event.key)) event.preventDefault();
    else if (event.key === 'g') return 'g';
    else if (event.key === '/') {
      event.preventDefault();
      on.search();
    } else if (event.key === '?') on.help();
    return undefined;
  });
  useEffect(() => {
    let gAt = Number.NEGATIVE_INFINITY;
    const listener = (event: KeyboardEvent) => {
      const afterG = event.timeStamp - gAt < pairMilliseconds;
      gAt = press(event, afterG) === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY;
    };
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}
