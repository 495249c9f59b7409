import type { ChatMessage, ChatProvider, ModelInfo } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage, Retrieval, Retriever } from '../core/knowledge';
import type { Citation, Orchestrator, RetrievalSettings, RunContext, RunEvent, RunRequest } from '../core/run';
import { searchable } from '../core/run';
import { thenDelegate } from '../lib/iterate';
import { CitationFilter, stripMarkers } from './citations';
import { judgeSentences } from './evidence';
import { decideGate, type Gate } from './gate';
import { type CalledEvent, callModel } from './model-call';
import { passagesFor, passagesOf } from './passage-count';
import { leansOnConversation, type Rewriter } from './rewrite';
import type { TokenRatios } from './tokens';

export interface AnswerParts {
  /** Resolves who answers; throws what is missing and how to get it. */
  target(): Promise<{ provider: ChatProvider; model: ModelInfo }>;
  retriever: Retriever;
  rewriter: Rewriter;
  ratios: TokenRatios;
  settings: RetrievalSettings;
  /** False for provider models that are exposed as they are. */
  retrieval: boolean;
  hasDocuments(): boolean;
  /** Keeps passages that only this answer knows, so that their citations can be looked up. */
  keepEvidence?(runId: string, passages: readonly CitedPassage[]): void;
}

type RetrievalEvent = Extract<RunEvent, { type: 'retrieval' }>;

/** The plain path: gate, search, budget, prompt, answer with checked citations. */
export function createAnswer(parts: AnswerParts): Orchestrator {
  return (request, context, signal) => thenDelegate(prepare(parts, request, context, signal));
}

/** Everything before the model's first event; returns the answer itself. */
async function* prepare(
  parts: AnswerParts,
  request: RunRequest,
  context: RunContext,
  signal: AbortSignal,
): AsyncGenerator<readonly RunEvent[], AsyncIterable<readonly RunEvent[]>> {
  // Both are needed before the first token, so they go together. A missing provider is reported
  // after the search, where it is awaited.
  const target = parts.target();
  target.catch(() => {});
  const gate = decideGate(request, { profile: parts.retrieval, documents: parts.hasDocuments() });
  yield [{ type: 'step', step: 'gate', retrieve: gate.retrieve, reason: gate.reason }];
  let { query } = gate;
  const earlier = request.messages.slice(0, -1);
  if (gate.retrieve && !request.rag.query && leansOnConversation(query, earlier)) {
    const rewritten = await parts.rewriter.rewrite(query, earlier, target, signal);
    if (rewritten.query !== query) yield [{ type: 'step', step: 'rewrite', question: query, ...rewritten }];
    query = rewritten.query;
  }
  if (gate.retrieve) yield [{ type: 'step', step: 'search', query }];
  const scope = searchable(context.principal, request.rag.collections);
  const found = await retrieve(parts, request, { ...gate, query, collections: scope }, signal);
  const retrieval = { ...found, passages: await forModel(found, parts, request, target) };
  yield [retrieval];
  parts.keepEvidence?.(context.runId, retrieval.passages);
  // Degraded with passages means that a part of the search failed, not the search.
  if (retrieval.state === 'degraded' && retrieval.passages.length === 0 && parts.settings.required) {
    throw new AppError('retrieval_unavailable', `The documents could not be searched: ${retrieval.reason}`);
  }
  const { provider, model } = await target;
  signal.throwIfAborted();
  const messages = cleanHistory(request.messages);
  const { place } = parts.settings;
  const call = { provider, model, request, messages, retrieval, place, ratios: parts.ratios };
  const opened = yield* callModel(call, signal);
  // Without a search there is nothing to check, and in JSON `[1, 2]` is a list, not a citation.
  const asText = (request.options.responseFormat?.type ?? 'text') === 'text';
  return retrieval.state === 'off' || !asText
    ? (opened.events as AsyncIterable<readonly RunEvent[]>)
    : withCitations(opened.events, opened.passages, request.firstCitation ?? 1);
}

/** As many passages as the model reads well, unless the number was set. A model that is missing is reported later. */
async function forModel(
  { passages, query }: RetrievalEvent,
  { settings }: AnswerParts,
  { rag }: RunRequest,
  target: Promise<{ model: ModelInfo }>,
): Promise<readonly CitedPassage[]> {
  if (rag.topK !== undefined || settings.topK !== undefined || passages.length === 0) return passages;
  const resolved = await target.catch(() => undefined);
  return resolved ? passages.slice(0, passagesOf(passages.length, query, resolved.model)) : passages;
}

async function retrieve(
  parts: AnswerParts,
  request: RunRequest,
  gate: Gate & { collections: readonly string[] | undefined },
  signal: AbortSignal,
): Promise<RetrievalEvent> {
  if (!gate.retrieve) {
    return {
      type: 'retrieval',
      state: 'off',
      reason: gate.reason,
      query: gate.query,
      passages: [],
      candidates: [],
      timings: {},
      durationMs: 0,
    };
  }
  const { rag } = request;
  const query = {
    text: gate.query,
    limit: rag.topK ?? parts.settings.topK ?? passagesFor(gate.query),
    minScore: rag.minScore ?? parts.settings.minScore,
    collections: gate.collections,
  };
  const started = performance.now();
  const result = await parts.retriever.retrieve(query, signal).catch((error: unknown): Retrieval => {
    if (signal.aborted) throw error;
    const reason = error instanceof AppError ? error.message : 'The knowledge base could not be searched.';
    return {
      state: 'degraded',
      reason,
      passages: [],
      candidates: [],
      timings: {},
      durationMs: performance.now() - started,
    };
  });
  return {
    type: 'retrieval',
    state: result.state,
    reason: result.reason,
    query: gate.query,
    passages: result.passages.map((passage, index) => ({ ...passage, n: index + (request.firstCitation ?? 1) })),
    ...(result.missing && { missing: result.missing }),
    ...(result.weak && { weak: true }),
    candidates: result.candidates,
    timings: result.timings,
    durationMs: result.durationMs,
  };
}

function cleanHistory(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map((message) =>
    message.role === 'assistant' ? { ...message, text: stripMarkers(message.text) } : message,
  );
}

/** Numbers that may be cited: our passages, and before them what the client itself put into the prompt. */
function citable(passages: readonly CitedPassage[], first: number): ReadonlySet<number> {
  return new Set([...Array.from({ length: first - 1 }, (_, index) => index + 1), ...passages.map(({ n }) => n)]);
}

/** Checks markers that the model writes, and writes those of providers that cite natively. */
async function* withCitations(
  upstream: AsyncIterable<readonly CalledEvent[]>,
  passages: readonly CitedPassage[],
  first: number,
): AsyncIterable<readonly RunEvent[]> {
  const filter = new CitationFilter(citable(passages, first));
  let lastCharacter = '';
  let whole = '';
  const citations: Citation[] = [];
  const text = (value: string, into: RunEvent[], cites = filter.cites) => {
    if (value === '') return;
    lastCharacter = value.charAt(value.length - 1);
    for (const { n, at } of cites) citations.push({ n, at: whole.length + at });
    whole += value;
    into.push(cites.length > 0 ? { type: 'text-delta', text: value, cites } : { type: 'text-delta', text: value });
  };
  try {
    for await (const events of upstream) {
      const batch: RunEvent[] = [];
      for (const event of events) {
        switch (event.type) {
          case 'text-delta':
            text(filter.push(event.text), batch);
            break;
          case 'citation': {
            text(filter.end(), batch);
            const first = lastCharacter === '' || /\s/.test(lastCharacter);
            const cites: Citation[] = [];
            let markers = first ? '' : ' ';
            for (const n of event.passages) {
              cites.push({ n, at: markers.length });
              markers += `[${n}]`;
            }
            text(first ? `${markers} ` : markers, batch, cites);
            break;
          }
          case 'tool-call':
            text(filter.end(), batch);
            batch.push(event);
            break;
          case 'finish': {
            text(filter.end(), batch);
            const sentences = judgeSentences(whole, citations, passages);
            if (sentences.length > 0) batch.push({ type: 'evidence', sentences });
            batch.push(event);
            break;
          }
          case 'step':
          case 'reasoning-delta':
          case 'logprobs':
          case 'usage':
            batch.push(event);
            break;
          default:
            event satisfies never;
        }
      }
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    // What was held back for a possible marker belongs to what was written so far.
    const rest: RunEvent[] = [];
    text(filter.end(), rest);
    if (rest.length > 0) yield rest;
    throw error;
  }
}
