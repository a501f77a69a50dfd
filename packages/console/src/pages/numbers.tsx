import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function NumbersPage() {
  const words = useWords().numbers;
  return <Page title={words.title}>{null}</Page>;
}
