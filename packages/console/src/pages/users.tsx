import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function UsersPage() {
  const words = useWords().users;
  return <Page title={words.title}>{null}</Page>;
}
