/** Taking a recording out of the house: asked with a reason, approved by another where asked for, fetched once approved. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at, request, saveAs } from '../../api.ts';
import { Badge, Button, ErrorBox, ReasonDialog, type Tone } from '../../components/index.ts';
import { useMay, useMe } from '../../identity.ts';
import type { Download, ListOf } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { Actor, ShortId } from '../people.tsx';

const tones: Readonly<Record<Download['status'], Tone>> = {
  pending: 'warn',
  approved: 'good',
  refused: 'bad',
  expired: 'neutral',
};

const waitingMilliseconds = 5_000;

export function useDownloads() {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['downloads'],
    queryFn: ({ signal }) => api.get<ListOf<Download>>('/v1/downloads', { limit: 200 }, { signal }),
    enabled: may('recordings:download') || may('recordings:approve'),
    // Whoever waits for a second person hears of the answer; no event tells of it.
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ status }) => status === 'pending') ? waitingMilliseconds : false,
  });
  return data?.items ?? [];
}

/** For whoever may approve: what others wait for, wherever it is. Nothing when nothing waits. */
export function PendingDownloads() {
  const words = useWords().listen;
  const may = useMay();
  const pending = useDownloads().filter(({ status }) => status === 'pending');
  if (!may('recordings:approve') || pending.length === 0) return null;
  return (
    <section className="notice warn stack" aria-label={words.waiting}>
      <strong>{words.waiting}</strong>
      <ul className="list">
        {pending.map((download) => (
          <li key={download.id} className="row">
            <ShortId id={download.call} />
            <OneDownload download={download} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Downloads({ call }: { readonly call: string }) {
  const words = useWords().listen;
  const may = useMay();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const ask = useMutation({
    mutationFn: (reason: string) => api.post<Download>(at`/v1/calls/${call}/recording/downloads`, { reason }),
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ['downloads'] });
    },
  });
  const own = useDownloads()
    .filter((download) => download.call === call)
    .slice(0, 10);
  return (
    <>
      {may('recordings:download') && <Button onClick={() => setAsking(true)}>{words.download}</Button>}
      {own.map((download) => (
        <OneDownload key={download.id} download={download} />
      ))}
      {asking && (
        <ReasonDialog
          title={words.downloadWhy}
          action={words.downloadAsk}
          busy={ask.isPending}
          error={ask.error}
          onClose={() => setAsking(false)}
          onReason={(reason) => ask.mutate(reason)}
        >
          <p className="muted">{words.downloadHint}</p>
        </ReasonDialog>
      )}
    </>
  );
}

function OneDownload({ download }: { readonly download: Download }) {
  const words = useWords().listen;
  const may = useMay();
  const me = useMe();
  const client = useQueryClient();
  const own = download.requestedBy === me.user.id;
  const fetchFile = useMutation({
    mutationFn: async () =>
      saveAs(
        await request('GET', at`/v1/downloads/${download.id}/file`, undefined, {
          headers: { accept: 'audio/wav, application/problem+json' },
        }),
        `${download.call}.wav`,
      ),
  });
  const decide = useMutation({
    mutationFn: (how: 'approve' | 'refuse') =>
      api.post<Download>(`${at`/v1/downloads/${download.id}`}/${how}`),
    onSettled: () => client.invalidateQueries({ queryKey: ['downloads'] }),
  });
  return (
    <span className="row download">
      <Badge tone={tones[download.status]}>{words.downloadStatus[download.status]}</Badge>
      <span className="small muted">
        “{download.reason}” · {words.askedBy} <Actor id={download.requestedBy} />
      </span>
      {own && download.status === 'approved' && may('recordings:download') && (
        <Button className="small" busy={fetchFile.isPending} onClick={() => fetchFile.mutate()}>
          {words.downloadFetch}
        </Button>
      )}
      {!own && download.status === 'pending' && may('recordings:approve') && (
        <>
          <Button className="small" busy={decide.isPending} onClick={() => decide.mutate('approve')}>
            {words.approve}
          </Button>
          <Button className="small" busy={decide.isPending} onClick={() => decide.mutate('refuse')}>
            {words.refuse}
          </Button>
        </>
      )}
      <ErrorBox error={fetchFile.error ?? decide.error} />
    </span>
  );
}
