import type { Selectable } from 'kysely';
import type { DocumentInfo, DocumentStatus, PageView } from '../core/knowledge';
import type { Database } from './database';
import type { Schema } from './schema';

type Row = Selectable<Schema['documents']>;

export interface NewDocument {
  id: string;
  source: string;
  collection: string;
  bytes: number;
  mediaType: string;
  sha256: string;
  sample: boolean;
}

export interface ParsedPage {
  page: number;
  heading: string | null;
  text: string;
}

/** Rows of one statement. */
const PAGES_AT_ONCE = 50;

/** Documents and their ingestion state. A row exists exactly when its file is on disk. */
export class DocumentRepository {
  constructor(private readonly database: Database) {}

  /**
   * Registers a stored file. The same content in the same collection is one document: then the
   * existing one is answered and nothing changes, unless it had failed, which queues it again.
   */
  async add(document: NewDocument): Promise<{ document: DocumentInfo; created: boolean }> {
    return this.database.transaction().execute(async (trx) => {
      const same = await trx
        .selectFrom('documents')
        .selectAll()
        .where('collection', '=', document.collection)
        .where('sha256', '=', document.sha256)
        .where('status', '!=', 'deleting')
        .executeTakeFirst();
      if (same) {
        if (same.status !== 'failed') return { document: toInfo(same), created: false };
        await trx.updateTable('documents').set({ status: 'queued', error: null }).where('id', '=', same.id).execute();
        return { document: toInfo({ ...same, status: 'queued', error: null }), created: false };
      }
      const previous = await trx
        .selectFrom('documents')
        .select(({ fn }) => fn.max('revision').as('revision'))
        .where('collection', '=', document.collection)
        .where('source', '=', document.source)
        .executeTakeFirst();
      const now = Date.now();
      const row: Row = {
        id: document.id,
        source: document.source,
        title: null,
        collection: document.collection,
        status: 'queued',
        error: null,
        notice: null,
        pages: null,
        page_kind: 'page',
        passages: null,
        bytes: document.bytes,
        media_type: document.mediaType,
        sha256: document.sha256,
        revision: Number(previous?.revision ?? 0) + 1,
        sample: document.sample ? 1 : 0,
        language: null,
        reading: 0,
        effort: 0,
        created_at: now,
        updated_at: now,
      };
      await trx.insertInto('documents').values(row).execute();
      return { document: toInfo(row), created: true };
    });
  }

  async get(id: string): Promise<DocumentInfo | undefined> {
    const row = await this.database
      .selectFrom('documents')
      .selectAll()
      .where('id', '=', id)
      .where('status', '!=', 'deleting')
      .executeTakeFirst();
    return row && toInfo(row);
  }

  /** Newest first; `cursor` is what the page before answered as `next`. */
  async list(
    limit: number,
    cursor?: string,
    collections?: readonly string[],
  ): Promise<{ documents: DocumentInfo[]; next: string | null }> {
    if (collections?.length === 0) return { documents: [], next: null };
    let query = this.database
      .selectFrom('documents')
      .selectAll()
      .where('status', '!=', 'deleting')
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (collections) query = query.where('collection', 'in', collections);
    const [at, id] = cursor?.split('.') ?? [];
    if (at !== undefined && id !== undefined) {
      query = query.where(({ eb, or, and }) =>
        or([eb('created_at', '<', Number(at)), and([eb('created_at', '=', Number(at)), eb('id', '<', id)])]),
      );
    }
    const rows = await query.execute();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { documents: page.map(toInfo), next: rows.length > limit && last ? `${last.created_at}.${last.id}` : null };
  }

  async collections(): Promise<string[]> {
    const rows = await this.database
      .selectFrom('documents')
      .select('collection')
      .distinct()
      .where('status', '!=', 'deleting')
      .orderBy('collection')
      .execute();
    return rows.map(({ collection }) => collection);
  }

  async counts(): Promise<Record<DocumentStatus, number>> {
    const rows = await this.database
      .selectFrom('documents')
      .select(['status', ({ fn }) => fn.countAll<number>().as('count')])
      .where('status', '!=', 'deleting')
      .groupBy('status')
      .execute();
    const counts = { queued: 0, parsing: 0, indexing: 0, ready: 0, failed: 0 };
    for (const row of rows) if (row.status !== 'deleting') counts[row.status] = Number(row.count);
    return counts;
  }

  async withStatus(...statuses: Row['status'][]): Promise<DocumentInfo[]> {
    const rows = await this.database
      .selectFrom('documents')
      .selectAll()
      .where('status', 'in', statuses)
      .orderBy('created_at')
      .execute();
    return rows.map(toInfo);
  }

  /**
   * The next waiting document, marked as being parsed: those that nobody can find yet first, and of these the ones
   * that were not put back for being slow, the oldest first.
   */
  async takeQueued(): Promise<DocumentInfo | undefined> {
    return this.database.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('documents')
        .selectAll()
        .where('status', '=', 'queued')
        .orderBy(({ eb }) => eb.case().when('pages', 'is', null).then(0).else(1).end())
        .orderBy('effort')
        .orderBy('created_at')
        .limit(1)
        .executeTakeFirst();
      if (!row) return undefined;
      await trx
        .updateTable('documents')
        .set({ status: 'parsing', updated_at: Date.now() })
        .where('id', '=', row.id)
        .execute();
      return toInfo({ ...row, status: 'parsing' });
    });
  }

  /** False when the document is no longer there or is being deleted. */
  async setStatus(id: string, status: Row['status'], error: string | null = null): Promise<boolean> {
    const result = await this.database
      .updateTable('documents')
      .set({ status, error, updated_at: Date.now() })
      .where('id', '=', id)
      .where('status', '!=', 'deleting')
      .executeTakeFirst();
    return Number(result.numUpdatedRows) > 0;
  }

  /** Puts a document that takes long behind the others; answers how often that was done. */
  async putBack(id: string): Promise<number> {
    const row = await this.database
      .updateTable('documents')
      .set(({ eb }) => ({ status: 'queued', effort: eb('effort', '+', 1) }))
      .where('id', '=', id)
      .where('status', '!=', 'deleting')
      .returning('effort')
      .executeTakeFirst();
    return Number(row?.effort ?? 0);
  }

  /** Queues again what was read by an older version; it stays searchable meanwhile. Answers how many there are. */
  async queueOutdated(reading: number): Promise<number> {
    const result = await this.database
      .updateTable('documents')
      .set({ status: 'queued' })
      .where('status', '=', 'ready')
      .where('reading', '<', reading)
      .executeTakeFirst();
    return Number(result.numUpdatedRows);
  }

  /** A document that could not be read again keeps the passages that it has. */
  async keepAsItIs(id: string, reading: number, notice: string): Promise<void> {
    await this.database
      .updateTable('documents')
      .set({ status: 'ready', error: null, reading, notice, updated_at: Date.now() })
      .where('id', '=', id)
      .where('status', '!=', 'deleting')
      .execute();
  }

  /** Documents that are under way although they have passages. */
  async rereading(): Promise<number> {
    const row = await this.database
      .selectFrom('documents')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('pages', 'is not', null)
      .where('status', 'in', ['queued', 'parsing', 'indexing'])
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  /** Documents that have passages, whatever is being done with them, and their languages. */
  async searchable(): Promise<{ id: string; language: string | null }[]> {
    return this.database
      .selectFrom('documents')
      .select(['id', 'language'])
      .where('pages', 'is not', null)
      .where('status', 'not in', ['deleting', 'failed'])
      .execute();
  }

  async states(): Promise<{ id: string; status: DocumentStatus | 'deleting'; passages: number | null }[]> {
    const rows = await this.database.selectFrom('documents').select(['id', 'status', 'passages']).execute();
    return rows.map(({ id, status, passages }) => ({
      id,
      status: status as DocumentStatus | 'deleting',
      passages: passages === null ? null : Number(passages),
    }));
  }

  /** After a crash: whatever was under way starts again. */
  async requeueInterrupted(): Promise<void> {
    await this.database
      .updateTable('documents')
      .set({ status: 'queued' })
      .where('status', 'in', ['parsing', 'indexing'])
      .execute();
  }

  /**
   * Makes a document searchable and, in the same transaction, retires earlier documents of the same
   * name: a reader sees the old revision or the new one. Answers the ids to remove, undefined when
   * the document was deleted meanwhile.
   */
  async finish(
    id: string,
    result: {
      title: string | null;
      notice: string | null;
      pageKind: 'page' | 'section';
      pages: readonly ParsedPage[];
      passages: number;
      language: string | null;
      reading: number;
    },
  ): Promise<readonly string[] | undefined> {
    return this.database.transaction().execute(async (trx) => {
      const row = await trx.selectFrom('documents').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row || row.status === 'deleting') return undefined;
      await trx.deleteFrom('document_pages').where('document_id', '=', id).execute();
      for (let from = 0; from < result.pages.length; from += PAGES_AT_ONCE) {
        const rows = result.pages
          .slice(from, from + PAGES_AT_ONCE)
          .map(({ page, heading, text }) => ({ document_id: id, page, heading, text }));
        await trx.insertInto('document_pages').values(rows).execute();
      }
      await trx
        .updateTable('documents')
        .set({
          status: 'ready',
          error: null,
          title: result.title,
          notice: result.notice,
          pages: result.pages.length,
          page_kind: result.pageKind,
          passages: result.passages,
          language: result.language,
          reading: result.reading,
          updated_at: Date.now(),
        })
        .where('id', '=', id)
        .execute();
      const retired = await trx
        .selectFrom('documents')
        .select('id')
        .where('collection', '=', row.collection)
        .where('source', '=', row.source)
        .where('revision', '<', row.revision)
        .execute();
      const ids = retired.map((old) => old.id);
      if (ids.length > 0)
        await trx.updateTable('documents').set({ status: 'deleting' }).where('id', 'in', ids).execute();
      return ids;
    });
  }

  async remove(id: string): Promise<void> {
    await this.database.deleteFrom('documents').where('id', '=', id).execute();
  }

  async page(id: string, page: number): Promise<PageView | undefined> {
    const document = await this.get(id);
    if (!document) return undefined;
    const row = await this.database
      .selectFrom('document_pages')
      .selectAll()
      .where('document_id', '=', id)
      .where('page', '=', page)
      .executeTakeFirst();
    return row && { document, page: row.page, heading: row.heading, text: row.text };
  }
}

function toInfo(row: Row): DocumentInfo {
  return {
    id: row.id,
    source: row.source,
    title: row.title,
    collection: row.collection,
    status: row.status as DocumentStatus,
    error: row.error,
    notice: row.notice,
    pages: row.pages,
    pageKind: row.page_kind,
    passages: row.passages,
    bytes: Number(row.bytes),
    mediaType: row.media_type,
    revision: row.revision,
    sample: row.sample === 1,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}
