/** What a program would do: who calls, when, with what; the steps, and how it came to them. */
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  ErrorBox,
  Field,
  Table,
  TextArea,
  TimeField,
  type Tone,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import type { Explanation } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

type Trace = NonNullable<Explanation['trace']>;
interface Tested {
  readonly trace: Trace;
  readonly summary: readonly string[];
}
const tones: Readonly<Record<Trace['rules'][number]['outcome'], Tone>> = {
  fired: 'good',
  false: 'neutral',
  error: 'bad',
};

const initial = {
  ...{ caller: 'customer', roles: 'agent, customer', session: '', at: '' },
  ...{ metadata: '', calls: '0' },
};

/** `definition`: undefined while what stands in the editor is no JSON. */
export function Try(props: {
  readonly definition: unknown;
  readonly show: (pointer: string) => void;
  readonly onProblem: (error: unknown) => void;
}) {
  const { definition, show, onProblem } = props;
  const words = useWords().program;
  const format = useFormat();
  const [values, setValues] = useState(initial);
  const set = (name: keyof typeof initial) => (event: { readonly target: { readonly value: string } }) =>
    setValues((before) => ({ ...before, [name]: event.target.value }));
  const metadata = readObject(values.metadata);
  const test = useMutation({
    mutationFn: () =>
      api.post<Tested>('/v1/programs/test', {
        definition,
        ...testOf(values, metadata, format.instant(values.at)),
      }),
    onError: onProblem,
    onSuccess: () => onProblem(undefined),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (metadata && definition !== undefined) test.mutate();
  };
  return (
    <Card title={words.test}>
      <p className="muted">{words.testHint}</p>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.caller}
          hint={words.callerHint}
          value={values.caller}
          required
          onChange={set('caller')}
        />
        <Field
          label={words.roles}
          hint={words.rolesHint}
          value={values.roles}
          disabled={values.session !== ''}
          onChange={set('roles')}
        />
        <Field
          label={words.session}
          hint={words.sessionHint}
          value={values.session}
          onChange={set('session')}
        />
        <TimeField
          label={words.time}
          hint={words.timeHint}
          value={values.at}
          onType={(at) => setValues((before) => ({ ...before, at }))}
        />
        <Field label={words.calls} type="number" min={0} value={values.calls} onChange={set('calls')} />
        <TextArea
          label={words.metadata}
          fault={metadata ? undefined : words.metadataWrong}
          value={values.metadata}
          onChange={set('metadata')}
        />
        <div className="row">
          <Button type="submit" look="primary" busy={test.isPending} disabled={definition === undefined}>
            {words.run}
          </Button>
        </div>
      </form>
      <ErrorBox error={test.error} />
      {test.data && <Answer tested={test.data} show={show} />}
    </Card>
  );
}

function testOf(values: typeof initial, metadata: object | undefined, at: string | undefined) {
  const session = values.session.trim();
  return {
    caller: values.caller.trim(),
    ...(session === ''
      ? { roles: values.roles.split(',').flatMap((role) => role.trim() || []) }
      : { session }),
    ...(at === undefined ? {} : { at }),
    ...(values.metadata.trim() === '' ? {} : { metadata }),
    ...(Number(values.calls) > 0 ? { attempt: { calls: Number(values.calls) } } : {}),
  };
}

function readObject(text: string): object | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function Answer({ tested, show }: { readonly tested: Tested; readonly show: (pointer: string) => void }) {
  const words = useWords().program;
  const { trace, summary } = tested;
  return (
    <div className="stack" role="status">
      <h3>{words.steps}</h3>
      {summary.length === 0 ? (
        <p>{words.noSteps}</p>
      ) : (
        <ol>
          {summary.map((step, index) => (
            <li key={`${trace.steps[index]?.place} ${step}`}>{step}</li>
          ))}
        </ol>
      )}
      {!trace.open && <p className="notice warn">{words.scheduleClosed}</p>}
      {trace.forbidden.length > 0 && (
        <p className="notice warn">
          {words.forbidden}: {trace.forbidden.join(', ')}
        </p>
      )}
      <Table
        label={words.trace}
        rows={trace.rules}
        idOf={({ place }) => place}
        onOpen={({ place }) => show(place)}
        columns={[
          {
            key: 'place',
            head: words.place,
            cell: ({ place }) => (
              <button type="button" className="button quiet small" onClick={() => show(place)}>
                {place}
              </button>
            ),
          },
          {
            key: 'rule',
            head: words.rule,
            grow: true,
            cell: ({ name, error }) => [name, error].filter(Boolean).join(': '),
          },
          {
            key: 'outcome',
            head: words.outcome,
            cell: ({ outcome }) => <Badge tone={tones[outcome]}>{words.outcomes[outcome]}</Badge>,
          },
        ]}
      />
    </div>
  );
}
