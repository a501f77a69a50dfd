import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function WebhookPage() {
  const words = useWords().webhook;
  return <Page title={words.title}>{null}</Page>;
}
