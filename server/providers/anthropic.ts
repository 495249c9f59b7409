import Anthropic from '@anthropic-ai/sdk';
import type { ChatProvider, ChatRequest, GenerationOptions, ModelEvent, ModelInfo, OptionName } from '../core/chat';
import { AppError } from '../core/errors';
import { cached, sleep } from '../lib/async';
import { Breaker } from '../net/breaker';
import { createSseFetch } from '../net/sse-fetch';
import { isOutage, toAnthropicError, toRetryDelay } from './anthropic-errors';
import { toAnthropicRequest } from './anthropic-request';
import { EventReader } from './anthropic-stream';

const SERVICE = 'Claude';
const FIRST_BYTE_MS = 120_000;
const IDLE_MS = 60_000;
const MAX_LINE_BYTES = 1024 * 1024;
const MODELS_TTL_MS = 300_000;
const MAX_ATTEMPTS = 3;
const SAMPLING = ['temperature', 'topP', 'frequencyPenalty', 'presencePenalty', 'seed'] as const;

export interface AnthropicOptions {
  apiKey: string;
  baseUrl: string | undefined;
  /** Longest silence inside an answer; 60 s unless told. */
  idleMs?: number;
}

/** Claude through the official SDK, always streamed, with native citations from `search_result` blocks. */
export class AnthropicProvider implements ChatProvider {
  readonly id = 'anthropic';
  readonly grounding = 'blocks';
  readonly local = false;
  readonly generative = true;
  private readonly breaker = new Breaker(SERVICE);
  private readonly client: Anthropic;
  private readonly available = cached(MODELS_TTL_MS, () => this.list());

  constructor(private readonly options: AnthropicOptions) {
    this.client = new Anthropic({
      apiKey: options.apiKey,
      ...(options.baseUrl && { baseURL: options.baseUrl }),
      // The SDK obeys any retry-after, however long: Ivy retries itself, within limits.
      maxRetries: 0,
      timeout: FIRST_BYTE_MS,
      logLevel: 'off',
      fetch: createSseFetch(SERVICE, MAX_LINE_BYTES),
    });
  }

  async models(): Promise<readonly ModelInfo[]> {
    return (await this.available()).map(toModelInfo);
  }

  /** The API refuses sampling parameters, and several models refuse a forced tool. */
  ignores(options: GenerationOptions): readonly OptionName[] {
    const forced = options.toolChoice === 'required' || typeof options.toolChoice === 'object';
    return [...SAMPLING.filter((name) => options[name] !== undefined), ...(forced ? (['toolChoice'] as const) : [])];
  }

  async *stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]> {
    const idle = new AbortController();
    const upstream = AbortSignal.any([signal, idle.signal]);
    const stalled = new AppError('upstream_stalled', 'Claude stopped in the middle of its answer.');
    let timer: NodeJS.Timeout | undefined;
    try {
      const events = await this.breaker.run(() => this.open(request, upstream), isOutage);
      // The SDK drops pings, so only real events keep the stream alive.
      timer = setTimeout(() => idle.abort(stalled), this.options.idleMs ?? IDLE_MS);
      const reader = new EventReader(request.passages);
      for await (const event of events) {
        timer.refresh();
        const batch = reader.read(event);
        if (batch.length > 0) yield batch;
      }
      // The SDK ends its stream quietly when it is aborted.
      upstream.throwIfAborted();
      if (!reader.complete) {
        throw new AppError('stream_truncated', 'Claude ended its answer before it was complete.');
      }
    } catch (error) {
      if (idle.signal.aborted && !signal.aborted) throw stalled;
      throw toAnthropicError(error, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Retries at most twice, only before the first byte, and only when the wait is short. */
  private async open(request: ChatRequest, signal: AbortSignal) {
    const info = await this.describe(request.model);
    const body = toAnthropicRequest(request, info);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.client.messages.create({ ...body, stream: true }, { signal });
      } catch (error) {
        const delayMs = attempt < MAX_ATTEMPTS ? toRetryDelay(error, attempt) : undefined;
        if (delayMs === undefined || signal.aborted) throw error;
        await sleep(delayMs, signal);
      }
    }
  }

  /** Limits and capabilities of a model; undefined when the list cannot be had, and then safe defaults apply. */
  private async describe(model: string): Promise<Anthropic.ModelInfo | undefined> {
    try {
      return (await this.available()).find((candidate) => candidate.id === model);
    } catch {
      return undefined;
    }
  }

  private async list(): Promise<Anthropic.ModelInfo[]> {
    const models: Anthropic.ModelInfo[] = [];
    try {
      for await (const model of this.client.models.list({ limit: 100 }, { timeout: 5_000 })) models.push(model);
    } catch (error) {
      throw toAnthropicError(error, new AbortController().signal);
    }
    return models.filter((model) => model.lifecycle !== 'retired');
  }
}

function toModelInfo(model: Anthropic.ModelInfo): ModelInfo {
  return {
    id: model.id,
    contextLength: model.max_input_tokens ?? undefined,
    maxOutputTokens: model.max_tokens ?? undefined,
    capabilities: {
      vision: model.capabilities?.image_input?.supported ?? false,
      tools: true,
      thinking: model.capabilities?.thinking?.supported ?? false,
      embedding: false,
    },
  };
}
