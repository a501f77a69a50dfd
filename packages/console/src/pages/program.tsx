import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function ProgramPage() {
  const words = useWords().program;
  return <Page title={words.title}>{null}</Page>;
}
