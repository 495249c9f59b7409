import type { ChatMessage, ChatProvider, ModelEvent, ModelInfo } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage, Retrieval, Retriever } from '../core/knowledge';
import type {
  Citation,
  Orchestrator,
  PromptReport,
  RetrievalSettings,
  RunContext,
  RunEvent,
  RunRequest,
} from '../core/run';
import { searchable } from '../core/run';
import { thenDelegate } from '../lib/iterate';
import { fitToContext } from './budget';
import { CitationFilter, stripMarkers } from './citations';
import { judgeSentences } from './evidence';
import { decideGate, type Gate } from './gate';
import { fitOptions } from './options';
import { toPassagesMessage, toRetrievalNote } from './prompt';
import { leansOnConversation, type Rewriter } from './rewrite';

export interface AnswerParts {
  /** Resolves who answers; throws what is missing and how to get it. */
  target(): Promise<{ provider: ChatProvider; model: ModelInfo }>;
  retriever: Retriever;
  rewriter: Rewriter;
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
  const retrieval = await retrieve(parts, request, { ...gate, query, collections: scope }, signal);
  yield [retrieval];
  parts.keepEvidence?.(context.runId, retrieval.passages);
  // Degraded with passages means that a part of the search failed, not the search.
  if (retrieval.state === 'degraded' && retrieval.passages.length === 0 && parts.settings.required) {
    throw new AppError('retrieval_unavailable', `The documents could not be searched: ${retrieval.reason}`);
  }
  const { provider, model } = await target;
  signal.throwIfAborted();

  const { options, ignored } = fitOptions(request, provider, model);
  const history = cleanHistory(request.messages);
  const budget = fitToContext(history, retrieval.passages, {
    contextLength: model.contextLength,
    options,
  });
  yield [
    { type: 'step', step: 'prompt', report: budget.report },
    { type: 'step', step: 'model', provider: provider.id, model: model.id, ignored },
  ];
  const inBlocks = provider.grounding === 'blocks' && canCiteNatively(request, budget.passages, provider);
  const note =
    inBlocks || budget.passages.length === 0 ? toRetrievalNote(retrieval.state, budget.passages.length) : undefined;
  const grounding = note ?? (budget.passages.length > 0 ? toPassagesMessage(budget.passages) : undefined);
  const upstream = provider.stream(
    {
      model: model.id,
      messages: grounding ? insertGrounding(budget.messages, grounding, inBlocks) : budget.messages,
      passages: inBlocks ? budget.passages : [],
      retrieval: retrieval.state,
      options,
      room: roomFor(budget.report),
      user: request.user,
    },
    signal,
  );
  // Without a search there is nothing to check, and in JSON `[1, 2]` is a list, not a citation.
  const asText = (request.options.responseFormat?.type ?? 'text') === 'text';
  return retrieval.state === 'off' || !asText
    ? (upstream as AsyncIterable<readonly RunEvent[]>)
    : withCitations(upstream, budget.passages, request.firstCitation ?? 1);
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
    limit: rag.topK ?? parts.settings.topK,
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
    candidates: result.candidates,
    timings: result.timings,
    durationMs: result.durationMs,
  };
}

/** Blocks need text to cite, and the API does not combine its citations with a JSON answer. */
function canCiteNatively(request: RunRequest, passages: readonly CitedPassage[], provider: ChatProvider): boolean {
  if (provider.id === 'builtin') return true;
  const format = request.options.responseFormat?.type ?? 'text';
  return format === 'text' && passages.every((passage) => passage.text !== undefined);
}

function cleanHistory(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map((message) =>
    message.role === 'assistant' ? { ...message, text: stripMarkers(message.text) } : message,
  );
}

/** Passages go directly before the last user message; a note that goes with blocks joins the stable head. */
function insertGrounding(messages: readonly ChatMessage[], grounding: ChatMessage, atHead: boolean): ChatMessage[] {
  const at = atHead
    ? messages.findIndex((message) => message.role !== 'system')
    : messages.findLastIndex((message) => message.role === 'user');
  return at < 0 ? [...messages, grounding] : messages.toSpliced(at, 0, grounding);
}

function roomFor({ contextLength, promptTokensEstimate }: PromptReport): number | undefined {
  return contextLength === undefined ? undefined : Math.max(1, contextLength - promptTokensEstimate);
}

/** Numbers that may be cited: our passages, and before them what the client itself put into the prompt. */
function citable(passages: readonly CitedPassage[], first: number): ReadonlySet<number> {
  return new Set([...Array.from({ length: first - 1 }, (_, index) => index + 1), ...passages.map(({ n }) => n)]);
}

/** Checks markers that the model writes, and writes those of providers that cite natively. */
async function* withCitations(
  upstream: AsyncIterable<readonly ModelEvent[]>,
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
