import type { Stage } from '../../core/knowledge';

/** What one search found: ids, best first, each with the score of that search. */
export interface Ranking {
  name: Stage;
  hits: readonly { id: string; score: number }[];
}

/** Damps the first places; the value of the paper, not tuned. */
const RANK_CONSTANT = 60;

/**
 * Reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009): Σ 1 / (60 + rank). Ids best first;
 * equal sums keep the order of the first ranking that has them.
 */
export function fuse(rankings: readonly Ranking[]): { id: string; score: number }[] {
  const sums = new Map<string, number>();
  for (const { hits } of rankings) {
    hits.forEach(({ id }, index) => {
      sums.set(id, (sums.get(id) ?? 0) + 1 / (RANK_CONSTANT + index + 1));
    });
  }
  return [...sums].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score);
}
