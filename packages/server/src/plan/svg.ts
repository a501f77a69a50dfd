import type { Plan } from './types.ts';

/**
 * The plan as a picture: numbers needed over the arrival rate (a demand) or over time (past jobs), and what is
 * recommended. Colours follow the reader's light or dark setting; the description says the same in words.
 */
export function drawPlan(plan: Plan): string {
  const points = plan.curve.points.map(({ x, lower, recommended }) => ({ x, lower, recommended }));
  const highest = Math.max(
    plan.recommended,
    ...points.map((point) => Math.max(point.lower, point.recommended)),
  );
  const across = scale(points.at(-1)?.x ?? 1, frame.left, frame.right, plan.curve.over === 'days' ? 10 : 6);
  const up = scale(highest * 1.06, frame.bottom, frame.top, 5);
  const words = wordsOf(plan);
  const path = (values: readonly (readonly [number, number])[]) =>
    values
      .map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${fixed(across.at(x))} ${fixed(up.at(y))}`)
      .join('');
  const lower = points.map(({ x, lower }) => [x, lower] as const);
  const area = `${path(lower)}L${fixed(across.at(points.at(-1)?.x ?? 0))} ${frame.bottom}L${fixed(across.at(points[0]?.x ?? 0))} ${frame.bottom}Z`;
  const recommended =
    plan.curve.over === 'days'
      ? `M${frame.left} ${fixed(up.at(plan.recommended))}H${frame.right}`
      : path(points.map((point) => [point.x, point.recommended]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="plan-title plan-description">`,
    `<title id="plan-title">${escaped(words.title)}</title>`,
    `<desc id="plan-description">${escaped(words.description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text(frame.left, 34, 'heading', words.title),
    text(frame.left, 54, 'soft', words.subtitle),
    ...up.ticks.flatMap((tick) => [
      `<path class="grid" d="M${frame.left} ${fixed(up.at(tick))}H${frame.right}"/>`,
      text(frame.left - 10, up.at(tick) + 4, 'soft end', counted(tick)),
    ]),
    ...across.ticks.map((tick) => text(across.at(tick), frame.bottom + 22, 'soft middle', counted(tick))),
    text((frame.left + frame.right) / 2, frame.bottom + 46, 'soft middle', words.axis),
    `<path class="area" d="${area}"/>`,
    `<path class="lower" d="${path(lower)}"/>`,
    `<path class="recommended" d="${recommended}"/>`,
    ...marks(plan, across.at, up.at),
    '</svg>',
    '',
  ].join('\n');
}

const WIDTH = 760;
const HEIGHT = 440;
const frame = { left: 76, right: 724, top: 84, bottom: 366 } as const;

const style = [
  'text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#1f2933}',
  '.heading{font-size:17px;font-weight:600}.soft{fill:#5b6773}.end{text-anchor:end}.middle{text-anchor:middle}',
  '.ground{fill:#ffffff}.grid{stroke:#dfe4ea;stroke-width:1}',
  '.area{fill:#2f6fde;fill-opacity:.12}.lower{fill:none;stroke:#2f6fde;stroke-width:2;stroke-linejoin:round}',
  '.recommended{fill:none;stroke:#c2410c;stroke-width:2;stroke-dasharray:7 4}',
  '.here{stroke:#5b6773;stroke-width:1;stroke-dasharray:2 3}.dot-lower{fill:#2f6fde}.dot-recommended{fill:#c2410c}',
  '.label-lower{fill:#2457b3;font-weight:600}.label-recommended{fill:#a6360a;font-weight:600}',
  '@media (prefers-color-scheme:dark){text{fill:#e6eaef}.soft{fill:#a3adb8}.ground{fill:#14181d}.grid{stroke:#2b323a}',
  '.area{fill:#6ea0ff}.lower{stroke:#6ea0ff}.recommended{stroke:#fb923c}.here{stroke:#a3adb8}',
  '.dot-lower{fill:#6ea0ff}.dot-recommended{fill:#fb923c}.label-lower{fill:#8fb5ff}.label-recommended{fill:#fdba74}}',
].join('');

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From 0 to the round number above `most`. */
function scale(most: number, from: number, to: number, wanted: number): Scale {
  const highest = most > 0 ? most : 1;
  const rough = highest / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const ticks = Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, index) => index * step);
  return { at: (value) => from + ((to - from) * value) / highest, ticks };
}

function marks(plan: Plan, across: (x: number) => number, up: (y: number) => number): readonly string[] {
  if (plan.curve.over === 'days') {
    const highest = plan.curve.points.reduce((best, point) => (point.lower > best.lower ? point : best));
    const late = across(highest.x) > (frame.left + frame.right) / 2;
    // Under the line where there is room between the two, so that neither label hides the other.
    const near = Math.abs(up(plan.recommended) - up(highest.lower)) < 22;
    return [
      circle(across(highest.x), up(highest.lower), 'dot-lower'),
      text(
        across(highest.x) + (late ? -8 : 8),
        up(highest.lower) + (near ? 20 : -8),
        `label-lower${late ? ' end' : ''}`,
        `${counted(plan.lowerBound)} were needed`,
      ),
      text(
        frame.left + 8,
        up(plan.recommended) - 8,
        'label-recommended',
        `${counted(plan.recommended)} recommended`,
      ),
    ];
  }
  const here = plan.curve.points[Math.floor(plan.curve.points.length / 2)];
  if (here === undefined) return [];
  const x = across(here.x);
  return [
    `<path class="here" d="M${fixed(x)} ${frame.bottom}V${fixed(up(here.recommended))}"/>`,
    circle(x, up(here.lower), 'dot-lower'),
    circle(x, up(here.recommended), 'dot-recommended'),
    text(
      x - 10,
      up(here.recommended) - 10,
      'label-recommended end',
      `${counted(plan.recommended)} recommended`,
    ),
    text(x + 10, up(here.lower) + 20, 'label-lower', `${counted(plan.lowerBound)} lower bound`),
  ];
}

function wordsOf(plan: Plan) {
  const title = `${counted(plan.recommended)} virtual numbers recommended`;
  const chance = `chance of a failure within ${counted(plan.horizonDays)} days: ${plan.failureProbability}`;
  const decided = plan.decidedBy === undefined ? 'nobody holds a number' : `decided by ${plan.decidedBy}`;
  if (plan.curve.over === 'days') {
    const { sessions = 0, days = 0 } = plan.jobs ?? {};
    return {
      title,
      subtitle: `${decided}; ${chance}`,
      axis: 'days since the first job',
      description: `Numbers that the busiest party held at once, over ${counted(days)} days and ${counted(sessions)} past jobs: at most ${counted(plan.lowerBound)}. A line above it shows the ${counted(plan.recommended)} recommended.`,
    };
  }
  const first = plan.curve.points[Math.floor(plan.curve.points.length / 2)]?.x ?? 0;
  return {
    title,
    subtitle: `${decided}; ${chance}`,
    axis: 'sessions an hour, by the same parties',
    description: `Numbers needed over the sessions an hour. At ${counted(first)} an hour ${counted(plan.lowerBound)} are as likely too few as not, and ${counted(plan.recommended)} are recommended.`,
  };
}

function text(x: number, y: number, classes: string, words: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" class="${classes}">${escaped(words)}</text>`;
}

function circle(x: number, y: number, name: string): string {
  return `<circle class="${name}" cx="${fixed(x)}" cy="${fixed(y)}" r="4"/>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function counted(value: number): string {
  return value.toLocaleString('en', {
    maximumSignificantDigits: value < 100 ? 3 : 12,
    maximumFractionDigits: 1,
  });
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '&quot;');
}
