import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function InvitationPage() {
  const words = useWords().invitation;
  return <Page title={words.title}>{null}</Page>;
}
