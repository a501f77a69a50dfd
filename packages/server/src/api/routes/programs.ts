import { Type } from 'typebox';
import {
  type Masking,
  MaskingError,
  type MaskingErrorCode,
  type Program,
  type ProgramTest,
  type ProgramTestResult,
} from '../../masking/service.ts';
import type { CallExplanation, Trace } from '../../masking/types.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import { fromMasking } from '../problem.ts';
import {
  type Api,
  asNotFound,
  checkName,
  isId,
  pageOfQuery,
  present,
  readTime,
  renderPage,
  words,
} from '../route.ts';
import { type Json, pageQuery } from '../schemas/common.ts';
import {
  definitionTestSchema,
  programTestResultSchema,
  programTestSchema,
} from '../schemas/program-tests.ts';
import {
  newProgramSchema,
  programChangeSchema,
  programPage,
  programParams,
  programQuery,
  programSchema,
} from '../schemas/programs.ts';

export function programRoutes(app: Api, masking: Masking): void {
  createRoute(app, masking);
  readRoutes(app, masking);
  changeRoutes(app, masking);
  testRoutes(app, masking);
}

function createRoute(app: Api, masking: Masking): void {
  app.post(
    '/v1/programs',
    {
      config: {
        scope: 'programs:write',
        problems: ['program-invalid', 'program-taken', 'unknown-destination'],
      },
      schema: {
        ...words(
          'Programs',
          'createProgram',
          'Save a program',
          'Sessions name it, or have it without naming it when it is the default.',
        ),
        body: newProgramSchema,
        response: { 201: programSchema },
      },
    },
    async (request, reply) => {
      const program = await placed(masking.createProgram(principalOf(request).tenant, request.body));
      return reply.code(201).header('location', `/v1/programs/${program.id}`).send(renderProgram(program));
    },
  );
}

function readRoutes(app: Api, masking: Masking): void {
  app.get(
    '/v1/programs',
    {
      config: { scope: 'programs:read', problems: ['invalid'] },
      schema: {
        ...words('Programs', 'listPrograms', 'List programs, in their newest versions'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: programPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'prg');
      return renderPage(await masking.listPrograms(principalOf(request).tenant, page), renderProgram);
    },
  );

  app.get(
    '/v1/programs/:id',
    {
      config: { scope: 'programs:read', problems: ['not-found', 'invalid'] },
      schema: {
        ...words('Programs', 'getProgram', 'Read a program, or an older version of it'),
        params: programParams,
        querystring: programQuery,
        response: { 200: programSchema },
      },
    },
    async (request) => {
      const id = checkName(request.params.id);
      const { version } = request.query;
      return renderProgram(await found(masking.getProgram(principalOf(request).tenant, id, version)));
    },
  );
}

function changeRoutes(app: Api, masking: Masking): void {
  const problems = ['not-found', 'program-invalid', 'program-taken', 'unknown-destination'] as const;

  app.put(
    '/v1/programs/:id',
    {
      config: { scope: 'programs:write', problems },
      schema: {
        ...words(
          'Programs',
          'replaceProgram',
          'Save a new version of a program',
          'Sessions that pinned no version follow it at once. Without `default` it stays what it was.',
        ),
        params: programParams,
        body: newProgramSchema,
        response: { 200: programSchema },
      },
    },
    async (request) => {
      const id = checkName(request.params.id);
      const saved = masking.updateProgram(principalOf(request).tenant, id, request.body);
      return renderProgram(await found(placed(saved)));
    },
  );

  app.patch(
    '/v1/programs/:id',
    {
      config: { scope: 'programs:write', problems },
      schema: {
        ...words(
          'Programs',
          'updateProgram',
          'Rename a program, make it the default, or save a new version',
          'A new definition is a new version; sessions that pinned none follow it at once.',
        ),
        params: programParams,
        body: programChangeSchema,
        response: { 200: programSchema },
      },
    },
    async (request) => {
      const id = checkName(request.params.id);
      const saved = masking.updateProgram(principalOf(request).tenant, id, request.body);
      return renderProgram(await found(placed(saved)));
    },
  );

  app.delete(
    '/v1/programs/:id',
    {
      config: { scope: 'programs:write', problems: ['not-found', 'program-in-use'] },
      schema: {
        ...words('Programs', 'deleteProgram', 'Delete a program that no live session names'),
        params: programParams,
        response: { 204: Type.Null({ description: 'Deleted.' }) },
      },
    },
    async (request, reply) => {
      await found(masking.deleteProgram(principalOf(request).tenant, checkName(request.params.id)));
      return reply.code(204).send(null);
    },
  );
}

function testRoutes(app: Api, masking: Masking): void {
  app.post(
    '/v1/programs/:id/test',
    {
      config: {
        scope: 'programs:read',
        idempotency: 'repeat',
        problems: ['not-found', 'unknown-participant'],
      },
      schema: {
        ...words(
          'Programs',
          'testProgram',
          'Say what would happen, without a call',
          'Which rule fires for this caller, number and time, and which steps would be taken.',
        ),
        params: programParams,
        body: programTestSchema,
        response: { 200: programTestResultSchema },
      },
    },
    async (request) => {
      const id = checkName(request.params.id);
      const test = readTest(request.body);
      return renderTest(await found(masking.testProgram(principalOf(request).tenant, id, test)));
    },
  );

  app.post(
    '/v1/programs/test',
    {
      config: {
        scope: 'programs:read',
        idempotency: 'repeat',
        problems: ['program-invalid', 'unknown-destination', 'not-found', 'unknown-participant'],
      },
      schema: {
        ...words('Programs', 'testDefinition', 'The same of a program that is not saved'),
        body: definitionTestSchema,
        response: { 200: programTestResultSchema },
      },
    },
    async (request) => {
      const { definition } = request.body;
      const test = readTest(request.body);
      const tested = masking.testProgram(principalOf(request).tenant, { definition }, test);
      return renderTest(await placed(tested));
    },
  );
}

/** The program that the path names. */
function found<Result>(result: Promise<Result>): Promise<Result> {
  return result.catch(asNotFound('unknown-program'));
}

/** A place within the definition, as the client wrote it: below `/definition`. */
function placed<Result>(result: Promise<Result>): Promise<Result> {
  return result.catch((error: unknown) => {
    if (!(error instanceof MaskingError) || !inDefinition.has(error.code)) throw error;
    throw fromMasking(error, (pointer) =>
      /^\/definition(?:\/|$)/.test(pointer) ? pointer : `/definition${pointer}`,
    );
  });
}
const inDefinition: ReadonlySet<MaskingErrorCode> = new Set(['program-invalid', 'unknown-destination']);

function readTest(body: Json<typeof programTestSchema>): ProgramTest {
  const { session, roles, caller, at, metadata, reference, number, attempt } = body;
  if (session !== undefined && !isId('ses', session)) {
    throw invalid([{ pointer: '/session', detail: 'must be the id of a session' }]);
  }
  if (session !== undefined && roles !== undefined) {
    throw invalid([{ pointer: '/roles', detail: 'cannot stand together with session; give one of them' }]);
  }
  return {
    caller,
    ...present({
      ...{ session, roles, metadata, reference, number },
      attempt: attempt && present(attempt),
      at: at === undefined ? undefined : readTime(at, '/at'),
    }),
  };
}

function renderProgram(program: Program) {
  const { id, name, version, definition, createdAt, updatedAt } = program;
  return {
    ...{ id, name, version, default: program.default },
    definition: { ...definition },
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

function renderTest({ trace, summary }: ProgramTestResult) {
  return { trace: renderTrace(trace), summary: [...summary] };
}

function renderTrace({ program, at, timeZone, open, rules, forbidden, steps }: Trace) {
  return {
    program: { source: program.source, ...present({ id: program.id, version: program.version }) },
    ...{ at, timeZone, open },
    rules: rules.map(({ place, name, outcome, error }) => ({ place, outcome, ...present({ name, error }) })),
    forbidden: [...forbidden],
    steps: steps.map(({ place, verb, to }) => ({ place, verb, ...present({ to: to && [...to] }) })),
  };
}

export function renderExplanation({ trace, steps }: CallExplanation) {
  return {
    ...present({ trace: trace && renderTrace(trace) }),
    steps: steps.map(({ place, verb, outcome, participant }) => ({
      ...{ place, verb, outcome },
      ...present({ participant }),
    })),
  };
}
