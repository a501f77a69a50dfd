/**
 * Listening to a call: the reason first, then the recording, whole and once. It is gone from memory when this is
 * closed or left. A download is another thing, with a reason and, where asked for, a second person of its own.
 */
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { Button, ErrorBox, Loading, Progress, ReasonDialog } from '../../components/index.ts';
import { useMay } from '../../identity.ts';
import type { Call, Participant } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { Downloads } from './downloads.tsx';
import { fetchRecording, type Recording } from './fetch-recording.ts';

const Player = lazy(async () => ({ default: (await import('./player.tsx')).Player }));

export function hasRecording(call: Call): boolean {
  return (
    call.voicemail !== undefined ||
    call.recording?.status === 'complete' ||
    call.recording?.status === 'interrupted'
  );
}

export function Listen(props: { readonly call: Call; readonly participants: readonly Participant[] }) {
  const { call, participants } = props;
  const words = useWords().listen;
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const { state, fetchIt, close } = useRecording(call.id);
  if (!hasRecording(call)) return null;
  return (
    <div className="stack">
      <div className="row">
        {may('recordings:listen') && !state.recording && (
          <Button look="primary" onClick={() => setAsking(true)} busy={state.progress !== undefined}>
            <span aria-hidden="true">▶</span> {call.voicemail ? words.listenVoicemail : words.listen}
          </Button>
        )}
        <Downloads call={call.id} />
      </div>
      {asking && (
        <ReasonDialog
          title={words.why}
          action={words.listen}
          onClose={() => setAsking(false)}
          onReason={(reason) => {
            setAsking(false);
            void fetchIt(reason);
          }}
        >
          <p className="muted">{words.whyHint}</p>
        </ReasonDialog>
      )}
      {state.progress && (
        <Progress label={words.fetching} done={state.progress.bytes} of={state.progress.of} />
      )}
      <ErrorBox error={state.error} />
      {state.refused && (
        <p className="notice warn" role="alert">
          {state.refused === 'too-long' ? words.tooLong : words.unreadable}
        </p>
      )}
      {state.recording && (
        <Suspense fallback={<Loading />}>
          <Player call={call} participants={participants} recording={state.recording} onClose={close} />
        </Suspense>
      )}
    </div>
  );
}

interface State {
  readonly recording?: Recording;
  readonly progress?: { readonly bytes: number; readonly of: number };
  readonly refused?: 'too-long' | 'unreadable';
  readonly error?: unknown;
}

function useRecording(call: string) {
  const [state, setState] = useState<State>({});
  const running = useRef<AbortController>(undefined);
  const held = useRef<string>(undefined);
  const release = useCallback(() => {
    running.current?.abort();
    if (held.current !== undefined) URL.revokeObjectURL(held.current);
    held.current = undefined;
  }, []);
  useEffect(() => release, [release]);
  const fetchIt = async (reason: string) => {
    release();
    const controller = new AbortController();
    running.current = controller;
    setState({ progress: { bytes: 0, of: 1 } });
    try {
      const fetched = await fetchRecording(call, reason, {
        signal: controller.signal,
        progress: (bytes, of) => setState({ progress: { bytes, of } }),
      });
      if (controller.signal.aborted) {
        if (fetched.ok) URL.revokeObjectURL(fetched.recording.url);
        return;
      }
      if (fetched.ok) held.current = fetched.recording.url;
      setState(fetched.ok ? { recording: fetched.recording } : { refused: fetched.because });
    } catch (error) {
      if (!controller.signal.aborted) setState({ error });
    }
  };
  const close = () => {
    release();
    setState({});
  };
  return { state, fetchIt, close };
}
