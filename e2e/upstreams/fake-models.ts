import type { IncomingMessage, ServerResponse } from 'node:http';
import { FakeServer, sendJson } from './server';

const DIMENSIONS = 32;

/** Words that this model knows to mean the same. */
const SYNONYMS: Record<string, string> = { automobile: 'car', shroud: 'fairing', propellant: 'fuel' };

/**
 * A service with OpenAI's `/v1/embeddings` and a `/rerank`, deterministic: each word turns into a direction of
 * its own, and the text's vector is their sum; a passage's rank score is the share of the question's words in it.
 */
export class FakeModels extends FakeServer {
  down = false;
  /** Answers `/rerank` as text-embeddings-inference does: a list, with logits. */
  logits = false;
  /** Longer inputs are refused, as by models with a small context. */
  maxChars = Number.POSITIVE_INFINITY;
  readonly embedded: { model: string; input: readonly string[] }[] = [];
  readonly keys: (string | undefined)[] = [];

  constructor() {
    super((request, response, body) => this.handle(request, response, body));
  }

  private handle(request: IncomingMessage, response: ServerResponse, body: string): unknown {
    if (this.down) return sendJson(response, 503, { error: 'overloaded' });
    this.keys.push(request.headers.authorization);
    if (request.url === '/v1/embeddings') {
      const { model, input } = JSON.parse(body) as { model: string; input: string[] };
      this.embedded.push({ model, input });
      if (input.some((text) => text.length > this.maxChars)) {
        return sendJson(response, 422, { error: 'inputs must have less than 512 tokens' });
      }
      // Out of order, as the contract allows.
      const data = input
        .map((text, index) => ({ object: 'embedding', index, embedding: embed(text, model) }))
        .reverse();
      return sendJson(response, 200, { object: 'list', model, data, usage: { prompt_tokens: 3, total_tokens: 3 } });
    }
    if (request.url === '/rerank') {
      const { query, documents } = JSON.parse(body) as { query: string; documents: string[] };
      const scores = documents.map((text) => share(query, text));
      if (this.logits) {
        return sendJson(
          response,
          200,
          scores.map((score, index) => ({ index, score: score * 8 - 4 })),
        );
      }
      return sendJson(response, 200, { results: scores.map((score, index) => ({ index, relevance_score: score })) });
    }
    return sendJson(response, 404, { error: { message: 'not found' } });
  }
}

const words = (text: string) =>
  (text.toLowerCase().match(/[a-z]{3,}/g) ?? []).map(
    (word) => SYNONYMS[word.replace(/s$/, '')] ?? word.replace(/s$/, ''),
  );

function embed(text: string, model: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0);
  for (const word of words(text)) {
    let state = [...`${model} ${word}`].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) | 0, 7);
    for (let index = 0; index < DIMENSIONS; index++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      vector[index] = (vector[index] ?? 0) + state / 2 ** 31;
    }
  }
  return vector;
}

function share(query: string, text: string): number {
  const asked = [...new Set(words(query))];
  const there = new Set(words(text));
  return asked.filter((word) => there.has(word)).length / Math.max(1, asked.length);
}
