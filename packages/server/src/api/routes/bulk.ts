/** Many sessions opened, changed and closed at once. One result an item, in order; no item keeps another from happening. */
import type { BulkItem, BulkResult, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { checker, inside, invalid } from '../input.ts';
import { fromMasking, Problem, problemDocument } from '../problem.ts';
import { problemKinds } from '../problem-kinds.ts';
import { type Api, words } from '../route.ts';
import type { Json } from '../schemas/common.ts';
import { bulkItemSchemas, bulkResultSchema, bulkSchema } from '../schemas/sessions.ts';
import { asWritten, readChange, readSession } from './session-input.ts';
import { renderCreated, renderSession } from './session-view.ts';

type Item = {
  [Action in keyof typeof bulkItemSchemas]: Json<(typeof bulkItemSchemas)[Action]>;
}[keyof typeof bulkItemSchemas];
type Action = BulkItem['action'];

/** Where the part stands in the item about which the heart speaks. */
const partOf: Readonly<Record<Action, string>> = { open: '/session', change: '/change', close: '/close' };
const refusalOf: Readonly<Record<Action, (item: unknown) => Problem | undefined>> = {
  open: checker(bulkItemSchemas.open),
  change: checker(bulkItemSchemas.change),
  close: checker(bulkItemSchemas.close),
};

export function bulkRoute(app: Api, masking: Masking, publicUrl: () => string): void {
  app.post(
    '/v1/sessions/bulk',
    {
      config: { scope: 'sessions:write' },
      schema: {
        ...words(
          'Sessions',
          'bulkSessions',
          'Open, change and close many sessions',
          'At most 500. Each item is done on its own and has a result of its own, in order: what fails keeps no other from happening. Items are not done one after another: name a session once.',
        ),
        body: bulkSchema,
        response: { 200: bulkResultSchema },
      },
    },
    async (request) => {
      const read = request.body.items.map(readItem);
      const sound = read.flatMap((item) => (item instanceof Problem ? [] : [item.item]));
      const done = sound.length === 0 ? [] : await masking.bulk(principalOf(request).tenant, sound);
      if (done.length !== sound.length) throw new Error('a bulk must have one result an item');
      const results = done.values();
      return {
        results: read.map((item) => {
          if (item instanceof Problem) return refused(item, request.id);
          const { value: result } = results.next();
          return renderResult(result as BulkResult, item, request.id, publicUrl());
        }),
      };
    },
  );
}

interface ReadItem {
  readonly item: BulkItem;
  readonly written: Item;
}

function readItem(written: unknown): ReadItem | Problem {
  const action = (written as { action?: unknown } | null)?.action;
  if (!isAction(action)) {
    return invalid([{ pointer: '/action', detail: 'must be one of open, change, close' }]);
  }
  const problem = refusalOf[action](written);
  if (problem) return problem;
  try {
    const item = written as Item;
    return { item: asBulkItem(item), written: item };
  } catch (error) {
    if (error instanceof Problem) return inside(partOf[action], error);
    throw error;
  }
}

function isAction(action: unknown): action is Action {
  return action === 'open' || action === 'change' || action === 'close';
}

function asBulkItem(item: Item): BulkItem {
  switch (item.action) {
    case 'open':
      return { action: 'open', session: readSession(item.session) };
    case 'change':
      return { action: 'change', id: item.id, change: readChange(item.change) };
    case 'close':
      return { action: 'close', id: item.id, close: item.close };
  }
}

function renderResult(result: BulkResult, { written }: ReadItem, instance: string, publicUrl: string) {
  if (!result.ok) {
    const part = partOf[written.action];
    const place = (pointer: string) =>
      asWritten(pointer.startsWith(`${part}/`) || pointer === '/id' ? pointer : `${part}${pointer}`, written);
    return refused(fromMasking(result.error, place), instance);
  }
  const { session } = result;
  return 'transparencyTokens' in session
    ? { status: 201, session: renderCreated(session, publicUrl) }
    : { status: 200, session: renderSession(session) };
}

function refused(problem: Problem, instance: string) {
  return { status: problemKinds[problem.code].status, problem: problemDocument(problem, instance) };
}
