import type { ChatMessage, GenerationOptions } from '../core/chat';
import { textOf } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage } from '../core/knowledge';
import type { PromptReport } from '../core/run';
import { toPassagesMessage } from './prompt';

/** Tokens kept free for the answer when the caller sets no limit. */
const DEFAULT_ANSWER_TOKENS = 1024;
/** Roughly what an image costs; providers differ. */
const IMAGE_TOKENS = 1000;
const MESSAGE_OVERHEAD = 6;

/**
 * A cautious estimate: 3.5 characters a token for Latin script, one token a character beyond it.
 * Tokenisers differ by model, and the provider's own count is what is recorded.
 */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x2e7f) wide += 1;
  return Math.ceil((text.length - wide) / 3.5) + wide;
}

export interface Budgeted {
  /** Without the passages. */
  messages: readonly ChatMessage[];
  passages: readonly CitedPassage[];
  report: PromptReport;
}

/**
 * Fits the prompt into the model's context: the system messages, the last question and what follows
 * it always stay, then passages best first, then earlier turns newest first. What was left out is
 * reported. Throws `context_length_exceeded` when even the fixed part does not fit.
 */
export function fitToContext(
  messages: readonly ChatMessage[],
  passages: readonly CitedPassage[],
  limits: { contextLength: number | undefined; options: GenerationOptions },
): Budgeted {
  const { contextLength, options } = limits;
  const size = (list: readonly ChatMessage[]) => list.reduce((sum, message) => sum + messageTokens(message), 0);
  if (contextLength === undefined) {
    const promptTokensEstimate = size(messages) + passageTokens(passages);
    return {
      messages,
      passages,
      report: { promptTokensEstimate, contextLength, passagesLeftOut: 0, messagesLeftOut: 0 },
    };
  }
  const answer = Math.min(options.maxTokens ?? DEFAULT_ANSWER_TOKENS, Math.floor(contextLength / 2));
  const { head, turns, tail } = divide(messages);
  const tools = options.tools ? estimateTokens(JSON.stringify(options.tools)) : 0;
  let used = size(head) + size(tail) + tools + answer;
  if (used > contextLength) {
    throw new AppError(
      'context_length_exceeded',
      `The question needs about ${used} tokens with its answer, but the model reads ${contextLength}. Shorten it or choose a model with a longer context.`,
      { param: 'messages' },
    );
  }
  let kept = passages;
  while (kept.length > 0 && used + passageTokens(kept) > contextLength) kept = kept.slice(0, -1);
  used += passageTokens(kept);
  let first = turns.length;
  while (first > 0 && used + size(turns[first - 1] ?? []) <= contextLength) {
    first -= 1;
    used += size(turns[first] ?? []);
  }
  const history = turns.slice(first).flat();
  return {
    messages: [...head, ...history, ...tail],
    passages: kept,
    report: {
      promptTokensEstimate: used - answer,
      contextLength,
      passagesLeftOut: passages.length - kept.length,
      messagesLeftOut: turns.slice(0, first).flat().length,
    },
  };
}

/** Leading system messages, earlier turns (each from one user message to the next), and the last question with what follows it. */
function divide(messages: readonly ChatMessage[]) {
  const start = messages.findIndex((message) => message.role !== 'system');
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  const headEnd = start < 0 ? messages.length : start;
  const tailStart = Math.max(headEnd, lastUser);
  const turns: ChatMessage[][] = [];
  for (const message of messages.slice(headEnd, tailStart)) {
    // A tool result never stands without the call before it.
    if (message.role === 'user' || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(message);
  }
  return { head: messages.slice(0, headEnd), turns, tail: messages.slice(tailStart) };
}

function passageTokens(passages: readonly CitedPassage[]): number {
  return passages.length === 0 ? 0 : messageTokens(toPassagesMessage(passages));
}

function messageTokens(message: ChatMessage): number {
  const images = message.role === 'user' ? message.content.filter((part) => part.type === 'image').length : 0;
  const calls = message.role === 'assistant' ? estimateTokens(JSON.stringify(message.toolCalls)) : 0;
  return estimateTokens(textOf(message)) + calls + images * IMAGE_TOKENS + MESSAGE_OVERHEAD;
}
