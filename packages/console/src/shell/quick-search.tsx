/**
 * One box for whatever somebody has at hand: an id, a reference, a virtual number. What may be a person's number is
 * never put into an address: it is handed to the sessions page in memory.
 */
import { useNavigate } from '@tanstack/react-router';
import type { RefObject } from 'react';
import { useWords } from '../words/index.tsx';
import { handOver, mayBePhone } from './searched.ts';

export function QuickSearch({ input }: { readonly input: RefObject<HTMLInputElement | null> }) {
  const words = useWords().common;
  const navigate = useNavigate();
  const go = (text: string) => {
    if (/^ses_[0-9a-f]{32}$/.test(text)) return navigate({ to: '/sessions/$id', params: { id: text } });
    if (/^dsp_[0-9a-f]{32}$/.test(text)) return navigate({ to: '/disputes/$id', params: { id: text } });
    if (mayBePhone(text)) {
      handOver(text);
      return navigate({ to: '/sessions', search: {} });
    }
    // A number that was looked for before would narrow this down unseen.
    handOver('');
    return navigate({ to: '/sessions', search: { reference: text } });
  };
  return (
    <search className="quick">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const box = input.current;
          const text = box?.value.trim() ?? '';
          if (!box || text === '') return;
          box.value = '';
          box.blur();
          void go(text);
        }}
      >
        <input
          ref={input}
          type="search"
          name="quick"
          aria-label={words.search}
          aria-keyshortcuts="/"
          placeholder={words.quickSearch}
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
        />
        <span className="key">/</span>
      </form>
    </search>
  );
}
