/** Short words on what was done; they go by themselves. What went wrong stands in an ErrorBox instead, where it happened. */
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react';

const maxToasts = 4;
const shownMilliseconds = 5_000;

const Context = createContext<(words: string) => void>(() => undefined);

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly { readonly id: number; readonly words: string }[]>([]);
  const last = useRef(0);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const { current } = timers;
    return () => current.forEach(clearTimeout);
  }, []);
  const tell = useCallback((words: string) => {
    const id = ++last.current;
    setToasts((before) => [...before, { id, words }].slice(-maxToasts));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setToasts((before) => before.filter((toast) => toast.id !== id));
    }, shownMilliseconds);
    timers.current.add(timer);
  }, []);
  return (
    <Context value={tell}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            {toast.words}
          </div>
        ))}
      </div>
    </Context>
  );
}

export function useToast(): (words: string) => void {
  return use(Context);
}
