/** The planner: how many numbers a demand, or past jobs, need; and what else would change it. */
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, request, withQuery } from '../../api.ts';
import { Button, Card, ErrorBox, Fact, Facts, Field, Table } from '../../components/index.ts';
import { Plot } from '../../components/plot.tsx';
import { useFormat } from '../../format.ts';
import { useWords } from '../../words/index.tsx';

interface PlanAnswer {
  readonly roles: readonly {
    readonly role: string;
    readonly parties: number;
    readonly lowerBound: number;
    readonly recommended: number;
  }[];
  readonly decidedBy?: string;
  readonly lowerBound: number;
  readonly recommended: number;
  readonly monthlyCost?: number;
  readonly alternatives: readonly {
    readonly change: string;
    readonly lowerBound: number;
    readonly recommended: number;
    readonly monthlyCost?: number;
  }[];
  readonly curve: {
    readonly over: 'sessions-per-hour' | 'days';
    readonly points: readonly { readonly x: number; readonly lower: number; readonly recommended: number }[];
  };
  readonly notes: readonly string[];
}

const mostBytes = 8 * 1_048_576;
const fields = ['sessionsPerHour', 'minutes', 'agents', 'customers', 'busiest', 'price', 'growth'] as const;
type Values = Readonly<Record<(typeof fields)[number], string>>;
const initial: Values = {
  ...{ sessionsPerHour: '500', minutes: '40', agents: '600', customers: '40000' },
  ...{ busiest: '', price: '', growth: '1' },
};

export function Planner() {
  const words = useWords().numbers;
  const [values, setValues] = useState(initial);
  const [file, setFile] = useState<File>();
  const tooLarge = file !== undefined && file.size > mostBytes;
  const plan = useMutation({ mutationFn: () => (file ? planJobs(file, values) : planDemand(values)) });
  const field = (name: keyof Values, least: number, hint?: string) => (
    <Field
      label={words[name]}
      hint={hint}
      type="number"
      step="any"
      min={least}
      value={values[name]}
      disabled={file !== undefined && name !== 'price' && name !== 'growth'}
      onChange={({ target }) => setValues((before) => ({ ...before, [name]: target.value }))}
    />
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!tooLarge) plan.mutate();
  };
  return (
    <>
      <Card>
        <p className="muted">{words.planHint}</p>
        <form className="stack" onSubmit={submit}>
          <div className="fields">
            {field('sessionsPerHour', 0)}
            {field('minutes', 0)}
            {field('agents', 1)}
            {field('customers', 1)}
            {field('busiest', 0, words.busiestHint)}
            {field('price', 0)}
          </div>
          <div className="fields">
            <Field
              label={words.jobs}
              hint={words.jobsHint}
              fault={tooLarge ? words.jobsTooLarge : undefined}
              type="file"
              accept=".csv,text/csv"
              onChange={({ target }) => setFile(target.files?.[0])}
            />
            {field('growth', 0, words.growthHint)}
          </div>
          <div className="row">
            <Button type="submit" look="primary" busy={plan.isPending}>
              {words.compute}
            </Button>
          </div>
          <ErrorBox error={plan.error} />
        </form>
      </Card>
      {plan.data && <Answer plan={plan.data} />}
    </>
  );
}

function planDemand(values: Values): Promise<PlanAnswer> {
  const busiest = values.busiest === '' ? {} : { busiestPerDay: Number(values.busiest) };
  return api.post('/v1/plan', {
    sessionsPerHour: Number(values.sessionsPerHour),
    duration: { meanSeconds: Number(values.minutes) * 60 },
    roles: [
      { role: 'agent', parties: Number(values.agents), ...busiest },
      { role: 'customer', parties: Number(values.customers) },
    ],
    ...(values.price === '' ? {} : { pricePerNumber: Number(values.price) }),
  });
}

async function planJobs(file: File, { growth, price }: Values): Promise<PlanAnswer> {
  const path = withQuery('/v1/plan', { growth, pricePerNumber: price, skipBadRows: 'true' });
  const answer = await request('POST', path, undefined, {
    headers: { 'content-type': 'text/csv' },
    raw: await file.text(),
  });
  return answer.json();
}

function Answer({ plan }: { readonly plan: PlanAnswer }) {
  const words = useWords().numbers;
  const format = useFormat();
  const { recommended, lowerBound, decidedBy, monthlyCost, curve } = plan;
  return (
    <Card>
      <Facts>
        <Fact name={words.recommended}>
          <strong>{format.number(recommended)}</strong>
        </Fact>
        <Fact name={words.lowerBound}>{format.number(lowerBound)}</Fact>
        {decidedBy && <Fact name={words.decidedBy}>{decidedBy}</Fact>}
        {monthlyCost !== undefined && <Fact name={words.cost}>{format.number(monthlyCost, 2)}</Fact>}
      </Facts>
      <Plot
        label={words.recommended}
        summary={words.planSummary(format.number(recommended), format.number(lowerBound))}
        x={curve.points.map(({ x }) => x)}
        xLabel={words.curve[curve.over]}
        xText={(x) => format.number(x, 1)}
        series={[
          {
            label: words.recommended,
            tone: 'accent',
            values: curve.points.map((point) => point.recommended),
          },
          {
            label: words.lowerBound,
            tone: 'muted',
            dashed: true,
            values: curve.points.map(({ lower }) => lower),
          },
        ]}
      />
      <Table
        label={words.role}
        rows={plan.roles}
        idOf={({ role }) => role}
        columns={[
          { key: 'role', head: words.role, cell: ({ role }) => role },
          { key: 'parties', head: words.parties, align: 'end', cell: (row) => format.number(row.parties) },
          {
            key: 'lower',
            head: words.lowerBound,
            align: 'end',
            cell: (row) => format.number(row.lowerBound),
          },
          {
            key: 'need',
            head: words.recommended,
            align: 'end',
            cell: (row) => format.number(row.recommended),
          },
        ]}
      />
      {plan.alternatives.length > 0 && (
        <Table
          label={words.alternatives}
          rows={plan.alternatives}
          idOf={({ change }) => change}
          columns={[
            { key: 'change', head: words.alternatives, grow: true, cell: ({ change }) => change },
            {
              key: 'need',
              head: words.recommended,
              align: 'end',
              cell: (row) => format.number(row.recommended),
            },
            {
              key: 'cost',
              head: words.cost,
              align: 'end',
              cell: (row) => (row.monthlyCost === undefined ? '' : format.number(row.monthlyCost, 2)),
            },
          ]}
        />
      )}
      {plan.notes.map((note) => (
        <p key={note} className="muted small">
          {note}
        </p>
      ))}
    </Card>
  );
}
