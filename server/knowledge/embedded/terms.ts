import { isIdentifier, toTerms } from '../../lib/analyze';

/** Search terms and how much each counts. */
export type WeightedTerms = ReadonlyMap<string, number>;

/** Most different terms of a query that are searched; the rest of a very long question is left out. */
const MAX_TERMS = 48;
/** What follows in a huge question is not even looked at. */
const MAX_QUERY_CHARS = 8_000;
/** A word that a question repeats says what it is about, up to a point. */
const MAX_REPEATS = 4;

export interface QueryTerms {
  /** Every term with the number of its occurrences. */
  terms: WeightedTerms;
  /** Those that name one thing and must match as they are. */
  identifiers: readonly string[];
}

export function toQueryTerms(text: string): QueryTerms {
  const terms = new Map<string, number>();
  for (const term of toTerms(text.slice(0, MAX_QUERY_CHARS))) {
    const known = terms.get(term);
    if (known === undefined && terms.size >= MAX_TERMS) continue;
    terms.set(term, Math.min(MAX_REPEATS, (known ?? 0) + 1));
  }
  return { terms, identifiers: [...terms.keys()].filter(isIdentifier) };
}
