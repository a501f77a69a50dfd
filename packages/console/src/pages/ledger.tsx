/** Every use of a person's data: found, proved unbroken, and taken along. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { api, at } from '../api.ts';
import {
  Button,
  Card,
  type Column,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Progress,
  Table,
  Time,
  useToast,
} from '../components/index.ts';
import { saveText } from '../csv.ts';
import { useFormat } from '../format.ts';
import { usePages } from '../pages-of.ts';
import { Actor } from '../parts/people.tsx';
import type { LedgerEntry } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { Chain, Roots } from './ledger/chain.tsx';
import { exportLedger, mostExported } from './ledger/export.ts';
import { FilterForm, PersonForm, useLedgerFilter } from './ledger/search.tsx';

export function LedgerPage() {
  const words = useWords().ledger;
  const { typed, filter, entry } = useLedgerFilter();
  const [person, setPerson] = useState<{ readonly phone: string; readonly search: number }>();
  const searches = useRef(0);
  const hold = (phone: string | undefined) => {
    searches.current += 1;
    setPerson(phone === undefined ? undefined : { phone, search: searches.current });
  };
  const body = { ...filter, ...(person ? { phone: person.phone } : {}) };
  // The key names the search and never the number.
  const pages = usePages<LedgerEntry>({
    key: ['ledger', 'list', filter, person?.search ?? 0],
    post: '/v1/ledger/search',
    body: { ...body, limit: 100 },
  });
  const columns = useColumns();
  return (
    <Page title={words.title} actions={<Export body={body} />}>
      <Chain />
      <FilterForm key={JSON.stringify(typed)} typed={typed} />
      {entry !== undefined && <OneEntry id={entry} />}
      <PersonForm held={person !== undefined} hold={hold} />
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table label={words.title} columns={columns} rows={pages.items} idOf={({ id }) => id} />
      )}
      <Pager pages={pages} />
      <Roots />
    </Page>
  );
}

/** One that a check of the chain, or a dispute, has named. */
function OneEntry({ id }: { readonly id: string }) {
  const words = useWords().ledger;
  const columns = useColumns();
  const { data, error, refetch } = useQuery({
    queryKey: ['ledger', 'entry', id],
    queryFn: ({ signal }) => api.get<LedgerEntry>(at`/v1/ledger/${id}`, {}, { signal }),
  });
  return (
    <Card title={words.entry}>
      <ErrorBox error={error} onRetry={() => void refetch()} />
      {data ? (
        <>
          <Table label={words.entry} columns={columns} rows={[data]} idOf={(one) => one.id} />
          <p className="small">
            <code>{data.id}</code>
          </p>
        </>
      ) : (
        !error && <Loading />
      )}
    </Card>
  );
}

function useColumns(): readonly Column<LedgerEntry>[] {
  const words = useWords().ledger;
  const format = useFormat();
  return [
    { key: 'at', head: words.at, cell: ({ at }) => <Time at={at} /> },
    {
      key: 'sequence',
      head: words.sequence,
      align: 'end',
      cell: ({ sequence }) => (sequence === undefined ? '–' : format.number(sequence)),
    },
    {
      key: 'kind',
      head: words.what,
      cell: ({ kind }) => (
        <Link to="/ledger" search={{ kind }}>
          {kind}
        </Link>
      ),
    },
    {
      key: 'actor',
      head: words.actor,
      cell: ({ actor }) => (
        <Link to="/ledger" search={{ actor }}>
          <Actor id={actor} />
        </Link>
      ),
    },
    {
      key: 'session',
      head: words.session,
      cell: ({ session }) =>
        session && (
          <Link to="/sessions/$id" params={{ id: session }}>
            <code>{shortened(session)}</code>
          </Link>
        ),
    },
    {
      key: 'subject',
      head: words.subject,
      cell: ({ subject }) =>
        subject && (
          <Link to="/ledger" search={{ subject }}>
            <code>{shortened(subject)}</code>
          </Link>
        ),
    },
    { key: 'details', head: words.details, grow: true, cell: ({ details }) => <Details details={details} /> },
  ];
}

/** Ids by their ends: the beginnings of those made at about the same time are alike. */
function shortened(id: string): string {
  return id.length > 16 ? `${id.slice(0, id.indexOf('_') + 1)}…${id.slice(-8)}` : id;
}

/** Ids and digests by their ends, lists without brackets. */
function sayValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(sayValue).join(', ');
  if (typeof value !== 'string') return JSON.stringify(value);
  if (/^[a-z]{3,4}_[0-9a-f]{32}$/.test(value)) return shortened(value);
  return /^[0-9a-f]{40,}$/.test(value) ? `${value.slice(0, 8)}…` : value;
}

function Details({ details }: Pick<LedgerEntry, 'details'>) {
  const entries = Object.entries(details);
  if (entries.length === 0) return null;
  return (
    <span className="small breakable">
      {entries.map(([name, value]) => (
        <span key={name}>
          <span className="muted">{name}</span> {sayValue(value)}{' '}
        </span>
      ))}
    </span>
  );
}

function Export({ body }: { readonly body: object }) {
  const words = useWords().ledger;
  const toast = useToast();
  const [read, setRead] = useState<number>();
  const [error, setError] = useState<unknown>();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async () => {
    const controller = new AbortController();
    running.current = controller;
    setRead(0);
    setError(undefined);
    try {
      const { csv, full } = await exportLedger(body, controller.signal, setRead);
      saveText('ledger.csv', 'text/csv', csv);
      if (full) toast(words.exportFull);
    } catch (fault) {
      if (controller.signal.aborted) toast(words.exportStopped);
      else setError(fault);
    }
    setRead(undefined);
  };
  return (
    <>
      {read === undefined ? (
        <Button title={words.exportHint} onClick={() => void start()}>
          {words.export}
        </Button>
      ) : (
        <>
          <Progress label={words.exporting} done={read} of={mostExported} />
          <Button onClick={() => running.current?.abort()}>{words.cancelExport}</Button>
        </>
      )}
      <ErrorBox error={error} />
    </>
  );
}
