import type { DocumentInfo } from '../../core/knowledge';
import { log } from '../../lib/log';
import type { DocumentStore } from './document-store';
import type { FileStore } from './file-store';
import type { MediaType } from './media-type';
import { UnreadableDocument } from './parsed';
import type { ParserProcess } from './parser-process';
import type { PassageIndex } from './passage-index';

export interface IngestionParts {
  documents: DocumentStore;
  files: FileStore;
  index: PassageIndex;
  parser: ParserProcess;
  /** Called when documents became searchable or ceased to be, in one step. */
  onVisible(added: readonly string[], removed: readonly string[]): void;
}

/**
 * Works off queued documents, one at a time. Every state is in the database before the next step
 * begins, and every step can be repeated, so a kill at any moment costs at most the work of one
 * document: after a restart it is queued again.
 */
export class Ingestion {
  private running: Promise<void> | undefined;
  private again = false;
  private readonly stopped = new AbortController();

  constructor(private readonly parts: IngestionParts) {}

  /** Finishes what a crash interrupted, then starts. */
  async recover(): Promise<void> {
    const { documents, files } = this.parts;
    await documents.requeueInterrupted();
    for (const document of await documents.withStatus('deleting')) await this.purge(document.id);
    // A file without a row was never acknowledged.
    for (const id of await files.ids()) if (!(await documents.get(id))) await files.remove(id);
    this.wake();
  }

  /** To be called after a document was queued. */
  wake(): void {
    if (this.stopped.signal.aborted) return;
    if (this.running) {
      this.again = true;
      return;
    }
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
    await this.purge(id);
    return true;
  }

  /** Resolves once nothing is being worked on; the document under way is queued again at the next start. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.parts.parser.close();
    await this.running;
  }

  private async drain(): Promise<void> {
    try {
      for (;;) {
        if (this.stopped.signal.aborted) return;
        const document = await this.parts.documents.takeQueued();
        if (!document) return;
        await this.ingest(document);
      }
    } catch (error) {
      log.error({ err: error }, 'ingestion stopped; it goes on with the next document added or the next start');
    }
  }

  private async ingest(document: DocumentInfo): Promise<void> {
    const { documents, files, index, parser } = this.parts;
    const job = { path: files.path(document.id), mediaType: document.mediaType as MediaType };
    try {
      const { document: parsed, passages } = await parser.parse(job, this.stopped.signal);
      if (!(await documents.setStatus(document.id, 'indexing'))) return;
      const { id, collection, source } = document;
      await index.put({ id, collection, source, title: parsed.title, pageKind: parsed.pageKind }, passages);
      await index.optimize();
      const retired = await documents.finish(id, { ...parsed, passages: passages.length });
      if (retired === undefined) {
        // Deleted while it was being indexed.
        await index.remove(id);
        return;
      }
      this.parts.onVisible([id], retired);
      for (const old of retired) await this.purge(old);
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      const readable = error instanceof UnreadableDocument;
      if (!readable) log.error({ err: error, document: document.id }, 'ingestion of a document failed');
      await documents.setStatus(
        document.id,
        'failed',
        readable
          ? error.message
          : 'Ivy could not index this file; the server log has the details. Add it again to retry.',
      );
    }
  }

  private async purge(id: string): Promise<void> {
    await this.parts.index.remove(id);
    await this.parts.files.remove(id);
    await this.parts.documents.remove(id);
  }
}
