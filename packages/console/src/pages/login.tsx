import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function LoginPage() {
  const words = useWords().login;
  return <Page title={words.title}>{null}</Page>;
}
