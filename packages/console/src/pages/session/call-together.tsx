/** Rings one participant, then the other. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Dialog, ErrorBox, Select, useToast } from '../../components/index.ts';
import type { Call, Session } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function CallTogether({ session }: { readonly session: Session }) {
  const all = useWords();
  const words = all.session;
  const client = useQueryClient();
  const toast = useToast();
  const present = session.participants.filter(({ leftAt, open }) => leftAt === undefined && !open);
  const [asking, setAsking] = useState(false);
  const [from, setFrom] = useState(present[0]?.id ?? '');
  const [to, setTo] = useState('');
  const call = useMutation({
    mutationFn: () =>
      api.post<Call>(at`/v1/sessions/${session.id}/calls`, { from, ...(to === '' ? {} : { to }) }),
    onSuccess: () => {
      setAsking(false);
      toast(words.calling);
      void client.invalidateQueries({ queryKey: ['calls'] });
    },
  });
  const choices = present.map(({ id, role, phone }) => ({ value: id, label: `${role} ${phone}` }));
  return (
    <>
      <Button onClick={() => setAsking(true)}>{words.callThem}</Button>
      {asking && (
        <Dialog title={words.callThem} onClose={() => setAsking(false)}>
          <div className="stack">
            <Select label={words.callFrom} value={from} choices={choices} onChoose={setFrom} />
            <Select
              label={words.callTo}
              value={to}
              choices={[
                { value: '', label: words.callByProgram },
                ...choices.filter(({ value }) => value !== from),
              ]}
              onChoose={setTo}
            />
            <ErrorBox error={call.error} />
            <div className="row end">
              <Button onClick={() => setAsking(false)}>{all.common.cancel}</Button>
              <Button look="primary" busy={call.isPending} onClick={() => call.mutate()}>
                {words.callStart}
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}
