import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function WebhooksPage() {
  const words = useWords().webhooks;
  return <Page title={words.title}>{null}</Page>;
}
