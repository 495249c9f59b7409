/** What one search found: ids, best first, each with the score of that search. */
export interface Ranking {
  hits: readonly { id: string; score: number }[];
}

/** Closeness in meaning, as a vector search tells it. */
export interface Closeness extends Ranking {
  /** 0 for a cosine as of two random passages, 1 for one as of near neighbours. */
  closeness(cosine: number): number;
  /** False for a passage that has no vector yet. */
  covers(id: string): boolean;
  /** Passages that have a vector. */
  size: number;
}

/** Weight of closeness when words and vectors agree fully; words have the rest (docs/decisions/0013). */
const VECTOR_WEIGHT = 0.4;
/** Best hits of the words that are looked for among the first ones by vectors. */
const AGREEMENT_WORDS = 10;
const AGREEMENT_VECTORS = 50;
/** Share of them from which on the vectors are trusted fully. */
const FULL_AGREEMENT = 0.5;

/**
 * Fuses words and vectors by their scores:
 *
 *   fused = (1 - w) · BM25 / best BM25 + w · closeness,   w = 0.4 · agreement
 *
 * Agreement is the share of the ten best hits by words among the fifty best by vectors, less what chance would
 * give, on a scale whose end is one half: a model that brings other passages than those that hold the words is
 * either for other questions, or no good, and must not push them away. With no hits by words it is 1.
 *
 * A passage without a vector is judged by its words: it counts as being as close as they are good, so that it keeps
 * its place among those with the same words. One that has a vector but was not brought by it is at most as close as
 * the last that was; half of that is taken.
 */
export function fuse(words: Ranking, near: Closeness | undefined): { id: string; score: number }[] {
  const best = words.hits[0]?.score ?? 0;
  const byWords = new Map(words.hits.map(({ id, score }) => [id, best > 0 ? score / best : 0]));
  if (!near || near.hits.length === 0) return sorted(byWords);
  const close = new Map(near.hits.map(({ id, score }) => [id, near.closeness(score)]));
  const farthest = near.closeness(near.hits.at(-1)?.score ?? 0) / 2;
  const closest = Math.max(...close.values());
  const weight = VECTOR_WEIGHT * agreement(words, near);
  const fused = new Map<string, number>();
  for (const id of new Set([...byWords.keys(), ...close.keys()])) {
    const word = byWords.get(id) ?? 0;
    const closeness = close.get(id) ?? (near.covers(id) ? farthest : word * closest);
    fused.set(id, (1 - weight) * word + weight * closeness);
  }
  return sorted(fused);
}

/** How far two searches agree, 0..1. */
export function agreement(words: Ranking, near: Closeness): number {
  const asked = words.hits.slice(0, AGREEMENT_WORDS).filter(({ id }) => near.covers(id));
  if (asked.length === 0) return 1;
  const brought = new Set(near.hits.slice(0, AGREEMENT_VECTORS).map(({ id }) => id));
  const share = asked.filter(({ id }) => brought.has(id)).length / asked.length;
  const chance = Math.min(1, AGREEMENT_VECTORS / Math.max(1, near.size));
  // In a space this small, every passage is among the first ones.
  if (chance >= FULL_AGREEMENT) return share;
  return Math.min(1, Math.max(0, (share - chance) / (FULL_AGREEMENT * (1 - chance))));
}

const sorted = (scores: ReadonlyMap<string, number>) =>
  [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score);

/** Damps the first places, so that two orders of equal worth mix. */
const BLEND_RANK = 10;

/** Blends an order with the one that a reranker makes of its first `scores.length` entries: by Σ 1 / (10 + rank). */
export function blend<T>(ordered: readonly T[], scores: readonly number[]): T[] {
  const judged = ordered.slice(0, scores.length);
  const places = judged.map((_one, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const rank = new Map(places.map((index, place) => [index, place]));
  const worth = (index: number) => 1 / (BLEND_RANK + index + 1) + 1 / (BLEND_RANK + (rank.get(index) ?? 0) + 1);
  const order = judged.map((_one, index) => index).sort((a, b) => worth(b) - worth(a));
  return [...order.flatMap((index) => judged[index] ?? []), ...ordered.slice(scores.length)];
}
