/** What keeps a session's records from being deleted. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../../api.ts';
import { Button, Card, ConfirmDialog, ErrorBox, ReasonDialog, Time } from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import { Actor } from '../../parts/people.tsx';
import type { Hold, ListOf } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export function Holds({ session }: { readonly session: string }) {
  const words = useWords().session;
  const may = useMay();
  const client = useQueryClient();
  const [placing, setPlacing] = useState(false);
  const [releasing, setReleasing] = useState<string>();
  const { data, error } = useQuery({
    queryKey: ['holds', session],
    queryFn: ({ signal }) => api.get<ListOf<Hold>>('/v1/holds', { session, active: true }, { signal }),
  });
  const changed = () => {
    setPlacing(false);
    setReleasing(undefined);
    void client.invalidateQueries({ queryKey: ['holds'] });
  };
  const place = useMutation({
    mutationFn: (reason: string) => api.post<Hold>('/v1/holds', { session, reason }),
    onSuccess: changed,
  });
  const release = useMutation({
    mutationFn: (hold: string) => api.post<Hold>(at`/v1/holds/${hold}/release`),
    onSuccess: changed,
  });
  const items = data?.items ?? [];
  return (
    <Card
      title={words.holds}
      actions={
        may('disputes:write') && (
          <Button className="small" onClick={() => setPlacing(true)}>
            {words.hold}
          </Button>
        )
      }
    >
      <ErrorBox error={error} />
      {data && items.length === 0 && <p className="muted">{words.noHolds}</p>}
      <ul className="list">
        {items.map((hold) => (
          <li key={hold.id} className="row spread">
            <span>
              {hold.dispute ? (
                <Link to="/disputes/$id" params={{ id: hold.dispute }}>
                  {words.holdOf}
                </Link>
              ) : (
                hold.reason
              )}{' '}
              <span className="muted small">
                <Actor id={hold.placedBy} /> · <Time at={hold.placedAt} />
              </span>
            </span>
            {may('disputes:write') && !hold.dispute && (
              <Button className="small" onClick={() => setReleasing(hold.id)}>
                {words.holdRelease}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {placing && (
        <ReasonDialog
          title={words.hold}
          action={words.hold}
          busy={place.isPending}
          error={place.error}
          onReason={(reason) => place.mutate(reason)}
          onClose={() => setPlacing(false)}
        >
          <p className="muted">{words.holdHint}</p>
        </ReasonDialog>
      )}
      {releasing !== undefined && (
        <ConfirmDialog
          title={words.holdRelease}
          action={words.holdRelease}
          danger
          busy={release.isPending}
          error={release.error}
          onConfirm={() => release.mutate(releasing)}
          onClose={() => setReleasing(undefined)}
        >
          {words.holdReleaseAsk}
        </ConfirmDialog>
      )}
    </Card>
  );
}
