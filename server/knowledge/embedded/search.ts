import { AppError } from '../../core/errors';
import type { Retrieval, RetrievalQuery, Stage } from '../../core/knowledge';
import { log } from '../../lib/log';
import { blend, type Closeness, fuse, type Ranking } from './fusion';
import { absentWords, missingOf, relativesOf } from './missing';
import { toPassageId } from './passage-row';
import type { PassageStore, Scope, StandingTerms, TermHits } from './passage-store';
import {
  type Found,
  joinAdjacent,
  neighbourIds,
  termsOf,
  toCandidate,
  toResult,
  withNeighbours,
  withoutCopies,
} from './results';
import { formsOf, type Query, toQuery, weigh } from './terms';
import type { VectorHits, Vectors } from './vectors';

/** Hits of each search that are fused, at least. */
const HITS = 100;
/** Fused passages that are looked at, at least; those that follow each other are joined afterwards. */
const CANDIDATES = 24;
/** Results that may be extended by their neighbours. */
const EXTENDED = 10;
/** Passages that tell whether a question is about something else. */
const BEST = 3;
/** Passages that a reranker is asked about, at least. */
const RERANKED = 30;
/** Below this the best passage shares little with the question (docs/decisions/0013). */
const WEAK = 0.35;

/** Judges passages against a question; answers one score for each, higher is better. */
export interface Reranker {
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}

/** What the searches say, before it is ordered. */
interface Searched {
  keyword: TermHits;
  near: (VectorHits & Closeness) | undefined;
  trouble: string | undefined;
}

/**
 * Words carry the search (BM25 with identifiers and clause numbers); vectors, where a model makes them, are fused by
 * score; a reranker's order is blended in.
 *
 * The score shown means the same for every question and every path (docs/decisions/0013):
 *
 *   coverage  = BM25(question, passage) / Σ over its terms of the best BM25 any passage has for the term
 *   closeness = cosine, on a scale from two random passages (0) to near neighbours (1)
 *   score     = max(coverage, (coverage + closeness) / 2)
 */
export class HybridSearch {
  constructor(
    private readonly store: PassageStore,
    private readonly vectors: Vectors,
    /** Tells which documents may be shown: those whose ingestion is complete. */
    private readonly visible: (documentId: string) => boolean,
    /** Languages of the documents, the most frequent first. */
    private readonly languages: () => readonly string[],
  ) {}

  async search(query: RetrievalQuery, reranker: Reranker | undefined, signal: AbortSignal): Promise<Retrieval> {
    const clock = new Clock();
    const languages = this.languages();
    const asked = toQuery(query.text, languages);
    const standing = await clock.time('vocabulary', this.standing(asked, query.collections));
    const scope = { limit: Math.max(HITS, query.limit * 2), collections: query.collections };
    const searched = await this.findAll(query, weigh(asked, standing.counts), asked, scope, clock, signal);
    const found = await this.load(searched, Math.max(CANDIDATES, query.limit * 3), clock);
    const best = found.slice(0, BEST).map(({ passage }) => termsOf(passage));
    const missing = missingOf(query.text, asked, standing, { best, languages });
    const whole = query.withoutCopies ? withoutCopies(found) : found;
    const judged = await this.judge(query, whole, asked.onlyIdentifiers ? undefined : reranker, clock, signal);
    const joined = joinAdjacent(judged.found);
    const kept = joined.filter(({ score }) => query.minScore === undefined || score >= query.minScore);
    const trouble = searched.trouble ?? judged.trouble;
    const empty = kept.length === 0 ? emptyReason(asked, joined.length, query.collections) : undefined;
    return {
      // Words were searched: finding nothing is a result, even when a part of the search failed.
      state: empty ? 'empty' : trouble ? 'degraded' : 'ok',
      reason: [empty, trouble].filter(Boolean).join(' ') || undefined,
      passages: (await this.extended(kept.slice(0, query.limit), clock)).map(toResult),
      ...(missing && { missing }),
      ...(kept.length > 0 && Math.max(...kept.map(({ score }) => score)) < WEAK && { weak: true }),
      candidates: joined.map(toCandidate),
      timings: clock.timings,
      durationMs: clock.elapsed,
    };
  }

  /** Which words of a question stand in the documents at all. */
  private async standing(query: Query, collections: Scope['collections']): Promise<StandingTerms> {
    const terms = formsOf(query);
    if (terms.length === 0) return { counts: new Map(), prefixes: [], size: 0 };
    const standing = await this.store.standing({ terms, prefixes: [] }, collections);
    const prefixes = relativesOf(absentWords(query, standing));
    if (prefixes.length === 0) return standing;
    return { ...standing, prefixes: (await this.store.standing({ terms: [], prefixes }, collections)).prefixes };
  }

  /** Words and vectors, side by side. */
  private async findAll(
    { text, stages }: RetrievalQuery,
    terms: ReturnType<typeof weigh>,
    query: Query,
    scope: Scope,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<Searched> {
    const wanted = (stage: Stage) => stages === undefined || stages.includes(stage);
    let trouble: string | undefined;
    const vectors = async () => {
      // What an identifier asks for exactly, closeness would blur.
      if (query.onlyIdentifiers || !wanted('vector')) return undefined;
      try {
        return await clock.time('vector', this.vectors.search(text, scope, signal));
      } catch (error) {
        signal.throwIfAborted();
        trouble = vectorTrouble(error);
        return undefined;
      }
    };
    const words = async () => {
      if (terms.size === 0) return { hits: [], best: 0, size: 0 };
      const found = await clock.time('keyword', this.store.searchTerms(terms, scope));
      return { ...found, hits: found.hits.filter(({ documentId }) => this.visible(documentId)) };
    };
    const [near, keyword] = await Promise.all([vectors(), words()]);
    if (near) clock.timings['embed'] = near.embedMs;
    return {
      keyword: wanted('keyword') ? keyword : { ...keyword, hits: [] },
      near: near && { ...near, hits: near.hits.filter(({ documentId }) => this.visible(documentId)) },
      trouble,
    };
  }

  /** The first ones of the fused order with their passages, and what every stage says. */
  private async load({ keyword, near }: Searched, limit: number, clock: Clock): Promise<Found[]> {
    const fused = fuse(keyword, near).slice(0, limit);
    const passages = await clock.time('load', this.store.passages(fused.map(({ id }) => id)));
    const byId = new Map(passages.map((passage) => [passage.id, passage]));
    const words = placesOf(keyword);
    const vectors = placesOf(near ?? { hits: [] });
    return fused.flatMap(({ id, score }, index): Found[] => {
      const passage = byId.get(id);
      if (!passage) return [];
      const word = words.get(id);
      const vector = vectors.get(id);
      const coverage = word && keyword.best > 0 ? Math.min(1, word.score / keyword.best) : 0;
      const closeness = vector && near ? near.closeness(vector.score) : 0;
      return [
        {
          passage,
          score: Math.max(coverage, (coverage + closeness) / 2),
          scores: { ...(word && { keyword: word.score }), ...(vector && { vector: vector.score }), fused: score },
          ranks: { ...(word && { keyword: word.rank }), ...(vector && { vector: vector.rank }), fused: index + 1 },
        },
      ];
    });
  }

  /** The best of the results, the short ones with what stands around them. */
  private async extended(results: readonly Found[], clock: Clock): Promise<Found[]> {
    const best = results.slice(0, EXTENDED);
    const ids = neighbourIds(best, toPassageId);
    if (ids.length === 0) return [...results];
    const neighbours = await clock.time('neighbours', this.store.passages(ids));
    return [...withNeighbours(best, neighbours), ...results.slice(EXTENDED)];
  }

  /** Blends the order of the first ones with the reranker's; what a score means stays as it is. */
  private async judge(
    query: RetrievalQuery,
    found: readonly Found[],
    reranker: Reranker | undefined,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<{ found: readonly Found[]; trouble?: string }> {
    if (!reranker || found.length === 0) return { found };
    const asked = found.slice(0, Math.max(RERANKED, query.limit));
    try {
      const texts = asked.map(({ passage: { heading, text } }) => (heading ? `${heading}\n${text}` : text));
      const scores = await clock.time('rerank', reranker.rerank(query.text, texts, signal));
      const marked = asked.map((one, index) => ({ ...one, scores: { ...one.scores, rerank: scores[index] ?? 0 } }));
      const blended = blend(
        [...marked, ...found.slice(asked.length)],
        asked.map((_one, index) => scores[index] ?? 0),
      );
      return { found: blended.map((one, index) => ({ ...one, ranks: { ...one.ranks, rerank: index + 1 } })) };
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error instanceof AppError ? error.message : error }, 'passages could not be reranked');
      return { found, trouble: 'The reranking service cannot be reached; passages stand in the order of the search.' };
    }
  }
}

const placesOf = ({ hits }: Ranking) => new Map(hits.map(({ id, score }, index) => [id, { score, rank: index + 1 }]));

function vectorTrouble(error: unknown): string {
  log.warn({ err: error instanceof AppError ? error.message : error }, 'a question could not be embedded');
  return 'The embedding model cannot be reached; the documents were searched by words only.';
}

function emptyReason({ words }: Query, candidates: number, collections: Scope['collections']): string {
  if (words.length === 0) return 'The question holds no word to search for.';
  const where = collections ? `No document of ${collections.join(', ') || 'no collection'}` : 'No document';
  return candidates === 0
    ? `${where} contains any word of this question.`
    : 'No passage matches this question well enough.';
}

/** Times stages of one search. */
class Clock {
  private readonly started = performance.now();
  readonly timings: Record<string, number> = {};

  async time<T>(stage: Stage | 'vocabulary' | 'load' | 'neighbours', work: Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await work;
    } finally {
      this.timings[stage] = performance.now() - from;
    }
  }

  get elapsed(): number {
    return performance.now() - this.started;
  }
}
