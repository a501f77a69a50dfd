/** Dialogs on the native element: it traps the focus, closes by Escape and gives the focus back. */
import { type ReactNode, type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { useFormat } from '../format.ts';
import { useWords } from '../words/index.tsx';
import { Button } from './basics.tsx';
import { ErrorBox } from './error-box.tsx';
import { TextArea } from './forms.tsx';

/** Rendered only while it is open: `{asking && <Dialog …>}`. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly wide?: boolean;
}) {
  const { title, onClose, children, wide = false } = props;
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const words = useWords().common;
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The first thing to fill in; where there is nothing, the first button below, which is the harmless one.
      dialog.querySelector<HTMLElement>('input, textarea, select, .row.end button')?.focus();
    }
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={wide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        <Button look="quiet" className="small" onClick={onClose} aria-label={words.close}>
          ✕
        </Button>
      </div>
      {children}
    </dialog>
  );
}

/** Asks before something that can't be undone. */
export function ConfirmDialog(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly action: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly error?: unknown;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  const { title, children, action, danger = false, busy = false, error, onConfirm, onClose } = props;
  const words = useWords().common;
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack">
        <div>{children}</div>
        <ErrorBox error={error} />
        <div className="row end">
          <Button onClick={onClose}>{words.cancel}</Button>
          <Button look={danger ? 'danger' : 'primary'} busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

export const reasonLength = { least: 3, most: 500 } as const;

/** Asks why, before something that goes to the ledger with its reason. */
export function ReasonDialog(props: {
  readonly title: string;
  /** What happens, and who will see it. */
  readonly children?: ReactNode;
  readonly action: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly error?: unknown;
  readonly onReason: (reason: string) => void;
  readonly onClose: () => void;
}) {
  const { title, children, action, danger = false, busy = false, error, onReason, onClose } = props;
  const words = useWords().common;
  const format = useFormat();
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  // One line: it goes into a header, where a line break can't stand.
  const reason = text.replaceAll(/\s+/g, ' ').trim();
  const short = reason.length < reasonLength.least;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (!short && !busy) onReason(reason);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        {children && <div>{children}</div>}
        <TextArea
          label={words.reason}
          hint={
            <>
              {words.reasonHint} {words.characters(format.number(reasonLength.most - text.length))}
            </>
          }
          fault={tried && short ? words.reasonShort : undefined}
          value={text}
          maxLength={reasonLength.most}
          required
          onChange={({ target }) => setText(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
              event.currentTarget.form?.requestSubmit();
          }}
        />
        <ErrorBox error={error} />
        <div className="row end">
          <Button onClick={onClose}>{words.cancel}</Button>
          <Button type="submit" look={danger ? 'danger' : 'primary'} busy={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
