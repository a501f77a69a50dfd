/** Words and colours of what things are. */
import { Badge, type Tone } from '../components/index.ts';
import type { Call, DisputeStatus, RightsStatus, SessionStatus, Verdict } from '../types.ts';
import { useWords } from '../words/index.tsx';

const sessionTones: Readonly<Record<SessionStatus, Tone>> = {
  scheduled: 'info',
  open: 'good',
  closed: 'neutral',
  expired: 'neutral',
};
export function SessionBadge({ status }: { readonly status: SessionStatus }) {
  return <Badge tone={sessionTones[status]}>{useWords().parts.session[status]}</Badge>;
}

const disputeTones: Readonly<Record<DisputeStatus, Tone>> = {
  open: 'bad',
  investigating: 'warn',
  resolved: 'neutral',
};
export function DisputeBadge({ status }: { readonly status: DisputeStatus }) {
  return <Badge tone={disputeTones[status]}>{useWords().parts.dispute[status]}</Badge>;
}

const verdictTones: Readonly<Record<Verdict, Tone>> = {
  upheld: 'bad',
  rejected: 'good',
  inconclusive: 'neutral',
};
export function VerdictBadge({ verdict }: { readonly verdict: Verdict }) {
  return <Badge tone={verdictTones[verdict]}>{useWords().parts.verdict[verdict]}</Badge>;
}

const rightsTones: Readonly<Record<RightsStatus, Tone>> = {
  asked: 'warn',
  running: 'info',
  done: 'good',
  failed: 'bad',
  refused: 'neutral',
  lifted: 'neutral',
};
export function RightsBadge({ status }: { readonly status: RightsStatus }) {
  return <Badge tone={rightsTones[status]}>{useWords().parts.rights[status]}</Badge>;
}

export function CallBadge({ call }: { readonly call: Pick<Call, 'status' | 'outcome'> }) {
  const words = useWords().parts;
  if (call.status !== 'ended') {
    return <Badge tone="info">{words.callStatus[call.status]}</Badge>;
  }
  const { outcome = 'failed' } = call;
  const tone: Tone =
    outcome === 'connected' ? 'good' : outcome === 'failed' || outcome === 'interrupted' ? 'bad' : 'neutral';
  return <Badge tone={tone}>{wordOf(words.outcome, outcome)}</Badge>;
}

/** The word for what the platform says; what it learnt to say later stands as it came. */
export function wordOf(words: Readonly<Record<string, string>>, said: string): string {
  return Object.hasOwn(words, said) ? (words[said] ?? said) : said;
}
