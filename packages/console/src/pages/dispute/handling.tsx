/** Who works on it, how far it is, what and whom it is about. */
import { useEffect } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, Fact, Facts, Select } from '../../components/index.ts';
import { useMay, useMe } from '../../identity.ts';
import { Actor, roleOf } from '../../parts/people.tsx';
import {
  type Dispute,
  type DisputeCategory,
  type DisputeFile,
  disputeCategories,
  type Participant,
} from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { ChangeFault, useDisputeChange } from './changes.tsx';

interface Handled {
  readonly status?: 'open' | 'investigating';
  readonly assignee?: string | null;
  readonly category?: DisputeCategory;
  readonly against?: string | null;
}

export function Handling(props: {
  readonly dispute: DisputeFile;
  readonly participants: readonly Participant[];
  readonly editable: boolean;
}) {
  const { dispute, participants, editable } = props;
  const all = useWords();
  const words = all.dispute;
  const me = useMe();
  const may = useMay();
  const change = useDisputeChange<Handled>(dispute, (body) =>
    api.patch<Dispute>(at`/v1/disputes/${dispute.id}`, body),
  );
  const { follow } = change;
  // Nothing is typed here: what is seen is what is changed.
  useEffect(follow);
  const send = (body: Handled) => {
    if (!change.busy) change.mutate(body);
  };
  return (
    <Card title={words.status}>
      <Facts>
        <Fact name={words.assignee}>
          {dispute.assignee === undefined ? all.disputes.unassigned : <Actor id={dispute.assignee} />}
        </Fact>
        {!editable && (
          <Fact name={words.against}>{roleOf(participants, dispute.against) ?? words.nobody}</Fact>
        )}
      </Facts>
      {editable && (
        <>
          <div className="row">
            {dispute.assignee !== me.user.id && (
              <Button busy={change.busy} onClick={() => send({ assignee: me.user.id })}>
                {words.assignMe}
              </Button>
            )}
            {dispute.assignee !== undefined && (
              <Button look="quiet" busy={change.busy} onClick={() => send({ assignee: null })}>
                {words.assignNobody}
              </Button>
            )}
          </div>
          <Select
            label={words.status}
            value={dispute.status === 'resolved' ? 'open' : dispute.status}
            choices={(['open', 'investigating'] as const).map((value) => ({
              value,
              label: all.parts.dispute[value],
            }))}
            onChoose={(status) => send({ status })}
          />
          <Select
            label={words.category}
            value={dispute.category}
            choices={disputeCategories.map((value) => ({ value, label: all.parts.category[value] }))}
            onChoose={(category) => send({ category })}
          />
          <Select
            label={words.against}
            value={dispute.against ?? ''}
            choices={[
              { value: '', label: words.nobody },
              ...participants.map(({ id, role, phone }) => ({ value: id, label: `${role} ${phone}` })),
            ]}
            onChoose={(against) => send({ against: against === '' ? null : against })}
          />
        </>
      )}
      {dispute.status === 'resolved' && may('disputes:write') && (
        <Button busy={change.busy} onClick={() => send({ status: 'investigating' })}>
          {words.again}
        </Button>
      )}
      <ChangeFault error={change.error} changed={change.changed} participants={participants} />
    </Card>
  );
}
