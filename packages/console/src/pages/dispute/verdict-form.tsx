/** The end of a dispute: what was found, why, and whether the person it is about is blocked. */
import { type SubmitEvent, useEffect, useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, Checkbox, Select, TextArea, TimeField, useToast } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import { type Dispute, type DisputeFile, type Participant, type Verdict, verdicts } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { ChangeFault, useDisputeChange } from './changes.tsx';

interface Decision {
  readonly verdict: Verdict;
  readonly text: string;
  readonly block?: { readonly towards: 'others' | 'everybody'; readonly expiresAt?: string };
}

export function VerdictForm(props: {
  readonly dispute: DisputeFile;
  readonly participants: readonly Participant[];
}) {
  const { dispute, participants } = props;
  const all = useWords();
  const words = all.dispute;
  const may = useMay();
  const toast = useToast();
  const format = useFormat();
  const [verdict, setVerdict] = useState<Verdict>('upheld');
  const [text, setText] = useState('');
  const [blocks, setBlocks] = useState(false);
  const [towards, setTowards] = useState<'others' | 'everybody'>('others');
  const [until, setUntil] = useState('');
  const change = useDisputeChange<Decision>(
    dispute,
    (body) => api.post<Dispute>(at`/v1/disputes/${dispute.id}/verdict`, body),
    () => toast(words.decided),
  );
  const { follow } = change;
  const untouched = text === '';
  useEffect(() => {
    if (untouched) follow();
  });
  const blocking = blocks && verdict === 'upheld';
  const nobody = blocking && dispute.against === undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (nobody || text.trim() === '') return;
    const at = format.instant(until);
    const expiresAt = at === undefined ? {} : { expiresAt: at };
    change.mutate({
      verdict,
      text: text.trim(),
      ...(blocking ? { block: { towards, ...expiresAt } } : {}),
    });
  };
  return (
    <Card title={words.verdict}>
      <form className="stack" onSubmit={submit}>
        <p className="muted">{words.decideHint}</p>
        <Select
          label={words.verdict}
          value={verdict}
          choices={verdicts.map((value) => ({ value, label: all.parts.verdict[value] }))}
          onChoose={setVerdict}
        />
        <TextArea
          label={words.verdictText}
          value={text}
          required
          maxLength={10_000}
          rows={4}
          onChange={({ target }) => setText(target.value)}
        />
        {verdict === 'upheld' && may('blocks:write') && (
          <Checkbox
            label={words.block}
            checked={blocks}
            onChange={({ target }) => setBlocks(target.checked)}
          />
        )}
        {blocking && (
          <>
            <Select
              label={words.blockWhom}
              value={towards}
              choices={(['others', 'everybody'] as const).map((value) => ({
                value,
                label: words.blockTowards[value],
              }))}
              onChoose={setTowards}
            />
            <TimeField label={words.blockUntil} value={until} onType={setUntil} />
          </>
        )}
        {nobody && (
          <p className="fault" role="alert">
            {words.blockNeeds}
          </p>
        )}
        <ChangeFault error={change.error} changed={change.changed} participants={participants} />
        <div className="row end">
          <Button type="submit" look="primary" busy={change.busy} disabled={nobody}>
            {words.decide}
          </Button>
        </div>
      </form>
    </Card>
  );
}
