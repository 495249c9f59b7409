import type { ChatMessage, ChatProvider, ModelEvent, ModelInfo } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage } from '../core/knowledge';
import type { PromptReport, RunEvent, RunRequest } from '../core/run';
import { type Budgeted, fitToContext, promptUnits } from './budget';
import { fitOptions } from './options';
import { type PromptPlace, toPassagesText, toRules, withGrounding } from './prompt';
import { type TokenRatios, unitsOf } from './tokens';

type RetrievalEvent = Extract<RunEvent, { type: 'retrieval' }>;

export interface ModelCall {
  provider: ChatProvider;
  model: ModelInfo;
  request: RunRequest;
  /** The conversation, cleaned. */
  messages: readonly ChatMessage[];
  retrieval: RetrievalEvent;
  place: PromptPlace;
  ratios: TokenRatios;
}

/** What a model says, and what its count says about it. */
export type CalledEvent = ModelEvent | Extract<RunEvent, { type: 'step' }>;

export interface Opened {
  /** Those that the model was given. */
  passages: readonly CitedPassage[];
  /** As blocks of the request, which the provider cites by itself. */
  inBlocks: boolean;
  events: AsyncIterable<readonly CalledEvent[]>;
}

/**
 * How long a token is taken to be, attempt by attempt. Before anything is known of a model nothing is left out that
 * may fit; when it refuses the length, less is sent at once.
 */
function ratiosFor(known: { ratio: number; learned: boolean }): readonly number[] {
  const { ratio, learned } = known;
  return learned ? [ratio * 0.95, ratio * 0.75, ratio * 0.5] : [ratio * 1.6, ratio, ratio * 0.6];
}

/**
 * Calls the model with the conversation and the passages, as much of both as it can read. Yields the steps of each
 * attempt; returns the answer once its first event is there. A prompt that the model finds too long is sent again
 * with fewer passages, then with fewer turns.
 */
export async function* callModel(call: ModelCall, signal: AbortSignal): AsyncGenerator<readonly RunEvent[], Opened> {
  const { provider, model, request, retrieval, ratios } = call;
  const { options, ignored } = fitOptions(request, provider, model);
  const inBlocks = provider.grounding === 'blocks' && canCiteNatively(request, retrieval.passages, provider);
  const name = `${provider.id} ${model.id}`;
  const attempts = ratiosFor(ratios.of(name));
  for (const [attempt, ratio] of attempts.entries()) {
    const last = attempt === attempts.length - 1;
    const limits = { contextLength: model.contextLength, options, ratio, trying: attempt > 0 };
    const { rules, ...budget } = fitPrompt(call, inBlocks, limits);
    const passages = budget.passages.length > 0 && !inBlocks ? toPassagesText(budget.passages) : undefined;
    const messages = withGrounding(budget.messages, { rules, passages }, call.place);
    yield [
      { type: 'step', step: 'prompt', report: budget.report },
      { type: 'step', step: 'model', provider: provider.id, model: model.id, ignored: attempt === 0 ? ignored : [] },
    ];
    const blocks = inBlocks ? budget.passages : [];
    const upstream = provider
      .stream(
        {
          model: model.id,
          messages,
          passages: blocks,
          retrieval: retrieval.state,
          missing: retrieval.missing,
          weak: retrieval.weak,
          options,
          room: roomFor(budget.report),
          user: request.user,
        },
        signal,
      )
      [Symbol.asyncIterator]();
    try {
      const first = await upstream.next();
      const units = promptUnits(messages, options) + blocks.reduce((sum, { text = '' }) => sum + unitsOf(text), 0);
      const read = (tokens: number) => ratios.learn(name, units, tokens);
      return {
        passages: budget.passages,
        inBlocks,
        events: resumed(upstream, first, passages === undefined ? read : checked(read, model.id)),
      };
    } catch (error) {
      const tooLong = error instanceof AppError && error.code === 'context_length_exceeded';
      if (!tooLong || last || signal.aborted) throw error;
    }
  }
  throw new AppError('internal_error', 'No attempt was made to answer.');
}

/** Which passages and turns fit, and the rules that go with what is left. */
function fitPrompt(
  { messages, retrieval }: ModelCall,
  inBlocks: boolean,
  limits: Omit<Parameters<typeof fitToContext>[2], 'rules'>,
): Budgeted & { rules: string | undefined } {
  const rulesFor = (passages: number) => toRules(retrieval, { passages, inBlocks });
  const budget = fitToContext(messages, retrieval.passages, { ...limits, rules: rulesFor(retrieval.passages.length) });
  return { ...budget, rules: rulesFor(budget.passages.length) };
}

/** Tells whether a count of tokens can be that of the whole prompt; answers what is to be said when it cannot. */
type CountCheck = (tokens: number) => boolean | CalledEvent;

const checked =
  (read: (tokens: number) => boolean, model: string): CountCheck =>
  (tokens) =>
    read(tokens) || {
      type: 'step',
      step: 'undelivered',
      model,
      reason: `The model ${model} read only ${tokens} tokens of its prompt: its chat template leaves out a part, and the passages with it.`,
    };

/** The first batch, then the rest as it comes. The provider's count tells whether the prompt was read. */
function resumed(
  upstream: AsyncIterator<readonly ModelEvent[]>,
  first: IteratorResult<readonly ModelEvent[]>,
  check: CountCheck,
): AsyncIterableIterator<readonly CalledEvent[]> {
  let pending: IteratorResult<readonly ModelEvent[]> | undefined = first;
  const look = (result: IteratorResult<readonly ModelEvent[]>): IteratorResult<readonly CalledEvent[]> => {
    if (result.done) return result;
    for (const event of result.value) {
      if (event.type !== 'usage') continue;
      const verdict = check(event.usage.promptTokens);
      if (typeof verdict === 'object') return { done: false, value: [verdict, ...result.value] };
    }
    return result;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (!pending) return upstream.next().then(look);
      const result = pending;
      pending = undefined;
      return Promise.resolve(look(result));
    },
    async return() {
      await upstream.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** Blocks need text to cite, and the API does not combine its citations with a JSON answer. */
function canCiteNatively(request: RunRequest, passages: readonly CitedPassage[], provider: ChatProvider): boolean {
  if (!provider.generative) return true;
  const format = request.options.responseFormat?.type ?? 'text';
  return format === 'text' && passages.every((passage) => passage.text !== undefined);
}

function roomFor({ contextLength, promptTokensEstimate }: PromptReport): number | undefined {
  return contextLength === undefined ? undefined : Math.max(1, contextLength - promptTokensEstimate);
}
