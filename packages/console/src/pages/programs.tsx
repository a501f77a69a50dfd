import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function ProgramsPage() {
  const words = useWords().programs;
  return <Page title={words.title}>{null}</Page>;
}
