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
import { createId } from '../../lib/ids';
import type { DocumentStore } from './document-store';
import type { Embedder } from './embedder';
import { FileStore } from './file-store';
import { Ingestion } from './ingestion';
import { LanceStore } from './lance-store';
import { detectMediaType, type MediaType, UnsupportedFile } from './media-type';
import { ParserProcess } from './parser-process';
import type { PassageStore } from './passage-store';
import { DEFAULT_MIN_SCORE, HybridSearch, type Reranker } from './search';
import { Vectors, type VectorsStatus } from './vectors';

export interface KnowledgeBaseOptions {
  /** Folder for originals and index. */
  directory: string;
  documents: DocumentStore;
  /** The built parsing process. */
  parseWorkerPath: string;
  /** The built process that learns vectors, and the thread that searches words. */
  latentWorkerPath: string;
  termWorkerPath: string;
  maxFileBytes: number;
  /** See `VectorsOptions`. */
  settleMs?: number;
  /** Starts with ingestion paused. */
  paused?: boolean;
}

const DEFAULT_COLLECTION = 'default';
const MAX_COLLECTION_CHARS = 100;

/** The embedded knowledge base: documents in, passages out. */
export class KnowledgeBase implements Retriever {
  /** Documents whose ingestion is complete; anything else in the index is shown to nobody. */
  private readonly ready: Set<string>;
  private readonly search: HybridSearch;
  private readonly intake: Ingestion;
  private reranker: Reranker | undefined;

  private constructor(
    private readonly options: KnowledgeBaseOptions,
    private readonly parts: { ready: Set<string>; files: FileStore; store: PassageStore; vectors: Vectors },
  ) {
    const { files, store, vectors, ready } = parts;
    this.ready = ready;
    this.search = new HybridSearch(store, vectors, (id) => ready.has(id));
    this.intake = new Ingestion({
      documents: options.documents,
      files,
      store,
      parser: new ParserProcess(options.parseWorkerPath),
      onVisible: (added, removed) => this.setVisible(added, removed),
    });
  }

  static async open(options: KnowledgeBaseOptions): Promise<KnowledgeBase> {
    const { documents } = options;
    const files = await FileStore.open(options.directory);
    const { store, fresh } = await LanceStore.open(`${options.directory}/index`, options.termWorkerPath);
    // The index is derived data: when it is gone, every document is indexed again.
    if (fresh) await documents.requeueReady();
    const ready = new Set((await documents.withStatus('ready')).map((document) => document.id));
    const vectors = await Vectors.open({
      store,
      directory: options.directory,
      workerPath: options.latentWorkerPath,
      ready,
      settleMs: options.settleMs,
    });
    const base = new KnowledgeBase(options, { ready, files, store, vectors });
    if (options.paused) base.intake.pause();
    await base.intake.recover();
    vectors.changed();
    return base;
  }

  /** The models of the configuration; without an embedding model, one is learnt from the documents. */
  async setModels(models: { embedder: Embedder | undefined; reranker: Reranker | undefined }): Promise<void> {
    this.reranker = models.reranker;
    await this.parts.vectors.setModel(models.embedder);
  }

  /** How far the vectors are. */
  get vectors(): VectorsStatus {
    return this.parts.vectors.status;
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
    const received = await this.parts.files.receive(content, this.options.maxFileBytes);
    try {
      const mediaType = await knownMediaType(received.path, source);
      const id = createId('doc');
      await this.parts.files.keep(received, id);
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
      if (!result.created) await this.parts.files.remove(id);
      this.intake.wake();
      return result;
    } finally {
      await this.parts.files.discard(received);
    }
  }

  /** Whether documents that were added are worked off. */
  get ingestion(): Pick<Ingestion, 'paused' | 'pause' | 'resume' | 'cancelQueued'> {
    return this.intake;
  }

  /** False when there is no such document. */
  remove(id: string): Promise<boolean> {
    return this.intake.remove(id);
  }

  get(id: string): Promise<DocumentInfo | undefined> {
    return this.options.documents.get(id);
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

  /** `passageId` adds where a passage of the page stands, when it is there. */
  async page(id: string, page: number, passageId?: string): Promise<PageView | undefined> {
    const view = await this.options.documents.page(id, page);
    if (!view || passageId === undefined) return view;
    const [passage] = await this.parts.store.passages([passageId]);
    if (passage?.documentId !== id || passage.page !== page) return view;
    return { ...view, passage: { start: passage.start, end: passage.end } };
  }

  /** The original as a stream; undefined when there is no such document. */
  async file(id: string): Promise<{ document: DocumentInfo; content: NodeJS.ReadableStream } | undefined> {
    const document = await this.get(id);
    return document && { document, content: createReadStream(this.parts.files.path(id)) };
  }

  /** True when there is something to search. */
  get hasDocuments(): boolean {
    return this.ready.size > 0;
  }

  /** For an answer: applies the calibrated threshold when the query names none, and leaves out copies. */
  retrieve(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval> {
    const minScore = query.minScore ?? DEFAULT_MIN_SCORE;
    return this.query({ ...query, minScore, withoutCopies: true }, signal);
  }

  /** Everything as it was found, with no threshold unless the query names one: the contract of `POST /query`. */
  async query(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval> {
    signal.throwIfAborted();
    return this.search.search(query, this.reranker, signal);
  }

  passageCount(): Promise<number> {
    return this.parts.store.count();
  }

  /** The document under way goes on at the next start; searching is still possible. */
  async stopIngestion(): Promise<void> {
    await this.intake.stop();
  }

  async close(): Promise<void> {
    await this.intake.stop();
    await this.parts.vectors.stop();
    this.parts.store.close();
  }

  private setVisible(added: readonly string[], removed: readonly string[]): void {
    for (const id of added) this.ready.add(id);
    for (const id of removed) {
      this.ready.delete(id);
      this.parts.vectors.forget(id);
    }
    if (added.length > 0) this.parts.vectors.changed();
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
    'cannot be read: it is neither PDF, Word, PowerPoint, Excel (docx, pptx, xlsx), EPUB, HTML, Markdown, CSV nor text.',
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
