/** One call: a line, and what is behind it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, at } from '../../api.ts';
import {
  Badge,
  Button,
  type Column,
  ConfirmDialog,
  Fact,
  Facts,
  Phone,
  Table,
  Time,
} from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { useMay } from '../../identity.ts';
import type { Call, Leg, Participant } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { useCarriers } from '../carriers.ts';
import { hasRecording, Listen } from '../listen/listen.tsx';
import { roleOf, ShortId } from '../people.tsx';
import { CallBadge, wordOf } from '../status.tsx';
import { ExplainCall } from './explain-call.tsx';

interface Props {
  readonly call: Call;
  readonly participants: readonly Participant[];
}

export function CallItem({ call, participants, startOpen }: Props & { readonly startOpen: boolean }) {
  const words = useWords().session;
  const [open, setOpen] = useState(startOpen);
  const format = useFormat();
  const role = roleOf(participants, call.participant);
  const talked = call.answeredAt && call.endedAt && elapsed(call.answeredAt, call.endedAt);
  return (
    <details
      className="call"
      open={open}
      data-testid={call.id}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <span className="row">
          <Time at={call.startedAt} />
          <strong>
            {call.kind === 'click-to-call' ? words.clickToCall : role ? words.calledBy(role) : words.call}
          </strong>
          <CallBadge call={call} />
          {talked !== undefined && talked !== '' && <span className="phone">{format.span(talked)}</span>}
          {hasRecording(call) && (
            <Badge tone="info">{call.voicemail ? words.voicemail : words.recorded}</Badge>
          )}
        </span>
      </summary>
      {open && <CallBody call={call} participants={participants} />}
    </details>
  );
}

function elapsed(from: string, to: string): number {
  return new Date(to).getTime() - new Date(from).getTime();
}

function CallBody({ call, participants }: Props) {
  const all = useWords();
  const words = all.session;
  const may = useMay();
  return (
    <div className="stack call-body">
      <div className="row">
        {call.status !== 'ended' && may('calls:write') && <HangUp call={call.id} />}
        <ExplainCall call={call.id} participants={participants} />
      </div>
      <Listen call={call} participants={participants} />
      <Facts>
        <Fact name={words.number}>
          <Phone number={call.number} />
        </Fact>
        {call.answeredAt && (
          <Fact name={words.answered}>
            <Time at={call.answeredAt} as="clock" />
          </Fact>
        )}
        {call.endedAt && (
          <Fact name={words.ended}>
            <Time at={call.endedAt} as="clock" />
          </Fact>
        )}
        {call.hangupBy && <Fact name={words.endedBy}>{wordOf(all.parts.hangupBy, call.hangupBy)}</Fact>}
        {call.hangupCause && <Fact name={words.cause}>{call.hangupCause}</Fact>}
        {call.refusal && <Fact name={words.refusal}>{wordOf(all.parts.refusal, call.refusal)}</Fact>}
        {call.recording && (
          <Fact name={words.recorded}>{wordOf(words.recordingStatus, call.recording.status)}</Fact>
        )}
        {call.survey && (
          <Fact name={words.survey}>
            {words.surveyAnswer(roleOf(participants, call.survey.participant) ?? '–', call.survey.key)}
          </Fact>
        )}
        <Fact name="ID">
          <code>{call.id}</code>
        </Fact>
      </Facts>
      {call.legs.length > 0 && <Legs legs={call.legs} participants={participants} />}
    </div>
  );
}

function Legs(props: { readonly legs: readonly Leg[]; readonly participants: readonly Participant[] }) {
  const { legs, participants } = props;
  const words = useWords().session;
  const carriers = useCarriers();
  const clock = (time: string | undefined) => (time === undefined ? '–' : <Time at={time} as="clock" />);
  const columns: readonly Column<Leg>[] = [
    {
      key: 'who',
      head: words.leg,
      cell: (leg) =>
        `${roleOf(participants, leg.participant) ?? '–'} (${words.legDirections[leg.direction]})`,
    },
    { key: 'number', head: words.number, cell: (leg) => <Phone number={leg.number} /> },
    {
      key: 'carrier',
      head: words.carrier,
      cell: ({ carrier }) => carriers.find(({ id }) => id === carrier)?.name ?? <ShortId id={carrier} />,
    },
    { key: 'sip', head: words.sip, cell: (leg) => leg.sipStatus ?? '–' },
    { key: 'began', head: words.started, cell: (leg) => clock(leg.startedAt) },
    { key: 'answered', head: words.answered, cell: (leg) => clock(leg.answeredAt) },
    { key: 'ended', head: words.ended, cell: (leg) => clock(leg.endedAt) },
    { key: 'quality', head: words.quality, cell: (leg) => <Quality quality={leg.quality} /> },
  ];
  return (
    <Table
      label={words.legs}
      columns={columns}
      rows={legs}
      idOf={(leg) => `${leg.direction}${leg.participant}${leg.startedAt}`}
    />
  );
}

/** Loss as a share of what was sent to us; jitter and round trip in milliseconds. */
function Quality({ quality }: { readonly quality: Leg['quality'] }): ReactNode {
  const words = useWords().session;
  const format = useFormat();
  if (!quality) return '–';
  const { packetsReceived, packetsLost, jitter, roundTrip, mos } = quality as Readonly<
    Record<string, number | undefined>
  >;
  const expected = (packetsReceived ?? 0) + (packetsLost ?? 0);
  const said = [
    mos === undefined ? '' : `${words.qualityWords.mos} ${format.number(mos, 1)}`,
    packetsLost === undefined || expected === 0
      ? ''
      : `${words.qualityWords.loss} ${format.percent(Math.max(0, packetsLost) / expected)}`,
    jitter === undefined
      ? ''
      : `${words.qualityWords.jitter} ${words.milliseconds(format.number(jitter, 1))}`,
    roundTrip === undefined
      ? ''
      : `${words.qualityWords.roundTrip} ${words.milliseconds(format.number(roundTrip))}`,
  ].filter(Boolean);
  return said.join(' · ') || '–';
}

function HangUp({ call }: { readonly call: string }) {
  const words = useWords().session;
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const hangUp = useMutation({
    mutationFn: () => api.post<Call>(at`/v1/calls/${call}/hangup`),
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ['calls'] });
    },
  });
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        {words.hangUp}
      </Button>
      {asking && (
        <ConfirmDialog
          title={words.hangUp}
          action={words.hangUp}
          danger
          busy={hangUp.isPending}
          error={hangUp.error}
          onConfirm={() => hangUp.mutate()}
          onClose={() => setAsking(false)}
        >
          {words.hangUpAsk}
        </ConfirmDialog>
      )}
    </>
  );
}
