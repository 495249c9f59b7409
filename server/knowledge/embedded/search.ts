import type { Passage, Retrieval, RetrievalQuery } from '../../core/knowledge';
import { toTerms } from './analyze';
import type { KeywordHit, PassageIndex } from './passage-index';

/**
 * Below this a passage shares too little with the question to count as an answer. Set on the
 * project's sample documents and question lists (docs/decisions/0005): questions with an answer
 * score above it, questions about other subjects below.
 */
export const DEFAULT_MIN_SCORE = 0.2;

/** Candidates that are scored; passages of one page are merged afterwards. */
const CANDIDATES = 40;
/** Most terms of a query that are searched; the rest of a very long question is left out. */
const MAX_TERMS = 48;
/** What follows in a huge question is not even looked at. */
const MAX_QUERY_CHARS = 8_000;
/** Highest share of one term in BM25 with k1 = 1.2: tf·(k1+1)/(tf+k1·…) approaches k1+1. */
const TERM_SATURATION = 2.2;
const CACHE_LIMIT = 20_000;

/**
 * Keyword search over an index, with a score that means the same for every query:
 *
 *   score = BM25(query, passage) / Σ over query terms of the best BM25 any passage has for that term
 *
 * so 1 means that no passage could match any word of the question better, and 0.5 that half of the
 * question's weight is found. A word that stands nowhere counts with the weight of the rarest word
 * (BM25's idf at document frequency 0), which keeps questions about other subjects low.
 */
export class KeywordSearch {
  /** Best single-term BM25, per term and set of collections; dropped whenever the index changes. */
  private bestOfTerm = new Map<string, Promise<number>>();

  constructor(private readonly index: PassageIndex) {}

  indexChanged(): void {
    this.bestOfTerm = new Map();
  }

  /** `visible` tells which documents may be shown: those whose ingestion is complete. */
  async search(query: RetrievalQuery, visible: (documentId: string) => boolean): Promise<Retrieval> {
    const started = performance.now();
    const terms = [...new Set(toTerms(query.text.slice(0, MAX_QUERY_CHARS)))].slice(0, MAX_TERMS);
    const limit = Math.max(CANDIDATES, query.limit * 3);
    const [hits, best] = await Promise.all([
      this.index.searchKeywords(terms, limit, query.collections),
      this.bestPossible(terms, query.collections),
    ]);
    const shown = mergePages(hits.filter((hit) => visible(hit.documentId)));
    const scored = shown.map((hit) => toPassage(hit, best > 0 ? Math.min(1, hit.bm25 / best) : 0));
    const kept = scored.filter((passage) => query.minScore === undefined || passage.score >= query.minScore);
    return {
      state: kept.length > 0 ? 'ok' : 'empty',
      reason: kept.length > 0 ? undefined : emptyReason(terms, scored.length),
      passages: kept.slice(0, query.limit),
      candidates: scored.length,
      durationMs: performance.now() - started,
    };
  }

  private async bestPossible(terms: readonly string[], collections: readonly string[] | undefined): Promise<number> {
    if (this.bestOfTerm.size > CACHE_LIMIT) this.bestOfTerm = new Map();
    const scope = collections?.join('\n') ?? '';
    const bests = await Promise.all(
      terms.map((term) => {
        const key = `${term}\n${scope}`;
        const known = this.bestOfTerm.get(key);
        if (known) return known;
        const best = this.index.searchKeywords([term], 1, collections).then(([hit]) => hit?.bm25 ?? 0);
        this.bestOfTerm.set(key, best);
        best.catch(() => this.bestOfTerm.delete(key));
        return best;
      }),
    );
    const missing = bests.filter((best) => best === 0).length;
    const absent = missing > 0 ? Math.log(1 + 2 * (await this.index.count())) * TERM_SATURATION * 0.6 : 0;
    return bests.reduce((sum, best) => sum + best, 0) + missing * absent;
  }
}

/** Passages of one page joined at most. */
const MAX_JOINED = 3;
/** A passage joins a better one of its page when it scores at least this share of it. */
const JOIN_SHARE = 0.5;

/** Passages of one page are one result: the best keeps its score and place, near ones lend their text, in page order. */
function mergePages(hits: readonly KeywordHit[]): KeywordHit[] {
  const pages = new Map<string, KeywordHit[]>();
  for (const hit of hits) {
    const key = `${hit.documentId} ${hit.page}`;
    const group = pages.get(key);
    if (!group) pages.set(key, [hit]);
    else if (group.length < MAX_JOINED && hit.bm25 >= JOIN_SHARE * (group[0]?.bm25 ?? 0)) group.push(hit);
  }
  return [...pages.values()].flatMap((group) => {
    const [best] = group;
    if (!best || group.length === 1) return group;
    const inOrder = [...group].sort((a, b) => a.position - b.position);
    const text = inOrder.reduce((joined, hit, index) => {
      if (index === 0) return hit.text;
      const adjacent = hit.position === (inOrder[index - 1]?.position ?? 0) + 1;
      return `${joined}${adjacent ? '\n\n' : '\n\n[…]\n\n'}${hit.text}`;
    }, '');
    return [{ ...best, text }];
  });
}

function toPassage(hit: KeywordHit, score: number): Passage {
  return {
    id: hit.id,
    documentId: hit.documentId,
    source: hit.source,
    title: hit.title ?? undefined,
    page: hit.page,
    pageKind: hit.pageKind,
    heading: hit.heading ?? undefined,
    text: hit.text,
    score,
    scores: { keyword: hit.bm25 },
    url: undefined,
  };
}

function emptyReason(terms: readonly string[], candidates: number): string {
  if (terms.length === 0) return 'The question holds no word to search for.';
  return candidates === 0
    ? 'No document contains any word of this question.'
    : 'No passage matches this question well enough.';
}
