import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../../core/errors';
import { withDeadline } from '../../lib/async';
import { log } from '../../lib/log';
import { Breaker } from '../../net/breaker';
import type { Embedder } from './embedder';
import { Note } from './note';
import { toDocumentId } from './passage-row';
import type { Hit, PassageStore, PassageVector, Scope } from './passage-store';

export interface VectorsOptions {
  store: PassageStore;
  /** Folder of the note on what serves. */
  directory: string;
  /** Documents that may be searched. */
  ready: ReadonlyMap<string, unknown>;
  /** Changes within this time are taken together. */
  settleMs?: number;
}

/** What a space's cosines mean; they differ much from model to model. */
interface Scale {
  /** Cosine of passages that have nothing in common: 95 of 100 random pairs are below. */
  low: number;
  /** Cosine of a passage and the one most like it, in the middle of all. */
  high: number;
  /** Documents that had vectors then. */
  measuredFrom: number;
  /** Passages there were then. */
  passages: number;
}

interface Serving {
  embedder: Embedder;
  scale: Scale;
}

export interface VectorHits {
  hits: readonly Hit[];
  /** 0 for a cosine as of two random passages, 1 for one as of near neighbours. */
  closeness(cosine: number): number;
  /** False for a passage that has no vector yet. */
  covers(id: string): boolean;
  /** Passages that have a vector, about. */
  size: number;
  /** How long the model took to embed the question. */
  embedMs: number;
}

export interface VectorsStatus {
  /** `off`: no embedding model is configured. */
  state: 'off' | 'building' | 'ready' | 'failing';
  /** The model that serves, or is being built when none does. */
  model: string | null;
  documents: number;
  total: number;
}

const noteSchema = z.object({
  space: z.string(),
  low: z.number(),
  high: z.number(),
  measuredFrom: z.number(),
  passages: z.number().default(0),
});
const NOTE = 'vectors.json';
/** Models that earlier versions learnt from the documents began with this. */
const LEARNT = 'latent_';
const SETTLE_MS = 1_500;
const RETRY_MS = 30_000;
/** A question waits this long for its vector; then words alone must do. */
const QUERY_MS = 1_500;
const DOCUMENTS_AT_ONCE = 25;
const SAMPLE = 200;
/** A scale measured from fewer documents is measured again with every change. */
const FEW_DOCUMENTS = 50;
/** Near neighbours and random pairs differ by more than this in every model that is of use. */
const MIN_RANGE = 0.1;
/** Every cosine is as of random passages. */
const NO_SCALE = { low: 1, high: 2 };
/** A scale is measured again when the documents have grown by this much. */
const GROWTH = 2;

/**
 * Keeps a vector for every passage, made by the configured embedding model, in the background. A new model fills a
 * space of its own beside the old one, which serves until the new one is complete; models never mix. What is done
 * survives a restart.
 */
export class Vectors {
  private model: Embedder | undefined;
  private serving: Serving | undefined;
  private building: string | undefined;
  private failing = false;
  private readonly filled = new Map<string, Set<string>>();
  private readonly breaker = new Breaker('The embedding model');
  private readonly stopped = new AbortController();
  private running: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;

  private readonly note: Note<z.infer<typeof noteSchema>>;

  private constructor(private readonly options: VectorsOptions) {
    this.note = new Note(join(options.directory, NOTE), noteSchema);
  }

  static async open(options: VectorsOptions): Promise<Vectors> {
    for (const name of await readdir(options.directory).catch(() => [])) {
      if (name.startsWith(LEARNT)) await rm(join(options.directory, name), { force: true });
    }
    return new Vectors(options);
  }

  /** The embedding model of the configuration; undefined for none, and then words are searched alone. */
  async setModel(model: Embedder | undefined): Promise<void> {
    if (this.model?.space !== model?.space) {
      this.model = model;
      const note = await this.note.read();
      const served = model && note?.space === model.space && this.serving?.embedder.space !== model.space;
      if (served && (await this.isThere(note.space).catch(() => false)))
        this.serving = { embedder: model, scale: note };
      this.changed();
    } else if (model) this.model = model;
    // A service that the configuration no longer names is asked no more.
    if (!model) this.serving = undefined;
  }

  /** To be called when documents became searchable. */
  changed(delayMs = this.options.settleMs ?? SETTLE_MS): void {
    if (this.stopped.signal.aborted) return;
    if (this.running) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.running = this.work().finally(() => {
        this.running = undefined;
        if (!this.again) return;
        this.again = false;
        this.changed();
      });
    }, delayMs);
    this.timer.unref();
  }

  /** To be called when a document was removed. */
  forget(documentId: string): void {
    for (const documents of this.filled.values()) documents.delete(documentId);
  }

  /** Undefined when there are no vectors yet. Throws when the model cannot be asked. */
  async search(text: string, scope: Scope, signal: AbortSignal): Promise<VectorHits | undefined> {
    if (!this.serving) return undefined;
    const { embedder, scale } = this.serving;
    const started = performance.now();
    const vector = await this.breaker.run(
      () => withDeadline({ signal, ms: QUERY_MS }, (limited) => embedder.query(text, limited)),
      () => !signal.aborted,
    );
    const embedMs = performance.now() - started;
    const hits = vector ? await this.options.store.searchVectors(embedder.space, vector, scope) : [];
    const range = scale.high - scale.low;
    const filled = await this.filledOf(embedder.space);
    return {
      hits,
      embedMs,
      closeness: (cosine) => Math.min(1, Math.max(0, (cosine - scale.low) / range)),
      covers: (id) => filled.has(toDocumentId(id)),
      size: scale.passages,
    };
  }

  get status(): VectorsStatus {
    const { ready } = this.options;
    const model = this.building ?? this.serving?.embedder.label ?? null;
    const space = this.serving?.embedder.space;
    const documents = this.building ? this.progress : (space && this.filled.get(space)?.size) || 0;
    const state = this.failing ? 'failing' : this.building ? 'building' : this.serving ? 'ready' : 'off';
    return { state, model, documents, total: ready.size };
  }

  private progress = 0;

  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private async work(): Promise<void> {
    try {
      // New documents go into the space that serves as well, until the configured model is ready.
      if (this.serving && this.model && this.serving.embedder.space !== this.model.space) {
        await this.keepUp(this.serving.embedder);
      }
      if (this.model) await this.bring(this.model);
      else await this.dropLearnt();
      this.failing = false;
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      const reason = error instanceof AppError ? error.message : error;
      log.warn({ err: reason }, 'passages could not be embedded; it goes on in half a minute');
      this.failing = true;
      this.again = false;
      clearTimeout(this.timer);
      setTimeout(() => this.changed(), RETRY_MS).unref();
    } finally {
      this.building = undefined;
    }
  }

  /** Fills the space of a model, and lets it serve once it is complete. */
  private async bring(embedder: Embedder): Promise<void> {
    const { store } = this.options;
    const serves = this.serving?.embedder.space === embedder.space;
    if (!serves) this.building = embedder.label;
    const added = await this.fill(embedder);
    if (added || !serves) await store.tidyVectors(embedder.space);
    if (!this.isWanted(embedder)) return;
    const documents = this.filled.get(embedder.space)?.size ?? 0;
    const known = serves ? this.serving?.scale : undefined;
    if (documents === 0) return;
    if (!serves && (await store.sampleVectors(embedder.space, 1)).length === 0) {
      this.filled.delete(embedder.space);
      throw new AppError('upstream_error', 'The embedding model made no vector of any passage.');
    }
    const due = !known || documents > known.measuredFrom * GROWTH || (added && known.measuredFrom < FEW_DOCUMENTS);
    const scale = due
      ? { ...(await this.measure(embedder.space)), measuredFrom: documents, passages: await store.count() }
      : known;
    // The configuration may have changed while it was measured.
    if (!this.isWanted(embedder)) return;
    if (due) await this.note.write({ space: embedder.space, ...scale });
    this.serving = { embedder, scale };
    if (!serves) await this.dropOthers(embedder.space);
  }

  /** New documents go into the space that serves as well, as long as its model answers. */
  private async keepUp(embedder: Embedder): Promise<void> {
    await this.fill(embedder).catch((error) => {
      if (this.stopped.signal.aborted) throw error;
    });
  }

  /** Embeds the documents that a space lacks. True when there were any. */
  private async fill(embedder: Embedder): Promise<boolean> {
    const { ready, store } = this.options;
    const filled = await this.filledOf(embedder.space);
    let added = false;
    for (;;) {
      const missing = [...ready.keys()].filter((id) => !filled.has(id));
      this.progress = filled.size;
      if (missing.length === 0) return added;
      for (let from = 0; from < missing.length; from += DOCUMENTS_AT_ONCE) {
        if (!this.isWanted(embedder)) return added;
        const ids = missing.slice(from, from + DOCUMENTS_AT_ONCE);
        const vectors = await this.embed(embedder, ids);
        const [first] = vectors;
        if (first) await store.putVectors({ name: embedder.space, dimensions: first.vector.length }, vectors);
        for (const id of ids) {
          // Removed while it was embedded.
          if (ready.has(id)) filled.add(id);
          else await store.remove(id);
        }
        this.progress = filled.size;
        added = true;
      }
    }
  }

  /** False when the configuration has changed meanwhile. */
  private isWanted({ space }: Embedder): boolean {
    return space === this.model?.space || space === this.serving?.embedder.space;
  }

  private async embed(embedder: Embedder, documentIds: readonly string[]): Promise<PassageVector[]> {
    const passages = await this.options.store.passagesOf(documentIds);
    const vectors: PassageVector[] = [];
    for (let from = 0; from < passages.length; from += embedder.batch) {
      this.stopped.signal.throwIfAborted();
      const batch = passages.slice(from, from + embedder.batch);
      const made = await embedder.passages(batch, this.stopped.signal);
      batch.forEach(({ id, documentId, collection }, index) => {
        const vector = made[index];
        if (vector) vectors.push({ id, documentId, collection, vector });
      });
      await nextTurn();
    }
    return vectors;
  }

  private async filledOf(space: string): Promise<Set<string>> {
    let filled = this.filled.get(space);
    if (!filled) {
      filled = new Set(await this.options.store.vectorDocumentIds(space));
      this.filled.set(space, filled);
    }
    return filled;
  }

  private async measure(space: string): Promise<Pick<Scale, 'low' | 'high'>> {
    const { store } = this.options;
    const sample = await store.sampleVectors(space, SAMPLE);
    const pairs = sample.flatMap((vector, index) => {
      const other = sample[(index + Math.floor(sample.length / 2)) % sample.length];
      return other && other !== vector ? [dot(vector, other)] : [];
    });
    const nearest: number[] = [];
    for (const vector of sample.slice(0, SAMPLE / 4)) {
      const [, next] = await store.searchVectors(space, vector, { limit: 2, collections: undefined });
      if (next) nearest.push(next.score);
    }
    // One vector says nothing about what is near: then words decide alone.
    if (pairs.length === 0) return NO_SCALE;
    const low = quantile(pairs, 0.95);
    return { low, high: Math.max(low + MIN_RANGE, quantile(nearest, 0.5)) };
  }

  private async isThere(space: string): Promise<boolean> {
    return (await this.options.store.spaces()).includes(space);
  }

  private async dropLearnt(): Promise<void> {
    const { store } = this.options;
    for (const space of await store.spaces()) if (space.startsWith(LEARNT)) await store.dropSpace(space);
  }

  private async dropOthers(space: string): Promise<void> {
    const { store } = this.options;
    for (const other of await store.spaces()) {
      if (other === space) continue;
      await store.dropSpace(other);
      this.filled.delete(other);
    }
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
