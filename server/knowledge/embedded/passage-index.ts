import { mkdir } from 'node:fs/promises';
import { connect, Index, MatchQuery, type Table } from '@lancedb/lancedb';
import { Field, Int32, Schema, Utf8 } from 'apache-arrow';
import { Serial } from '../../lib/serial';
import type { PassageDraft } from './split';

/** A passage as the index holds it, with what a hit needs to be shown without another look-up. */
export interface IndexedPassage {
  id: string;
  /** Place among the passages of its document, from 1. */
  position: number;
  documentId: string;
  collection: string;
  source: string;
  title: string | null;
  page: number;
  pageKind: 'page' | 'section';
  heading: string | null;
  text: string;
}

export interface KeywordHit extends IndexedPassage {
  /** BM25 as the engine computes it; only comparable within one query. */
  bm25: number;
}

/**
 * Where passages are searched. Keyword search today; a store with vectors adds a second search
 * beside it, and the fusion of both stays outside.
 */
export interface PassageIndex {
  /** Replaces whatever the index holds of this document, as one visible step. */
  put(document: IndexedDocument, passages: readonly PassageDraft[]): Promise<void>;
  remove(documentId: string): Promise<void>;
  /** Best first. `terms` come from `toTerms`. */
  searchKeywords(
    terms: readonly string[],
    limit: number,
    collections: readonly string[] | undefined,
  ): Promise<KeywordHit[]>;
  /** Documents that have passages in the index. */
  documentIds(): Promise<string[]>;
  /** Passages in the index. */
  count(): Promise<number>;
  /** Folds recent changes into the search structures; what was put is found only afterwards. */
  optimize(): Promise<void>;
  close(): void;
}

export interface IndexedDocument {
  id: string;
  collection: string;
  source: string;
  title: string | null;
  pageKind: 'page' | 'section';
}

interface Row extends Record<string, unknown> {
  id: string;
  document_id: string;
  collection: string;
  source: string;
  title: string;
  page: number;
  page_kind: string;
  heading: string;
  text: string;
  terms: string;
}

const TABLE = 'passages';
const KEEP_VERSIONS_MS = 60_000;
const text = (name: string) => new Field(name, new Utf8(), false);
const schema = new Schema([
  text('id'),
  text('document_id'),
  text('collection'),
  text('source'),
  text('title'),
  new Field('page', new Int32(), false),
  text('page_kind'),
  text('heading'),
  text('text'),
  text('terms'),
]);
const COLUMNS = schema.names.filter((name) => name !== 'terms') as string[];

/** Terms are analysed by us, so the engine only splits them at blanks. An `Index` can be used once only. */
const termsIndex = () =>
  Index.fts({
    baseTokenizer: 'whitespace',
    lowercase: false,
    stem: false,
    removeStopWords: false,
    asciiFolding: false,
    maxTokenLength: 200,
    withPosition: false,
  });

/** LanceDB, embedded: native, memory-mapped, off the event loop. Derived data: it can be rebuilt from the documents. */
export class LanceIndex implements PassageIndex {
  /** The engine refuses a compaction that meets a deletion, so writes take turns. */
  private readonly writes = new Serial();

  private constructor(private readonly table: Table) {}

  /** Opens the index; `fresh` is true when it had to be created, so that documents must be indexed again. */
  static async open(directory: string): Promise<{ index: LanceIndex; fresh: boolean }> {
    process.env['RUST_LOG'] ??= 'error';
    await mkdir(directory, { recursive: true });
    const database = await connect(directory);
    const exists = (await database.tableNames()).includes(TABLE);
    const table = exists ? await database.openTable(TABLE) : await database.createEmptyTable(TABLE, schema);
    if (!exists) await table.createIndex('terms', { config: termsIndex() });
    return { index: new LanceIndex(table), fresh: !exists };
  }

  put(document: IndexedDocument, passages: readonly PassageDraft[]): Promise<void> {
    return this.writes.run(() => this.replace(document, passages));
  }

  private async replace(document: IndexedDocument, passages: readonly PassageDraft[]): Promise<void> {
    await this.deleteRows(document.id);
    if (passages.length === 0) return;
    const rows: Row[] = passages.map((passage, position) => ({
      id: `${document.id}-${position + 1}`,
      document_id: document.id,
      collection: document.collection,
      source: document.source,
      title: document.title ?? '',
      page: passage.page,
      page_kind: document.pageKind,
      heading: passage.heading ?? '',
      text: passage.text,
      terms: passage.terms,
    }));
    await this.table.add(rows);
  }

  remove(documentId: string): Promise<void> {
    return this.writes.run(() => this.deleteRows(documentId));
  }

  private async deleteRows(documentId: string): Promise<void> {
    await this.table.delete(`document_id = ${quote(documentId)}`);
  }

  async documentIds(): Promise<string[]> {
    const rows = (await this.table.query().select(['document_id']).toArray()) as Pick<Row, 'document_id'>[];
    return [...new Set(rows.map((row) => row.document_id))];
  }

  async searchKeywords(
    terms: readonly string[],
    limit: number,
    collections: readonly string[] | undefined,
  ): Promise<KeywordHit[]> {
    if (terms.length === 0) return [];
    let query = this.table
      .query()
      .fullTextSearch(new MatchQuery(terms.join(' '), 'terms'))
      .select([...COLUMNS, '_score'])
      .limit(limit);
    if (collections) query = query.where(`collection IN (${collections.map(quote).join(', ') || "''"})`);
    const rows = (await query.toArray()) as (Row & { _score: number })[];
    return rows.map((row) => ({
      id: row.id,
      position: Number(row.id.slice(row.id.lastIndexOf('-') + 1)),
      documentId: row.document_id,
      collection: row.collection,
      source: row.source,
      title: row.title || null,
      page: row.page,
      pageKind: row.page_kind === 'section' ? 'section' : 'page',
      heading: row.heading || null,
      text: row.text,
      bm25: row._score,
    }));
  }

  count(): Promise<number> {
    return this.table.countRows();
  }

  async optimize(): Promise<void> {
    // Versions of the last minute stay for searches that are reading them.
    const cleanupOlderThan = new Date(Date.now() - KEEP_VERSIONS_MS);
    await this.writes.run(() => this.table.optimize({ cleanupOlderThan }));
  }

  close(): void {
    this.table.close();
  }
}

/** A string as a SQL literal of the engine's filter language. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
