/** A plan in plain words, for whoever tests a program. */
import type { Spoken } from '../types.ts';
import type { PlannedStep, ProgramPerson } from './types.ts';

type Names = ReadonlyMap<string, string>;

/** One line a step, those within menus indented. `people`: roles are said instead of participant ids. */
export function summary(
  steps: readonly PlannedStep[],
  people: readonly ProgramPerson[] = [],
): readonly string[] {
  return lines(steps, new Map(people.map(({ participant, role }) => [participant, role])), '');
}

function lines(steps: readonly PlannedStep[], names: Names, indent: string): readonly string[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'menu') return [`${indent}${line(step, names)}`];
    const inner = `${indent}  `;
    const asked = `asked ${times(step.attempts)}, ${step.timeoutSeconds} s for an answer`;
    return [
      `${indent}menu ${words(step.words)}, ${asked}`,
      ...[...step.choices].flatMap(([key, chosen]) => [
        `${inner}key ${key}:`,
        ...lines(chosen, names, `${inner}  `),
      ]),
      `${inner}otherwise:`,
      ...lines(step.otherwise, names, `${inner}  `),
    ];
  });
}

function line(step: Exclude<PlannedStep, { kind: 'menu' }>, names: Names): string {
  const named = (participants: readonly string[], between: string): string =>
    participants.map((participant) => names.get(participant) ?? participant).join(between);
  switch (step.kind) {
    case 'connect': {
      const ringing =
        step.mode === 'all' && step.targets.length > 1
          ? `${named(step.targets, ' and ')} all at once, ${step.ringSeconds} s`
          : `${named(step.targets, ', then ')}, ${step.ringSeconds} s each`;
      const whisper = step.whisper === undefined ? '' : `, who first hears ${words(step.whisper)}`;
      return `connect ${ringing}${whisper}${step.accept ? ', who must press 1' : ''}`;
    }
    case 'announce':
      return `announce ${words(step.words)}`;
    case 'forward':
      return `forward to your destination ${step.destination}, ${step.ringSeconds} s`;
    case 'refuse': {
      const said = step.words === undefined ? '' : ` with ${words(step.words)}`;
      return step.reason === 'program' ? `refuse${said}` : `refuse${said} (${step.reason})`;
    }
    case 'ask':
      return `ask your system, for ${step.timeoutMilliseconds} ms at most, else its fallback`;
    case 'voicemail':
      return `take a message for ${named(step.addressees, ' and ')}, ${step.maxSeconds} s at most`;
    case 'messages':
      return 'offer the messages that wait for the caller';
  }
}

function words(spoken: Spoken): string {
  return spoken
    .map((part) => (part.kind === 'prompt' ? `“${part.name}”` : [...part.text].join(' ')))
    .join(' ');
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}
