/** Names as people write them: the database keeps them by length. */
const order = ['rules', 'closed', 'blocks', 'timeZone', 'name', 'when', 'then', 'prompt', 'to', 'choices'];

/** The definition as text, each object's names in the usual order. */
export function writeDefinition(definition: unknown): string {
  return JSON.stringify(definition, (_name, value: unknown) => (isObject(value) ? inOrder(value) : value), 2);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inOrder(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const place = (name: string) => (order.indexOf(name) === -1 ? order.length : order.indexOf(name));
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => place(one) - place(other)));
}

export interface Program {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly default: boolean;
  readonly definition: { readonly rules?: readonly unknown[] };
  readonly createdAt: string;
  readonly updatedAt: string;
}
