import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function SessionsPage() {
  const words = useWords().sessions;
  return <Page title={words.title}>{null}</Page>;
}
