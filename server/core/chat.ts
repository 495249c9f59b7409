/** The vocabulary of a chat completion, free of any wire format. */

import type { CitedPassage, Missing, RetrievalState } from './knowledge';

export interface TextPart {
  type: 'text';
  text: string;
}

/** An image given as bytes; Ivy never fetches a URL or reads a path that a client sent. */
export interface ImagePart {
  type: 'image';
  mediaType: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/gif';
  /** Base64 without a data-URL prefix. */
  data: string;
}

export type ContentPart = TextPart | ImagePart;

export interface ToolCall {
  id: string;
  name: string;
  /** Always an object in JSON text; `{}` for a call without arguments. */
  argumentsJson: string;
}

export interface ToolDefinition {
  name: string;
  description: string | undefined;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
}

export type ToolChoice = 'none' | 'auto' | 'required' | { name: string };

export type ChatMessage =
  | { role: 'system'; text: string }
  | { role: 'user'; content: readonly ContentPart[] }
  | { role: 'assistant'; text: string; toolCalls: readonly ToolCall[] }
  | { role: 'tool'; toolCallId: string; text: string };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'json-schema'; name: string; schema: Record<string, unknown> };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** Sampling and shape of the answer; an absent value leaves the choice to the model. */
export interface GenerationOptions {
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  seed?: number;
  stop?: readonly string[];
  reasoningEffort?: ReasoningEffort;
  responseFormat?: ResponseFormat;
  tools?: readonly ToolDefinition[];
  toolChoice?: ToolChoice;
  parallelToolCalls?: boolean;
  /** Reports how likely each token was, and this many alternatives to it (0 for none). */
  topLogprobs?: number;
}

export type OptionName = keyof GenerationOptions;

export interface ChatRequest {
  /** The provider's own model id. */
  model: string;
  messages: readonly ChatMessage[];
  /** Passages for providers whose `grounding` is `blocks`; empty for the others, whose prompt already holds them. */
  passages: readonly CitedPassage[];
  /** How the search for passages went; a provider that writes without a model has to say it itself. */
  retrieval: RetrievalState;
  /** What the question names that stands in no document. */
  missing?: Missing;
  /** True when the passages share little with the question. */
  weak?: boolean;
  options: GenerationOptions;
  /** Tokens left for the answer in the model's context; undefined when its length is unknown. */
  room?: number;
  /** Opaque end-user id, passed on where a provider takes one. */
  user?: string;
}

/** A token with its natural logarithm of probability; `bytes` is its UTF-8 form where the provider tells it. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: readonly number[] | null;
  top: readonly Omit<TokenLogprob, 'top'>[];
}

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter';

/** Token counts as the provider reported them; cumulative within one request. */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
  cacheWriteTokens?: number;
  reasoningTokens?: number;
}

/** What a provider yields. A stream ends with exactly one `finish`; failures are thrown, never emitted. */
export type ModelEvent =
  | { type: 'text-delta'; text: string }
  | { type: 'reasoning-delta'; text: string }
  /** Of tokens as the model wrote them; they come beside the text, not in step with it. */
  | { type: 'logprobs'; tokens: readonly TokenLogprob[] }
  | { type: 'tool-call'; call: ToolCall }
  /** The text block just written rests on these passages (their numbers); for providers that cite natively. */
  | { type: 'citation'; passages: readonly number[] }
  | { type: 'usage'; usage: Usage }
  /** `refusal` is the provider's own explanation when it declined to answer. */
  | { type: 'finish'; reason: FinishReason; refusal?: string };

export interface ModelInfo {
  id: string;
  /** Tokens of prompt and answer together; undefined when the provider does not say. */
  contextLength: number | undefined;
  /** Most tokens one answer may have, where the provider has such a limit. */
  maxOutputTokens?: number;
  capabilities: { vision: boolean; tools: boolean; thinking: boolean; embedding: boolean };
  /** The host that a listed model really runs on, when that is not this machine. */
  remote?: string;
  /** Bytes on disk, for local models. */
  sizeBytes?: number;
  parameterSize?: string;
  quantization?: string;
}

export interface ChatProvider {
  readonly id: 'ollama' | 'anthropic' | 'builtin';
  /** True where what is asked stays on the user's machines, apart from models that say that they are remote. */
  readonly local: boolean;
  /** False where no model writes: then Ivy's own words stand between quotations. */
  readonly generative: boolean;
  /** How passages reach the model: written into the prompt by us, or as structured blocks of the request. */
  readonly grounding: 'prompt' | 'blocks';
  models(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /** Options that are set but that this provider cannot follow; the caller is told. */
  ignores(options: GenerationOptions): readonly OptionName[];
  /** Events travel in small batches: one array per upstream read. */
  stream(request: ChatRequest, signal: AbortSignal): AsyncIterable<readonly ModelEvent[]>;
}

/** All text of a message, without its images. */
export function textOf(message: ChatMessage): string {
  if (message.role !== 'user') return message.text;
  return message.content
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');
}
