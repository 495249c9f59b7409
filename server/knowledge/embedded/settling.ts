import type { DocumentInfo } from '../../core/knowledge';

/** Waits for documents to be ready or to fail, without asking for it again and again. */
export class Settling {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly documents: { get(id: string): Promise<DocumentInfo | undefined> }) {}

  /** To be called when a document is ready, has failed or is gone. */
  tell(id: string): void {
    for (const wake of this.waiting.get(id) ?? []) wake();
    this.waiting.delete(id);
  }

  async wait(id: string, signal: AbortSignal): Promise<DocumentInfo | undefined> {
    for (;;) {
      signal.throwIfAborted();
      // Listening begins before looking, or the word could come in between.
      const told = this.next(id, signal);
      told.catch(() => {});
      const document = await this.documents.get(id);
      if (!document || document.status === 'ready' || document.status === 'failed') return document;
      await told;
    }
  }

  private next(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const all = this.waiting.get(id) ?? new Set();
      this.waiting.set(id, all);
      const onAbort = () => {
        all.delete(wake);
        reject(signal.reason);
      };
      const wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      all.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
