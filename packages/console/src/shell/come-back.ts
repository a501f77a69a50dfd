/** Back to where somebody was when they had to log in: `next` of the log-in page's address. */
import type { AnyRouter } from '@tanstack/react-router';

/** Only to tell whether an address stays where it is. */
const here = 'https://console.invalid';

/** A path of ours: nothing that a browser takes for another host or for a script; not the log-in again. */
export function ownPath(next: string | undefined): string {
  const url = next?.startsWith('/') ? URL.parse(next, here) : null;
  return url?.origin === here && url.pathname !== '/login' ? `${url.pathname}${url.search}${url.hash}` : '/';
}

export function comeBack(router: AnyRouter, next: string | undefined): void {
  router.history.replace(`/console${ownPath(next)}`);
}
