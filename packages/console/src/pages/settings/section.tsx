/** A card with a form that saves its part of the settings, and rows by country. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, type SubmitEvent, useId } from 'react';
import { api, isProblem, type ProblemError } from '../../api.ts';
import { Button, Card, ErrorBox, useToast } from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import type { Settings } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Section(props: {
  readonly title: string;
  readonly hint: string;
  /** Undefined while something in it can't be saved. */
  readonly change: object | undefined;
  readonly children: (problem: ProblemError | undefined) => ReactNode;
}) {
  const { title, hint, change, children } = props;
  const words = useWords().settings;
  const common = useWords().common;
  const may = useMay();
  const client = useQueryClient();
  const toast = useToast();
  const save = useMutation({
    mutationFn: (body: object) => api.patch<Settings>('/v1/settings', body),
    onSuccess: (settings) => {
      client.setQueryData(['settings'], settings);
      toast(words.saved);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (change) save.mutate(change);
  };
  const mayWrite = may('settings:write');
  return (
    <Card title={title}>
      <p className="muted">{hint}</p>
      <form onSubmit={submit}>
        <fieldset className="bare stack" disabled={!mayWrite}>
          <legend className="unseen">{title}</legend>
          {children(isProblem(save.error) ? save.error : undefined)}
          <ErrorBox error={save.error} />
          {mayWrite && (
            <div className="row">
              <Button type="submit" look="primary" busy={save.isPending} disabled={change === undefined}>
                {common.save}
              </Button>
            </div>
          )}
        </fieldset>
      </form>
    </Card>
  );
}

export interface CountryRow<Value> {
  readonly key: number;
  readonly country: string;
  readonly value: Value;
}

export function rowsOf<Value>(countries: Readonly<Record<string, Value>>): readonly CountryRow<Value>[] {
  return Object.entries(countries).map(([country, value], key) => ({ key, country, value }));
}

/** Undefined when a country is none, or there twice. */
export function countriesOf<Value>(
  rows: readonly CountryRow<Value>[],
): Readonly<Record<string, Value>> | undefined {
  const named = rows.map(({ country, value }) => [country.trim().toUpperCase(), value] as const);
  const good = named.every(([country]) => /^[A-Z]{2}$/.test(country));
  return good && new Set(named.map(([country]) => country)).size === named.length
    ? Object.fromEntries(named)
    : undefined;
}

export function Countries<Value>(props: {
  readonly label: string;
  readonly valueLabel: string;
  readonly rows: readonly CountryRow<Value>[];
  readonly fresh: Value;
  readonly onChange: (rows: readonly CountryRow<Value>[]) => void;
  readonly field: (label: string, value: Value, change: (value: Value) => void) => ReactNode;
}) {
  const { label, valueLabel, rows, fresh, onChange, field } = props;
  const words = useWords().settings;
  const id = useId();
  const set = (key: number, change: Partial<CountryRow<Value>>) =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...change } : row)));
  const wrong = countriesOf(rows) === undefined;
  return (
    <div className="stack">
      <strong>{label}</strong>
      {rows.map(({ key, country, value }) => (
        <div key={key} className="row">
          <input
            className="country"
            aria-label={words.country}
            aria-describedby={`${id}-hint`}
            aria-invalid={wrong || undefined}
            value={country}
            maxLength={2}
            required
            onChange={({ target }) => set(key, { country: target.value.toUpperCase() })}
          />
          {field(`${valueLabel}: ${country}`, value, (next) => set(key, { value: next }))}
          <Button
            look="quiet"
            className="small"
            aria-label={words.removeCountry(country)}
            onClick={() => onChange(rows.filter((row) => row.key !== key))}
          >
            ✕
          </Button>
        </div>
      ))}
      <div className={wrong ? 'fault' : 'hint'} id={`${id}-hint`}>
        {wrong ? words.countryWrong : words.countryHint}
      </div>
      <div className="row">
        <Button
          className="small"
          onClick={() =>
            onChange([
              ...rows,
              { key: Math.max(0, ...rows.map((row) => row.key)) + 1, country: '', value: fresh },
            ])
          }
        >
          {words.addCountry}
        </Button>
      </div>
    </div>
  );
}
