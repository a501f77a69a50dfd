/** Export, erasure or restriction for a person who asked by other ways; their number is typed once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useRef, useState } from 'react';
import { api } from '../../api.ts';
import { Button, Card, ConfirmDialog, ErrorBox, Field, Select, useToast } from '../../components/index.ts';
import { PhoneField, usePhoneOnce } from '../../parts/phone-once.tsx';
import { type RightsKind, type RightsRequest, rightsKinds } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function NewRequest() {
  const all = useWords();
  const words = all.privacy;
  const client = useQueryClient();
  const toast = useToast();
  const [kind, setKind] = useState<RightsKind>('export');
  const [reason, setReason] = useState('');
  const [confirming, setConfirming] = useState(false);
  const phone = usePhoneOnce();
  // In a ref between the question and the answer: not in anything that is shown or kept.
  const taken = useRef<string>(undefined);
  const start = useMutation({
    mutationFn: async () => {
      const subject = { phone: taken.current ?? '', reason: reason.trim() };
      await api.post<RightsRequest>(`/v1/privacy/${kind}`, subject);
    },
    onSuccess: () => {
      taken.current = undefined;
      setConfirming(false);
      setReason('');
      toast(words.started);
      void client.invalidateQueries({ queryKey: ['privacy'] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (reason.trim().length < 3) return;
    const number = phone.take();
    if (number === undefined) return;
    taken.current = number;
    if (kind === 'erase') setConfirming(true);
    else start.mutate();
  };
  const leave = () => {
    taken.current = undefined;
    start.reset();
    setConfirming(false);
  };
  return (
    <Card title={words.fresh}>
      <form className="stack" onSubmit={submit}>
        <div className="fields">
          <Select
            label={words.kind}
            value={kind}
            hint={words.kindHints[kind]}
            choices={rightsKinds.map((value) => ({ value, label: words.kinds[value] }))}
            onChoose={setKind}
          />
          <PhoneField
            label={words.phone}
            value={phone.text}
            fault={phone.fault}
            onType={phone.type}
            required
          />
          <Field
            label={words.reason}
            hint={words.reasonHint}
            value={reason}
            minLength={3}
            maxLength={500}
            required
            onChange={({ target }) => setReason(target.value)}
          />
        </div>
        {!confirming && <ErrorBox error={start.error} />}
        <div className="row">
          <Button type="submit" look={kind === 'erase' ? 'danger' : 'primary'} busy={start.isPending}>
            {words.start[kind]}
          </Button>
        </div>
      </form>
      {confirming && (
        <ConfirmDialog
          title={words.eraseTitle}
          action={words.start.erase}
          danger
          busy={start.isPending}
          error={start.error}
          onConfirm={() => start.mutate()}
          onClose={leave}
        >
          {words.kindHints.erase}
        </ConfirmDialog>
      )}
    </Card>
  );
}
