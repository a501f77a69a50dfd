/**
 * The operator's console: what happened on a session, who said what, who looked at it. Reads and writes only through
 * the HTTP API (`api.ts`), as the user who is logged in; keeps nothing but preferences.
 *
 *   shell/        what stands around every page
 *   pages/        one file a page, loaded when opened; bigger ones have a folder beside
 *   components/   what pages are made of
 *   words/        every word, in English and Indonesian
 */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { isProblem } from './api.ts';
import { ToastProvider } from './components/toast.tsx';
import { PreferencesProvider } from './preferences.tsx';
import { makeRouter } from './router.tsx';
import './style.css';
import './parts/parts.css';

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      gcTime: 60_000,
      retry: (count, error) => count < 2 && (!isProblem(error) || error.status === 0 || error.status >= 502),
    },
  },
});
const router = makeRouter(queryClient);

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <PreferencesProvider>
          <Suspense>
            <ToastProvider>
              <RouterProvider router={router} />
            </ToastProvider>
          </Suspense>
        </PreferencesProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
