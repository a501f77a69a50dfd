import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function KeysPage() {
  const words = useWords().keys;
  return <Page title={words.title}>{null}</Page>;
}
