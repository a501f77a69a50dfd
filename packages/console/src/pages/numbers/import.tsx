import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api } from '../../api.ts';
import {
  Badge,
  Button,
  Card,
  Checkbox,
  ErrorBox,
  Field,
  Progress,
  Select,
  Table,
  type Tone,
} from '../../components/index.ts';
import { saveText, writeCsv } from '../../csv.ts';
import { useFormat } from '../../format.ts';
import { useCarriers } from '../../parts/carriers.ts';
import { useWords } from '../../words/index.tsx';
import { batchesOf, type ImportLine, type LineResult, readNumbers, sendBatch } from './importing.ts';

/** Lines shown; the rest is in the file of refused ones. */
const mostShown = 500;
/** Results are drawn so often while it runs. */
const drawMilliseconds = 200;
const tones: Readonly<Record<LineResult['result'], Tone>> = {
  waiting: 'neutral',
  added: 'good',
  unchanged: 'info',
  failed: 'bad',
};
const waiting: LineResult = { result: 'waiting' };

export function ImportNumbers() {
  const words = useWords().numbers;
  const format = useFormat();
  const carriers = useCarriers();
  const [text, setText] = useState('');
  const [pool, setPool] = useState('default');
  const [chosenCarrier, setCarrier] = useState('');
  const carrier = chosenCarrier || (carriers[0]?.name ?? '');
  const run = useImport();
  const { fault, lines } = text === '' ? { lines: [] } : readNumbers(text, { pool, carrier });
  return (
    <Card>
      <Field
        label={words.file}
        hint={words.fileHint}
        fault={fault && words[fault]}
        type="file"
        accept=".csv,text/csv"
        disabled={run.running}
        onChange={({ target }) => {
          run.forget();
          void target.files?.[0]?.text().then(setText);
        }}
      />
      <p className="muted">{words.fallback}</p>
      <div className="filters">
        <Field
          label={words.pool}
          value={pool}
          maxLength={63}
          onChange={({ target }) => setPool(target.value)}
        />
        <Select
          label={words.carrier}
          hint={carriers.length === 0 ? words.noCarrier : undefined}
          value={carrier}
          choices={carriers.map(({ name }) => ({ value: name, label: name }))}
          onChoose={setCarrier}
        />
      </div>
      <div className="row">
        <Button
          look="primary"
          disabled={lines.length === 0 || carrier === ''}
          busy={run.running}
          onClick={() => void run.start(lines)}
        >
          {words.start(format.number(lines.length))}
        </Button>
        {run.running && <Button onClick={run.stop}>{words.cancelImport}</Button>}
      </div>
      {run.lines.length > 0 && <Results run={run} />}
      <ErrorBox error={run.error} />
    </Card>
  );
}

type Run = ReturnType<typeof useImport>;

function useImport() {
  const client = useQueryClient();
  const [, draw] = useState(0);
  const state = useRef({
    lines: [] as readonly ImportLine[],
    results: new Map<number, LineResult>(),
    counts: { added: 0, unchanged: 0, failed: 0 },
    running: false,
    stopped: false,
    error: undefined as unknown,
  });
  const redraw = () => draw((count) => count + 1);
  const { current } = state;

  async function start(lines: readonly ImportLine[]): Promise<void> {
    Object.assign(current, {
      ...{ lines, results: new Map(), counts: { added: 0, unchanged: 0, failed: 0 } },
      ...{ running: true, stopped: false, error: undefined },
    });
    const drawing = setInterval(redraw, drawMilliseconds);
    try {
      for (const batch of batchesOf(lines)) {
        if (current.stopped) break;
        await sendBatch(batch, send, tell, () => current.stopped);
      }
    } catch (error) {
      current.error = error;
    }
    clearInterval(drawing);
    current.running = false;
    redraw();
    for (const key of ['numbers', 'pools']) void client.invalidateQueries({ queryKey: [key] });
  }
  async function send(lines: readonly ImportLine[]) {
    const [first] = lines;
    const answer = await api.post<{ added: number; unchanged: number }>('/v1/numbers', {
      numbers: lines.map(({ number }) => number),
      pool: first?.pool,
      carrier: first?.carrier,
      ...(first && first.capabilities.length > 0 ? { capabilities: first.capabilities } : {}),
      ...(first && first.area !== '' ? { area: first.area } : {}),
    });
    current.counts.added += answer.added;
    current.counts.unchanged += answer.unchanged;
    return answer;
  }
  function tell(lines: readonly ImportLine[], result: LineResult): void {
    for (const { line } of lines) current.results.set(line, result);
    if (result.result === 'failed') current.counts.failed += lines.length;
  }
  return {
    ...current,
    start,
    stop() {
      current.stopped = true;
      redraw();
    },
    forget() {
      Object.assign(current, { lines: [], results: new Map(), error: undefined });
      redraw();
    },
  };
}

function Results({ run }: { readonly run: Run }) {
  const words = useWords().numbers;
  const format = useFormat();
  const [onlyFailed, setOnlyFailed] = useState(false);
  const { lines, results, counts, running, stopped } = run;
  const resultOf = ({ line }: ImportLine) => results.get(line) ?? waiting;
  const failed = lines.filter((line) => resultOf(line).result === 'failed');
  const shown = (onlyFailed ? failed : lines).slice(0, mostShown);
  const save = () => {
    const rows = failed.map((line) => {
      const result = resultOf(line);
      return [String(line.line), line.number, result.result === 'failed' ? result.detail : ''];
    });
    saveText('refused-numbers.csv', 'text/csv', writeCsv([['line', 'number', 'reason'], ...rows]));
  };
  return (
    <>
      <Progress label={words.importing} done={results.size} of={lines.length} />
      {!running && (
        <p role="status">
          {stopped && `${words.stopped} `}
          {words.finished(
            format.number(counts.added),
            format.number(counts.unchanged),
            format.number(counts.failed),
          )}
        </p>
      )}
      <div className="row">
        <Checkbox
          label={words.onlyFailed}
          checked={onlyFailed}
          onChange={({ target }) => setOnlyFailed(target.checked)}
        />
        {failed.length > 0 && !running && <Button onClick={save}>{words.problems}</Button>}
      </div>
      <Table
        label={words.result}
        rows={shown}
        idOf={({ line }) => String(line)}
        columns={[
          { key: 'line', head: words.line, align: 'end', cell: ({ line }) => format.number(line) },
          { key: 'number', head: words.number, cell: ({ number }) => <code>{number}</code> },
          { key: 'pool', head: words.pool, cell: ({ pool }) => pool },
          {
            key: 'result',
            head: words.result,
            grow: true,
            cell: (line) => {
              const result = resultOf(line);
              return (
                <span className="row">
                  <Badge tone={tones[result.result]}>{words.results[result.result]}</Badge>
                  {result.result === 'failed' && result.detail}
                </span>
              );
            },
          },
        ]}
      />
    </>
  );
}
