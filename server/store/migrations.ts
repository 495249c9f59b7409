import type { Kysely, Migration } from 'kysely';

/** Applied in key order, each once. Never edit one that has shipped; add the next. */
export const migrations: Record<string, Migration> = {
  '0001-first': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('settings')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text', (c) => c.notNull())
        .addColumn('updated_at', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('documents')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('title', 'text')
        .addColumn('collection', 'text', (c) => c.notNull())
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('error', 'text')
        .addColumn('notice', 'text')
        .addColumn('pages', 'integer')
        .addColumn('page_kind', 'text', (c) => c.notNull())
        .addColumn('passages', 'integer')
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('media_type', 'text', (c) => c.notNull())
        .addColumn('sha256', 'text', (c) => c.notNull())
        .addColumn('revision', 'integer', (c) => c.notNull())
        .addColumn('sample', 'integer', (c) => c.notNull())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('updated_at', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('documents_status').on('documents').columns(['status', 'created_at']).execute();
      await db.schema.createIndex('documents_sha256').on('documents').columns(['collection', 'sha256']).execute();
      await db.schema.createIndex('documents_source').on('documents').columns(['collection', 'source']).execute();
      await db.schema
        .createTable('document_pages')
        .addColumn('document_id', 'text', (c) => c.notNull().references('documents.id').onDelete('cascade'))
        .addColumn('page', 'integer', (c) => c.notNull())
        .addColumn('heading', 'text')
        .addColumn('text', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('document_pages_key', ['document_id', 'page'])
        .execute();
      await db.schema
        .createTable('api_keys')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('digest', 'text', (c) => c.notNull().unique())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('last_used_at', 'bigint')
        .execute();
      await db.schema
        .createTable('sessions')
        .addColumn('digest', 'text', (c) => c.primaryKey())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('expires_at', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('audit')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('action', 'text', (c) => c.notNull())
        .addColumn('detail', 'text', (c) => c.notNull())
        .execute();
    },
  },
  '0002-key-settings': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('api_keys')
        .addColumn('hint', 'text', (c) => c.notNull().defaultTo(''))
        .execute();
      await db.schema.alterTable('api_keys').addColumn('citations', 'text').execute();
    },
  },
  '0003-evidence': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('evidence')
        .addColumn('run_id', 'text', (c) => c.notNull())
        .addColumn('n', 'integer', (c) => c.notNull())
        .addColumn('passage', 'text', (c) => c.notNull())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('evidence_key', ['run_id', 'n'])
        .execute();
      await db.schema.createIndex('evidence_created').on('evidence').column('created_at').execute();
    },
  },
  '0004-usage': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('api_keys')
        .addColumn('trusts_users', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createTable('usage')
        .addColumn('day', 'text', (c) => c.notNull())
        .addColumn('caller', 'text', (c) => c.notNull())
        .addColumn('user', 'text', (c) => c.notNull())
        .addColumn('model', 'text', (c) => c.notNull())
        .addColumn('answers', 'bigint', (c) => c.notNull())
        .addColumn('prompt_tokens', 'bigint', (c) => c.notNull())
        .addColumn('completion_tokens', 'bigint', (c) => c.notNull())
        .addPrimaryKeyConstraint('usage_key', ['day', 'caller', 'user', 'model'])
        .execute();
    },
  },
  '0005-runs': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('runs')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('summary', 'text', (c) => c.notNull())
        .addColumn('record', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('runs_at').on('runs').column('at').execute();
    },
  },
  '0006-key-collections': {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('api_keys').addColumn('collections', 'text').execute();
    },
  },
  '0007-document-reading': {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('documents').addColumn('language', 'text').execute();
      for (const name of ['reading', 'effort']) {
        await db.schema
          .alterTable('documents')
          .addColumn(name, 'integer', (c) => c.notNull().defaultTo(0))
          .execute();
      }
    },
  },
  '0008-markers': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('markers')
        .addColumn('fingerprint', 'text', (c) => c.primaryKey())
        .addColumn('issued_at', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('markers_issued').on('markers').column('issued_at').execute();
    },
  },
};
