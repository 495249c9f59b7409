import { createReadStream } from 'node:fs';
import { AppError } from '../../core/errors';
import type {
  DocumentInfo,
  DocumentStatus,
  PageView,
  Retrieval,
  RetrievalQuery,
  Retriever,
} from '../../core/knowledge';
import { sleep } from '../../lib/async';
import { createId } from '../../lib/ids';
import { log } from '../../lib/log';
import type { DocumentStore } from './document-store';
import type { Embedder } from './embedder';
import { Engine, type EngineOptions } from './engine';
import { FileStore } from './file-store';
import type { Ingestion } from './ingestion';
import { detectMediaType, type MediaType, UnsupportedFile } from './media-type';
import { Move } from './move';
import type { PassageStore } from './passage-store';
import { isSamePlace, type Place, Places } from './place';
import type { Reranker } from './search';
import { Settling } from './settling';
import type { VectorsStatus } from './vectors';

export interface KnowledgeBaseOptions {
  /** Folder for originals and index. */
  directory: string;
  documents: DocumentStore;
  /** The built parsing process. */
  parseWorkerPath: string;
  /** The built thread that searches words. */
  termWorkerPath: string;
  maxFileBytes: number;
  /** See `EngineOptions`. */
  settleMs?: number;
  retryMs?: number;
  /** Starts with ingestion paused. */
  paused?: boolean;
  /** Where the passages shall be kept. */
  place?: Place;
}

export interface SearchModels {
  embedder: Embedder | undefined;
  reranker: Reranker | undefined;
}

const DEFAULT_COLLECTION = 'default';
const MAX_COLLECTION_CHARS = 100;
const OLD_STORE_MS = 10_000;

/** Ivy's own knowledge base: documents in, passages out. */
export class KnowledgeBase implements Retriever {
  private models: SearchModels = { embedder: undefined, reranker: undefined };
  private move: Move | undefined;
  /** What the move fills. */
  private target: PassageStore | undefined;
  private discarding: Promise<void> | undefined;
  /** Ends the wait before an old store is discarded. */
  private waiting = new AbortController();

  private constructor(
    private readonly options: KnowledgeBaseOptions & EngineOptions,
    private readonly places: Places,
    private readonly settling: Settling,
    private serving: Place,
    private engine: Engine,
  ) {}

  static async open(options: KnowledgeBaseOptions): Promise<KnowledgeBase> {
    const files = await FileStore.open(options.directory);
    await putOrphansAside(files, options.documents);
    const places = await Places.open(options);
    const ready = new Map((await options.documents.searchable()).map(({ id, language }) => [id, language]));
    // From the data folder passages can move; those of another server are left there.
    const place = places.embedded && ready.size > 0 ? undefined : options.place;
    if (!places.serves(place)) await places.setServing(place);
    if (place) await places.removeEmbedded();
    const settling = new Settling(options.documents);
    const whole = { ...options, files, ready, onSettled: (id: string) => settling.tell(id) };
    const engine = await Engine.open(whole, await places.openStore(place), options.paused ?? false);
    const base = new KnowledgeBase(whole, places, settling, place, engine);
    await base.setPlace(options.place);
    return base;
  }

  /** The models of the configuration; without an embedding model, one is learnt from the documents. */
  async setModels(models: SearchModels): Promise<void> {
    this.models = models;
    await this.engine.vectors.setModel(models.embedder);
  }

  /**
   * Where the passages shall be kept. They are copied in the background; until all are there, those of the
   * old place are searched, and then removed.
   */
  async setPlace(place: Place): Promise<void> {
    await this.abandonMove();
    // It may be the place to go back to.
    this.waiting.abort();
    await this.discarding;
    if (isSamePlace(place, this.serving)) return;
    const store = await this.places.openStore(place);
    if (isSamePlace(place && { ...place, apiKey: this.serving?.apiKey }, this.serving)) {
      return this.settle(place, store);
    }
    this.target = store;
    this.move = new Move(this.engine.store, store, this.options.ready, async () => {
      const old = this.engine.store;
      await this.settle(place, store);
      this.move = undefined;
      this.target = undefined;
      log.info({ place: place ? 'Qdrant' : 'data folder' }, 'the passages have moved');
      this.waiting = new AbortController();
      this.discarding = discard(old, this.waiting.signal);
    });
  }

  /** What was copied to a place that will not serve must not stay there. */
  private async abandonMove(): Promise<void> {
    await this.move?.stop();
    this.move = undefined;
    if (this.target) await discard(this.target, AbortSignal.abort());
    this.target = undefined;
  }

  /** Lets a store serve. */
  private async settle(place: Place, store: PassageStore): Promise<void> {
    const old = this.engine;
    await old.stop();
    await this.places.setServing(place);
    this.engine = await Engine.open(this.options, store, old.ingestion.paused);
    this.serving = place;
    // What was asked of the old one in the meantime holds.
    if (old.ingestion.paused) this.engine.ingestion.pause();
    else this.engine.ingestion.resume();
    if ((await this.options.documents.withStatus('deleting')).length > 0) this.engine.ingestion.takeUpAgain();
    await this.engine.vectors.setModel(this.models.embedder);
  }

  /** Where the passages are searched; another one than was set while they move. */
  get place(): Place {
    return this.serving;
  }

  /** How far the vectors are. */
  get vectors(): VectorsStatus {
    return this.engine.vectors.status;
  }

  /**
   * Stores a document durably and queues it: when this returns it survives any crash. The same
   * content in the same collection is answered as `created: false`.
   */
  async add(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: { collection?: string; sample?: boolean } = {},
  ): Promise<{ document: DocumentInfo; created: boolean }> {
    const source = cleanName(name);
    const received = await this.options.files.receive(content, this.options.maxFileBytes);
    try {
      const mediaType = await knownMediaType(received.path, source);
      const id = createId('doc');
      await this.options.files.keep(received, id);
      const { bytes, sha256 } = received;
      const collection = cleanCollection(options.collection);
      const result = await this.options.documents.add({
        id,
        source,
        collection,
        bytes,
        sha256,
        mediaType,
        sample: options.sample ?? false,
      });
      if (!result.created) await this.options.files.remove(id);
      this.engine.ingestion.wake();
      return result;
    } finally {
      await this.options.files.discard(received);
    }
  }

  /** Whether documents that were added are worked off. */
  get ingestion(): Pick<Ingestion, 'paused' | 'pause' | 'resume' | 'cancelQueued'> {
    return this.engine.ingestion;
  }

  /** False when there is no such document. */
  async remove(id: string): Promise<boolean> {
    const removed = await this.engine.ingestion.remove(id);
    if (removed) await this.move?.forget(id);
    return removed;
  }

  get(id: string): Promise<DocumentInfo | undefined> {
    return this.options.documents.get(id);
  }

  /** The document once it is ready or has failed; undefined when it was removed. Nobody asks meanwhile. */
  settled(id: string, signal: AbortSignal): Promise<DocumentInfo | undefined> {
    return this.settling.wait(id, signal);
  }

  /** Newest first; of some collections only, when they are named. */
  list(
    limit: number,
    cursor?: string,
    collections?: readonly string[],
  ): Promise<{ documents: DocumentInfo[]; next: string | null }> {
    return this.options.documents.list(limit, cursor, collections);
  }

  collections(): Promise<string[]> {
    return this.options.documents.collections();
  }

  counts(): Promise<Record<DocumentStatus, number>> {
    return this.options.documents.counts();
  }

  /** Documents that are read again after an update, and searched meanwhile as they were read before. */
  rereading(): Promise<number> {
    return this.options.documents.rereading();
  }

  /** `passageId` adds where a passage of the page stands, when it is there. */
  async page(id: string, page: number, passageId?: string): Promise<PageView | undefined> {
    const view = await this.options.documents.page(id, page);
    if (!view || passageId === undefined) return view;
    // The page is worth showing without its mark.
    const [passage] = await this.engine.store.passages([passageId]).catch(() => []);
    if (passage?.documentId !== id || passage.page !== page) return view;
    return { ...view, passage: { start: passage.start, end: passage.end, boxes: passage.boxes } };
  }

  /** The original of a document that is there, or the part of it from byte `start` to byte `end`. */
  file(id: string, part?: { start: number; end: number }): NodeJS.ReadableStream {
    return createReadStream(this.options.files.path(id), part);
  }

  /** True when there is something to search. */
  get hasDocuments(): boolean {
    return this.options.ready.size > 0;
  }

  /** For an answer: leaves out copies. */
  retrieve(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval> {
    return this.query({ ...query, withoutCopies: true }, signal);
  }

  /** Everything as it was found, with no threshold unless the query names one: the contract of `POST /query`. */
  async query(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval> {
    signal.throwIfAborted();
    return this.engine.search(query, this.models.reranker, signal);
  }

  passageCount(): Promise<number> {
    return this.engine.store.count();
  }

  /** The document under way goes on at the next start; searching is still possible. */
  async stopIngestion(): Promise<void> {
    await this.move?.stop();
    await this.engine.ingestion.stop();
  }

  async close(): Promise<void> {
    // A move goes on at the next start.
    await this.move?.stop();
    this.target?.close();
    await this.engine.stop();
    this.waiting.abort();
    await this.discarding;
    this.engine.store.close();
  }
}

/** A file without a row was never acknowledged, or its database was replaced. */
async function putOrphansAside(files: FileStore, documents: DocumentStore): Promise<void> {
  const known = new Set((await documents.states()).map(({ id }) => id));
  for (const id of await files.ids()) if (!known.has(id)) await files.putAside(id);
}

/** Removes a store that serves no more, once searches under way have left it. */
async function discard(store: PassageStore, now: AbortSignal): Promise<void> {
  try {
    await sleep(OLD_STORE_MS, now).catch(() => {});
    await store.destroy();
  } catch (error) {
    log.warn({ err: error }, 'what the passages left behind could not be removed');
  }
}

function cleanCollection(name: string | undefined): string {
  const clean = name
    ?.normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, MAX_COLLECTION_CHARS);
  return clean || DEFAULT_COLLECTION;
}

async function knownMediaType(path: string, source: string): Promise<MediaType> {
  const refuse = (why: string) => new AppError('unsupported_media_type', `${source} ${why}`, { param: 'file' });
  const type = await detectMediaType(path, source).catch((error: unknown) => {
    throw error instanceof UnsupportedFile ? refuse(error.message) : error;
  });
  if (type) return type;
  throw refuse(
    'cannot be read: it is neither PDF, Word, PowerPoint, Excel (docx, pptx, xlsx), OpenDocument, RTF, EPUB, mail, HTML, Markdown, CSV nor text.',
  );
}

/**
 * The name as shown: a relative path keeps its folders, so that two files of one name stay two
 * documents. Steps upwards and control or direction-changing characters go; at most 200 characters.
 */
function cleanName(name: string): string {
  const segments = name
    .replaceAll('\\', '/')
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .split('/')
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
  const clean = segments.join('/');
  if (clean === '') {
    throw new AppError('invalid_request', 'The file needs a name.', { param: 'file' });
  }
  return clean.length <= 200 ? clean : `${clean.slice(0, 150)}…${clean.slice(-45)}`;
}
