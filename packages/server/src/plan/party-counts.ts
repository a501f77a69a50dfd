/** How unevenly past jobs fell on parties, and what of it is chance. */
import type { PartyClass } from './need.ts';
import type { RoleRows } from './sweep.ts';

export interface PartyCounts {
  /** How many parties had so many jobs, from the most down. */
  readonly counts: readonly { readonly jobs: number; readonly parties: number }[];
  readonly most: number;
}

export function partyCounts(role: RoleRows): PartyCounts {
  const seen = new Map<number, number>();
  for (let party = 0; party < role.parties; party++) {
    const jobs = (role.starts[party + 1] ?? 0) - (role.starts[party] ?? 0);
    if (jobs > 0) seen.set(jobs, (seen.get(jobs) ?? 0) + 1);
  }
  const counts = [...seen]
    .map(([jobs, parties]) => ({ jobs, parties }))
    .sort((one, other) => other.jobs - one.jobs);
  return { counts, most: counts[0]?.jobs ?? 0 };
}

/**
 * Rates of parties who had so many jobs in `hours`. Whoever had most was also lucky: with rates spread by a gamma
 * distribution (its mean and variance are the file's, less what chance alone would give) the expected rate of a party
 * with n jobs is (α + n) / (β + 1). Parties who exist and had no job are estimated by Chao's f₀ = f₁(f₁ - 1) / 2(f₂ + 1),
 * at most a hundred times those seen.
 */
export function shrunk({ counts }: PartyCounts, hours: number): readonly PartyClass[] {
  const withJobs = (jobs: number) => counts.find((one) => one.jobs === jobs)?.parties ?? 0;
  const seen = counts.reduce((sum, one) => sum + one.parties, 0);
  const once = withJobs(1);
  const unseen = Math.min(100 * seen, Math.round((once * (once - 1)) / (2 * (withJobs(2) + 1))));
  const all = unseen > 0 ? [...counts, { jobs: 0, parties: unseen }] : counts;
  const parties = seen + unseen;
  const mean = all.reduce((sum, one) => sum + one.jobs * one.parties, 0) / parties;
  const variance = all.reduce((sum, one) => sum + (one.jobs - mean) ** 2 * one.parties, 0) / parties;
  const spread = variance - mean;
  if (spread <= 1e-9 * mean) return [{ parties, perHour: mean / hours }];
  const alpha = (mean * mean) / spread;
  const beta = mean / spread;
  return all.map((one) => ({ parties: one.parties, perHour: (alpha + one.jobs) / (beta + 1) / hours }));
}
