import { z } from 'zod';
import { AppError, isAbort } from '../core/errors';
import { type Passage, type Retrieval, type RetrievalQuery, type Retriever, STAGES } from '../core/knowledge';
import { withDeadline } from '../lib/async';
import { Breaker } from '../net/breaker';
import { openRequest, readCapped } from '../net/http';

const SERVICE = 'The knowledge agent';
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_DOCUMENTS = 50;
const NO_COLLECTIONS =
  'The knowledge agent does not say to which collection its documents belong, so none can be shown where only some may be seen.';

const finite = z.number().refine(Number.isFinite, 'must be finite');

/** The agent's answer: five fields that existing agents send, the rest ours and optional. */
const responseSchema = z.object({
  documents: z
    .array(
      z.object({
        id: z.union([z.string(), z.number()]).transform(String),
        score: finite,
        source: z.string().max(1000),
        page_index: finite,
        text: z.string().nullish(),
        title: z.string().nullish(),
        url: z.string().nullish(),
        heading: z.string().nullish(),
        collection: z.string().max(100).nullish(),
        page_kind: z.enum(['page', 'section']).nullish(),
        scores: z.object(Object.fromEntries(STAGES.map((stage) => [stage, finite.nullish()]))).nullish(),
      }),
    )
    .max(MAX_DOCUMENTS, `more than ${MAX_DOCUMENTS} documents`),
});

export interface AgentOptions {
  url: string;
  timeoutMs: number;
}

/** An external knowledge agent over HTTP. Any failure is a degraded retrieval, never a thrown error. */
export class KnowledgeAgent implements Retriever {
  private readonly breaker = new Breaker(SERVICE);

  constructor(private readonly options: AgentOptions) {}

  async retrieve(query: RetrievalQuery, signal: AbortSignal): Promise<Retrieval> {
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    const { collections } = query;
    if (collections?.length === 0) return nothing('empty', 'There is no collection to search in.', 0);
    try {
      const found = await this.breaker.run(
        () => this.query(query, signal),
        (error) => !signal.aborted && !isRefusal(error),
      );
      // Most agents do not know collections and ignore them: what may be of another one is shown to nobody.
      const passages = found.filter(({ collection }) => !collections || collections.includes(collection ?? ''));
      if (passages.length === 0 && found.some(({ collection }) => collection === undefined)) {
        return nothing('degraded', NO_COLLECTIONS, elapsed());
      }
      const kept = passages.filter((passage) => query.minScore === undefined || passage.score >= query.minScore);
      return {
        state: kept.length > 0 ? 'ok' : 'empty',
        reason: kept.length > 0 ? undefined : 'The knowledge agent found nothing for this question.',
        passages: kept.slice(0, query.limit),
        candidates: passages.map(({ text: _text, url: _url, boxes: _boxes, ...candidate }) => candidate),
        timings: {},
        durationMs: elapsed(),
      };
    } catch (error) {
      if (signal.aborted && isAbort(error)) throw error;
      const reason = error instanceof AppError ? error.message : 'The knowledge agent sent an answer Ivy cannot read.';
      return nothing('degraded', reason, elapsed());
    }
  }

  /** True when `/health` answers with success. */
  async healthy(signal: AbortSignal): Promise<boolean> {
    const response = await openRequest(
      { service: SERVICE, url: `${this.options.url}/health`, firstByteMs: 2_000, idleMs: 2_000 },
      signal,
    );
    await readCapped(response, MAX_BYTES, SERVICE);
    return response.statusCode < 300;
  }

  private query(query: RetrievalQuery, signal: AbortSignal): Promise<Passage[]> {
    const ms = this.options.timeoutMs;
    const late = (cause: unknown) =>
      new AppError('upstream_timeout', `The knowledge agent did not answer within ${ms / 1000} s.`, { cause });
    return withDeadline({ signal, ms, late }, (limited) => this.ask(query, limited));
  }

  private async ask(query: RetrievalQuery, signal: AbortSignal): Promise<Passage[]> {
    const response = await openRequest(
      {
        service: SERVICE,
        url: `${this.options.url}/query`,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({
          query: query.text,
          limit: query.limit,
          ...(query.collections && { collections: query.collections }),
        }),
        firstByteMs: this.options.timeoutMs,
        idleMs: this.options.timeoutMs,
      },
      signal,
    );
    const text = await readCapped(response, MAX_BYTES, SERVICE);
    if (response.statusCode >= 400 && response.statusCode < 500) {
      const refusal = `The knowledge agent refused the question (HTTP ${response.statusCode}).`;
      throw new AppError('invalid_request', refusal);
    }
    if (response.statusCode >= 300) {
      throw new AppError('upstream_error', `The knowledge agent answered with HTTP ${response.statusCode}.`);
    }
    return responseSchema.parse(JSON.parse(text)).documents.map(toPassage);
  }
}

function nothing(state: 'empty' | 'degraded', reason: string, durationMs: number): Retrieval {
  return { state, reason, passages: [], candidates: [], timings: {}, durationMs };
}

/** A refusal is about one question, and an answer that cannot be read too: neither says that the agent is down. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof AppError) || error.code === 'invalid_request';
}

function toPassage(document: z.output<typeof responseSchema>['documents'][number]): Passage {
  const scores = Object.entries(document.scores ?? {}).filter(([, score]) => typeof score === 'number');
  return {
    id: document.id,
    documentId: undefined,
    source: document.source,
    title: document.title ?? undefined,
    page: document.page_index,
    pageKind: document.page_kind ?? 'page',
    heading: document.heading ?? undefined,
    text: document.text?.trim() ? toText(document.text) : undefined,
    score: document.score,
    scores: Object.fromEntries(scores),
    url: safeUrl(document.url),
    collection: document.collection ?? undefined,
  };
}

/** A whole page fits; more would fill the prompt, and every later step works through it. */
const MAX_TEXT_CHARS = 8_000;

function toText(text: string): string {
  if (text.length <= MAX_TEXT_CHARS) return text;
  // Not within a character of two units.
  return `${text.slice(0, MAX_TEXT_CHARS).replace(/[\ud800-\udbff]$/, '')} …`;
}

/** Only web links are kept: the value ends up in a page. */
function safeUrl(url: string | null | undefined): string | undefined {
  return url && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : undefined;
}
