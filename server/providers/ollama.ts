import { type ChatResponse, type Message, Ollama, type ChatRequest as OllamaRequest } from 'ollama/browser';
import type {
  ChatProvider,
  ChatRequest,
  FinishReason,
  GenerationOptions,
  ModelEvent,
  ModelInfo,
  OptionName,
  ReasoningEffort,
  TokenLogprob,
  ToolCall,
} from '../core/chat';
import type { EmbeddingProvider, EmbeddingRequest, EmbeddingResult } from '../core/embedding';
import { AppError } from '../core/errors';
import { cached } from '../lib/async';
import { createId } from '../lib/ids';
import { thenDelegate } from '../lib/iterate';
import { createServiceFetch } from '../net/http';
import { type NdjsonReader, openNdjson } from '../net/ndjson';
import { refusesTemplate, templateRefusal, toOllamaError, toStreamError } from './ollama-errors';
import { toOllamaMessages, withoutSystem } from './ollama-messages';

// `ollama/browser` is the same client without the file access of the Node entry, which reads a local
// file when an image string happens to be an existing path.

const SERVICE = 'Ollama';
/** A cold model load sends nothing for minutes. */
const FIRST_BYTE_MS = 300_000;
const IDLE_MS = 60_000;
const MAX_LINE_BYTES = 1024 * 1024;
const DEFAULT_MAX_TOKENS = 4096;
const MODELS_TTL_MS = 5_000;
const EMBED_MS = 300_000;
const MAX_EMBED_BYTES = 256 * 1024 * 1024;

export interface OllamaOptions {
  baseUrl: string;
  /** Upper limit of `num_ctx`; the model's own context length caps it further. */
  contextLength: number;
  /** Longest silence inside an answer; 60 s unless told. */
  idleMs?: number;
}

/** Fields of `/api/tags` that the package's types lack. */
type TagsModel = Awaited<ReturnType<Ollama['list']>>['models'][number] & {
  capabilities?: string[];
  /** Of a model that this Ollama only passes questions on to. */
  remote_host?: string;
  remote_model?: string;
  details: { context_length?: number };
};

/** Ollama's native API: lists through its own package, answers by a reader of our own (docs/decisions/0002). */
export class OllamaProvider implements ChatProvider, EmbeddingProvider {
  readonly id = 'ollama';
  readonly grounding = 'prompt';
  readonly local = true;
  readonly generative = true;

  private readonly installed = cached(MODELS_TTL_MS, () => this.list());

  constructor(private readonly options: OllamaOptions) {}

  /** Installed models, embedding models included; `contextLength` is what Ivy will ask for. Cached for 5 s. */
  models(): Promise<readonly ModelInfo[]> {
    return this.installed();
  }

  async embed({ model, inputs, dimensions }: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingResult> {
    const fetch = createServiceFetch({ service: SERVICE, totalMs: EMBED_MS, maxBytes: MAX_EMBED_BYTES, signal });
    try {
      const client = new Ollama({ host: this.options.baseUrl, fetch });
      const { embeddings, prompt_eval_count: promptTokens } = await client.embed({
        model,
        input: [...inputs],
        ...(dimensions !== undefined && { dimensions }),
      });
      if (embeddings.length !== inputs.length) {
        throw new AppError('upstream_error', 'Ollama sent another number of vectors than it got texts.');
      }
      return { vectors: embeddings, promptTokens: promptTokens ?? 0 };
    } catch (error) {
      throw toOllamaError(error, signal);
    }
  }

  /** To be called after a model was pulled or removed. */
  forgetModels(): void {
    this.installed.reset();
  }

  /** There is no way to force a call, nor to forbid several at once. */
  ignores({ toolChoice, parallelToolCalls }: GenerationOptions): readonly OptionName[] {
    return [
      ...(toolChoice === 'required' ? (['toolChoice'] as const) : []),
      ...(parallelToolCalls === false ? (['parallelToolCalls'] as const) : []),
    ];
  }

  stream(request: ChatRequest, signal: AbortSignal): AsyncIterableIterator<readonly ModelEvent[]> {
    return thenDelegate(this.open(request, signal));
  }

  /** Sends the request; what it returns yields one batch per upstream read. */
  private async *open(
    request: ChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ModelEvent[], AsyncIterable<readonly ModelEvent[]>> {
    const model = (await this.models()).find((candidate) => candidate.id === request.model);
    if (!model) {
      throw new AppError('model_not_found', `The model ${request.model} is not installed in Ollama.`, {
        param: 'model',
      });
    }
    const messages = toOllamaMessages(request.messages);
    try {
      return readAnswer(await this.post(toOllamaRequest(request, model, messages), signal));
    } catch (error) {
      const folded = refusesTemplate(error) ? withoutSystem(messages) : undefined;
      if (!folded || signal.aborted) throw toOllamaError(error, signal);
      try {
        return readAnswer(await this.post(toOllamaRequest(request, model, folded), signal));
      } catch (again) {
        throw refusesTemplate(again) ? templateRefusal(request.model, again) : toOllamaError(again, signal);
      }
    }
  }

  private post(body: NativeRequest, signal: AbortSignal): Promise<NdjsonReader> {
    const call = {
      url: `${this.options.baseUrl}/api/chat`,
      method: 'POST' as const,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    return openNdjson(call, {
      service: SERVICE,
      signal,
      firstByteMs: FIRST_BYTE_MS,
      idleMs: this.options.idleMs ?? IDLE_MS,
      maxLineBytes: MAX_LINE_BYTES,
    });
  }

  private async list(): Promise<readonly ModelInfo[]> {
    // Shared by all callers, so no caller's signal may end it.
    const signal = new AbortController().signal;
    const fetch = createServiceFetch({ service: SERVICE, totalMs: 5_000, maxBytes: 8 * 1024 * 1024, signal });
    try {
      const { models } = await new Ollama({ host: this.options.baseUrl, fetch }).list();
      return (models as TagsModel[]).map((model) => this.toModelInfo(model));
    } catch (error) {
      throw toOllamaError(error, signal);
    }
  }

  private toModelInfo(model: TagsModel): ModelInfo {
    const capabilities = model.capabilities;
    const own = model.details.context_length ?? this.options.contextLength;
    const embedding = capabilities ? !capabilities.includes('completion') : /embed|bge|minilm/i.test(model.name);
    return {
      id: model.name,
      contextLength: Math.min(own, this.options.contextLength),
      capabilities: {
        // An older Ollama does not say: then it decides itself.
        vision: capabilities?.includes('vision') ?? true,
        tools: capabilities?.includes('tools') ?? true,
        thinking: capabilities?.includes('thinking') ?? false,
        embedding,
      },
      ...((model.remote_host || model.remote_model) && { remote: model.remote_host || 'another machine' }),
      sizeBytes: model.size,
      parameterSize: model.details.parameter_size,
      quantization: model.details.quantization_level,
    };
  }
}

/** The package's request type lacks `truncate` and `shift`. */
type NativeRequest = OllamaRequest & { stream: true; truncate: boolean; shift: boolean };

/** The native request. `num_ctx` is constant per model: a different value would reload it. */
function toOllamaRequest(request: ChatRequest, model: ModelInfo, messages: Message[]): NativeRequest {
  const { options } = request;
  const named = typeof options.toolChoice === 'object' ? options.toolChoice.name : undefined;
  const tools = options.toolChoice === 'none' ? [] : (options.tools ?? []);
  const offered = named === undefined ? tools : tools.filter((tool) => tool.name === named);
  return {
    model: request.model,
    stream: true,
    messages,
    // Without this Ollama drops the oldest messages silently when the prompt is too long.
    truncate: false,
    // And without this it slides the context while it writes, passages first.
    shift: false,
    options: {
      num_ctx: model.contextLength,
      num_predict: Math.min(options.maxTokens ?? DEFAULT_MAX_TOKENS, request.room ?? Number.POSITIVE_INFINITY),
      temperature: options.temperature,
      top_p: options.topP,
      seed: options.seed,
      stop: options.stop && [...options.stop],
      frequency_penalty: options.frequencyPenalty,
      presence_penalty: options.presencePenalty,
    },
    ...(options.topLogprobs !== undefined && { logprobs: true, top_logprobs: options.topLogprobs }),
    ...(offered.length > 0 && {
      tools: offered.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, description, parameters },
      })),
    }),
    ...(options.responseFormat?.type === 'json' && { format: 'json' }),
    ...(options.responseFormat?.type === 'json-schema' && { format: options.responseFormat.schema }),
    ...(model.capabilities.thinking && options.reasoningEffort && { think: toThink(options.reasoningEffort) }),
  };
}

function toThink(effort: ReasoningEffort): NativeRequest['think'] {
  if (effort === 'none') return false;
  if (effort === 'minimal') return 'low';
  // Ollama knows `max`; the package's type does not yet.
  if (effort === 'xhigh' || effort === 'max') return 'max' as 'high';
  return effort;
}

/** Events of an answer as its lines come in. Leaving it, or its end, closes the connection. */
function readAnswer(lines: NdjsonReader): AsyncIterableIterator<readonly ModelEvent[]> {
  const reader = new ResponseReader();
  const end = { done: true, value: undefined } as const;
  const fail = (error: unknown): never => {
    lines.close();
    throw error;
  };
  const take = (next: { values: unknown[] } | undefined): IteratorResult<readonly ModelEvent[]> => {
    if (!next) return fail(new AppError('stream_truncated', 'Ollama ended its answer before it was complete.'));
    let batch: ModelEvent[];
    try {
      batch = reader.read(next.values as ResponseLine[]);
    } catch (error) {
      return fail(error);
    }
    if (reader.complete) lines.finish();
    return batch.length === 0 && reader.failure ? fail(reader.failure) : { done: false, value: batch };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async return() {
      lines.close();
      return end;
    },
    next() {
      if (reader.failure) return Promise.reject(reader.failure).catch(fail);
      return reader.complete ? Promise.resolve(end) : lines.next().then(take, fail);
    },
  };
}

/** Fields that the package's types lack. */
type ResponseLine = ChatResponse & { error?: unknown; logprobs?: LineLogprob[] };

interface LineLogprob {
  token: string;
  logprob: number;
  bytes?: number[];
  top_logprobs?: LineLogprob[];
}

/** Turns response lines into events; keeps what the last line needs to know. */
class ResponseReader {
  /** True once the last line came. */
  complete = false;
  /** What an error line said; the events before it come first. */
  failure: AppError | undefined;
  private sentToolCall = false;

  read(lines: readonly ResponseLine[]): ModelEvent[] {
    const events: ModelEvent[] = [];
    for (const line of lines) {
      if (line.error !== undefined) {
        this.failure = toStreamError(line.error);
        break;
      }
      this.readLine(line, events);
    }
    return events;
  }

  private readLine(part: ResponseLine, into: ModelEvent[]): void {
    const { thinking, content, tool_calls: calls } = part.message ?? {};
    if (thinking) into.push({ type: 'reasoning-delta', text: thinking });
    if (content) into.push({ type: 'text-delta', text: content });
    if (part.logprobs) into.push({ type: 'logprobs', tokens: part.logprobs.map(toTokenLogprob) });
    for (const call of calls ?? []) {
      this.sentToolCall = true;
      into.push({ type: 'tool-call', call: toToolCall(call) });
    }
    if (!part.done) return;
    this.complete = true;
    // Both counts are left out when they are 0.
    const usage = { promptTokens: part.prompt_eval_count ?? 0, completionTokens: part.eval_count ?? 0 };
    into.push({ type: 'usage', usage }, { type: 'finish', reason: this.finishReason(part.done_reason) });
  }

  private finishReason(reason: string | undefined): FinishReason {
    if (reason === 'length') return 'length';
    return this.sentToolCall ? 'tool-calls' : 'stop';
  }
}

function toTokenLogprob({ token, logprob, bytes, top_logprobs: top = [] }: LineLogprob): TokenLogprob {
  return {
    token,
    logprob,
    bytes: bytes ?? null,
    top: top.map((other) => ({ token: other.token, logprob: other.logprob, bytes: other.bytes ?? null })),
  };
}

function toToolCall(call: { id?: string; function: { name: string; arguments?: unknown } }): ToolCall {
  return {
    id: call.id || createId('call'),
    name: call.function.name,
    argumentsJson: JSON.stringify(call.function.arguments ?? {}),
  };
}
