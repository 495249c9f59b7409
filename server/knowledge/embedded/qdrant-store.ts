import { createHash } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import { AppError } from '../../core/errors';
import { Breaker } from '../../net/breaker';
import { toServiceError } from '../../net/service-error';
import { type PassageRow, toPassage, toRow } from './passage-row';
import type {
  DocumentPassages,
  Hit,
  PassageStore,
  PassageVector,
  Scope,
  StandingTerms,
  StoredPassage,
  TermHits,
  VectorSpace,
} from './passage-store';
import { absentTermBest, K1, termShare } from './term-index';
import { eachStored, formsOfStored, type WeightedTerms } from './terms';

export interface QdrantOptions {
  /** With a port when it is not 6333, the port of Qdrant's REST interface. */
  url: string;
  apiKey: string | undefined;
  /** Names of Ivy's collections begin with this. */
  prefix: string;
  /** How a collection is spread over a cluster when it is created; undefined leaves it to the server. */
  shards: number | undefined;
  replicas: number | undefined;
}

const SERVICE = 'Qdrant';
/** The number changes with the payload and the terms: a collection of an older version is filled anew. */
const PASSAGES = 'passages_4';
const TERMS = 'terms';
const POINTS_AT_ONCE = 200;
const PORTION = 500;
/** Terms of a usual passage. BM25 wants the average of all; a passage's vector cannot change with each new one. */
const USUAL_LENGTH = 130;
/** Distinct documents that one answer may name. */
const MAX_DOCUMENTS = 1_000_000;
const READ_MS = 5_000;
const WRITE_MS = 120_000;

/**
 * Passages in a Qdrant server or cluster. Words are a sparse vector: a passage's values are the term part of
 * BM25, and the server multiplies with the inverse document frequency (`modifier: idf`), whose formula is the
 * one of `TermIndex`. Each vector space is a collection of its own, so that a new model fills its space
 * beside the old one. Lists are fused by Ivy and not by the server, which would keep only the fused score.
 * Needs Qdrant 1.12 (facets). See docs/decisions/0012.
 *
 * The client takes no `fetch`, so these connections do not go through `server/net`; it knows nothing but the
 * operator's own address.
 */
export class QdrantStore implements PassageStore {
  private readonly reader: QdrantClient;
  private readonly writer: QdrantClient;
  private readonly breaker = new Breaker(SERVICE);
  private readonly passagesName: string;
  private prepared: Promise<void> | undefined;
  /** Collections that are there with their payload indexes, as far as is known. */
  private readonly created = new Set<string>();
  onLost?: () => void;

  constructor(private readonly options: QdrantOptions) {
    this.reader = createClient(options, READ_MS);
    this.writer = createClient(options, WRITE_MS);
    this.passagesName = `${options.prefix}_${PASSAGES}`;
  }

  async put(documents: readonly DocumentPassages[]): Promise<void> {
    await this.change(async (client) => {
      const points = documents.flatMap(({ document, passages }) =>
        passages.map((passage, index) => toPoint(toRow(document, passage, index))),
      );
      for (let from = 0; from < points.length; from += POINTS_AT_ONCE) {
        await client.upsert(this.passagesName, { wait: true, points: points.slice(from, from + POINTS_AT_ONCE) });
      }
      // Vectors go with the passages that they were made of.
      const ids = documents.map(({ document }) => document.id);
      for (const space of await this.spaces()) {
        await client.delete(this.spaceName(space), { wait: true, filter: { must: [ofDocuments(ids)] } });
      }
      // Ids follow from document and position, so the old passages are overwritten; a longer past is cut off.
      for (const { document, passages } of documents) {
        const surplus = { must: [ofDocuments([document.id]), { key: 'position', range: { gt: passages.length } }] };
        await client.delete(this.passagesName, { wait: true, filter: surplus });
      }
    });
  }

  async remove(documentId: string): Promise<void> {
    const filter = { must: [ofDocuments([documentId])] };
    await this.change(async (client) => {
      for (const name of [this.passagesName, ...(await this.spaces()).map((space) => this.spaceName(space))]) {
        await client.delete(name, { wait: true, filter });
        const { count } = await client.count(name, { filter, exact: true });
        if (count > 0) throw new Error(`${count} points of ${documentId} are still in ${name} after their deletion`);
      }
    });
  }

  /** The server keeps itself in order. */
  async tidy(): Promise<void> {}
  async tidyVectors(): Promise<void> {}

  /** The server tells whether a term stands somewhere; how often, and what begins like it, it does not tell. */
  async standing(
    { terms }: { terms: readonly string[] },
    collections: readonly string[] | undefined,
  ): Promise<StandingTerms> {
    return this.ask(async (client) => {
      const one = {
        using: TERMS,
        limit: 1,
        with_payload: false,
        ...(collections && { filter: inCollections(collections) }),
      };
      const searches = terms.map((term) => ({ ...one, query: sparse([[term, 1]]) }));
      const [found, { count: size }] = await Promise.all([
        searches.length === 0 ? [] : client.queryBatch(this.passagesName, { searches }),
        client.count(this.passagesName, { exact: false, ...(collections && { filter: inCollections(collections) }) }),
      ]);
      const there = terms.filter((_term, index) => (found[index]?.points.length ?? 0) > 0);
      return { counts: new Map(there.map((term) => [term, 1])), prefixes: [], size };
    });
  }

  async searchTerms(terms: WeightedTerms, { limit, collections }: Scope): Promise<TermHits> {
    if (terms.size === 0) return { hits: [], best: 0, size: await this.count() };
    const common = { using: TERMS, with_payload: ['id', 'document_id'] };
    // What the best passage for each term alone scores tells what a perfect one would: the scale of the hits.
    const alone = [...terms].map(([term, weight]) => ({ ...common, query: sparse([[term, weight]]), limit: 1 }));
    const all = { ...common, query: sparse(terms), limit, ...(collections && { filter: inCollections(collections) }) };
    return this.ask(async (client) => {
      const [[found, ...perTerm], { count: size }] = await Promise.all([
        client.queryBatch(this.passagesName, { searches: [all, ...alone] }),
        client.count(this.passagesName, { exact: false }),
      ]);
      const weights = [...terms.values()];
      const best = perTerm.reduce((sum, { points }, index) => {
        return sum + (points[0]?.score ?? (weights[index] ?? 0) * absentTermBest(size));
      }, 0);
      return { hits: (found?.points ?? []).map(toHit), best, size };
    });
  }

  async passages(ids: readonly string[]): Promise<StoredPassage[]> {
    if (ids.length === 0) return [];
    const points = await this.ask((client) =>
      client.retrieve(this.passagesName, { ids: ids.map(toPointId), with_payload: true }),
    );
    return points.map(({ payload }) => toPassage(payload as PassageRow));
  }

  async passagesOf(documentIds: readonly string[]): Promise<StoredPassage[]> {
    if (documentIds.length === 0) return [];
    const found: StoredPassage[] = [];
    const filter = { must: [ofDocuments(documentIds)] };
    for await (const points of this.scroll(this.passagesName, { filter, with_payload: true })) {
      for (const { payload } of points) found.push(toPassage(payload as PassageRow));
    }
    return found;
  }

  passageCounts(): Promise<Map<string, number>> {
    return this.countsOf(this.passagesName);
  }

  count(): Promise<number> {
    return this.ask(async (client) => (await client.count(this.passagesName, { exact: true })).count);
  }

  async spaces(): Promise<string[]> {
    const begin = `${this.options.prefix}_`;
    const { collections } = await this.ask((client) => client.getCollections());
    return collections
      .map(({ name }) => name)
      .filter((name) => name.startsWith(begin) && name !== this.passagesName)
      .map((name) => name.slice(begin.length));
  }

  async putVectors(space: VectorSpace, vectors: readonly PassageVector[]): Promise<void> {
    const name = this.spaceName(space.name);
    await this.change(async (client) => {
      await this.create(client, name, { vectors: { size: space.dimensions, distance: 'Cosine' } });
      if (vectors.length === 0) return;
      const documentIds = [...new Set(vectors.map(({ documentId }) => documentId))];
      await client.delete(name, { wait: true, filter: { must: [ofDocuments(documentIds)] } });
      // Only with its last vector a document counts as whole, and that comes after all others of it.
      const lastOf = new Map(vectors.map(({ documentId, id }) => [documentId, id]));
      const ordered = vectors.toSorted((a, b) =>
        a.documentId < b.documentId ? -1 : a.documentId > b.documentId ? 1 : 0,
      );
      for (let from = 0; from < ordered.length; from += POINTS_AT_ONCE) {
        const points = ordered.slice(from, from + POINTS_AT_ONCE).map(({ id, documentId, collection, vector }) => ({
          id: toPointId(id),
          vector: Array.from(vector),
          payload: { id, document_id: documentId, collection, last: lastOf.get(documentId) === id },
        }));
        await client.upsert(name, { wait: true, points });
      }
    });
  }

  async vectorDocumentIds(space: string): Promise<string[]> {
    if (!(await this.spaces()).includes(space)) return [];
    const whole = { must: [{ key: 'last', match: { value: true } }] };
    return [...(await this.countsOf(this.spaceName(space), whole)).keys()];
  }

  async searchVectors(space: string, vector: Float32Array, { limit, collections }: Scope): Promise<Hit[]> {
    const { points } = await this.ask((client) =>
      client.query(this.spaceName(space), {
        query: Array.from(vector),
        limit,
        with_payload: ['id', 'document_id'],
        ...(collections && { filter: inCollections(collections) }),
      }),
    );
    return points.map(toHit);
  }

  async sampleVectors(space: string, limit: number): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for await (const points of this.scroll(this.spaceName(space), { with_vector: true, limit })) {
      for (const { vector } of points) vectors.push(Float32Array.from(vector as number[]));
    }
    return vectors;
  }

  async dropSpace(space: string): Promise<void> {
    await this.change((client) => this.drop(client, this.spaceName(space)));
  }

  async destroy(): Promise<void> {
    for (const space of await this.spaces()) await this.dropSpace(space);
    await this.change((client) => this.drop(client, this.passagesName));
  }

  close(): void {}

  private spaceName(space: string): string {
    return `${this.options.prefix}_${space}`;
  }

  private async countsOf(name: string, filter?: Parameters<QdrantClient['facet']>[1]['filter']) {
    const wanted = { key: 'document_id', limit: MAX_DOCUMENTS, exact: true, ...(filter && { filter }) };
    const { hits } = await this.ask((client) => client.facet(name, wanted));
    return new Map(hits.map(({ value, count }) => [String(value), count]));
  }

  private async *scroll(
    name: string,
    { limit = Number.POSITIVE_INFINITY, ...wanted }: { limit?: number } & Record<string, unknown>,
  ) {
    let left = limit;
    let offset: string | number | undefined;
    do {
      const page = await this.ask((client) =>
        client.scroll(name, { ...wanted, limit: Math.min(PORTION, left), ...(offset !== undefined && { offset }) }),
      );
      yield page.points;
      left -= page.points.length;
      offset = (page.next_page_offset as string | number | null) ?? undefined;
    } while (offset !== undefined && left > 0);
  }

  /** Creates what is missing, and removes the passages of an older version. */
  private prepare(): Promise<void> {
    this.prepared ??= this.doPrepare().catch((error: unknown) => {
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }

  private async doPrepare(): Promise<void> {
    const client = this.writer;
    const { collections } = await this.reader.getCollections();
    const names = collections.map(({ name }) => name).filter((name) => name.startsWith(`${this.options.prefix}_`));
    if (!names.includes(this.passagesName)) {
      // Vectors belong to passages: without these, or of another version, they are worth nothing.
      for (const name of names) await this.drop(client, name);
    }
    await this.create(client, this.passagesName, { sparse_vectors: { [TERMS]: { modifier: 'idf' } } });
    if (!names.includes(this.passagesName)) this.onLost?.();
  }

  private async create(
    client: QdrantClient,
    name: string,
    vectors: Pick<Parameters<QdrantClient['createCollection']>[1], 'vectors' | 'sparse_vectors'>,
  ): Promise<void> {
    if (this.created.has(name)) return;
    const { shards, replicas } = this.options;
    if (!(await client.collectionExists(name)).exists) {
      await client.createCollection(name, {
        ...vectors,
        ...(shards !== undefined && { shard_number: shards }),
        ...(replicas !== undefined && { replication_factor: replicas }),
      });
    }
    for (const field of ['document_id', 'collection']) {
      await client.createPayloadIndex(name, { wait: true, field_name: field, field_schema: 'keyword' });
    }
    this.created.add(name);
  }

  private async drop(client: QdrantClient, name: string): Promise<void> {
    this.created.delete(name);
    await client.deleteCollection(name);
  }

  private async ask<T>(read: (client: QdrantClient) => Promise<T>): Promise<T> {
    return this.call(async () => {
      await this.prepare();
      return read(this.reader);
    });
  }

  private async change<T>(write: (client: QdrantClient) => Promise<T>): Promise<T> {
    return this.call(async () => {
      await this.prepare();
      return write(this.writer);
    });
  }

  private call<T>(work: () => Promise<T>): Promise<T> {
    return this.breaker.run(
      async () => {
        try {
          return await work();
        } catch (error) {
          if (statusOf(error) === 404) {
            this.prepared = undefined;
            this.created.clear();
          }
          throw toError(error);
        }
      },
      (error) => error instanceof AppError && error.code !== 'upstream_error',
    );
  }
}

function createClient({ url, apiKey }: QdrantOptions, timeout: number): QdrantClient {
  const { protocol, hostname, pathname } = new URL(url);
  // The parser drops a port that is the scheme's own, and the client would then take 6333.
  const port = Number(/^https?:\/\/[^/]*:(\d+)(?:\/|$)/.exec(url)?.[1] ?? 6333);
  return new QdrantClient({
    host: hostname,
    port,
    https: protocol === 'https:',
    prefix: pathname === '/' ? '' : pathname,
    timeout,
    // It writes what it finds to the console.
    checkCompatibility: false,
    ...(apiKey && { headers: { 'api-key': apiKey } }),
  });
}

const statusOf = (error: unknown): number | undefined => {
  const { status } = (error ?? {}) as { status?: unknown };
  return typeof status === 'number' ? status : undefined;
};

/** The client throws errors of four kinds; the server's own words stay in the cause. */
function toError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    return new AppError('provider_auth', 'Qdrant refuses the API key. Check QDRANT_API_KEY.', { cause: error });
  }
  if (status !== undefined) {
    return new AppError('upstream_error', `Qdrant answered with HTTP ${status}.`, { cause: error });
  }
  if (error instanceof Error && error.name === 'QdrantClientTimeoutError') {
    return new AppError('upstream_timeout', 'Qdrant did not answer in time.', { cause: error });
  }
  return error instanceof TypeError ? toServiceError(error, SERVICE, 'open') : error;
}

const ofDocuments = (ids: readonly string[]) => ({ key: 'document_id', match: { any: [...ids] } });
const inCollections = (collections: readonly string[]) => ({
  must: [{ key: 'collection', match: { any: [...collections] } }],
});

/** Points are named by numbers or UUIDs: a passage's is made of the digest of its id. */
function toPointId(id: string): string {
  const digest = createHash('sha256').update(id).digest('hex');
  // Version 8: the content is the maker's own affair (RFC 9562).
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return [...parts, digest.slice(20, 32)].join('-');
}

/** A term's place in the sparse vector (FNV-1a, 32 bits); two of a million terms may share one. */
function toIndex(term: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(term)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function sparse(weights: Iterable<readonly [string, number]>): { indices: number[]; values: number[] } {
  const values = new Map<number, number>();
  for (const [term, weight] of weights) values.set(toIndex(term), (values.get(toIndex(term)) ?? 0) + weight);
  return { indices: [...values.keys()], values: [...values.values()] };
}

/** The part of BM25 that a passage decides alone. */
function toSparse(terms: string) {
  const counts = new Map<string, number>();
  let length = 0;
  const count = (form: string) => counts.set(form, (counts.get(form) ?? 0) + 1);
  const addWord = (word: string, language: string) => {
    for (const form of formsOfStored(word, language)) count(form);
    length += 1;
  };
  eachStored(terms, addWord, count);
  return sparse([...counts].map(([term, count]) => [term, (K1 + 1) * termShare(count, length, USUAL_LENGTH)]));
}

function toPoint(row: PassageRow) {
  return { id: toPointId(row.id), vector: { [TERMS]: toSparse(row.terms) }, payload: row };
}

function toHit({ payload, score }: { payload?: Record<string, unknown> | null; score: number }): Hit {
  const { id, document_id: documentId } = payload as PassageRow;
  return { id, documentId, score };
}
