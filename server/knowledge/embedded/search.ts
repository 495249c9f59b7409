import { AppError } from '../../core/errors';
import type { Retrieval, RetrievalQuery, Stage } from '../../core/knowledge';
import { log } from '../../lib/log';
import { expandQuery, FEEDBACK_PASSAGES } from './feedback';
import { fuse, type Ranking } from './fusion';
import { MIN_PASSAGES_TO_LEARN } from './latent';
import type { Hit, PassageStore, Scope, StoredPassage, TermHits } from './passage-store';
import { type Found, mergePages, toCandidate, toResult, withoutCopies } from './results';
import { type QueryTerms, toQueryTerms, type WeightedTerms } from './terms';
import type { VectorHits, Vectors } from './vectors';

/**
 * Below this a passage shares too little with the question to count as an answer. Set on the
 * project's sample documents and question lists (docs/decisions/0005): questions with an answer
 * score above it, questions about other subjects below.
 */
export const DEFAULT_MIN_SCORE = 0.2;

/** Hits of each search that are fused, at least. */
const HITS = 100;
/** Fused passages that are looked at, at least; those of one page are merged afterwards. */
const CANDIDATES = 24;
/** Passages that a reranker is asked about, at least. */
const RERANKED = 30;

/** Judges passages against a question; answers one score for each, higher is better. */
export interface Reranker {
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}

/** A passage that the question's words found, with its BM25. */
interface Example {
  passage: StoredPassage;
  score: number;
}

/** What a search adds up to before it is ordered. */
interface Searched {
  rankings: Ranking[];
  /** Share of the question that a passage's words cover, 0..1. */
  coverage: ReadonlyMap<string, number>;
  /** Closeness in meaning, 0..1. */
  closeness: ReadonlyMap<string, number>;
  trouble: string | undefined;
}

/**
 * Hybrid search: BM25, BM25 again with feedback, identifiers and vectors, fused by rank, optionally reranked.
 *
 * The score shown means the same for every question (docs/decisions/0010):
 *
 *   coverage  = BM25(question, passage) / Σ over its terms of the best BM25 any passage has for the term
 *   closeness = cosine, on a scale from two random passages (0) to near neighbours (1)
 *   score     = max(coverage, (coverage + closeness) / 2), or the reranker's where there is one
 */
export class HybridSearch {
  constructor(
    private readonly store: PassageStore,
    private readonly vectors: Vectors,
    /** Tells which documents may be shown: those whose ingestion is complete. */
    private readonly visible: (documentId: string) => boolean,
  ) {}

  async search(query: RetrievalQuery, reranker: Reranker | undefined, signal: AbortSignal): Promise<Retrieval> {
    const clock = new Clock();
    const terms = toQueryTerms(query.text);
    const scope = { limit: Math.max(HITS, query.limit * 2), collections: query.collections };
    const searched = await this.findAll(query, terms, scope, clock, signal);
    const fused = fuse(searched.rankings).slice(0, Math.max(CANDIDATES, query.limit * 3));
    const passages = await clock.time('load', this.store.passages(fused.map(({ id }) => id)));
    const byId = new Map(passages.map((passage) => [passage.id, passage]));
    const ranks = ranksOf(searched.rankings);
    const found = fused.flatMap(({ id, score }, index): Found[] => {
      const passage = byId.get(id);
      if (!passage) return [];
      const stages = ranks.get(id);
      return [
        {
          passage,
          score: scoreOf(searched.coverage.get(id) ?? 0, searched.closeness.get(id) ?? 0),
          scores: { ...stages?.scores, fused: score },
          ranks: { ...stages?.ranks, fused: index + 1 },
        },
      ];
    });
    const merged = mergePages(query.withoutCopies ? withoutCopies(found) : found);
    const judged = await this.judge(query, merged, reranker, clock, signal);
    const kept = judged.found.filter(({ score }) => query.minScore === undefined || score >= query.minScore);
    const trouble = searched.trouble ?? judged.trouble;
    const empty = kept.length === 0 ? emptyReason(terms, judged.found.length, query.collections) : undefined;
    return {
      // Words were searched: finding nothing is a result, even when a part of the search failed.
      state: empty ? 'empty' : trouble ? 'degraded' : 'ok',
      reason: [empty, trouble].filter(Boolean).join(' ') || undefined,
      passages: kept.slice(0, query.limit).map(toResult),
      candidates: judged.found.map(toCandidate),
      timings: clock.timings,
      durationMs: clock.elapsed,
    };
  }

  /** All searches, side by side where they do not need each other. */
  private async findAll(
    { text, stages }: RetrievalQuery,
    query: QueryTerms,
    scope: Scope,
    clock: Clock,
    signal: AbortSignal,
  ): Promise<Searched> {
    const wanted = (stage: Stage) => stages === undefined || stages.includes(stage);
    const onlyIdentifiers = query.identifiers.length > 0 && query.identifiers.length === wordsOf(query).length;
    const keyword = await clock.time('keyword', this.words(query.terms, scope));
    const examples = wanted('feedback') ? await clock.time('examples', this.examples(query, keyword)) : [];
    let trouble: string | undefined;
    const vectors = async () => {
      if (onlyIdentifiers || !wanted('vector')) return undefined;
      try {
        return await clock.time('vector', this.vectors.search({ text, examples: passagesOf(examples) }, scope, signal));
      } catch (error) {
        signal.throwIfAborted();
        trouble = vectorTrouble(error);
        return undefined;
      }
    };
    const expanded = async () => {
      if (examples.length === 0) return [];
      const learnt = examples.map(({ passage, score }) => ({ terms: passage.terms.split(' '), score }));
      return (await clock.time('feedback', this.words(expandQuery(query.terms, learnt), scope))).hits;
    };
    const named = new Map(query.identifiers.map((term) => [term, 1]));
    const [near, feedback, identifier] = await Promise.all([vectors(), expanded(), this.words(named, scope)]);
    if (near) clock.timings['embed'] = near.embedMs;
    const shown = this.shown(near);
    const rankings: Ranking[] = [
      { name: 'keyword', hits: keyword.hits },
      { name: 'feedback', hits: feedback },
      { name: 'identifier', hits: identifier.hits },
      { name: 'vector', hits: shown },
    ];
    return {
      rankings: rankings.filter(({ name, hits }) => hits.length > 0 && wanted(name)),
      coverage: new Map(keyword.hits.map(({ id, score }) => [id, Math.min(1, score / keyword.best)])),
      closeness: new Map(shown.map(({ id, score }) => [id, near?.closeness(score) ?? 0])),
      trouble,
    };
  }

  private async words(terms: WeightedTerms, scope: Scope): Promise<TermHits> {
    if (terms.size === 0) return { hits: [], best: 0, size: 0 };
    const found = await this.store.searchTerms(terms, scope);
    return { ...found, hits: found.hits.filter(({ documentId }) => this.visible(documentId)) };
  }

  private shown(near: VectorHits | undefined): Hit[] {
    return near?.hits.filter(({ documentId }) => this.visible(documentId)) ?? [];
  }

  /** The best passages by words, to learn from what the question is about. */
  private async examples(query: QueryTerms, keyword: TermHits): Promise<Example[]> {
    // What an identifier asks for exactly, examples would blur.
    if (query.identifiers.length > 0 || keyword.size < MIN_PASSAGES_TO_LEARN) return [];
    if (keyword.hits.length < FEEDBACK_PASSAGES) return [];
    const scores = new Map(keyword.hits.slice(0, FEEDBACK_PASSAGES).map(({ id, score }) => [id, score]));
    const passages = await this.store.passages([...scores.keys()]);
    return passages.map((passage) => ({ passage, score: scores.get(passage.id) ?? 0 }));
  }

  /** Orders the first ones by the reranker, which then decides their score as well. */
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
      const texts = asked.map(({ passage }) => passage.text);
      const scores = await clock.time('rerank', reranker.rerank(query.text, texts, signal));
      const ordered = asked
        .map((one, index) => ({ ...one, rerank: scores[index] ?? 0 }))
        .sort((a, b) => b.rerank - a.rerank)
        .map(({ rerank, ...one }, index) => ({
          ...one,
          score: rerank,
          scores: { ...one.scores, rerank },
          ranks: { ...one.ranks, rerank: index + 1 },
        }));
      return { found: ordered };
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error instanceof AppError ? error.message : error }, 'passages could not be reranked');
      return { found, trouble: 'The reranking service cannot be reached; passages stand in the order of the search.' };
    }
  }
}

/** Terms that are not just a part of an identifier. */
function wordsOf({ terms, identifiers }: QueryTerms): string[] {
  return [...terms.keys()].filter((term) => !identifiers.some((whole) => whole !== term && whole.includes(term)));
}

function scoreOf(coverage: number, closeness: number): number {
  return Math.max(coverage, (coverage + closeness) / 2);
}

function ranksOf(rankings: readonly Ranking[]) {
  const byId = new Map<string, Required<Pick<Found, 'scores' | 'ranks'>>>();
  for (const { name, hits } of rankings) {
    hits.forEach(({ id, score }, index) => {
      const entry = byId.get(id) ?? { scores: {}, ranks: {} };
      entry.scores[name] = score;
      entry.ranks[name] = index + 1;
      byId.set(id, entry);
    });
  }
  return byId;
}

const passagesOf = (examples: readonly Example[]) => examples.map(({ passage }) => passage);

function vectorTrouble(error: unknown): string {
  log.warn({ err: error instanceof AppError ? error.message : error }, 'a question could not be embedded');
  return 'The embedding model cannot be reached; the documents were searched by words only.';
}

function emptyReason({ terms }: QueryTerms, candidates: number, collections: Scope['collections']): string {
  if (terms.size === 0) return 'The question holds no word to search for.';
  const where = collections ? `No document of ${collections.join(', ') || 'no collection'}` : 'No document';
  return candidates === 0
    ? `${where} contains any word of this question.`
    : 'No passage matches this question well enough.';
}

/** Times stages of one search. */
class Clock {
  private readonly started = performance.now();
  readonly timings: Record<string, number> = {};

  async time<T>(stage: Stage | 'examples' | 'load', work: Promise<T>): Promise<T> {
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
