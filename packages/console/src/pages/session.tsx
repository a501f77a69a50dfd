import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function SessionPage() {
  const words = useWords().session;
  return <Page title={words.title}>{null}</Page>;
}
