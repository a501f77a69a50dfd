/** What stands around every page: side navigation, search, live dot, account. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { api, whenLoggedOut } from '../api.ts';
import { Empty, Loading, Page } from '../components/index.ts';
import { forget, may, useMe } from '../identity.ts';
import { startLive, useLive } from '../live.ts';
import { usePreferences } from '../preferences.tsx';
import type { Settings } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { AccountMenu } from './account.tsx';
import { KeysDialog } from './help.tsx';
import { useShellKeys } from './keyboard.ts';
import { navigation } from './pages.ts';
import { QuickSearch } from './quick-search.tsx';

export function Shell() {
  const words = useWords().common;
  const me = useMe();
  const { shortcuts } = usePreferences();
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const pages = navigation.filter(({ scope }) => may(me, scope));
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const forbidden = navigation.find(
    ({ to, scope }) => (path === to || path.startsWith(`${to}/`)) && !may(me, scope),
  );

  useShellKeys({
    enabled: shortcuts,
    search: () => search.current?.focus(),
    help: () => setHelp(true),
    go: (key) => {
      const page = pages.find((one) => one.key === key);
      if (page) void navigate({ to: page.to });
      return page !== undefined;
    },
  });
  useLogoutWatch();
  useFocusAfterNavigation();
  const client = useQueryClient();
  const streaming = may(me, 'events:read');
  useEffect(() => startLive(client, streaming), [client, streaming]);
  useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => api.get<Settings>('/v1/settings', {}, { signal }),
    enabled: may(me, 'settings:read'),
    staleTime: 60_000,
  });

  return (
    <div className="shell">
      <a className="skip" href="#main">
        {words.skip}
      </a>
      <header className="top">
        <Link to="/" className="brand">
          {words.product}
        </Link>
        <QuickSearch input={search} />
        <LiveDot />
        <AccountMenu onHelp={() => setHelp(true)} />
      </header>
      <nav className="side" aria-label={words.menu}>
        {pages.map(({ name, to }) => (
          <Link
            key={name}
            to={to}
            activeOptions={{ exact: to === '/' }}
            activeProps={{ className: 'active' }}
          >
            {words.nav[name]}
          </Link>
        ))}
      </nav>
      <main id="main" tabIndex={-1}>
        {forbidden ? (
          <Page title={words.notAllowed}>
            <Empty>{words.notAllowedHint}</Empty>
          </Page>
        ) : (
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        )}
      </main>
      {help && <KeysDialog pages={pages} onClose={() => setHelp(false)} />}
    </div>
  );
}

function LiveDot() {
  const words = useWords().common;
  const state = useLive();
  const label = { live: words.live, polling: words.polling, off: words.off }[state];
  return (
    <span className={`live-dot ${state}`} title={label} role="img" aria-label={label}>
      <span aria-hidden="true">●</span>
    </span>
  );
}

/** When the API says that the log-in ended: what was read is forgotten, and after the log-in one is back here. */
function useLogoutWatch(): void {
  const client = useQueryClient();
  const router = useRouter();
  useEffect(() => {
    whenLoggedOut(() => {
      const { href } = router.state.location;
      if (href.startsWith('/login')) return;
      void router
        .navigate({ to: '/login', search: { next: href, ended: '1' }, replace: true })
        .then(() => forget(client));
    });
    return () => whenLoggedOut(() => undefined);
  }, [client, router]);
}

/** A new page's title gets the focus, so that the keyboard and the screen reader begin there. */
function useFocusAfterNavigation(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onRendered', ({ pathChanged, fromLocation }) => {
        if (!pathChanged || !fromLocation) return;
        document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
      }),
    [router],
  );
}
