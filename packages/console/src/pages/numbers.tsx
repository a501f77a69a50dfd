/** Virtual numbers and their pools: how long they last, what state they are in, more of them, and how many are needed. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Page, Tabs } from '../components/index.ts';
import { useMay } from '../identity.ts';
import { useWords } from '../words/index.tsx';
import { ImportNumbers } from './numbers/import.tsx';
import { Planner } from './numbers/plan.tsx';
import { Pools } from './numbers/pools.tsx';
import { NumbersTable } from './numbers/table.tsx';

const tabNames = ['pools', 'numbers', 'import', 'plan'] as const;

export function NumbersPage() {
  const words = useWords().numbers;
  const may = useMay();
  const navigate = useNavigate();
  const search: Readonly<Record<string, string>> = useSearch({ strict: false });
  const chosen = tabNames.find((name) => name === search['tab']) ?? 'pools';
  const panels = {
    pools: () => <Pools />,
    numbers: () => <NumbersTable pool={search['pool'] ?? ''} />,
    import: () => <ImportNumbers />,
    plan: () => <Planner />,
  };
  const shown = tabNames.filter((name) => name !== 'import' || may('numbers:write'));
  return (
    <Page title={words.title}>
      <Tabs
        label={words.title}
        chosen={chosen}
        onChoose={(tab) => void navigate({ to: '/numbers', search: { tab } })}
        tabs={shown.map((name) => ({ name, label: words.tabs[name], panel: panels[name] }))}
      />
    </Page>
  );
}
