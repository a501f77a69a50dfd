/** People's rights: what they asked, what was done for them, and who was affected by something. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Page, Tabs } from '../components/index.ts';
import { useWords } from '../words/index.tsx';
import { BreachReportForm } from './privacy/breach.tsx';
import { Requests } from './privacy/requests.tsx';

export function PrivacyPage() {
  const words = useWords().privacy;
  const navigate = useNavigate();
  const search = useSearch({ from: '/in/privacy' });
  return (
    <Page title={words.title}>
      <Tabs
        label={words.title}
        chosen={search['tab'] === 'breach' ? 'breach' : 'requests'}
        onChoose={(tab) =>
          void navigate({ to: '/privacy', search: tab === 'requests' ? {} : { tab }, replace: true })
        }
        tabs={[
          { name: 'requests', label: words.tabs.requests, panel: () => <Requests /> },
          { name: 'breach', label: words.tabs.breach, panel: () => <BreachReportForm /> },
        ]}
      />
    </Page>
  );
}
