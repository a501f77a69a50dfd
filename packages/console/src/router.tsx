/** Every page, by its path below /console. Pages are loaded when they are first opened. */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { isProblem } from './api.ts';
import { meQuery } from './identity.ts';
import { Crashed, Missing } from './shell/faults.tsx';
import { Shell } from './shell/shell.tsx';

/** Query parameters of a page are plain text, as a person reads them. */
export type Search = Readonly<Record<string, string>>;
const anySearch = (search: Record<string, unknown>): Search =>
  Object.fromEntries(Object.entries(search).map(([name, value]) => [name, String(value)]));

const root = createRootRouteWithContext<{ readonly queryClient: QueryClient }>()({
  component: Outlet,
  validateSearch: anySearch,
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'in',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (!isProblem(error) || error.status !== 401) throw error;
      const next = location.href;
      throw redirect({ to: '/login', search: next === '/' ? {} : { next }, replace: true });
    }
  },
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: lazyRouteComponent(() => import('./pages/login.tsx'), 'LoginPage'),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/invitation.tsx'), 'InvitationPage'),
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview.tsx'), 'OverviewPage'),
});
const sessions = createRoute({
  getParentRoute: () => shell,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./pages/sessions.tsx'), 'SessionsPage'),
});
const session = createRoute({
  getParentRoute: () => shell,
  path: '/sessions/$id',
  component: lazyRouteComponent(() => import('./pages/session.tsx'), 'SessionPage'),
});
const disputes = createRoute({
  getParentRoute: () => shell,
  path: '/disputes',
  component: lazyRouteComponent(() => import('./pages/disputes.tsx'), 'DisputesPage'),
});
const dispute = createRoute({
  getParentRoute: () => shell,
  path: '/disputes/$id',
  component: lazyRouteComponent(() => import('./pages/dispute.tsx'), 'DisputePage'),
});
const numbers = createRoute({
  getParentRoute: () => shell,
  path: '/numbers',
  component: lazyRouteComponent(() => import('./pages/numbers.tsx'), 'NumbersPage'),
});
const carriers = createRoute({
  getParentRoute: () => shell,
  path: '/carriers',
  component: lazyRouteComponent(() => import('./pages/carriers.tsx'), 'CarriersPage'),
});
const programs = createRoute({
  getParentRoute: () => shell,
  path: '/programs',
  component: lazyRouteComponent(() => import('./pages/programs.tsx'), 'ProgramsPage'),
});
const program = createRoute({
  getParentRoute: () => shell,
  path: '/programs/$id',
  component: lazyRouteComponent(() => import('./pages/program.tsx'), 'ProgramPage'),
});
const ledger = createRoute({
  getParentRoute: () => shell,
  path: '/ledger',
  component: lazyRouteComponent(() => import('./pages/ledger.tsx'), 'LedgerPage'),
});
const privacy = createRoute({
  getParentRoute: () => shell,
  path: '/privacy',
  component: lazyRouteComponent(() => import('./pages/privacy.tsx'), 'PrivacyPage'),
});
const webhooks = createRoute({
  getParentRoute: () => shell,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('./pages/webhooks.tsx'), 'WebhooksPage'),
});
const webhook = createRoute({
  getParentRoute: () => shell,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('./pages/webhook.tsx'), 'WebhookPage'),
});
const users = createRoute({
  getParentRoute: () => shell,
  path: '/users',
  component: lazyRouteComponent(() => import('./pages/users.tsx'), 'UsersPage'),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => import('./pages/keys.tsx'), 'KeysPage'),
});
const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings.tsx'), 'SettingsPage'),
});
const profile = createRoute({
  getParentRoute: () => shell,
  path: '/profile',
  component: lazyRouteComponent(() => import('./pages/profile.tsx'), 'ProfilePage'),
});

const tree = root.addChildren([
  login,
  invitation,
  shell.addChildren([
    ...([overview, sessions, session, disputes, dispute, numbers, carriers, programs, program] as const),
    ...([ledger, privacy, webhooks, webhook, users, keys, settings, profile] as const),
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: '/console',
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultNotFoundComponent: Missing,
    defaultErrorComponent: Crashed,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const entries = Object.entries(search).flatMap(([name, value]) =>
        value === undefined || value === '' ? [] : [[name, String(value)]],
      );
      return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
    },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
