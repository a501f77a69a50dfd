/** Places in a recording that somebody wants to find again, with a note. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, ErrorBox, Field } from '../../components/index.ts';
import { span } from '../../format.ts';
import type { ListOf, Mark } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { Actor } from '../people.tsx';

export interface HeldMarks {
  readonly call: string;
  readonly items: readonly Mark[];
  readonly error: unknown;
}

export function useMarks(call: string): HeldMarks {
  const { data, error } = useQuery({
    queryKey: ['marks', call],
    queryFn: ({ signal }) => api.get<ListOf<Mark>>(at`/v1/calls/${call}/marks`, {}, { signal }),
  });
  const items = (data?.items ?? []).toSorted((one, other) => one.milliseconds - other.milliseconds);
  return { call, items, error };
}

export function Marks(props: {
  readonly marks: HeldMarks;
  /** Seconds, while one is being added. */
  readonly marking: number | undefined;
  readonly onMarked: () => void;
  readonly onJump: (seconds: number) => void;
}) {
  const { marks, marking, onMarked, onJump } = props;
  const words = useWords().listen;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (mark: string) => api.remove(at`/v1/calls/${marks.call}/marks/${mark}`),
    onSettled: () => client.invalidateQueries({ queryKey: ['marks', marks.call] }),
  });
  return (
    <div className="stack">
      {marking !== undefined && (
        <NewMark key={marking} call={marks.call} seconds={marking} onDone={onMarked} />
      )}
      <ErrorBox error={marks.error ?? remove.error} />
      {marks.items.length === 0 ? (
        <p className="muted small">{words.noMarks}</p>
      ) : (
        <ul className="list" aria-label={words.marks}>
          {marks.items.map((mark) => {
            const place = span(mark.milliseconds);
            return (
              <li key={mark.id} className="row">
                <Button
                  className="small"
                  aria-label={words.jumpTo(place)}
                  onClick={() => onJump(mark.milliseconds / 1000)}
                >
                  {place}
                </Button>
                <span>{mark.note}</span>
                <span className="muted small">
                  <Actor id={mark.by} />
                </span>
                <Button
                  look="quiet"
                  className="small"
                  aria-label={words.removeMark(place)}
                  onClick={() => remove.mutate(mark.id)}
                >
                  ✕
                </Button>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function NewMark(props: { readonly call: string; readonly seconds: number; readonly onDone: () => void }) {
  const { call, seconds, onDone } = props;
  const all = useWords();
  const words = all.listen;
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: () =>
      api.post<Mark>(at`/v1/calls/${call}/marks`, {
        milliseconds: Math.round(seconds * 1000),
        note: note.trim(),
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['marks', call] });
      onDone();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (note.trim() !== '') add.mutate();
  };
  return (
    <form className="row" onSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && onDone()}>
      <strong>{words.markAt(span(seconds * 1000))}</strong>
      <Field
        label={words.markNote}
        bare
        value={note}
        maxLength={500}
        required
        autoFocus
        placeholder={words.markNote}
        onChange={({ target }) => setNote(target.value)}
      />
      <Button type="submit" look="primary" busy={add.isPending}>
        {all.common.save}
      </Button>
      <Button onClick={onDone}>{all.common.cancel}</Button>
      <ErrorBox error={add.error} />
    </form>
  );
}
