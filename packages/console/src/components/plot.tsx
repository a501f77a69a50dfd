/** Lines over time or anything else, on uPlot. What a picture can't say to everybody stands in its `summary`. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { usePreferences } from '../preferences.tsx';
import { useWords } from '../words/index.tsx';

export interface PlotSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly tone: 'accent' | 'good' | 'warn' | 'bad' | 'muted';
  readonly dashed?: boolean;
  readonly stepped?: boolean;
}

const height = 220;
const leastWidth = 200;

/** A single place in the middle of a day, instead of years around it. */
function wideEnough({ data: [x] }: uPlot, least: number, most: number): [number, number] {
  const [only] = x;
  return x.length === 1 && only !== undefined ? [only - 43_200, only + 43_200] : [least, most];
}

export function Plot(props: {
  readonly label: string;
  /** For whoever doesn't see it. */
  readonly summary: string;
  /** Seconds since 1970 where `time`. */
  readonly x: readonly number[];
  readonly xLabel?: string;
  readonly series: readonly PlotSeries[];
  /** How a place of x is written; needed where `time`. */
  readonly xText?: ((x: number) => string) | undefined;
  readonly time?: boolean;
}) {
  const words = useWords().common;
  const { label, summary, x, series, time = false, xText } = props;
  const xLabel = props.xLabel ?? (time ? words.time : '');
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { theme } = usePreferences();
  const shape = JSON.stringify([series.map(({ values, ...rest }) => rest), xLabel, time]);
  const data = [x, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  // Made anew when its shape or the colours change, not with each new value.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for what it is made of
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const made = new uPlot(optionsOf(element, { xLabel, series, time, xText }), latest.current, element);
    plot.current = made;
    const watcher = new ResizeObserver(() => {
      made.setSize({ width: Math.max(leastWidth, element.clientWidth), height });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, theme]);
  useEffect(() => {
    plot.current?.setData(data);
  });
  return (
    <figure className="plot">
      <div ref={frame} role="img" aria-label={`${label}. ${summary}`} />
      <figcaption className="muted small">{summary}</figcaption>
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  plot: Pick<Parameters<typeof Plot>[0], 'xLabel' | 'series' | 'time' | 'xText'>,
): uPlot.Options {
  // A colour of the sheet as the canvas takes it: light-dark() is resolved by the browser on a real property.
  const probe = document.createElement('span');
  element.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const text = colour('muted');
  const line = colour('line');
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const { xLabel = '', series, time = false, xText = String } = plot;
  const options: uPlot.Options = {
    width: Math.max(leastWidth, element.clientWidth),
    height,
    scales: {
      x: time ? { time, range: wideEnough } : { time },
      y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] },
    },
    axes: [
      {
        ...axis,
        // A day that is wide enough for several places is written once.
        values: (_plot, places) =>
          places.map(xText).map((text, at, all) => (text === all[at - 1] ? '' : text)),
        ...(xLabel === '' || time ? {} : { label: xLabel }),
      },
      { ...axis, size: 56 },
    ],
    series: [
      { label: xLabel, value: (_plot, x) => (x === null ? '' : xText(x)) },
      ...series.map((one) => ({
        label: one.label,
        stroke: colour(one.tone),
        width: 2,
        points: { show: one.values.length < 3 },
        ...(one.dashed ? { dash: [6, 4] } : {}),
        ...(one.stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      })),
    ],
  };
  probe.remove();
  return options;
}
