import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function DisputesPage() {
  const words = useWords().disputes;
  return <Page title={words.title}>{null}</Page>;
}
