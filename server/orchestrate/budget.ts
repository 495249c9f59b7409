import type { ChatMessage, GenerationOptions } from '../core/chat';
import { textOf } from '../core/chat';
import { AppError } from '../core/errors';
import type { CitedPassage } from '../core/knowledge';
import type { PromptReport } from '../core/run';
import { toPassagesText } from './prompt';
import { unitsOf } from './tokens';

/** Tokens kept free for the answer when the caller sets no limit. */
const DEFAULT_ANSWER_TOKENS = 1024;
/** Roughly what an image costs; providers differ. */
const IMAGE_TOKENS = 1000;
/** What a chat template writes around each message. */
const MESSAGE_TOKENS = 6;

export interface Budgeted {
  /** Without the passages. */
  messages: readonly ChatMessage[];
  passages: readonly CitedPassage[];
  report: PromptReport;
}

export interface Limits {
  /** Undefined when the provider does not say: then nothing is left out. */
  contextLength: number | undefined;
  options: GenerationOptions;
  /** Units of a token (`unitsOf`). */
  ratio: number;
  /** What Ivy adds to the system message. */
  rules: string | undefined;
  /** True to go on when even the question seems too long: the model has the last word. */
  trying?: boolean;
}

/**
 * Fits the prompt into the model's context: the system messages, the last question and what follows
 * it always stay, then passages best first, then earlier turns newest first. What was left out is
 * reported. Throws `context_length_exceeded` when even the fixed part does not fit.
 */
export function fitToContext(
  messages: readonly ChatMessage[],
  passages: readonly CitedPassage[],
  limits: Limits,
): Budgeted {
  const { contextLength, options, ratio } = limits;
  const tokens = (text: string) => Math.ceil(unitsOf(text) / ratio);
  const size = (list: readonly ChatMessage[]) => list.reduce((sum, message) => sum + messageTokens(message, tokens), 0);
  const passageTokens = (list: readonly CitedPassage[]) => (list.length === 0 ? 0 : tokens(toPassagesText(list)));
  const rules = limits.rules ? tokens(limits.rules) + MESSAGE_TOKENS : 0;
  const tools = options.tools ? tokens(JSON.stringify(options.tools)) : 0;
  if (contextLength === undefined) {
    const promptTokensEstimate = size(messages) + passageTokens(passages) + rules + tools;
    return {
      messages,
      passages,
      report: { promptTokensEstimate, contextLength, passagesLeftOut: 0, messagesLeftOut: 0 },
    };
  }
  const answer = Math.min(options.maxTokens ?? DEFAULT_ANSWER_TOKENS, Math.floor(contextLength / 2));
  const { head, turns, tail } = divide(messages);
  let used = size(head) + size(tail) + rules + tools + answer;
  if (used > contextLength && !limits.trying) {
    throw new AppError(
      'context_length_exceeded',
      `The question needs about ${used} tokens with its answer, but the model reads ${contextLength}. Shorten it or choose a model with a longer context.`,
      { param: 'messages' },
    );
  }
  let kept = passages;
  let taken = passageTokens(kept);
  while (kept.length > 0 && used + taken > contextLength) {
    kept = kept.slice(0, -1);
    taken = passageTokens(kept);
  }
  used += taken;
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

function messageTokens(message: ChatMessage, tokens: (text: string) => number): number {
  const images = message.role === 'user' ? message.content.filter((part) => part.type === 'image').length : 0;
  return tokens(textOf(message)) + tokens(callsOf(message)) + images * IMAGE_TOKENS + MESSAGE_TOKENS;
}

/** The tool calls of a message as text, about as a template writes them. */
const callsOf = (message: ChatMessage): string =>
  message.role === 'assistant' && message.toolCalls.length > 0 ? JSON.stringify(message.toolCalls) : '';

/** Units of a whole prompt as it is sent, images apart. */
export function promptUnits(messages: readonly ChatMessage[], options: GenerationOptions): number {
  const text = messages.reduce((sum, message) => sum + unitsOf(textOf(message)) + unitsOf(callsOf(message)), 0);
  return text + (options.tools ? unitsOf(JSON.stringify(options.tools)) : 0);
}
