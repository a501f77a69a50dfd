/**
 * What is searched for. All of it stands in the address, but a person's number: that is typed once, sent in a body, and
 * held in memory for as long as the page is open.
 */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { Button, Field, TimeField } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { PhoneField, usePhoneOnce } from '../../parts/phone-once.tsx';
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
  const format = useFormat();
  const typed = Object.fromEntries(names.flatMap((name) => (search[name] ? [[name, search[name]]] : [])));
  const filter = Object.fromEntries(
    Object.entries(typed).map(([name, value]) => [
      name,
      name === 'from' || name === 'to' ? (format.instant(String(value)) ?? value) : value,
    ]),
  );
  return { typed, filter, entry: search['entry'] };
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
      maxLength={100}
      value={values[name] ?? ''}
      onChange={({ target }) => setValues((before) => ({ ...before, [name]: target.value.trim() }))}
    />
  );
  const time = (name: 'from' | 'to') => (
    <TimeField
      label={words[name]}
      value={values[name] ?? ''}
      onType={(wall) => setValues((before) => ({ ...before, [name]: wall }))}
    />
  );
  return (
    <form className="stack" onSubmit={submit}>
      <div className="fields">
        {field('kind', words.kindHint)}
        {field('actor', words.actorHint)}
        {field('session')}
        {field('subject', words.subjectHint)}
        {time('from')}
        {time('to')}
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
  const person = usePhoneOnce();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const phone = person.take();
    if (phone !== undefined) hold(phone);
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
      <PhoneField
        label={words.person}
        hint={words.personHint}
        value={person.text}
        fault={person.fault}
        onType={person.type}
      />
      <Button type="submit">{words.searchPerson}</Button>
    </form>
  );
}
