/** Why a call went as it did: which program, which rules, which steps. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import { Badge, Button, ErrorBox, Fact, Facts, Loading } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import type { Explanation, Participant } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { roleOf } from '../people.tsx';

export function ExplainCall(props: { readonly call: string; readonly participants: readonly Participant[] }) {
  const { call, participants } = props;
  const words = useWords().session;
  const [open, setOpen] = useState(false);
  const { data, error, isLoading } = useQuery({
    queryKey: ['calls', call, 'explanation'],
    queryFn: ({ signal }) => api.get<Explanation>(at`/v1/calls/${call}/explanation`, {}, { signal }),
    enabled: open,
    staleTime: 30_000,
  });
  return (
    <>
      <Button onClick={() => setOpen(!open)} aria-expanded={open}>
        {open ? words.explainHide : words.explain}
      </Button>
      {open && (
        <div className="explanation stack">
          {isLoading && <Loading />}
          {isProblem(error, 'no-explanation') ? (
            <p className="muted">{words.noExplanation}</p>
          ) : (
            <ErrorBox error={error} />
          )}
          {data && <Explained explanation={data} participants={participants} />}
        </div>
      )}
    </>
  );
}

function Explained(props: {
  readonly explanation: Explanation;
  readonly participants: readonly Participant[];
}) {
  const { trace, steps } = props.explanation;
  const words = useWords().session;
  const format = useFormat();
  return (
    <>
      {trace && (
        <Facts>
          <Fact name={words.program}>{words.programSource[trace.program.source]}</Fact>
          {!trace.open && <Fact name={words.program}>{words.scheduleClosed}</Fact>}
          {trace.forbidden.length > 0 && <Fact name={words.forbidden}>{format.list(trace.forbidden)}</Fact>}
        </Facts>
      )}
      {trace && trace.rules.length > 0 && (
        <ol className="list" aria-label={words.rules}>
          {trace.rules.map((rule) => (
            <li key={rule.place} className="row">
              <code>{rule.place}</code> {rule.name}
              <Badge tone={rule.outcome === 'fired' ? 'good' : rule.outcome === 'error' ? 'bad' : 'neutral'}>
                {words.ruleOutcome[rule.outcome]}
              </Badge>
              {rule.error && <span className="fault">{rule.error}</span>}
            </li>
          ))}
        </ol>
      )}
      <h3>{words.taken}</h3>
      <ol aria-label={words.taken}>
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same step can be taken twice, in this order
          <li key={index}>
            {step.verb} {roleOf(props.participants, step.participant)} → {step.outcome}{' '}
            <code className="muted">{step.place}</code>
          </li>
        ))}
      </ol>
    </>
  );
}
