import type { ChatProvider, ModelInfo } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage, Retrieval, Retriever } from '../core/knowledge';
import type { Orchestrator, RetrievalSettings, RunContext, RunEvent, RunRequest } from '../core/run';
import { searchable } from '../core/run';
import { thenDelegate } from '../lib/iterate';
import { withCitations } from './cited-answer';
import { lookAgain } from './evidence/second-look';
import { decideGate, type Gate } from './gate';
import { fingerprintsOf, type IssuedMarkers, withoutIssuedMarkers } from './history';
import { callModel } from './model-call';
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
  issued: IssuedMarkers;
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
    const { usage, ...step } = rewritten;
    if (usage) yield [{ type: 'usage', call: 'rewrite', usage }];
    if (step.query !== query) yield [{ type: 'step', step: 'rewrite', question: query, ...step }];
    query = step.query;
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
  const messages = await withoutIssuedMarkers(request.messages, parts.issued);
  const { place } = parts.settings;
  const call = { provider, model, request, messages, retrieval, place, ratios: parts.ratios };
  const opened = yield* callModel(call, signal);
  // Without a search there is nothing to check, and in JSON `[1, 2]` is a list, not a citation.
  const asText = (request.options.responseFormat?.type ?? 'text') === 'text';
  if (retrieval.state === 'off' || !asText) return opened.events as AsyncIterable<readonly RunEvent[]>;
  const { secondLook } = parts.settings;
  const mayAsk =
    provider.generative && (secondLook === 'any' || (secondLook === 'local' && isLocal({ provider, model })));
  return withCitations(opened.events, {
    passages: opened.passages,
    first: request.firstCitation ?? 1,
    markers: !opened.inBlocks,
    everySentence: provider.generative,
    ...(mayAsk && { lookAgain: (sentences) => lookAgain(sentences, opened.passages, { provider, model }, signal) }),
    issued: (text, citations) => parts.issued.add(fingerprintsOf(text, citations)),
  });
}

const isLocal = ({ provider, model }: { provider: ChatProvider; model: ModelInfo }) =>
  provider.local && model.remote === undefined;

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
