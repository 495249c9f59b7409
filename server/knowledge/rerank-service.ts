import { z } from 'zod';
import { AppError } from '../core/errors';
import { withDeadline } from '../lib/async';
import { Breaker } from '../net/breaker';
import { openRequest, readCapped } from '../net/http';

const SERVICE = 'The reranking service';
const MAX_BYTES = 2 * 1024 * 1024;
/** Rerankers read a few hundred tokens of a passage. */
const MAX_CHARS = 4_000;

const score = z.number().refine(Number.isFinite);
const responseSchema = z.union([
  // Cohere, Jina, vLLM, llama.cpp
  z.object({ results: z.array(z.object({ index: z.number().int(), relevance_score: score })) }),
  // text-embeddings-inference
  z
    .array(z.object({ index: z.number().int(), score }))
    .transform((results) => ({ results: results.map(({ index, score }) => ({ index, relevance_score: score })) })),
]);

export interface RerankOptions {
  /** The whole address: `http://localhost:8080/v1/rerank`. */
  url: string;
  model: string | undefined;
  apiKey: string | undefined;
  timeoutMs: number;
}

/** Judges passages by a cross-encoder over HTTP. */
export class RerankService {
  private readonly breaker = new Breaker(SERVICE);

  constructor(private readonly options: RerankOptions) {}

  /** One score 0..1 for each text; scores beyond are taken as logits. Throws when the service does not answer. */
  async rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    const results = await this.breaker.run(
      () => withDeadline({ signal, ms: this.options.timeoutMs }, (limited) => this.ask(query, texts, limited)),
      () => !signal.aborted,
    );
    const logits = results.some(({ relevance_score: value }) => value < 0 || value > 1);
    const scores = new Array<number>(texts.length).fill(0);
    for (const { index, relevance_score: value } of results) {
      if (index >= 0 && index < texts.length) scores[index] = logits ? 1 / (1 + Math.exp(-value)) : value;
    }
    return scores;
  }

  private async ask(query: string, texts: readonly string[], signal: AbortSignal) {
    const { url, model, apiKey, timeoutMs } = this.options;
    const documents = texts.map((text) => text.slice(0, MAX_CHARS));
    const response = await openRequest(
      {
        service: SERVICE,
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        // `documents` is what most services read, `texts` text-embeddings-inference.
        body: JSON.stringify({ ...(model && { model }), query, documents, texts: documents, top_n: documents.length }),
        firstByteMs: timeoutMs,
        idleMs: timeoutMs,
      },
      signal,
    );
    const text = await readCapped(response, MAX_BYTES, SERVICE);
    if (response.statusCode >= 300) {
      throw new AppError('upstream_error', `${SERVICE} answered with HTTP ${response.statusCode}.`);
    }
    return responseSchema.parse(JSON.parse(text)).results;
  }
}
