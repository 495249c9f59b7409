/** Entry of the thread that holds the inverted index: neither adding nor searching takes time of the server's own thread. */
import { parentPort } from 'node:worker_threads';
import { type IndexedDocument, type TermCounts, TermIndex, type TermResult } from './term-index';
import type { WeightedTerms } from './terms';

export type TermRequest = { id: number } & (
  | { ask: 'add'; documents: readonly IndexedDocument[] }
  | { ask: 'remove'; documentIds: readonly string[] }
  | { ask: 'trim' }
  | { ask: 'search'; terms: WeightedTerms; limit: number; collections: readonly string[] | undefined }
  | { ask: 'count'; terms: readonly string[]; prefixes: readonly string[]; collections: readonly string[] | undefined }
);

export type TermReply = { id: number; result?: TermResult; counts?: TermCounts; error?: string };

const index = new TermIndex();

parentPort?.on('message', (request: TermRequest) => {
  const reply: TermReply = { id: request.id };
  try {
    switch (request.ask) {
      case 'add':
        for (const document of request.documents) index.add(document);
        break;
      case 'remove':
        for (const id of request.documentIds) index.remove(id);
        break;
      case 'trim':
        index.trim();
        break;
      case 'search':
        reply.result = index.search(request.terms, request.limit, request.collections);
        break;
      case 'count':
        reply.counts = index.count(request.terms, request.prefixes, request.collections);
        break;
      default:
        request satisfies never;
    }
  } catch (error) {
    reply.error = String(error);
  }
  parentPort?.postMessage(reply);
});
