import { AppError } from '../../core/errors';
import type { DocumentInfo } from '../../core/knowledge';
import { within } from '../../lib/async';
import { log } from '../../lib/log';
import type { DocumentStore } from './document-store';
import type { FileStore } from './file-store';
import type { MediaType } from './media-type';
import { type ParsedDocument, READING, UnreadableDocument } from './parsed';
import { type ParserProcess, TakesLong } from './parser-process';
import type { PassageStore } from './passage-store';
import type { PassageDraft } from './split';

export interface IngestionParts {
  documents: DocumentStore;
  files: FileStore;
  store: PassageStore;
  parser: ParserProcess;
  /** Called when a document is ready, has failed or is gone. */
  onSettled?(id: string): void;
  /** Called when documents became searchable, with their language, or ceased to be, in one step. */
  onVisible(added: readonly Visible[], removed: readonly string[]): void;
}

/** A document that can be searched. */
export interface Visible {
  id: string;
  language: string | null;
}

/** Read, and waiting to be put into the index with others. */
interface Read {
  document: DocumentInfo;
  parsed: ParsedDocument;
  passages: readonly PassageDraft[];
  language: string | null;
}

/** Documents that become searchable together: a change of the index costs about the same for one or many. */
const BATCH_DOCUMENTS = 25;
const BATCH_PASSAGES = 2_000;
/** Documents that are done wait this long for a slow one behind them. */
const PUBLISH_AFTER_MS = 5_000;
/** A document whose indexing fails this often for a reason that is not its own is given up. */
const MAX_ATTEMPTS = 3;
const RETRY_MS = 30_000;
/**
 * The store is put in order when nothing changed for this long: first soon, since what is new is found more slowly
 * until then, and once more when old versions of its files are no longer read.
 */
const TIDY_MS = [2_000, 90_000];

/**
 * Works off queued documents, one after the other. Every state is in the database before the next
 * step begins, and every step can be repeated, so a kill at any moment costs at most the work of one
 * batch: after a restart its documents are queued again.
 */
export class Ingestion {
  private running: Promise<void> | undefined;
  private again = false;
  private held = false;
  /** True after a fault: some documents may be left in the middle. */
  private interrupted = false;
  private retry: NodeJS.Timeout | undefined;
  private tidy: NodeJS.Timeout | undefined;
  private readonly attempts = new Map<string, number>();
  /** Documents that took long, and were put behind the others. */
  private readonly putBack = new Set<string>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly parts: IngestionParts,
    private readonly times: { publishAfterMs?: number; retryMs?: number } = {},
  ) {}

  /** Finishes what a crash interrupted, then starts. With a store that fails just now, it is done later. */
  async recover(): Promise<void> {
    try {
      await this.takeUp();
      const outdated = await this.parts.documents.queueOutdated(READING);
      if (outdated > 0)
        log.info({ documents: outdated }, 'documents of an earlier version are read again; they stay searchable');
      this.wake();
    } catch (error) {
      this.goOnLater(error);
    }
  }

  /** Queues again what was under way, and makes documents and store agree: nothing else may be at work. */
  private async takeUp(): Promise<void> {
    const { documents, store } = this.parts;
    await documents.requeueInterrupted();
    for (const document of await documents.withStatus('deleting')) await this.purge(document.id);
    const states = new Map((await documents.states()).map((state) => [state.id, state]));
    const stored = await store.passageCounts();
    const embedded = await Promise.all((await store.spaces()).map((space) => store.vectorDocumentIds(space)));
    for (const id of new Set([...stored.keys(), ...embedded.flat()])) if (!states.has(id)) await store.remove(id);
    // The store is derived data: what it has lost, in whole or in part, is indexed again.
    for (const { id, status, passages } of states.values()) {
      if (passages === null || status === 'failed' || (stored.get(id) ?? 0) === passages) continue;
      this.parts.onVisible([], [id]);
      if (status === 'ready') await documents.setStatus(id, 'queued');
    }
    this.interrupted = false;
  }

  /** To be called when documents and store may not agree any more. */
  takeUpAgain(): void {
    this.interrupted = true;
    this.wake();
  }

  /** True while documents are only queued. */
  get paused(): boolean {
    return this.held;
  }

  /** Finishes the document under way and takes no other until `resume()`. */
  pause(): void {
    this.held = true;
  }

  resume(): void {
    this.held = false;
    this.wake();
  }

  /** Removes all new documents that wait for their turn; answers how many. */
  async cancelQueued(): Promise<number> {
    // Those that have pages were searchable before, and only wait to be indexed again.
    const queued = (await this.parts.documents.withStatus('queued')).filter(({ pages }) => pages === null);
    for (const { id } of queued) await this.remove(id);
    return queued.length;
  }

  /** To be called after a document was queued. */
  wake(): void {
    // What was left in the middle, such as a deletion, is ended even while documents wait.
    if (this.stopped.signal.aborted || (this.held && !this.interrupted)) return;
    if (this.running) {
      this.again = true;
      return;
    }
    // After a fault the pause holds, whatever is added meanwhile: it is all worked off then.
    if (this.retry) return;
    clearTimeout(this.tidy);
    this.running = this.drain().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        this.wake();
      }
    });
  }

  /** Removes a document everywhere: hidden at once, then passages, file and row. */
  async remove(id: string): Promise<boolean> {
    if (!(await this.parts.documents.setStatus(id, 'deleting'))) return false;
    this.parts.onVisible([], [id]);
    try {
      await this.purge(id);
    } catch (error) {
      // Nobody sees it any more, and its removal is taken up again.
      this.goOnLater(error);
      throw error;
    }
    this.tidyLater();
    return true;
  }

  /** Resolves once nothing is being worked on; documents under way are queued again at the next start. */
  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.retry);
    clearTimeout(this.tidy);
    this.parts.parser.close();
    await this.running;
  }

  private async drain(): Promise<void> {
    const { publishAfterMs = PUBLISH_AFTER_MS } = this.times;
    const batch: Read[] = [];
    let underWay: Promise<Read | undefined> | undefined;
    try {
      if (this.interrupted) await this.takeUp();
      for (;;) {
        if (this.stopped.signal.aborted) return;
        const document = this.held ? undefined : await this.parts.documents.takeQueued();
        underWay = document && this.read(document);
        const settled = underWay?.then(isSettled, isSettled);
        while (settled && batch.length > 0 && !(await within(publishAfterMs, settled))) {
          await this.publish(batch.splice(0));
        }
        const read = await underWay;
        if (read) batch.push(read);
        const passages = batch.reduce((sum, entry) => sum + entry.passages.length, 0);
        const full = batch.length >= BATCH_DOCUMENTS || passages >= BATCH_PASSAGES;
        if (batch.length > 0 && (full || !document)) await this.publish(batch.splice(0));
        if (!document) break;
      }
      this.tidyLater();
    } catch (error) {
      await underWay?.catch(() => {});
      if (this.stopped.signal.aborted) return;
      for (const { document } of batch) await this.parts.documents.setStatus(document.id, 'queued').catch(() => {});
      this.goOnLater(error);
    }
  }

  private goOnLater(error: unknown): void {
    const reason = error instanceof AppError ? error.message : error;
    log.error({ err: reason }, 'ingestion is interrupted; it goes on in a moment');
    this.interrupted = true;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.wake();
    }, this.times.retryMs ?? RETRY_MS);
    this.retry.unref();
  }

  /** Parses a document; undefined when it failed or is gone. */
  private async read(document: DocumentInfo): Promise<Read | undefined> {
    const { documents, files, parser } = this.parts;
    const { id } = document;
    try {
      const job = { path: files.path(id), mediaType: document.mediaType as MediaType, source: document.source };
      const {
        document: parsed,
        passages,
        language,
      } = await parser.parse(job, this.stopped.signal, {
        // A hard file lets the others pass first, once.
        patient: this.putBack.has(id) || (await this.onlyOne()),
      });
      this.putBack.delete(id);
      if (!(await documents.setStatus(id, 'indexing'))) return undefined;
      return { document, parsed, passages, language };
    } catch (error) {
      if (this.stopped.signal.aborted) return undefined;
      if (error instanceof TakesLong) {
        this.putBack.add(id);
        await documents.putBack(id);
        return undefined;
      }
      if (error instanceof UnreadableDocument) {
        await this.giveUp(document, error.message);
        return undefined;
      }
      await this.tryAgain(document, error);
      throw error;
    }
  }

  /** True when no other document waits. */
  private async onlyOne(): Promise<boolean> {
    return (await this.parts.documents.counts()).queued === 0;
  }

  /** A document that cannot be read has failed, unless an earlier version could: then its passages stay. */
  private async giveUp({ id, pages, notice }: DocumentInfo, reason: string): Promise<void> {
    const { documents } = this.parts;
    if (pages === null) await documents.setStatus(id, 'failed', reason);
    else
      await documents.keepAsItIs(
        id,
        READING,
        [notice, `Read by an earlier version; now: ${reason}`].filter(Boolean).join(' '),
      );
    this.parts.onSettled?.(id);
  }

  /** Makes what was read searchable, and only then says so. */
  private async publish(batch: readonly Read[]): Promise<void> {
    const { documents, store } = this.parts;
    try {
      await store.put(
        batch.map(({ document: { id, collection, source }, parsed: { title, pageKind }, passages }) => ({
          document: { id, collection, source, title, pageKind },
          passages,
        })),
      );
    } catch (error) {
      for (const { document } of batch) await this.tryAgain(document, error);
      throw error;
    }
    for (const { document, parsed, passages, language } of batch) {
      const result = { ...parsed, passages: passages.length, language, reading: READING };
      const retired = await documents.finish(document.id, result);
      this.attempts.delete(document.id);
      if (retired === undefined) {
        // Deleted while it was being read.
        await store.remove(document.id);
        continue;
      }
      this.parts.onVisible([{ id: document.id, language }], retired);
      this.parts.onSettled?.(document.id);
      for (const old of retired) await this.purge(old);
    }
  }

  /** A fault of the disk or the index is not the document's: it stays queued, but not for ever. */
  private async tryAgain(document: DocumentInfo, error: unknown): Promise<void> {
    const attempts = (this.attempts.get(document.id) ?? 0) + 1;
    this.attempts.set(document.id, attempts);
    log.error({ err: error, document: document.id, attempts }, 'a document could not be indexed');
    if (attempts < MAX_ATTEMPTS) {
      await this.parts.documents.setStatus(document.id, 'queued');
      return;
    }
    this.attempts.delete(document.id);
    const reason = 'Ivy could not index this file; the server log has the details. Add it again to retry.';
    await this.parts.documents.setStatus(document.id, 'failed', reason);
    this.parts.onSettled?.(document.id);
    await this.parts.store.remove(document.id);
  }

  private tidyLater([delay, ...later] = TIDY_MS): void {
    clearTimeout(this.tidy);
    if (delay === undefined || this.stopped.signal.aborted) return;
    const tidy = async () => {
      await this.clean();
      // Whoever changed something meanwhile has set a timer of his own.
      if (this.tidy === timer) this.tidyLater(later);
    };
    const timer = setTimeout(() => void tidy(), delay);
    this.tidy = timer;
    timer.unref();
  }

  private async clean(): Promise<void> {
    await this.parts.store.tidy().catch((error) => log.warn({ err: error }, 'the index could not be tidied'));
  }

  private async purge(id: string): Promise<void> {
    await this.parts.store.remove(id);
    await this.parts.files.remove(id);
    await this.parts.documents.remove(id);
    this.parts.onSettled?.(id);
  }
}

const isSettled = () => true;
