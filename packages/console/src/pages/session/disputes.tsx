/** Complaints about this session, and opening one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type SubmitEvent, useState } from 'react';
import { api } from '../../api.ts';
import {
  Button,
  Card,
  Dialog,
  Empty,
  ErrorBox,
  Select,
  TextArea,
  Time,
  useToast,
} from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import { DisputeBadge } from '../../parts/status.tsx';
import {
  type Dispute,
  type DisputeCategory,
  disputeCategories,
  type ListOf,
  type Session,
} from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Disputes({ session }: { readonly session: Session }) {
  const all = useWords();
  const words = all.session;
  const may = useMay();
  const [opening, setOpening] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['disputes', 'of', session.id],
    queryFn: ({ signal }) => api.get<ListOf<Dispute>>('/v1/disputes', { session: session.id }, { signal }),
  });
  return (
    <Card
      title={words.disputes}
      actions={
        may('disputes:write') && (
          <Button className="small" onClick={() => setOpening(true)}>
            {words.dispute}
          </Button>
        )
      }
    >
      <ErrorBox error={error} />
      {data?.items.length === 0 && <Empty />}
      <ul className="list">
        {data?.items.map((dispute) => (
          <li key={dispute.id} className="row">
            <Link to="/disputes/$id" params={{ id: dispute.id }}>
              {all.parts.category[dispute.category]}
            </Link>
            <DisputeBadge status={dispute.status} />
            <Time at={dispute.openedAt} />
          </li>
        ))}
      </ul>
      {opening && <OpenDispute session={session} onClose={() => setOpening(false)} />}
    </Card>
  );
}

function OpenDispute({ session, onClose }: { readonly session: Session; readonly onClose: () => void }) {
  const all = useWords();
  const words = all.session;
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  const [category, setCategory] = useState<DisputeCategory>('harassment');
  const [against, setAgainst] = useState('');
  const [statement, setStatement] = useState('');
  const open = useMutation({
    mutationFn: () =>
      api.post<Dispute>('/v1/disputes', {
        session: session.id,
        category,
        statement: statement.trim(),
        ...(against === '' ? {} : { against }),
      }),
    onSuccess: (dispute) => {
      toast(words.disputeOpened);
      void client.invalidateQueries({ queryKey: ['disputes'] });
      void navigate({ to: '/disputes/$id', params: { id: dispute.id } });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    open.mutate();
  };
  return (
    <Dialog title={words.dispute} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p className="muted">{words.disputeHint}</p>
        <Select
          label={words.category}
          value={category}
          choices={disputeCategories.map((value) => ({ value, label: all.parts.category[value] }))}
          onChoose={setCategory}
        />
        <Select
          label={words.against}
          value={against}
          choices={[
            { value: '', label: words.nobody },
            ...session.participants.map(({ id, role, phone }) => ({ value: id, label: `${role} ${phone}` })),
          ]}
          onChoose={setAgainst}
        />
        <TextArea
          label={words.statement}
          value={statement}
          required
          minLength={3}
          maxLength={4000}
          rows={5}
          onChange={({ target }) => setStatement(target.value)}
        />
        <ErrorBox error={open.error} />
        <div className="row end">
          <Button onClick={onClose}>{all.common.cancel}</Button>
          <Button type="submit" look="primary" busy={open.isPending}>
            {words.dispute}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
