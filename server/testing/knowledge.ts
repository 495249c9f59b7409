import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { DocumentInfo } from '../core/knowledge';
import { KnowledgeBase, type KnowledgeBaseOptions } from '../knowledge/embedded/knowledge-base';
import { openDatabase } from '../store/database';
import { DocumentRepository } from '../store/documents';
import { eventually, temporaryFolder } from './collect';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Real documents that only a developer's checkout has beside it; users do not. */
export const sharedDocuments = join(root, '..', 'shared', 'data', 'documents');
export const hasSharedDocuments = existsSync(sharedDocuments);

/** A knowledge base on disk with the real parser, index and database. */
export async function openKnowledgeBase(directory = temporaryFolder(), options: Partial<KnowledgeBaseOptions> = {}) {
  const database = await openDatabase(join(directory, 'ivy.db'));
  const documents = new DocumentRepository(database);
  const knowledge = await KnowledgeBase.open({
    directory: join(directory, 'knowledge'),
    documents,
    parseWorkerPath: join(root, 'dist', 'parse-worker.mjs'),
    termWorkerPath: join(root, 'dist', 'term-index-worker.mjs'),
    settleMs: 50,
    maxFileBytes: 50_000_000,
    ...options,
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await knowledge.close();
    await database.destroy();
  };
  onTestFinished(close);
  return { knowledge, documents, directory, close };
}

export function content(text: string | Buffer): Readable {
  return Readable.from([typeof text === 'string' ? Buffer.from(text) : text]);
}

export function file(path: string): Readable {
  return createReadStream(path);
}

export function bytesOf(path: string): Buffer {
  return readFileSync(path);
}

/** Adds a document and waits until it is ready or has failed. */
export async function ingest(knowledge: KnowledgeBase, name: string, data: Readable): Promise<DocumentInfo> {
  const { document } = await knowledge.add(name, data);
  let now: DocumentInfo | undefined;
  await eventually(async () => {
    now = await knowledge.get(document.id);
    return now === undefined || now.status === 'ready' || now.status === 'failed';
  });
  return now ?? document;
}
