import { Worker } from 'node:worker_threads';
import type { IndexedDocument, TermCounts, TermResult } from './term-index';
import type { TermReply, TermRequest } from './term-index-worker';
import type { WeightedTerms } from './terms';

/** A request without its number. */
type Ask<T = TermRequest> = T extends TermRequest ? Omit<T, 'id'> : never;

/** The inverted index in its thread. A failure of the thread fails every call from then on. */
export class TermThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve(reply: TermReply): void; reject(error: unknown): void }>();
  private last = 0;
  /** Why the thread has ended; undefined while it works. */
  broken: unknown;

  constructor(workerPath: string) {
    this.worker = new Worker(workerPath);
    this.worker.on('message', (reply: TermReply) => {
      const call = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if (this.waiting.size === 0) this.worker.unref();
      if (reply.error === undefined) call?.resolve(reply);
      else call?.reject(new Error(reply.error));
    });
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('the thread of the search index ended')));
    // Waiting for nothing, it does not keep the process alive.
    this.worker.unref();
  }

  async add(documents: readonly IndexedDocument[]): Promise<void> {
    await this.ask({ ask: 'add', documents });
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    await this.ask({ ask: 'remove', documentIds });
  }

  async trim(): Promise<void> {
    await this.ask({ ask: 'trim' });
  }

  async search(
    terms: WeightedTerms,
    scope: { limit: number; collections: readonly string[] | undefined },
  ): Promise<TermResult> {
    const { result } = await this.ask({ ask: 'search', terms, ...scope });
    return result ?? { hits: [], best: 0, size: 0 };
  }

  async count(
    terms: readonly string[],
    prefixes: readonly string[],
    collections: readonly string[] | undefined,
  ): Promise<TermCounts> {
    const { counts } = await this.ask({ ask: 'count', terms, prefixes, collections });
    return counts ?? { counts: new Map(), prefixes: [], size: 0 };
  }

  close(): void {
    this.worker.removeAllListeners('exit');
    for (const call of this.waiting.values()) call.reject(new Error('the search index was closed'));
    this.waiting.clear();
    this.worker.terminate().catch(() => {});
  }

  private ask(request: Ask): Promise<TermReply> {
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken);
      const id = ++this.last;
      this.waiting.set(id, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ ...request, id });
    });
  }

  private fail(error: unknown): void {
    this.broken = error;
    for (const call of this.waiting.values()) call.reject(error);
    this.waiting.clear();
  }
}
