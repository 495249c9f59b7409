import type { IncomingMessage, ServerResponse } from 'node:http';
import { FakeServer, pause, sendJson } from './server';

/** A knowledge agent as existing ones are: five fields, no text. */
export class FakeAgent extends FakeServer {
  documents: Record<string, unknown>[] = [
    { id: '0b6f9a52-1111-4222-8333-444455556666', score: 0.8542, source: 'ECSS-E-ST-32-08C.pdf', page_index: 45 },
    { id: '0b6f9a52-1111-4222-8333-444455556667', score: 0.6011, source: 'ECSS-E-ST-10-03C.pdf', page_index: 12 },
  ];
  /** Sent instead of the documents, word for word. */
  raw: string | undefined;
  status = 200;
  delayMs = 0;
  readonly queries: { query: string; limit: number }[] = [];

  constructor() {
    super((request, response, body) => this.handle(request, response, body));
  }

  private async handle(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    if (request.url === '/health') {
      return sendJson(response, 200, {
        status: 'healthy',
        model: 'colpali',
        qdrant_url: 'http://qdrant:6333',
        collection: 'pages',
        models_loaded: true,
      });
    }
    const query = JSON.parse(body) as { query: string; limit: number };
    this.queries.push(query);
    if (this.delayMs && !(await pause(response, this.delayMs))) return;
    if (this.raw !== undefined) {
      response.writeHead(this.status, { 'content-type': 'application/json' }).end(this.raw);
      return;
    }
    return sendJson(response, this.status, { query: query.query, documents: this.documents.slice(0, query.limit) });
  }
}
