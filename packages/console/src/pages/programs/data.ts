export interface Program {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly default: boolean;
  readonly definition: { readonly rules?: readonly unknown[] };
  readonly createdAt: string;
  readonly updatedAt: string;
}
