/** A text area with line numbers; problems are marked at their lines and can be jumped to. */
import { type RefObject, useId, useRef } from 'react';
import { useFormat } from '../../format.ts';
import { useWords } from '../../words/index.tsx';
import { jsonPlaces, lineOf, placeOf } from './json-places.ts';

export interface Fault {
  /** Into the definition. */
  readonly pointer: string;
  readonly detail: string;
}
interface PlacedFault {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly detail: string;
}

/** Beyond this, lines are not numbered: nobody writes such a program by hand. */
const mostLines = 5_000;

export function Editor(props: {
  readonly text: string;
  readonly faults: readonly Fault[];
  readonly readOnly: boolean;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly onChange: (text: string) => void;
}) {
  const { text, faults, readOnly, area, onChange } = props;
  const words = useWords().program;
  const format = useFormat();
  const id = useId();
  const gutter = useRef<HTMLDivElement>(null);
  const placed = usePlaced(text, faults);
  const wrong = new Set(placed.map(({ line }) => line));
  const lines = Math.min(mostLines, text.split('\n').length);
  return (
    <>
      <label htmlFor={id}>{words.definition}</label>
      <div className="editor">
        <div className="editor-lines" aria-hidden="true" ref={gutter}>
          {Array.from({ length: lines }, (_, index) => index + 1).map((line) => (
            <div key={line} className={wrong.has(line) ? 'wrong' : ''}>
              {line}
            </div>
          ))}
        </div>
        <textarea
          id={id}
          ref={area}
          value={text}
          readOnly={readOnly}
          rows={Math.min(36, Math.max(12, lines + 1))}
          wrap="off"
          spellCheck={false}
          autoComplete="off"
          aria-invalid={placed.length > 0 || undefined}
          aria-describedby={placed.length > 0 ? `${id}-faults` : undefined}
          onChange={({ target }) => onChange(target.value)}
          onScroll={({ currentTarget }) => {
            if (gutter.current) gutter.current.scrollTop = currentTarget.scrollTop;
          }}
        />
      </div>
      {placed.length > 0 && (
        <div role="alert" id={`${id}-faults`}>
          <ul className="editor-faults" aria-label={words.problems}>
            {placed.map(({ line, from, to, detail }) => (
              <li key={`${from} ${detail}`}>
                <button
                  type="button"
                  className="button quiet small"
                  onClick={() => select(area.current, from, to)}
                >
                  {words.atLine(format.number(line))}
                </button>{' '}
                {detail}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** Selects the place and brings it into view. */
export function select(area: HTMLTextAreaElement | null, from: number, to: number): void {
  if (!area) return;
  area.focus();
  area.setSelectionRange(from, to);
  const lineHeight = Number.parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (lineOf(area.value, from) - 4) * lineHeight);
}

function usePlaced(text: string, faults: readonly Fault[]): readonly PlacedFault[] {
  const words = useWords().program;
  const read = jsonPlaces(text);
  if (read.fault && text.trim() !== '') {
    const { at, expected } = read.fault;
    const said =
      expected === 'value' || expected === 'key' || expected === 'end' || expected === 'depth'
        ? words.expected[expected]
        : words.expected.sign(expected);
    return [{ line: lineOf(text, at), from: at, to: at + 1, detail: `${words.notJson}: ${said}` }];
  }
  return faults.map(({ pointer, detail }) => {
    const { from, to } = placeOf(read, pointer) ?? { from: 0, to: 0 };
    return { line: lineOf(text, from), from, to, detail };
  });
}
