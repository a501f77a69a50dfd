/** Small things that every page is made of. */
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useState } from 'react';
import { useFormat } from '../format.ts';
import { useWords } from '../words/index.tsx';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'plain' | 'primary' | 'danger' | 'quiet';
  /** Shows that it is being done; can't be pressed again meanwhile. */
  readonly busy?: boolean;
}
export function Button({ look = 'plain', busy = false, disabled, className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${look} ${className}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    />
  );
}

export function Page(props: {
  readonly title: string;
  readonly children: ReactNode;
  /** Beside the title: the page's main actions. */
  readonly actions?: ReactNode;
  /** Above the title: where one came from. */
  readonly trail?: ReactNode;
  readonly subtitle?: ReactNode;
}) {
  const { title, children, actions, trail, subtitle } = props;
  useEffect(() => {
    document.title = `${title} · Samar`;
  }, [title]);
  return (
    <div className="page">
      {trail && <div className="trail">{trail}</div>}
      <div className="page-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {subtitle && <div className="subtitle">{subtitle}</div>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export function Card(props: {
  readonly title?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  const { title, actions, children, className = '' } = props;
  return (
    <section className={`card ${className}`} aria-label={title}>
      {(title || actions) && (
        <div className="card-head">
          {title && <h2>{title}</h2>}
          {actions && <div className="row">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'info';
/** Never by colour alone: the word says it. */
export function Badge({
  tone = 'neutral',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
}) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export function Empty({ children, action }: { readonly children?: ReactNode; readonly action?: ReactNode }) {
  const words = useWords().common;
  return (
    <div className="empty">
      <p>{children ?? words.nothing}</p>
      {action}
    </div>
  );
}

/** Shows itself only when it takes long enough to be worth it. */
export function Loading({ children }: { readonly children?: ReactNode }) {
  const words = useWords().common;
  return (
    <p className="loading" role="status">
      {children ?? words.loading}
    </p>
  );
}

export function Progress(props: { readonly label: string; readonly done: number; readonly of: number }) {
  const { label, done, of } = props;
  const format = useFormat();
  return (
    <div className="progress">
      <progress aria-label={label} value={done} max={Math.max(of, 1)} />
      <span role="status">
        {label} {format.number(done)} / {format.number(of)}
      </span>
    </div>
  );
}

export function Pager(props: {
  readonly pages: {
    readonly items: readonly unknown[];
    readonly hasMore: boolean;
    readonly full: boolean;
    readonly loadingMore: boolean;
    readonly loadMore: () => void;
  };
}) {
  const { items, hasMore, full, loadingMore, loadMore } = props.pages;
  const words = useWords().common;
  const format = useFormat();
  if (items.length === 0) return null;
  return (
    <div className="pager">
      <span className="muted">{words.rows(format.number(items.length))}</span>
      {hasMore && (
        <Button onClick={loadMore} busy={loadingMore}>
          {loadingMore ? words.loadingMore : words.more}
        </Button>
      )}
      {full && <span role="status">{words.narrow}</span>}
    </div>
  );
}

export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }) {
  const words = useWords().common;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      look="quiet"
      className="small"
      aria-label={copied ? undefined : label && `${words.copy}: ${label}`}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <span aria-live="polite">{copied ? words.copied : words.copy}</span>
    </Button>
  );
}

/** `as`: the whole, only the clock, or how long ago; the title always has the whole with its zone. */
export function Time(props: {
  readonly at: string;
  readonly as?: 'date-time' | 'clock' | 'date' | 'relative';
}) {
  const { at, as = 'date-time' } = props;
  const format = useFormat();
  const shown = {
    'date-time': () => format.dateTime(at),
    clock: () => format.clock(at),
    date: () => format.date(at),
    relative: () => format.relative(at, Date.now()),
  }[as]();
  return (
    <time dateTime={at} title={`${format.full(at)} (${format.timeZone})`}>
      {shown}
    </time>
  );
}

/** A person's number, masked as it came; or a virtual number of ours. */
export function Phone({ number }: { readonly number: string }) {
  return <span className="phone">{number === '' ? '–' : number}</span>;
}

/** Names and values side by side. */
export function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="facts">{children}</dl>;
}
export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
