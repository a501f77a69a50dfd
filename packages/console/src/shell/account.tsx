/** Language, theme, keys, profile, log-out. */
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { api } from '../api.ts';
import { Button, Select } from '../components/index.ts';
import { forget, useMe } from '../identity.ts';
import { type Theme, usePreferences } from '../preferences.tsx';
import type { Locale, User } from '../types.ts';
import { useWords } from '../words/index.tsx';

export const languages: readonly { readonly value: Locale; readonly label: string }[] = [
  { value: 'en', label: 'English' },
  { value: 'id', label: 'Bahasa Indonesia' },
];

/** Also for whoever isn't logged in yet. */
export function LookSwitches({ onLocale }: { readonly onLocale?: (locale: Locale) => void }) {
  const words = useWords().common;
  const { locale, theme, change } = usePreferences();
  const themes: readonly Theme[] = ['system', 'light', 'dark'];
  return (
    <>
      <Select
        label={words.language}
        choices={languages}
        value={locale}
        onChoose={(next) => {
          change({ locale: next });
          onLocale?.(next);
        }}
      />
      <Select
        label={words.theme}
        choices={themes.map((value) => ({ value, label: words.themes[value] }))}
        value={theme}
        onChoose={(next) => change({ theme: next })}
      />
    </>
  );
}

export function AccountMenu({ onHelp }: { readonly onHelp: () => void }) {
  const words = useWords().common;
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const menu = useRef<HTMLDetailsElement>(null);
  useClosing(menu);
  const leave = async () => {
    await api.post('/v1/auth/logout', undefined, { anonymous: true }).catch(() => undefined);
    await navigate({ to: '/login' });
    forget(client);
  };
  const close = () => menu.current?.removeAttribute('open');
  return (
    <details className="menu" ref={menu}>
      <summary>
        <span className="unseen">{words.account}: </span>
        {me.user.name}
      </summary>
      <div className="menu-body">
        <p>
          <strong>{me.user.name}</strong>
          <br />
          <span className="muted">
            {words.roles[me.role]} · {me.tenant.name}
          </span>
        </p>
        <LookSwitches
          onLocale={(locale) => void api.patch<User>('/v1/auth/me', { locale }).catch(() => undefined)}
        />
        <Link to="/profile" onClick={close}>
          {words.profile}
        </Link>
        <Button
          onClick={() => {
            close();
            onHelp();
          }}
        >
          {words.keys} <kbd>?</kbd>
        </Button>
        <Button
          onClick={() => {
            void leave();
          }}
        >
          {words.logout}
        </Button>
      </div>
    </details>
  );
}

/** Escape and a click beside it close the menu. */
function useClosing(menu: React.RefObject<HTMLDetailsElement | null>): void {
  useEffect(() => {
    const away = (event: Event) => {
      const { current } = menu;
      if (current?.open && event.target instanceof Node && !current.contains(event.target))
        current.open = false;
    };
    const key = (event: KeyboardEvent) => {
      const { current } = menu;
      if (event.key !== 'Escape' || !current?.open) return;
      current.open = false;
      current.querySelector('summary')?.focus();
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('keydown', key);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('keydown', key);
    };
  }, [menu]);
}
