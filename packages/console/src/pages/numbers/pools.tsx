/** One card a pool: what it has, what the busiest person needs, where that leads, and its rules. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  Checkbox,
  Dialog,
  Empty,
  ErrorBox,
  Fact,
  Facts,
  Field,
  Loading,
  Select,
  TextArea,
  Time,
} from '../../components/index.ts';
import { Plot } from '../../components/plot.tsx';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import type { ListOf, Pool, PoolForecast } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function usePools() {
  return useQuery({
    queryKey: ['pools', 'list'],
    queryFn: ({ signal }) => api.get<ListOf<Pool>>('/v1/pools', {}, { signal }),
  });
}

export function Pools() {
  const words = useWords().numbers;
  const pools = usePools();
  if (pools.isLoading) return <Loading />;
  const items = pools.data?.items ?? [];
  return (
    <>
      <ErrorBox error={pools.error} onRetry={() => void pools.refetch()} />
      {items.length === 0 && !pools.error && <Empty>{words.noPools}</Empty>}
      {items.map((pool) => (
        <PoolCard key={pool.name} pool={pool} />
      ))}
    </>
  );
}

const tones = { enough: 'good', low: 'warn', short: 'bad' } as const;

function PoolCard({ pool }: { readonly pool: Pool }) {
  const words = useWords().numbers;
  const format = useFormat();
  const may = useMay();
  const [editing, setEditing] = useState(false);
  const forecast = useQuery({
    queryKey: ['pools', 'forecast', pool.name],
    queryFn: ({ signal }) => api.get<PoolForecast>(at`/v1/pools/${pool.name}/forecast`, {}, { signal }),
  });
  const { data } = forecast;
  return (
    <Card
      title={pool.name}
      actions={
        <>
          {data && <Badge tone={tones[data.status]}>{words.status[data.status]}</Badge>}
          <Link to="/numbers" search={{ tab: 'numbers', pool: pool.name }}>
            {words.tabs.numbers} ({format.number(pool.numbers)})
          </Link>
          {may('numbers:write') && <Button onClick={() => setEditing(true)}>{words.edit}</Button>}
        </>
      }
    >
      <ErrorBox error={forecast.error} onRetry={() => void forecast.refetch()} />
      {data && <Forecast forecast={data} />}
      <Rules pool={pool} />
      {editing && <RulesDialog pool={pool} onClose={() => setEditing(false)} />}
    </Card>
  );
}

function Forecast({ forecast }: { readonly forecast: PoolForecast }) {
  const words = useWords().numbers;
  const format = useFormat();
  const { days, needed, numbers, headroom, trendPerDay, shortAt } = forecast;
  const used = words.useSummary(format.number(needed), format.number(numbers));
  const summary = `${used} ${words.useHint}`;
  return (
    <>
      <Facts>
        <Fact name={words.available}>{format.number(numbers)}</Fact>
        <Fact name={words.needed}>{format.number(needed)}</Fact>
        <Fact name={words.headroom}>{format.number(headroom)}</Fact>
        <Fact name={words.trend}>{format.number(trendPerDay, 1)}</Fact>
        <Fact name={words.shortAt}>{shortAt ? <Time at={shortAt} as="date" /> : words.never}</Fact>
      </Facts>
      {days.length > 1 && (
        <Plot
          label={words.use}
          summary={summary}
          x={days.map(({ day }) => Date.parse(day) / 1_000)}
          time
          xText={(day) => new Date(day * 1_000).toISOString().slice(5, 10)}
          series={[
            { label: words.needed, tone: 'accent', values: days.map((day) => day.needed) },
            { label: words.available, tone: 'good', dashed: true, values: days.map((day) => day.numbers) },
          ]}
        />
      )}
    </>
  );
}

function Rules({ pool }: { readonly pool: Pool }) {
  const words = useWords().numbers;
  const common = useWords().common;
  const format = useFormat();
  const cooldown = writeCooldown(pool.cooldown);
  return (
    <Facts>
      <Fact name={words.cooldown}>
        {cooldown === '' ? 'agent=24, *=720' : cooldown.replaceAll('\n', ', ')}
      </Fact>
      <Fact name={words.exhaustion}>{words.exhaustions[pool.exhaustion]}</Fact>
      <Fact name={words.match}>{words.matches[pool.match]}</Fact>
      <Fact name={words.spread}>{pool.spread ? common.yes : common.no}</Fact>
      <Fact name={words.loadLimit}>
        {pool.loadLimit === undefined ? common.none : format.number(pool.loadLimit)}
      </Fact>
    </Facts>
  );
}

function writeCooldown(cooldown: Pool['cooldown']): string {
  return Object.entries(cooldown)
    .map(([role, seconds]) => `${role}=${seconds / 3_600}`)
    .join('\n');
}

/** Undefined when it can't be read. */
function readCooldown(text: string): Readonly<Record<string, number>> | undefined {
  const lines = text.split(/[\n,]/).flatMap((line) => line.trim() || []);
  const pairs = lines.map((line) => /^(\*|[a-z][a-z0-9_-]{0,31})\s*=\s*(\d+(?:\.\d+)?)$/.exec(line));
  if (pairs.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', Math.round(Number(pair?.[2]) * 3_600)]));
}

function RulesDialog({ pool, onClose }: { readonly pool: Pool; readonly onClose: () => void }) {
  const words = useWords().numbers;
  const common = useWords().common;
  const client = useQueryClient();
  const [cooldown, setCooldown] = useState(writeCooldown(pool.cooldown));
  const [exhaustion, setExhaustion] = useState(pool.exhaustion);
  const [match, setMatch] = useState(pool.match);
  const [spread, setSpread] = useState(pool.spread);
  const [loadLimit, setLoadLimit] = useState(String(pool.loadLimit ?? ''));
  const read = readCooldown(cooldown);
  const save = useMutation({
    mutationFn: () =>
      api.patch<Pool>(at`/v1/pools/${pool.name}`, {
        ...{ cooldown: read, exhaustion, match, spread },
        loadLimit: loadLimit === '' ? null : Number(loadLimit),
      }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['pools'] });
      onClose();
    },
  });
  const problem = isProblem(save.error) ? save.error : undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (read) save.mutate();
  };
  return (
    <Dialog title={`${words.rules}: ${pool.name}`} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <TextArea
          label={words.cooldown}
          hint={words.cooldownHint}
          fault={read ? problem?.at('/cooldown') : words.cooldownWrong}
          value={cooldown}
          onChange={({ target }) => setCooldown(target.value)}
        />
        <Select
          label={words.exhaustion}
          value={exhaustion}
          onChoose={setExhaustion}
          choices={choices(words.exhaustions)}
        />
        <Select label={words.match} value={match} onChoose={setMatch} choices={choices(words.matches)} />
        <Checkbox
          label={words.spread}
          hint={words.spreadHint}
          checked={spread}
          onChange={({ target }) => setSpread(target.checked)}
        />
        <Field
          label={words.loadLimit}
          hint={words.loadLimitHint}
          fault={problem?.at('/loadLimit')}
          type="number"
          min={1}
          max={1_000_000}
          value={loadLimit}
          onChange={({ target }) => setLoadLimit(target.value)}
        />
        <ErrorBox error={save.error} />
        <div className="row end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {common.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function choices<Value extends string>(words: Readonly<Record<Value, string>>) {
  return (Object.entries(words) as [Value, string][]).map(([value, label]) => ({ value, label }));
}
