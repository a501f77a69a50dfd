/** The secret: fetched when somebody asks to see it, and gone from the page when they have seen it. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, ConfirmDialog, CopyButton, ErrorBox } from '../../components/index.ts';
import type { Endpoint } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Secret({ endpoint }: { readonly endpoint: Endpoint }) {
  const words = useWords().webhook;
  const list = useWords().webhooks;
  const [asking, setAsking] = useState(false);
  const path = at`/v1/webhooks/${endpoint.id}/secret`;
  const read = useMutation({
    gcTime: 0,
    mutationFn: (rotate: boolean) =>
      rotate ? api.post<{ secret: string }>(path) : api.get<{ secret: string }>(path),
    onSuccess: () => setAsking(false),
  });
  const shown = read.data?.secret;
  return (
    <Card
      title={list.secret}
      actions={
        <>
          {shown === undefined ? (
            <Button busy={read.isPending} onClick={() => read.mutate(false)}>
              {words.show}
            </Button>
          ) : (
            <Button onClick={read.reset}>{words.hide}</Button>
          )}
          <Button onClick={() => setAsking(true)}>{words.rotate}</Button>
        </>
      }
    >
      <p className="muted">{list.secretHint}</p>
      {shown !== undefined && (
        <div className="row">
          <pre>{shown}</pre>
          <CopyButton text={shown} label={list.secret} />
        </div>
      )}
      {!asking && <ErrorBox error={read.error} />}
      {asking && (
        <ConfirmDialog
          title={words.rotate}
          action={words.rotate}
          busy={read.isPending}
          error={read.error}
          onConfirm={() => read.mutate(true)}
          onClose={() => setAsking(false)}
        >
          {words.rotateHint}
        </ConfirmDialog>
      )}
    </Card>
  );
}
