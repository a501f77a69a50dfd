/** Plays a recording: one colour a speaker, by the keyboard as well (space, arrows, t to the next talk, m to mark). */
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { Button, Select } from '../../components/index.ts';
import { span, useFormat } from '../../format.ts';
import { usePreferences } from '../../preferences.tsx';
import { typing } from '../../shell/keyboard.ts';
import type { Call, Participant } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { roleOf } from '../people.tsx';
import type { Recording } from './fetch-recording.ts';
import { Marks, useMarks } from './marks.tsx';
import { nextTalk, talkSeconds } from './talk.ts';
import { usePlayback } from './waveform.ts';

const speeds = ['0.5', '0.75', '1', '1.25', '1.5', '2'] as const;
const skipSeconds = 5;

/** Of several players in a page, keys go to the one that was used last. */
let current: object | undefined;

export function Player(props: {
  readonly call: Call;
  readonly participants: readonly Participant[];
  readonly recording: Recording;
  readonly onClose: () => void;
}) {
  const { call, participants, recording, onClose } = props;
  const words = useWords().listen;
  const format = useFormat();
  const playback = usePlayback(recording);
  const marks = useMarks(call.id);
  const [speed, setSpeed] = useState<(typeof speeds)[number]>('1');
  const [marking, setMarking] = useState<number>();
  const [silent, setSilent] = useState(false);
  const { at, playing } = playback;
  const talk = () => {
    const next = nextTalk(recording.shape.talks, at);
    setSilent(next === undefined);
    if (next !== undefined) playback.seek(next);
  };
  const toggle = () => (playing ? playback.pause() : playback.play());
  const use = usePlayerKeys((key) => {
    if (key === ' ') toggle();
    else if (key === 't') talk();
    else if (key === 'm') setMarking(at);
    else if (key === 'ArrowLeft') playback.seek(at - skipSeconds);
    else if (key === 'ArrowRight') playback.seek(at + skipSeconds);
    else return false;
    return true;
  });
  const names = speakers(call, participants, words);
  return (
    <section className="player" aria-label={words.player} onFocus={use} onPointerDown={use}>
      <div className="row">
        {names.slice(0, recording.channels).map((name, channel) => (
          <span key={channel === 0 ? 'left' : 'right'} className={channel === 0 ? 'caller' : 'callee'}>
            <span aria-hidden="true">■</span>{' '}
            {words.talks(name, span(talkSeconds(recording.shape.talks, channel) * 1000))}
          </span>
        ))}
      </div>
      <div className="wave">
        <div ref={playback.container} aria-hidden="true" />
        {marks.items.map((mark) => (
          <span
            key={mark.id}
            className="mark"
            style={{ insetInlineStart: `${(mark.milliseconds / 10 / recording.seconds).toFixed(3)}%` }}
          />
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={Math.ceil(recording.seconds)}
        step={1}
        value={Math.floor(at)}
        aria-label={words.position}
        aria-valuetext={words.positionOf(span(at * 1000), span(recording.seconds * 1000))}
        onChange={({ target }) => playback.seek(Number(target.value))}
      />
      <div className="row">
        <Button look="primary" onClick={toggle} aria-keyshortcuts="Space">
          {playing ? words.pause : words.play}
        </Button>
        <span className="phone" role="timer" aria-live="off">
          {span(at * 1000)} / {span(recording.seconds * 1000)}
        </span>
        <Button onClick={talk} aria-keyshortcuts="t">
          {words.nextTalk} <kbd>t</kbd>
        </Button>
        <Button onClick={() => setMarking(at)} aria-keyshortcuts="m">
          {words.addMark} <kbd>m</kbd>
        </Button>
        <div className="speed">
          <Select
            label={words.speed}
            bare
            choices={speeds.map((value) => ({ value, label: `${format.number(Number(value), 2)}×` }))}
            value={speed}
            onChoose={(chosen) => {
              setSpeed(chosen);
              playback.setSpeed(Number(chosen));
            }}
          />
        </div>
        <Button look="quiet" onClick={onClose}>
          {words.stopListening}
        </Button>
        <span role="status" className="muted">
          {silent && words.noMoreTalk}
        </span>
      </div>
      <Marks
        marks={marks}
        marking={marking}
        onMarked={() => setMarking(undefined)}
        onJump={(seconds) => playback.seek(seconds)}
      />
    </section>
  );
}

/** Left is the caller, right the other side; of a message that was left, only the caller. */
function speakers(
  call: Call,
  participants: readonly Participant[],
  words: { readonly caller: string; readonly callee: string },
): readonly string[] {
  const other = call.legs.find(
    ({ direction, answeredAt }) => direction === 'out' && answeredAt !== undefined,
  );
  const named = (word: string, role: string | undefined) => (role === undefined ? word : `${word} (${role})`);
  return [
    named(words.caller, roleOf(participants, call.participant)),
    named(words.callee, roleOf(participants, other?.participant)),
  ];
}

/** `act` says whether the key was one of its own. */
function usePlayerKeys(act: (key: string) => boolean): () => void {
  const { shortcuts } = usePreferences();
  const self = useRef({});
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (!shortcuts || current !== self.current || event.defaultPrevented) return;
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    const own =
      event.target instanceof HTMLElement && event.target.closest('button, a, summary, [type=range], tr');
    if (own && (event.key === ' ' || event.key.startsWith('Arrow'))) return;
    if (act(event.key)) event.preventDefault();
  });
  useEffect(() => {
    const { current: me } = self;
    current = me;
    const listener = (event: KeyboardEvent) => press(event);
    window.addEventListener('keydown', listener);
    return () => {
      if (current === me) current = undefined;
      window.removeEventListener('keydown', listener);
    };
  }, []);
  return () => {
    current = self.current;
  };
}
