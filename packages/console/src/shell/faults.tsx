/** What is shown instead of a page: it doesn't exist, or it failed. */
import { Link, useRouter } from '@tanstack/react-router';
import { isProblem } from '../api.ts';
import { Button, Empty, ErrorBox, Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

/** Of the whole console: it stands alone, as no page around it is known. */
export function Missing() {
  const words = useWords().common;
  return (
    <main className="alone">
      <Page title={words.pageMissing}>
        <Empty action={<Link to="/">{words.product}</Link>}>{words.pageMissingHint}</Empty>
      </Page>
    </main>
  );
}

export function Crashed({ error }: { readonly error: unknown }) {
  const words = useWords().common;
  const router = useRouter();
  return (
    <Page title={isProblem(error) ? words.failed : words.crashed}>
      {isProblem(error) ? <ErrorBox error={error} /> : <Empty>{words.crashedHint}</Empty>}
      <div className="row">
        <Button look="primary" onClick={() => void router.invalidate()}>
          {words.retry}
        </Button>
        <Button onClick={() => window.location.reload()}>{words.reload}</Button>
      </div>
    </Page>
  );
}
