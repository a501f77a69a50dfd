import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function ProfilePage() {
  const words = useWords().profile;
  return <Page title={words.title}>{null}</Page>;
}
