import { AppError, isAbort } from '../../core/errors';
import type { Retrieval, RetrievalQuery } from '../../core/knowledge';
import { log } from '../../lib/log';
import type { DocumentStore } from './document-store';
import type { FileStore } from './file-store';
import { Ingestion, type IngestionParts } from './ingestion';
import { ParserProcess } from './parser-process';
import type { PassageStore } from './passage-store';
import { HybridSearch, type Reranker } from './search';
import { Vectors } from './vectors';

export interface EngineOptions {
  directory: string;
  documents: DocumentStore;
  files: FileStore;
  /**
   * Documents whose ingestion is complete, with their language; anything else in the store is shown to nobody. Kept
   * up to date here.
   */
  ready: Map<string, string | null>;
  parseWorkerPath: string;
  /** See `IngestionParts`. */
  onSettled?(id: string): void;
  /** See `VectorsOptions`. */
  settleMs?: number;
  /** Pause before work that failed is taken up again. */
  retryMs?: number;
}

/** All that works on one store of passages: it fills it, keeps its vectors and searches it. */
export class Engine {
  readonly ingestion: Ingestion;
  private readonly hybrid: HybridSearch;

  private constructor(
    options: EngineOptions,
    readonly store: PassageStore,
    readonly vectors: Vectors,
  ) {
    const { documents, files, ready } = options;
    let languages: readonly string[] | undefined;
    this.hybrid = new HybridSearch(
      store,
      vectors,
      (id) => ready.has(id),
      () => {
        languages ??= mainLanguages(ready);
        return languages;
      },
    );
    const parser = new ParserProcess(options.parseWorkerPath);
    const onVisible: IngestionParts['onVisible'] = (added, removed) => {
      languages = undefined;
      for (const { id, language } of added) {
        ready.set(id, language);
        // Its passages are new, also when it was there before.
        vectors.forget(id);
      }
      for (const id of removed) {
        ready.delete(id);
        vectors.forget(id);
      }
      if (added.length > 0) vectors.changed();
    };
    store.onLost = () => this.ingestion.takeUpAgain();
    this.ingestion = new Ingestion(
      { documents, files, store, parser, onVisible, onSettled: options.onSettled },
      { retryMs: options.retryMs },
    );
  }

  /** A store that cannot be reached just now is no reason not to start: work on it is taken up later. */
  static async open(options: EngineOptions, store: PassageStore, paused: boolean): Promise<Engine> {
    const { directory, ready, settleMs } = options;
    const vectors = await Vectors.open({ store, directory, ready, settleMs });
    const engine = new Engine(options, store, vectors);
    if (paused) engine.ingestion.pause();
    await engine.ingestion.recover();
    vectors.changed();
    return engine;
  }

  /** A store that fails makes a degraded retrieval; whoever needs the documents sees why there are none. */
  async search(query: RetrievalQuery, reranker: Reranker | undefined, signal: AbortSignal): Promise<Retrieval> {
    const started = performance.now();
    try {
      return await this.hybrid.search(query, reranker, signal);
    } catch (error) {
      if (signal.aborted && isAbort(error)) throw error;
      signal.throwIfAborted();
      const known = error instanceof AppError;
      log.error({ err: known ? error.message : error }, 'the knowledge base cannot be searched');
      const reason = known ? error.message : 'The knowledge base cannot be searched; the server log has the details.';
      const durationMs = performance.now() - started;
      return { state: 'degraded', reason, passages: [], candidates: [], timings: {}, durationMs };
    }
  }

  /** Ends all work; the store stays open for searches under way. */
  async stop(): Promise<void> {
    await this.ingestion.stop();
    await this.vectors.stop();
  }
}

/** A language of fewer documents than this share does not decide how words are looked up. */
const MIN_LANGUAGE_SHARE = 0.03;

/** The languages of the documents, the most frequent first. */
function mainLanguages(ready: ReadonlyMap<string, string | null>): string[] {
  const counts = new Map<string, number>();
  for (const language of ready.values()) if (language !== null) counts.set(language, (counts.get(language) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= MIN_LANGUAGE_SHARE * ready.size)
    .sort((a, b) => b[1] - a[1])
    .map(([language]) => language);
}
