/** The proof: the whole chain checked on demand, and the signed ends of days. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  CopyButton,
  Empty,
  ErrorBox,
  Fact,
  Facts,
  Loading,
  Pager,
  Table,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { usePages } from '../../pages-of.ts';
import type { LedgerCheck, LedgerRoot } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Chain() {
  const words = useWords().ledger;
  const verify = useMutation({ mutationFn: () => api.post<LedgerCheck>('/v1/ledger/verify') });
  return (
    <Card
      title={words.chain}
      actions={
        <Button look="primary" busy={verify.isPending} onClick={() => verify.mutate()}>
          {words.verify}
        </Button>
      }
    >
      <p className="muted">{words.chainHint}</p>
      {verify.isPending && <Loading>{words.verifying}</Loading>}
      <ErrorBox error={verify.error} />
      {verify.data && <Verdict check={verify.data} />}
    </Card>
  );
}

function Verdict({ check }: { readonly check: LedgerCheck }) {
  const words = useWords().ledger;
  const format = useFormat();
  if (check.ok) {
    return (
      <div className="stack" role="status">
        <p>
          <Badge tone="good">✓</Badge> {words.good(format.number(check.entries), format.number(check.roots))}{' '}
          {check.unsealed > 0 && words.unsealed(format.number(check.unsealed))}
        </p>
        <Facts>
          <Fact name={words.digest}>
            <code>{check.digest}</code>
          </Fact>
        </Facts>
      </div>
    );
  }
  const { fault, sequence, entry } = check;
  const said = Object.entries(words.faults).find(([name]) => name === fault)?.[1] ?? fault;
  return (
    <div className="error-box" role="alert">
      <strong>{words.bad(format.number(sequence))}</strong>
      <p>{said}</p>
      {entry !== undefined && (
        <p>
          <Link to="/ledger" search={{ entry }}>
            <code>{entry}</code>
          </Link>{' '}
          <CopyButton text={entry} label={words.entry} />
        </p>
      )}
    </div>
  );
}

export function Roots() {
  const words = useWords().ledger;
  const format = useFormat();
  const pages = usePages<LedgerRoot>({
    key: ['ledger', 'roots'],
    path: '/v1/ledger/roots',
    idOf: ({ day }) => day,
  });
  const key = useQuery({
    queryKey: ['ledger', 'public-key'],
    queryFn: ({ signal }) =>
      api.get<{ readonly keyId: string; readonly pem: string }>('/v1/ledger/public-key', {}, { signal }),
  });
  return (
    <Card title={words.roots}>
      <ErrorBox error={pages.error ?? key.error} onRetry={pages.refetch} />
      {key.data && (
        <div className="row">
          <span className="muted">
            {words.publicKey} <code>{key.data.keyId}</code>
          </span>
          <CopyButton text={key.data.pem} label={words.publicKey} />
        </div>
      )}
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 ? (
        <Empty>{words.noRoots}</Empty>
      ) : (
        <Table
          label={words.roots}
          rows={pages.items}
          idOf={({ day }) => day}
          columns={[
            { key: 'day', head: words.day, cell: ({ day }) => <time dateTime={day}>{day}</time> },
            {
              key: 'entries',
              head: words.entries,
              align: 'end',
              cell: (root) => format.number(root.entries),
            },
            {
              key: 'sequence',
              head: words.sequence,
              align: 'end',
              cell: (root) => format.number(root.sequence),
            },
            { key: 'digest', head: words.digest, grow: true, cell: ({ digest }) => <code>{digest}</code> },
            { key: 'key', head: words.key, cell: ({ keyId }) => <code>{keyId}</code> },
            {
              key: 'signature',
              head: words.signature,
              cell: ({ day, signature }) => (
                <CopyButton text={signature} label={`${words.signature} ${day}`} />
              ),
            },
          ]}
        />
      )}
      <Pager pages={pages} />
    </Card>
  );
}
