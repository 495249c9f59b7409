import type { WeightedTerms } from './terms';

/** A passage that the question itself found, with its search terms and BM25. */
export interface FeedbackPassage {
  terms: readonly string[];
  score: number;
}

/** Passages that feedback learns from; fewer say too little. */
export const FEEDBACK_PASSAGES = 5;
const FEEDBACK_TERMS = 10;
/** Share of the question itself in the expanded query. */
const ORIGINAL_WEIGHT = 0.7;

/**
 * Adds the words that the best passages have in common to a query: the relevance model RM3
 * (Abdul-Jaleel et al., UMass at TREC 2004):
 *
 *   P(w|R) ∝ Σ over passages of score(passage) · tf(w, passage) / |passage|
 *   weight(w) = 0.7 · P(w|question) + 0.3 · P(w|R), the second over its 10 best terms
 *
 * Weights sum to 1. Bare numbers and single letters never expand a query: they stand on every page.
 */
export function expandQuery(query: WeightedTerms, passages: readonly FeedbackPassage[]): WeightedTerms {
  const relevance = new Map<string, number>();
  for (const { terms, score } of passages) {
    const share = score / terms.length;
    for (const term of terms) {
      if (/\p{L}{2}/u.test(term)) relevance.set(term, (relevance.get(term) ?? 0) + share);
    }
  }
  const best = [...relevance].sort((a, b) => b[1] - a[1]).slice(0, FEEDBACK_TERMS);
  const weights = new Map<string, number>();
  const add = (terms: Iterable<readonly [string, number]>, total: number) => {
    const sum = [...terms].reduce((all, [, weight]) => all + weight, 0);
    for (const [term, weight] of terms) weights.set(term, (weights.get(term) ?? 0) + (total * weight) / sum);
  };
  add([...query], ORIGINAL_WEIGHT);
  add(best, 1 - ORIGINAL_WEIGHT);
  return weights;
}
