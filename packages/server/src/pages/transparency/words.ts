/** What the page says, by language. Every text is plain: it is escaped where it stands. */
import type { Dispute, SeenActor, TransparencyView } from '../../trust/service.ts';

export type Action = 'end' | 'block' | 'report' | 'erase';
export const actions: readonly Action[] = ['end', 'block', 'report', 'erase'];
export const categories: readonly Dispute['category'][] = [
  'harassment',
  'safety',
  'fraud',
  'quality',
  'other',
];

export interface ActionWords {
  /** On the page's button, and the heading of the page that asks once more. */
  readonly title: string;
  /** What will happen, in whole sentences. */
  readonly explains: readonly string[];
  readonly button: string;
  /** Afterwards; also when it had been done before. */
  readonly done: string;
}

export interface Words {
  /** BCP 47, for `lang` and for dates. */
  readonly tag: string;
  readonly languageName: string;
  readonly skip: string;
  readonly title: string;
  readonly intro: (business: string) => string;
  readonly keepLink: string;
  readonly reference: string;
  readonly youAre: string;
  readonly status: Readonly<Record<TransparencyView['status'], string>>;
  readonly since: string;
  readonly until: string;
  readonly ended: string;
  readonly shownUntil: (days: number) => string;
  readonly reach: {
    readonly title: string;
    readonly nobody: string;
    readonly call: (role: string) => string;
    readonly callAndText: (role: string) => string;
    readonly notCall: (role: string) => string;
    readonly narrowed: string;
    readonly afterClose: (roles: string, time: string) => string;
    readonly blocked: string;
  };
  readonly shared: {
    readonly title: string;
    readonly number: string;
    readonly numberWhy: string;
    readonly phone: string;
    readonly phoneWhy: (business: string) => string;
    readonly name: string;
    readonly nameWhy: string;
  };
  readonly recording: {
    readonly title: string;
    readonly mode: Readonly<Record<TransparencyView['recording'], string>>;
    readonly kept: (days: number) => string;
  };
  readonly calls: {
    readonly title: string;
    readonly none: string;
    readonly direction: { readonly in: string; readonly out: string };
    /** `other`: whatever has no words of its own. */
    readonly outcome: Readonly<Record<string, string>> & { readonly other: string };
    readonly length: (seconds: number) => string;
    readonly recorded: string;
    readonly deleted: string;
    readonly notRecorded: string;
    readonly listened: string;
    readonly nobodyListened: string;
    readonly by: Readonly<Record<SeenActor, string>>;
    readonly reason: string;
    readonly earlier: string;
    readonly later: string;
  };
  readonly uses: {
    readonly title: string;
    readonly none: string;
    readonly kind: Readonly<Record<TransparencyView['uses'][number]['kind'], string>>;
  };
  readonly choices: {
    readonly title: string;
    readonly sure: string;
    readonly back: string;
  };
  readonly action: Readonly<Record<Action, ActionWords>>;
  readonly report: {
    readonly category: string;
    readonly categories: Readonly<Record<Dispute['category'], string>>;
    readonly call: string;
    readonly noCall: string;
    readonly statement: string;
    readonly hint: (most: number) => string;
    readonly standing: string;
    readonly wrong: (most: number) => string;
  };
  readonly complain: { readonly title: string; readonly how: (business: string) => string };
  readonly languages: string;
  readonly problem: {
    readonly missing: { readonly title: string; readonly text: string };
    readonly busy: { readonly title: string; readonly text: string };
    readonly later: { readonly title: string; readonly text: string };
    readonly stale: { readonly title: string; readonly text: string };
    readonly unreachable: { readonly title: string; readonly text: string };
  };
  readonly roles: Readonly<Record<string, string>>;
  readonly seconds: (seconds: number) => string;
}
