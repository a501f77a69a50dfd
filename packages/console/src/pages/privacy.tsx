import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function PrivacyPage() {
  const words = useWords().privacy;
  return <Page title={words.title}>{null}</Page>;
}
