import { sleep } from '../../lib/async';
import { log } from '../../lib/log';
import type { DocumentPassages, PassageStore, StoredDocument, StoredPassage } from './passage-store';

const DOCUMENTS_AT_ONCE = 25;
const RETRY_MS = 30_000;

/**
 * Copies the passages of one store to another in the background, again and again until it succeeds. What the
 * old store cannot give is left out: those documents are read again from their originals.
 */
export class Move {
  private readonly stopped = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly from: PassageStore,
    private readonly to: PassageStore,
    private readonly ready: ReadonlyMap<string, unknown>,
    /** Called when everything is there. */
    arrived: () => Promise<void>,
  ) {
    this.running = this.run(arrived);
  }

  /** To be called when a document was removed while this is under way. */
  async forget(documentId: string): Promise<void> {
    await this.to
      .remove(documentId)
      // It is gone from where it is searched; what is left there is removed on arrival.
      .catch((error) => log.warn({ err: error }, 'a removed document may be left in the new store until it serves'));
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async run(arrived: () => Promise<void>): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        await this.copy();
        signal.throwIfAborted();
        return await arrived();
      } catch (error) {
        if (signal.aborted) return;
        log.error({ err: error }, 'the passages could not be moved yet; it goes on in half a minute');
        await sleep(RETRY_MS, signal).catch(() => {});
      }
    }
  }

  private async copy(): Promise<void> {
    const wanted = await this.from.passageCounts().catch(lost);
    if (!wanted) return;
    // What writing was cut off in is not there.
    const there = new Set<string>();
    for (const [id, count] of await this.to.passageCounts()) if (wanted.get(id) === count) there.add(id);
    for (;;) {
      const missing = [...this.ready.keys()].filter((id) => !there.has(id));
      if (missing.length === 0) return;
      for (let from = 0; from < missing.length; from += DOCUMENTS_AT_ONCE) {
        this.stopped.signal.throwIfAborted();
        const ids = missing.slice(from, from + DOCUMENTS_AT_ONCE);
        const passages = await this.from.passagesOf(ids).catch(lost);
        if (!passages) return;
        await this.to.put(toDocuments(passages));
        for (const id of ids) {
          there.add(id);
          // Removed while it was copied.
          if (!this.ready.has(id)) await this.to.remove(id);
        }
      }
    }
  }
}

function lost(error: unknown): undefined {
  log.warn({ err: error }, 'the old store cannot be read; documents are read again from their originals');
}

function toDocuments(passages: readonly StoredPassage[]): DocumentPassages[] {
  const documents = new Map<string, { document: StoredDocument; passages: StoredPassage[] }>();
  for (const passage of passages.toSorted((a, b) => a.position - b.position)) {
    const { documentId: id, collection, source, title, pageKind } = passage;
    const known = documents.get(id);
    if (known) known.passages.push(passage);
    else documents.set(id, { document: { id, collection, source, title, pageKind }, passages: [passage] });
  }
  return [...documents.values()];
}
