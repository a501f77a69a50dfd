/** Endpoints of the business's own systems that hear of events. */
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  Badge,
  Button,
  type Column,
  CopyButton,
  Dialog,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Table,
  Time,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import type { Endpoint } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { EndpointDialog } from './webhooks/form.tsx';

export function WebhooksPage() {
  const words = useWords().webhooks;
  const common = useWords().common;
  const may = useMay();
  const navigate = useNavigate();
  const pages = usePages<Endpoint>({ key: ['webhooks', 'list'], path: '/v1/webhooks' });
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const columns = useColumns();
  return (
    <Page
      title={words.title}
      actions={
        may('webhooks:write') && (
          <Button look="primary" onClick={() => setMaking(true)}>
            {words.make}
          </Button>
        )
      }
    >
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table
          label={words.title}
          columns={columns}
          rows={pages.items}
          idOf={({ id }) => id}
          onOpen={({ id }) => void navigate({ to: '/webhooks/$id', params: { id } })}
        />
      )}
      <Pager pages={pages} />
      {making && (
        <EndpointDialog onClose={() => setMaking(false)} onMade={(made) => setSecret(made.secret)} />
      )}
      {secret !== undefined && (
        <Dialog title={words.secret} onClose={() => setSecret(undefined)}>
          <div className="stack">
            <p>{words.secretHint}</p>
            <pre>{secret}</pre>
            <div className="row end">
              <CopyButton text={secret} label={words.secret} />
              <Button onClick={() => setSecret(undefined)}>{common.close}</Button>
            </div>
          </div>
        </Dialog>
      )}
    </Page>
  );
}

export function EndpointState({ endpoint }: { readonly endpoint: Endpoint }) {
  const words = useWords().webhooks;
  if (endpoint.enabled) return <Badge tone="good">{words.on}</Badge>;
  const { disabledBecause: because } = endpoint;
  const known = because === 'gone' || because === 'failing' ? words.because[because] : because;
  return (
    <span className="row">
      <Badge tone={because === undefined ? 'neutral' : 'bad'}>{words.off}</Badge>
      {known && <span className="muted small">{known}</span>}
    </span>
  );
}

function useColumns(): readonly Column<Endpoint>[] {
  const words = useWords().webhooks;
  const format = useFormat();
  return [
    {
      key: 'url',
      head: words.url,
      grow: true,
      cell: ({ id, url, description }) => (
        <>
          <Link to="/webhooks/$id" params={{ id }} tabIndex={-1}>
            {url}
          </Link>
          {description && <div className="muted small">{description}</div>}
        </>
      ),
    },
    { key: 'state', head: words.state, cell: (endpoint) => <EndpointState endpoint={endpoint} /> },
    {
      key: 'kinds',
      head: words.kinds,
      cell: ({ kinds }) => (kinds.includes('*') ? words.everything : kinds.join(', ')),
    },
    { key: 'pending', head: words.pending, align: 'end', cell: ({ pending }) => format.number(pending) },
    {
      key: 'dead',
      head: words.dead,
      align: 'end',
      cell: ({ dead }) => (dead > 0 ? <Badge tone="bad">{format.number(dead)}</Badge> : format.number(0)),
    },
    {
      key: 'last',
      head: words.lastDelivered,
      cell: ({ lastDeliveredAt }) => lastDeliveredAt && <Time at={lastDeliveredAt} as="relative" />,
    },
  ];
}
