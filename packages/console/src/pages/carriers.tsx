import { Page } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

export function CarriersPage() {
  const words = useWords().carriers;
  return <Page title={words.title}>{null}</Page>;
}
