import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function SettingsPage() {
  const words = useWords().settings;
  return <Page title={words.title}>{null}</Page>;
}
