/**
 * What is searched for. All of it stands in the address, but a person's number: that is typed once, sent in a body, and
 * held in memory for as long as the page is open.
 */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { Button, Field } from '../../components/index.ts';
import { useWords } from '../../words/index.tsx';

const names = ['kind', 'actor', 'session', 'subject', 'from', 'to'] as const;
type Name = (typeof names)[number];
export type LedgerFilter = Readonly<Partial<Record<Name, string>>>;

/** From the address; times as the person typed them become the API's. */
export function useLedgerFilter(): {
  readonly typed: LedgerFilter;
  readonly filter: LedgerFilter;
  /** The id of one entry that is looked at. */
  readonly entry: string | undefined;
} {
  const search: Readonly<Record<string, string>> = useSearch({ strict: false });
  const typed = Object.fromEntries(names.flatMap((name) => (search[name] ? [[name, search[name]]] : [])));
  const filter = Object.fromEntries(
    Object.entries(typed).map(([name, value]) => [
      name,
      name === 'from' || name === 'to' ? timeOf(String(value)) : value,
    ]),
  );
  return { typed, filter, entry: search['entry'] };
}

function timeOf(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}

export function FilterForm({ typed }: { readonly typed: LedgerFilter }) {
  const words = useWords().ledger;
  const common = useWords().common;
  const navigate = useNavigate();
  const [values, setValues] = useState(typed);
  const go = (filter: LedgerFilter) =>
    void navigate({
      to: '/ledger',
      search: (before) => ({ ...(before['tab'] ? { tab: before['tab'] } : {}), ...filter }),
    });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    go(Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== '')));
  };
  const field = (name: Name, hint?: string) => (
    <Field
      label={words[name]}
      hint={hint}
      type={name === 'from' || name === 'to' ? 'datetime-local' : 'text'}
      maxLength={100}
      value={values[name] ?? ''}
      onChange={({ target }) => setValues((before) => ({ ...before, [name]: target.value.trim() }))}
    />
  );
  return (
    <form className="stack" onSubmit={submit}>
      <div className="fields">
        {field('kind', words.kindHint)}
        {field('actor', words.actorHint)}
        {field('session')}
        {field('subject', words.subjectHint)}
        {field('from')}
        {field('to')}
      </div>
      <div className="row">
        <Button type="submit" look="primary">
          {common.search}
        </Button>
        <Button
          onClick={() => {
            setValues({});
            go({});
          }}
        >
          {common.reset}
        </Button>
      </div>
    </form>
  );
}

export function PersonForm(props: {
  readonly held: boolean;
  readonly hold: (phone: string | undefined) => void;
}) {
  const { held, hold } = props;
  const words = useWords().ledger;
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const phone = text.replaceAll(/[\s().-]/g, '');
  const wrong = !/^\+[1-9]\d{6,14}$/.test(phone);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    setText('');
    setTried(false);
    hold(phone);
  };
  if (held) {
    return (
      <div className="notice row spread" role="status">
        {words.personShown}
        <Button onClick={() => hold(undefined)}>{words.personEnd}</Button>
      </div>
    );
  }
  return (
    <form className="row" onSubmit={submit}>
      <Field
        label={words.person}
        hint={words.personHint}
        fault={tried && wrong ? words.personWrong : undefined}
        type="password"
        inputMode="tel"
        autoComplete="off"
        data-1p-ignore
        data-lpignore="true"
        spellCheck={false}
        maxLength={40}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <Button type="submit">{words.searchPerson}</Button>
    </form>
  );
}
