import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function DisputePage() {
  const words = useWords().dispute;
  return <Page title={words.title}>{null}</Page>;
}
