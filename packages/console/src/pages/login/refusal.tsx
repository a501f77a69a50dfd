import { ErrorBox } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useWords } from '../../words/index.tsx';
import { refused } from './refused.ts';

export function Refusal({ error }: { readonly error: unknown }) {
  const words = useWords();
  const format = useFormat();
  const known = error ? refused(error, words, format) : undefined;
  if (known === undefined) return <ErrorBox error={error} />;
  return (
    <div className="error-box" role="alert">
      {known}
    </div>
  );
}
