import { mkdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Connection, connect, Index, Session, type Table } from '@lancedb/lancedb';
import {
  Table as ArrowTable,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  Schema,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { log } from '../../lib/log';
import { Serial } from '../../lib/serial';
import { type PassageRow, toPassage, toPassageId, toRow } from './passage-row';
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
import type { IndexedDocument } from './term-index';
import { TermThread } from './term-thread';
import type { WeightedTerms } from './terms';

/** Text columns hold no null, and boxes are JSON. */
type Row = Omit<PassageRow, 'title' | 'heading' | 'boxes'> & { title: string; heading: string; boxes: string };

/** The number changes with the columns: an index of an older version is built again. */
const TABLE = 'passages_4';
const VECTORS = 'vectors_';
/** Rows added at once. */
const ROWS_AT_ONCE = 200;
const KEEP_VERSIONS_MS = 60_000;
/** A space with fewer vectors is searched one by one, which is exact and quick enough. */
const MIN_INDEXED_VECTORS = 20_000;
/** Lists that a search of an indexed space looks into. */
const PROBES = 20;
/** Bits of each dimension there (RaBitQ; docs/decisions/0010). */
const VECTOR_BITS = 4;
/** Hits scored again by their whole vectors, per hit wanted: without it, distances of the bits are no cosines. */
const REFINE = 1;
/** Changes after which the files are put in order. */
const TIDY_AFTER = 20;
/** What the engine may keep in memory of its indexes and files; by itself it takes gigabytes. */
const INDEX_CACHE_BYTES = 64n * 1024n ** 2n;
const FILE_CACHE_BYTES = 32n * 1024n ** 2n;

const text = (name: string) => new Field(name, new Utf8(), false);
const integer = (name: string) => new Field(name, new Int32(), false);
const schema = new Schema([
  text('id'),
  integer('position'),
  text('document_id'),
  text('collection'),
  text('source'),
  text('title'),
  integer('page'),
  text('page_kind'),
  text('heading'),
  integer('start'),
  integer('end'),
  text('boxes'),
  text('text'),
  text('terms'),
]);

const vectorType = (dimensions: number) => new FixedSizeList(dimensions, new Field('item', new Float32(), true));
const vectorSchema = (dimensions: number) =>
  new Schema([text('id'), text('document_id'), text('collection'), new Field('vector', vectorType(dimensions), false)]);

/**
 * LanceDB, embedded, keeps passages and vectors and searches these: native, memory-mapped, off the event loop.
 * Words are searched in an index of our own, built from the stored terms at start (docs/decisions/0010).
 */
export class LanceStore implements PassageStore {
  /** The engine refuses a compaction that meets a deletion, so writes take turns. */
  private readonly writes = new Serial();
  private readonly vectorTables = new Map<string, Table>();
  private changes = 0;
  private revival: Promise<TermThread> | undefined;

  private constructor(
    private readonly database: Connection,
    private readonly table: Table,
    private terms: TermThread,
    private readonly termWorkerPath: string,
  ) {}

  /** Opens the index, or creates an empty one. */
  static async open(directory: string, termWorkerPath: string): Promise<LanceStore> {
    process.env['RUST_LOG'] ??= 'error';
    await mkdir(directory, { recursive: true });
    const database = await connect(directory, {}, new Session(INDEX_CACHE_BYTES, FILE_CACHE_BYTES));
    const names = await database.tableNames();
    const fresh = !names.includes(TABLE);
    // Vectors belong to passages: without these, or of another version, they are worth nothing.
    if (fresh) for (const name of names) await database.dropTable(name);
    const table = fresh ? await database.createEmptyTable(TABLE, schema) : await database.openTable(TABLE);
    if (fresh) {
      await table.createIndex('id', { config: Index.btree() });
      await table.createIndex('document_id', { config: Index.btree() });
      await table.createIndex('collection', { config: Index.bitmap() });
    }
    const store = new LanceStore(database, table, new TermThread(termWorkerPath), termWorkerPath);
    if (!fresh) await store.loadTerms();
    for (const space of await store.spaces()) store.vectorTables.set(space, await database.openTable(VECTORS + space));
    return store;
  }

  put(documents: readonly DocumentPassages[]): Promise<void> {
    return this.writes.run(async () => {
      const ids = documents.map(({ document }) => document.id);
      // Vectors go with the passages that they were made of.
      for (const table of this.vectorTables.values()) {
        // A deletion that finds nothing would still write a new version of the table.
        if ((await table.countRows(ofDocuments(ids))) > 0) await table.delete(ofDocuments(ids));
      }
      await this.table.delete(ofDocuments(ids));
      const rows = documents.flatMap(({ document, passages }) =>
        passages.map((passage, index) => toLanceRow(toRow(document, passage, index))),
      );
      // Turning rows into the engine's form takes time of the event loop: in portions, others get their turn.
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await this.table.add(rows.slice(from, from + ROWS_AT_ONCE));
        await nextTurn();
      }
      const terms = await this.workingTerms();
      await terms.add(documents.map(toIndexed));
      this.changes += 1;
      if (this.changes % TIDY_AFTER === 0) await optimize(this.table);
    });
  }

  remove(documentId: string): Promise<void> {
    return this.writes.run(async () => {
      for (const table of [this.table, ...this.vectorTables.values()]) {
        await table.delete(ofDocuments([documentId]));
        const left = await table.countRows(ofDocuments([documentId]));
        if (left > 0) throw new Error(`${left} rows of ${documentId} are still in ${table.name} after their deletion`);
      }
      const terms = await this.workingTerms();
      await terms.remove([documentId]);
    });
  }

  tidy(): Promise<void> {
    return this.writes.run(async () => {
      for (const table of [this.table, ...this.vectorTables.values()]) await optimize(table);
      const terms = await this.workingTerms();
      await terms.trim();
    });
  }

  async standing(
    { terms, prefixes }: { terms: readonly string[]; prefixes: readonly string[] },
    collections: readonly string[] | undefined,
  ): Promise<StandingTerms> {
    const index = await this.workingTerms();
    return index.count(terms, prefixes, collections);
  }

  async searchTerms(terms: WeightedTerms, scope: Scope): Promise<TermHits> {
    const index = await this.workingTerms();
    const { hits, best, size } = await index.search(terms, scope);
    return {
      hits: hits.map(({ documentId, position, score }) => ({
        id: toPassageId(documentId, position),
        documentId,
        score,
      })),
      best,
      size,
    };
  }

  async passages(ids: readonly string[]): Promise<StoredPassage[]> {
    if (ids.length === 0) return [];
    const rows = await this.table
      .query()
      .where(`id IN (${ids.map(quote).join(', ')})`)
      .toArray();
    return (rows as Row[]).map(fromLanceRow);
  }

  async passagesOf(documentIds: readonly string[]): Promise<StoredPassage[]> {
    const rows = (await this.table.query().where(ofDocuments(documentIds)).toArray()) as Row[];
    return rows.map(fromLanceRow);
  }

  async passageCounts(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const id of await documentsOf(this.table)) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }

  count(): Promise<number> {
    return this.table.countRows();
  }

  async spaces(): Promise<string[]> {
    const names = await this.database.tableNames();
    return names.filter((name) => name.startsWith(VECTORS)).map((name) => name.slice(VECTORS.length));
  }

  putVectors(space: VectorSpace, vectors: readonly PassageVector[]): Promise<void> {
    return this.writes.run(async () => {
      let table = this.vectorTables.get(space.name);
      if (!table) {
        table = await this.database.createEmptyTable(VECTORS + space.name, vectorSchema(space.dimensions));
        this.vectorTables.set(space.name, table);
      }
      if (vectors.length === 0) return;
      await table.delete(ofDocuments([...new Set(vectors.map(({ documentId }) => documentId))]));
      // One change: all of it is there, or nothing.
      await table.add(toVectorTable(vectors, space.dimensions));
    });
  }

  async vectorDocumentIds(space: string): Promise<string[]> {
    const table = this.vectorTables.get(space);
    return table ? [...new Set(await documentsOf(table))] : [];
  }

  async tidyVectors(space: string): Promise<void> {
    const table = this.vectorTables.get(space);
    if (!table) return;
    await this.writes.run(async () => {
      const indexed = (await table.listIndices()).some(({ columns }) => columns.includes('vector'));
      if (!indexed && (await table.countRows()) >= MIN_INDEXED_VECTORS) {
        await table.createIndex('vector', { config: Index.ivfRq({ distanceType: 'cosine', numBits: VECTOR_BITS }) });
      }
      await optimize(table);
    });
  }

  async searchVectors(space: string, vector: Float32Array, { limit, collections }: Scope): Promise<Hit[]> {
    const table = this.vectorTables.get(space);
    if (!table) return [];
    let query = table
      .query()
      .nearestTo(vector)
      .distanceType('cosine')
      .nprobes(PROBES)
      .refineFactor(REFINE)
      .select(['id', 'document_id', '_distance'])
      .limit(limit);
    if (collections) query = query.where(inCollections(collections));
    const rows = (await query.toArray()) as (Pick<Row, 'id' | 'document_id'> & { _distance: number })[];
    return rows.map(({ id, document_id, _distance }) => ({ id, documentId: document_id, score: 1 - _distance }));
  }

  async sampleVectors(space: string, limit: number): Promise<Float32Array[]> {
    const table = this.vectorTables.get(space);
    if (!table) return [];
    const offsets = spread(await table.countRows(), limit);
    if (offsets.length === 0) return [];
    const rows = (await table.takeOffsets(offsets).select(['vector']).toArray()) as { vector: Iterable<number> }[];
    return rows.map((row) => Float32Array.from(row.vector));
  }

  dropSpace(space: string): Promise<void> {
    return this.writes.run(async () => {
      const table = this.vectorTables.get(space);
      this.vectorTables.delete(space);
      table?.close();
      await this.database.dropTable(VECTORS + space);
    });
  }

  destroy(): Promise<void> {
    return this.writes.run(async () => {
      this.close();
      await this.database.dropAllTables();
    });
  }

  /** The index of words; one whose thread has ended is built again. */
  private workingTerms(): Promise<TermThread> {
    if (!this.terms.broken) return this.revival ?? Promise.resolve(this.terms);
    log.error({ err: this.terms.broken }, 'the search index ended; it is built again');
    this.terms = new TermThread(this.termWorkerPath);
    this.revival = this.loadTerms()
      .then(() => this.terms)
      .finally(() => {
        this.revival = undefined;
      });
    return this.revival;
  }

  /** Fills the index of words from the stored passages. */
  private async loadTerms(): Promise<void> {
    const columns = ['document_id', 'collection', 'position', 'terms'];
    let document: (IndexedDocument & { passages: { position: number; terms: string }[] }) | undefined;
    let portion: IndexedDocument[] = [];
    for await (const batch of this.table.query().select(columns)) {
      for (const row of batch) {
        const { document_id: id, collection, position, terms } = row as unknown as Row;
        // The passages of a document are written together and stay together.
        if (document?.id !== id) {
          document = { id, collection, passages: [] };
          portion.push(document);
        }
        document.passages.push({ position, terms });
      }
      await this.terms.add(portion.slice(0, -1));
      portion = portion.slice(-1);
    }
    await this.terms.add(portion);
    await this.terms.trim();
  }

  close(): void {
    this.terms.close();
    for (const table of [this.table, ...this.vectorTables.values()]) table.close();
  }
}

/** The document of every row. */
async function documentsOf(table: Table): Promise<string[]> {
  const rows = (await table.query().select(['document_id']).toArray()) as Pick<Row, 'document_id'>[];
  return rows.map((row) => row.document_id);
}

/** Built from whole columns: as rows, many vectors would hold up the event loop for a second. */
function toVectorTable(vectors: readonly PassageVector[], dimensions: number): ArrowTable {
  const numbers = new Float32Array(vectors.length * dimensions);
  for (const [index, { vector }] of vectors.entries()) numbers.set(vector, index * dimensions);
  const child = makeData({ type: new Float32(), data: numbers });
  const list = makeData({ type: vectorType(dimensions), length: vectors.length, child });
  const strings = (value: (vector: PassageVector) => string) => vectorFromArray(vectors.map(value), new Utf8());
  return new ArrowTable(vectorSchema(dimensions), {
    id: strings(({ id }) => id),
    document_id: strings(({ documentId }) => documentId),
    collection: strings(({ collection }) => collection),
    vector: new Vector([list]),
  });
}

async function optimize(table: Table): Promise<void> {
  // Versions of the last minute stay for searches that are reading them.
  await table.optimize({ cleanupOlderThan: new Date(Date.now() - KEEP_VERSIONS_MS) });
}

function toIndexed({ document: { id, collection }, passages }: DocumentPassages): IndexedDocument {
  return { id, collection, passages: passages.map(({ terms }, index) => ({ position: index + 1, terms })) };
}

function toLanceRow(row: PassageRow): Row {
  return { ...row, title: row.title ?? '', heading: row.heading ?? '', boxes: JSON.stringify(row.boxes) };
}

function fromLanceRow(row: Row): StoredPassage {
  const passage = toPassage(row as unknown as PassageRow);
  return { ...passage, title: row.title || null, heading: row.heading || null, boxes: JSON.parse(row.boxes) };
}

/** Up to `limit` offsets spread evenly over `count` rows. */
function spread(count: number, limit: number): number[] {
  const step = Math.max(1, count / limit);
  return Array.from({ length: Math.min(count, limit) }, (_, index) => Math.floor(index * step));
}

const ofDocuments = (ids: readonly string[]) => `document_id IN (${ids.map(quote).join(', ') || "''"})`;
const inCollections = (collections: readonly string[]) =>
  `collection IN (${collections.map(quote).join(', ') || "''"})`;

/** A string as a SQL literal of the engine's filter language. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
