/** What those who work on it tell each other. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, ErrorBox, TextArea, Time } from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import { Actor } from '../../parts/people.tsx';
import type { DisputeFile, DisputeNote, Participant } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Notes(props: {
  readonly dispute: DisputeFile;
  readonly participants: readonly Participant[];
}) {
  const { dispute, participants } = props;
  const words = useWords().dispute;
  const may = useMay();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const add = useMutation({
    mutationFn: () => api.post<DisputeNote>(at`/v1/disputes/${dispute.id}/notes`, { text: text.trim() }),
    onSuccess: () => {
      setText('');
      void client.invalidateQueries({ queryKey: ['disputes', dispute.id] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim() !== '') add.mutate();
  };
  return (
    <Card title={words.notes}>
      {dispute.notes.length === 0 && <p className="muted">{words.noNotes}</p>}
      <ul className="list">
        {dispute.notes.map((note) => (
          <li key={note.id}>
            <div className="muted small">
              <Actor id={note.by} participants={participants} /> · <Time at={note.at} />
            </div>
            <p className="written">{note.text}</p>
          </li>
        ))}
      </ul>
      {may('disputes:write') && (
        <form className="stack" onSubmit={submit}>
          <TextArea
            label={words.note}
            hint={words.noteHint}
            value={text}
            maxLength={10_000}
            onChange={({ target }) => setText(target.value)}
          />
          <ErrorBox error={add.error} />
          <div className="row">
            <Button type="submit" busy={add.isPending} disabled={text.trim() === ''}>
              {words.addNote}
            </Button>
          </div>
        </form>
      )}
    </Card>
  );
}
