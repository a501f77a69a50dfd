import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function LedgerPage() {
  const words = useWords().ledger;
  return <Page title={words.title}>{null}</Page>;
}
