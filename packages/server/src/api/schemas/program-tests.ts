/** What a program would do, and how one came to what it did. */
import { Type } from 'typebox';
import { metadata, oneOf, participantOrRole, role, time, virtualNumberIn } from './common.ts';
import { exampleProgram, programDefinition } from './programs.ts';

const count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
const testFields = {
  session: Type.Optional(
    Type.String({
      maxLength: 100,
      description: 'Rules, participants and history of this session; else `roles` stand in for participants.',
      examples: ['ses_019b3c5e7a1048f2c6d0a4b8e1f35927'],
    }),
  ),
  roles: Type.Optional(Type.Array(role, { minItems: 1, maxItems: 10 })),
  caller: participantOrRole,
  at: Type.Optional(time('The moment of the call; now when absent.')),
  metadata: Type.Optional(metadata),
  reference: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  number: Type.Optional(virtualNumberIn),
  attempt: Type.Optional(
    Type.Object(
      {
        calls: Type.Optional(count),
        answered: Type.Optional(count),
        connected: Type.Optional(count),
        minutes: Type.Optional(count),
        sinceLast: Type.Optional(Type.Integer({ minimum: -1, maximum: 1_000_000_000 })),
        recent: Type.Optional(count),
      },
      {
        additionalProperties: false,
        description: 'What `attempt` says; absent: nothing was tried yet, or what the session has seen.',
      },
    ),
  ),
};
const testExample = {
  roles: ['agent', 'customer'],
  caller: 'customer',
  at: '2026-01-31T15:30:00Z',
  attempt: { calls: 2 },
};
export const programTestSchema = Type.Object(testFields, {
  additionalProperties: false,
  title: 'ProgramTest',
  examples: [testExample],
});
export const definitionTestSchema = Type.Object(
  { definition: programDefinition, ...testFields },
  {
    additionalProperties: false,
    title: 'DefinitionTest',
    examples: [{ definition: exampleProgram.definition, ...testExample }],
  },
);

export const traceSchema = Type.Object(
  {
    program: Type.Object(
      {
        source: oneOf(
          ['inline', 'named', 'tenant', 'default'],
          'Of the session itself, named by it, your default program, or none: everybody else is connected.',
        ),
        id: Type.Optional(Type.String()),
        version: Type.Optional(Type.Integer()),
      },
      { title: 'TracedProgram' },
    ),
    at: Type.String({ description: 'The moment of the decision.' }),
    timeZone: Type.String(),
    open: Type.Boolean({ description: 'Whether the schedule was open.' }),
    rules: Type.Array(
      Type.Object(
        {
          place: Type.String({ description: 'JSON pointer into the program.', examples: ['/rules/0'] }),
          name: Type.Optional(Type.String()),
          outcome: oneOf(
            ['fired', 'false', 'error'],
            'An expression that fails counts as false, and `error` says why.',
          ),
          error: Type.Optional(Type.String()),
        },
        { title: 'TracedRule' },
      ),
      { description: 'In the order in which they were tried, up to the one that fired.' },
    ),
    forbidden: Type.Array(Type.String(), {
      description: 'Limits, quiet hours, blocks and one-way rules that forbade something.',
    }),
    steps: Type.Array(
      Type.Object(
        {
          place: Type.String(),
          verb: Type.String(),
          to: Type.Optional(Type.Array(Type.String({ description: 'Id of a participant, or a role.' }))),
        },
        { title: 'PlannedStep' },
      ),
      { description: 'What was then planned.' },
    ),
  },
  { title: 'Trace', description: 'How a program came to its steps.' },
);
export const programTestResultSchema = Type.Object(
  {
    trace: traceSchema,
    summary: Type.Array(Type.String({ examples: ['connect customer, 25 s each'] }), {
      description: 'What would happen, in words, one a step.',
    }),
  },
  { title: 'ProgramTestResult' },
);
