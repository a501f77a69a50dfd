/** What holds for the whole business. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { ErrorBox, Loading, Page } from '../components/index.ts';
import { useMay } from '../identity.ts';
import type { Settings } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { DecisionSecret, Destinations } from './settings/own.tsx';
import { CallSection, RecordingSection, RetentionSection } from './settings/sections.tsx';

export function SettingsPage() {
  const words = useWords().settings;
  const may = useMay();
  const settings = useQuery({
    queryKey: ['settings'],
    queryFn: ({ signal }) => api.get<Settings>('/v1/settings', {}, { signal }),
  });
  const { data } = settings;
  const mayWrite = may('settings:write');
  return (
    <Page title={words.title} subtitle={mayWrite ? undefined : words.readOnly}>
      <ErrorBox error={settings.error} onRetry={() => void settings.refetch()} />
      {settings.isLoading && <Loading />}
      {data && (
        <>
          <CallSection settings={data} />
          {data.recordingPolicy && (
            <RecordingSection policy={data.recordingPolicy} approval={data.downloadApproval} />
          )}
          {data.retention && <RetentionSection retention={data.retention} />}
        </>
      )}
      {may('programs:read') && <Destinations />}
      {mayWrite && <DecisionSecret />}
    </Page>
  );
}
