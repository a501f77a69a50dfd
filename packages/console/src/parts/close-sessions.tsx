/** Closing one session or many, in portions, so that it can be watched and stopped. What failed stays selected. */
import { useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useRef, useState } from 'react';
import { api, ProblemError } from '../api.ts';
import { Button, Dialog, ErrorBox, Field, Progress, Select, useToast } from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useWords } from '../words/index.tsx';

const portion = 25;
const shortReason = /^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$/;
type Why = 'resolved' | 'cancelled' | 'other';
type Ongoing = 'declared' | 'finish' | 'hangup';

interface BulkAnswer {
  readonly results: readonly {
    readonly status: number;
    readonly problem?: { readonly title: string; readonly detail: string; readonly type: string };
  }[];
}
interface Closing {
  readonly done: number;
  readonly failed: readonly string[];
  readonly error?: unknown;
}

export function CloseDialog(props: {
  readonly ids: readonly string[];
  readonly onClose: () => void;
  /** Those that were not closed. */
  readonly onDone: (failed: readonly string[]) => void;
}) {
  const { ids, onClose, onDone } = props;
  const all = useWords();
  const words = all.sessions;
  const format = useFormat();
  const toast = useToast();
  const client = useQueryClient();
  const [why, setWhy] = useState<Why>('resolved');
  const [text, setText] = useState('');
  const [ongoing, setOngoing] = useState<Ongoing>('declared');
  const [closing, setClosing] = useState<Closing>();
  const stopped = useRef(false);
  const reason = why === 'other' ? text.trim() : why;
  const running = closing !== undefined && closing.error === undefined && closing.done < ids.length;

  const run = async () => {
    stopped.current = false;
    const close = { reason, ...(ongoing === 'declared' ? {} : { ongoingCalls: ongoing }) };
    const result = await closeAll(ids, close, setClosing, () => stopped.current);
    await client.invalidateQueries({ queryKey: ['sessions'] });
    toast(words.closedSome(format.number(ids.length - result.failed.length)));
    if (result.failed.length === 0) onDone([]);
    else onDone(result.failed);
    if (result.error === undefined) onClose();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!running && shortReason.test(reason)) void run();
  };
  const leave = () => {
    stopped.current = true;
    onClose();
  };
  return (
    <Dialog title={words.closeTitle(format.number(ids.length))} onClose={leave}>
      <form className="stack" onSubmit={submit}>
        <p className="muted">{words.closeHint}</p>
        <Select
          label={words.closeReason}
          value={why}
          choices={(['resolved', 'cancelled', 'other'] as const).map((value) => ({
            value,
            label: words.reasons[value],
          }))}
          onChoose={setWhy}
        />
        {why === 'other' && (
          <Field
            label={words.closeWords}
            hint={words.closeWordsHint}
            value={text}
            maxLength={64}
            required
            pattern={shortReason.source.slice(1, -1)}
            onChange={({ target }) => setText(target.value)}
          />
        )}
        <Select
          label={words.ongoing}
          value={ongoing}
          choices={(['declared', 'finish', 'hangup'] as const).map((value) => ({
            value,
            label: words.ongoingChoices[value],
          }))}
          onChoose={setOngoing}
        />
        {closing && <Progress label={words.closing} done={closing.done} of={ids.length} />}
        <ErrorBox error={closing?.error} />
        <div className="row end">
          <Button onClick={leave}>{running ? words.stop : all.common.cancel}</Button>
          <Button type="submit" look="danger" busy={running}>
            {words.close}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

async function closeAll(
  ids: readonly string[],
  close: object,
  tell: (closing: Closing) => void,
  stopped: () => boolean,
): Promise<Closing> {
  let closing: Closing = { done: 0, failed: [] };
  tell(closing);
  while (closing.done < ids.length && !stopped()) {
    const now = ids.slice(closing.done, closing.done + portion);
    try {
      const { results } = await api.post<BulkAnswer>('/v1/sessions/bulk', {
        items: now.map((id) => ({ action: 'close', id, close })),
      });
      const failed = now.filter((_, index) => (results[index]?.status ?? 500) >= 300);
      const problem = results.find((result) => result.problem)?.problem;
      closing = {
        done: closing.done + now.length,
        failed: [...closing.failed, ...failed],
        error: closing.error ?? (problem && new ProblemError({ ...problem, code: 'bulk', status: 0 })),
      };
    } catch (error) {
      closing = { done: closing.done, failed: [...closing.failed, ...ids.slice(closing.done)], error };
      tell(closing);
      return closing;
    }
    tell(closing);
  }
  // Stopped half-way: what was not tried stays selected.
  return { ...closing, failed: [...closing.failed, ...ids.slice(closing.done)] };
}
