/** What went wrong, in the platform's own words: the title, what to change, and the request's id for whoever asks. */
import type { ReactNode } from 'react';
import { isProblem } from '../api.ts';
import { useFormat } from '../format.ts';
import { useWords } from '../words/index.tsx';
import { Button } from './basics.tsx';

export function ErrorBox(props: {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}) {
  const { error, onRetry, children } = props;
  const words = useWords().common;
  const format = useFormat();
  if (error === undefined || error === null) return null;
  const problem = isProblem(error) ? error : undefined;
  const network = problem?.code === 'network';
  const title = network ? words.network : (problem?.title ?? words.failed);
  const detail = network ? words.networkHint : problem?.detail;
  const others = problem?.errors.filter((place) => place.detail !== detail) ?? [];
  return (
    <div className="error-box" role="alert">
      <strong>{title}</strong>
      {detail && detail !== title && <p>{detail}</p>}
      {others.length > 0 && (
        <ul>
          {others.map((place) => (
            <li key={`${place.pointer ?? place.parameter}${place.detail}`}>
              <code>{place.pointer ?? place.parameter}</code> {place.detail}
            </li>
          ))}
        </ul>
      )}
      {problem?.retryAfterSeconds !== undefined && (
        <p>{words.retryAfter(format.number(problem.retryAfterSeconds))}</p>
      )}
      {children}
      {problem?.instance && (
        <p className="muted small">
          {words.requestId} <code>{problem.instance}</code>
        </p>
      )}
      {onRetry && <Button onClick={onRetry}>{words.retry}</Button>}
    </div>
  );
}
