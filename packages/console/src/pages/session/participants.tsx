/** Who takes part, with their numbers masked; one can be revealed for half a minute, with a reason, into the ledger. */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, at } from '../../api.ts';
import {
  Button,
  Card,
  type Column,
  ConfirmDialog,
  CopyButton,
  Dialog,
  Phone,
  ReasonDialog,
  Table,
  Time,
  useToast,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import type { Participant, Session } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

const revealSeconds = 30;

export function Participants({ session }: { readonly session: Session }) {
  const words = useWords().session;
  const columns: readonly Column<Participant>[] = [
    {
      key: 'role',
      head: words.role,
      cell: (one) => (
        <>
          <strong>{one.role}</strong>
          {!one.mayStart && <div className="muted small">{words.onlyCalled}</div>}
        </>
      ),
    },
    { key: 'phone', head: words.phone, cell: (one) => <Numbers session={session.id} participant={one} /> },
    { key: 'dial', head: words.dial, cell: (one) => <Phone number={one.dial} /> },
    { key: 'sees', head: words.sees, cell: (one) => <Phone number={one.number} /> },
    { key: 'reach', head: words.reach, cell: (one) => words.reachWords[one.reach] },
    { key: 'joined', head: words.joined, cell: (one) => <Time at={one.joinedAt} /> },
    {
      key: 'left',
      head: words.left,
      cell: (one) =>
        one.leftAt && (
          <>
            <Time at={one.leftAt} /> {one.leaveReason && words.leftWords[one.leaveReason]}
          </>
        ),
    },
    { key: 'link', head: words.link, cell: (one) => <LinkActions session={session.id} participant={one} /> },
  ];
  return (
    <Card title={words.participants}>
      <Table label={words.participants} columns={columns} rows={session.participants} idOf={({ id }) => id} />
    </Card>
  );
}

function Numbers(props: { readonly session: string; readonly participant: Participant }) {
  const { session, participant } = props;
  const words = useWords().session;
  const may = useMay();
  const format = useFormat();
  const [asking, setAsking] = useState(false);
  const { phones, left, show, hide } = useShownForAWhile();
  const reveal = useMutation({
    // Shown, and not answered: so the cache of mutations never holds a number.
    mutationFn: async (reason: string) => {
      const answer = await api.post<{ readonly phones: readonly string[] }>(
        at`/v1/sessions/${session}/participants/${participant.id}/reveal`,
        { reason },
      );
      show(answer.phones);
    },
    onSuccess: () => setAsking(false),
  });
  if (participant.open) return <span className="muted">{words.openSide}</span>;
  if (phones) {
    return (
      <div data-testid="revealed">
        {phones.map((phone) => (
          <div key={phone}>
            <Phone number={phone} />
          </div>
        ))}
        <span className="muted small">{words.revealed(format.number(left))}</span>{' '}
        <Button look="quiet" className="small" onClick={hide}>
          {words.hide}
        </Button>
      </div>
    );
  }
  return (
    <div>
      {participant.phones.map((phone) => (
        <div key={phone}>
          <Phone number={phone} />
        </div>
      ))}
      {may('pii:reveal') && participant.phones.length > 0 && (
        <Button
          look="quiet"
          className="small"
          aria-label={words.revealTitle(participant.role)}
          onClick={() => setAsking(true)}
        >
          {words.reveal}
        </Button>
      )}
      {asking && (
        <ReasonDialog
          title={words.revealTitle(participant.role)}
          action={words.reveal}
          busy={reveal.isPending}
          error={reveal.error}
          onReason={(reason) => reveal.mutate(reason)}
          onClose={() => setAsking(false)}
        >
          <p className="muted">{words.revealHint}</p>
        </ReasonDialog>
      )}
    </div>
  );
}

function useShownForAWhile() {
  const [phones, setPhones] = useState<readonly string[]>();
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!phones) return;
    const end = Date.now() + revealSeconds * 1000;
    const timer = setInterval(() => {
      const rest = Math.ceil((end - Date.now()) / 1000);
      setLeft(rest);
      if (rest <= 0) setPhones(undefined);
    }, 500);
    return () => clearInterval(timer);
  }, [phones]);
  return {
    phones,
    left,
    show: (shown: readonly string[]) => {
      setLeft(revealSeconds);
      setPhones(shown);
    },
    hide: () => setPhones(undefined),
  };
}

function LinkActions(props: { readonly session: string; readonly participant: Participant }) {
  const { session, participant } = props;
  const all = useWords();
  const words = all.session;
  const may = useMay();
  const toast = useToast();
  const [asking, setAsking] = useState<'renew' | 'revoke'>();
  const [url, setUrl] = useState<string>();
  const path = at`/v1/sessions/${session}/participants/${participant.id}/transparency`;
  const renew = useMutation({
    mutationFn: () => api.post<{ readonly transparencyUrl: string }>(path),
    onSuccess: (answer) => {
      setAsking(undefined);
      setUrl(answer.transparencyUrl);
    },
  });
  const revoke = useMutation({
    mutationFn: () => api.remove(path),
    onSuccess: () => {
      setAsking(undefined);
      toast(words.linkRevoked);
    },
  });
  if (!may('sessions:write') || participant.open) return null;
  return (
    <div className="row">
      <Button look="quiet" className="small" onClick={() => setAsking('renew')}>
        {words.linkRenew}
      </Button>
      <Button look="quiet" className="small" onClick={() => setAsking('revoke')}>
        {words.linkRevoke}
      </Button>
      {asking === 'renew' && (
        <ConfirmDialog
          title={words.linkRenew}
          action={words.linkRenew}
          busy={renew.isPending}
          error={renew.error}
          onConfirm={() => renew.mutate()}
          onClose={() => setAsking(undefined)}
        >
          {words.linkRenewHint}
        </ConfirmDialog>
      )}
      {asking === 'revoke' && (
        <ConfirmDialog
          title={words.linkRevoke}
          action={words.linkRevoke}
          danger
          busy={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate()}
          onClose={() => setAsking(undefined)}
        >
          {words.linkRevokeHint}
        </ConfirmDialog>
      )}
      {url !== undefined && (
        <Dialog title={words.link} onClose={() => setUrl(undefined)}>
          <div className="stack">
            <p>{words.linkShown}</p>
            <pre>{url}</pre>
            <div className="row end">
              <CopyButton text={url} label={words.link} />
            </div>
          </div>
        </Dialog>
      )}
    </div>
  );
}
