/** What can be done with one request, by what it is and where it stands. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at, request, saveAs, withQuery } from '../../api.ts';
import {
  Button,
  ConfirmDialog,
  Dialog,
  ErrorBox,
  Fact,
  Facts,
  ReasonDialog,
  Time,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import type { RightsRequest } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

const counts = [
  'keysDestroyed',
  'valuesUnreadable',
  'recordingsDeleted',
  'recordingsHeld',
  'recordingsLeft',
  'bindingsCut',
  'disputesRedacted',
  'disputesKept',
] as const;
const formats = ['json', 'html', 'csv'] as const;

export function RequestActions({ request: asked }: { readonly request: RightsRequest }) {
  const { kind, status, receipt } = asked;
  if (status === 'asked') return <Decide request={asked} />;
  if (kind === 'export' && status === 'done') return <Fetch id={asked.id} />;
  if (kind === 'restrict' && (status === 'done' || status === 'running')) return <Lift id={asked.id} />;
  return receipt ? <Receipt receipt={receipt} /> : null;
}

function Decide({ request: asked }: { readonly request: RightsRequest }) {
  const words = useWords().privacy;
  const client = useQueryClient();
  const [grant, setGrant] = useState<boolean>();
  const decide = useMutation({
    mutationFn: (decision: { readonly grant: boolean; readonly reason: string }) =>
      api.post<RightsRequest>(at`/v1/privacy/requests/${asked.id}/decide`, decision),
    onSuccess: () => setGrant(undefined),
    onSettled: () => client.invalidateQueries({ queryKey: ['privacy'] }),
  });
  return (
    <span className="row">
      <Button className="small" onClick={() => setGrant(true)}>
        {words.grant}
      </Button>
      <Button className="small" onClick={() => setGrant(false)}>
        {words.refuse}
      </Button>
      {grant !== undefined && (
        <ReasonDialog
          title={grant ? words.grantTitle : words.refuseTitle}
          action={grant ? words.grant : words.refuse}
          danger={grant && asked.kind === 'erase'}
          busy={decide.isPending}
          error={decide.error}
          onReason={(reason) => decide.mutate({ grant, reason })}
          onClose={() => setGrant(undefined)}
        >
          <p className="muted">
            {grant ? `${words.kindHints[asked.kind]} ${words.grantHint}` : words.refuseHint}
          </p>
        </ReasonDialog>
      )}
    </span>
  );
}

function Fetch({ id }: { readonly id: string }) {
  const words = useWords().privacy;
  const save = useMutation({
    mutationFn: async (format: (typeof formats)[number]) => {
      const path = withQuery(at`/v1/privacy/requests/${id}/export`, { format });
      await saveAs(
        await request('GET', path, undefined, { headers: { accept: '*/*' } }),
        `export-${id}.${format}`,
      );
    },
  });
  return (
    <span className="row">
      {formats.map((format) => (
        <Button
          key={format}
          className="small"
          busy={save.isPending}
          aria-label={`${words.exportOpen} ${format.toUpperCase()}`}
          onClick={() => save.mutate(format)}
        >
          {format.toUpperCase()}
        </Button>
      ))}
      <ErrorBox error={save.error} />
    </span>
  );
}

function Lift({ id }: { readonly id: string }) {
  const words = useWords().privacy;
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const lift = useMutation({
    mutationFn: () => api.post<RightsRequest>(at`/v1/privacy/requests/${id}/lift`),
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ['privacy'] });
    },
  });
  return (
    <>
      <Button className="small" onClick={() => setAsking(true)}>
        {words.lift}
      </Button>
      {asking && (
        <ConfirmDialog
          title={words.liftTitle}
          action={words.lift}
          busy={lift.isPending}
          error={lift.error}
          onConfirm={() => lift.mutate()}
          onClose={() => setAsking(false)}
        >
          {words.liftHint}
        </ConfirmDialog>
      )}
    </>
  );
}

function Receipt({ receipt }: { readonly receipt: NonNullable<RightsRequest['receipt']> }) {
  const words = useWords().privacy;
  const said = words.receiptWords;
  const format = useFormat();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button className="small" onClick={() => setOpen(true)}>
        {words.receipt}
      </Button>
      {open && (
        <Dialog title={words.receiptOf} onClose={() => setOpen(false)}>
          <Facts>
            <Fact name={said.at}>
              <Time at={receipt.at} />
            </Fact>
            {counts.map((name) => (
              <Fact key={name} name={said[name]}>
                {format.number(receipt[name])}
              </Fact>
            ))}
            {receipt.keptUntil && (
              <Fact name={said.keptUntil}>
                <Time at={receipt.keptUntil} as="date" />
              </Fact>
            )}
            <Fact name={said.party}>
              <code>{receipt.party}</code>
            </Fact>
            <Fact name={said.keyId}>
              <code>{receipt.keyId}</code>
            </Fact>
            <Fact name={said.signature}>
              <code>{receipt.signature}</code>
            </Fact>
          </Facts>
        </Dialog>
      )}
    </>
  );
}
