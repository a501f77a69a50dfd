/** Whose data an actor, or anybody, used in a time: what an authority and the people must be told of. */
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api } from '../../api.ts';
import {
  Button,
  Card,
  type Column,
  Empty,
  ErrorBox,
  Field,
  Phone,
  Table,
  Time,
  TimeField,
} from '../../components/index.ts';
import { saveText, writeCsv } from '../../csv.ts';
import { useFormat } from '../../format.ts';
import { ShortId } from '../../parts/people.tsx';
import type { BreachReport } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

type Person = BreachReport['people'][number];

export function BreachReportForm() {
  const words = useWords().privacy;
  const format = useFormat();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [actor, setActor] = useState('');
  const [kinds, setKinds] = useState('');
  const report = useMutation({
    mutationFn: () => {
      const listed = kinds.split(/[\s,]+/).filter(Boolean);
      return api.post<BreachReport>('/v1/privacy/breach-report', {
        from: format.instant(from),
        to: format.instant(to),
        ...(actor.trim() === '' ? {} : { actor: actor.trim() }),
        ...(listed.length === 0 ? {} : { kinds: listed }),
      });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    report.mutate();
  };
  return (
    <Card title={words.breach}>
      <p className="muted">{words.breachHint}</p>
      <form className="stack" onSubmit={submit}>
        <div className="filters">
          <TimeField label={words.from} required value={from} onType={setFrom} />
          <TimeField label={words.to} required value={to} onType={setTo} />
          <Field
            label={words.actor}
            value={actor}
            maxLength={100}
            placeholder="usr_…"
            onChange={({ target }) => setActor(target.value)}
          />
          <Field
            label={words.kindsOf}
            value={kinds}
            maxLength={500}
            placeholder="recording.listened"
            onChange={({ target }) => setKinds(target.value)}
          />
        </div>
        <div className="row">
          <Button type="submit" look="primary" busy={report.isPending}>
            {words.report}
          </Button>
        </div>
      </form>
      <ErrorBox error={report.error} />
      {report.data && <Affected report={report.data} />}
    </Card>
  );
}

function Affected({ report }: { readonly report: BreachReport }) {
  const words = useWords().privacy;
  const format = useFormat();
  const columns: readonly Column<Person>[] = [
    {
      key: 'person',
      head: words.person,
      cell: ({ phone, party }) => (phone ? <Phone number={phone} /> : <ShortId id={party} />),
    },
    { key: 'sessions', head: words.sessions, align: 'end', cell: (one) => format.number(one.sessions) },
    { key: 'first', head: words.first, cell: ({ first }) => <Time at={first} /> },
    { key: 'last', head: words.last, cell: ({ last }) => <Time at={last} /> },
    { key: 'kinds', head: words.what, grow: true, cell: ({ kinds }) => kinds.join(', ') },
  ];
  const save = () =>
    saveText(
      'breach-report.csv',
      'text/csv',
      writeCsv([
        ['party', 'phone', 'sessions', 'first', 'last', 'kinds'],
        ...report.people.map((one) => [
          ...[one.party, one.phone ?? '', String(one.sessions), one.first, one.last],
          one.kinds.join(' '),
        ]),
      ]),
    );
  return (
    <>
      <div className="row spread" role="status">
        <strong>{words.reported(format.number(report.people.length), format.number(report.entries))}</strong>
        {report.people.length > 0 && <Button onClick={save}>{words.print}</Button>}
      </div>
      {report.people.length === 0 ? (
        <Empty>{words.nobody}</Empty>
      ) : (
        <Table label={words.breach} columns={columns} rows={report.people} idOf={({ party }) => party} />
      )}
    </>
  );
}
