import type { ChatMessage, ChatProvider, ModelInfo, Usage } from '../core/chat';
import { textOf } from '../core/chat';
import { isIdentifier, toTerms } from '../lib/analyze';
import { withDeadline } from '../lib/async';
import { detectLanguage, foldAccents } from '../lib/language';

/** A question as it is searched for. */
export interface Rewritten {
  query: string;
  by: 'model' | 'words';
  /** What the model spent on it. */
  usage?: Usage;
}

/** The model has this long; then the words of the conversation must do. */
const MODEL_MS = 2_000;
/** A model that was too slow is not asked again for this long. */
const PAUSE_MS = 5 * 60_000;
const MAX_TOKENS = 120;
const MAX_QUERY_CHARS = 400;
/** What the model sees of each earlier message. */
const MAX_MESSAGE_CHARS = 600;
const EARLIER_MESSAGES = 4;
/** Words of earlier questions that join a follow-up. */
const MAX_JOINED_WORDS = 8;

/** Words that point back. */
const POINTS_BACK =
  /\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|one|ones|same|there|above|former|latter|er|sie|es|sein|seine|ihr|ihre|dessen|deren|davon|dazu|dafür|damit|dieser|diese|dieses|jener|jene)\b/i;
/** How a follow-up begins. */
const OPENS_AS_FOLLOW_UP =
  /^(?:and|but|or|so|then|also|what about|how about|what if|why|how come|und|aber|oder|dann|auch|wie ist es mit|was ist mit|warum|wieso)\b/i;
/** The same words where they point at nothing before. */
const NOT_POINTING = /\b(?:there (?:is|are)|(?:is|are) there|es gibt|gibt es|which one|one of the)\b/gi;
const SHORT_WORDS = 12;
/** Fewer hardly ever say what a question is about. */
const FEW_WORDS = 3;

/**
 * True when a question cannot be understood without the conversation: it is short, and points back or opens
 * as a follow-up. A question that only could lean, or that names an identifier, is left alone: its own words
 * find most.
 */
export function leansOnConversation(question: string, earlier: readonly ChatMessage[]): boolean {
  if (!earlier.some(({ role }) => role === 'user')) return false;
  const words = question.trim().split(/\s+/).length;
  if (words > SHORT_WORDS || toTerms(question).some(isIdentifier)) return false;
  const pointing = POINTS_BACK.test(question.replace(NOT_POINTING, ' '));
  return pointing || OPENS_AS_FOLLOW_UP.test(question) || words < FEW_WORDS;
}

/** Turns follow-ups into questions that stand alone. One for each model: it remembers which are too slow. */
export class Rewriter {
  private readonly pausedUntil = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** By the model when it is quick enough, else by words of the earlier questions. Never fails. */
  async rewrite(
    question: string,
    earlier: readonly ChatMessage[],
    target: Promise<{ provider: ChatProvider; model: ModelInfo }>,
    signal: AbortSignal,
  ): Promise<Rewritten> {
    const fallback: Rewritten = { query: joinWords(question, earlier), by: 'words' };
    const resolved = await target.catch(() => undefined);
    if (!resolved || resolved.provider.id === 'builtin') return fallback;
    const name = `${resolved.provider.id} ${resolved.model.id}`;
    if (this.now() < (this.pausedUntil.get(name) ?? 0)) return fallback;
    try {
      const rewritten = await withDeadline({ signal, ms: MODEL_MS }, (limited) =>
        ask(question, earlier, resolved, limited),
      );
      return rewritten ?? fallback;
    } catch {
      signal.throwIfAborted();
      this.pausedUntil.set(name, this.now() + PAUSE_MS);
      return fallback;
    }
  }
}

async function ask(
  question: string,
  earlier: readonly ChatMessage[],
  { provider, model }: { provider: ChatProvider; model: ModelInfo },
  signal: AbortSignal,
): Promise<Rewritten | undefined> {
  const conversation = earlier
    .filter(({ role }) => role === 'user' || role === 'assistant')
    .slice(-EARLIER_MESSAGES)
    .map(
      (message) => `${message.role === 'user' ? 'User' : 'Assistant'}: ${textOf(message).slice(0, MAX_MESSAGE_CHARS)}`,
    );
  const instruction =
    'Rewrite the last question so that it can be understood without the conversation, for a search in documents. ' +
    'Keep identifiers, numbers, units and its language. Answer with the question alone, on one line.';
  const text = `Conversation:\n${conversation.join('\n')}\n\nLast question: ${question}`;
  let answer = '';
  let usage: Usage | undefined;
  const stream = provider.stream(
    {
      model: model.id,
      messages: [
        { role: 'system', text: instruction },
        { role: 'user', content: [{ type: 'text', text }] },
      ],
      passages: [],
      retrieval: 'off',
      options: { maxTokens: MAX_TOKENS, temperature: 0, reasoningEffort: 'none' },
    },
    signal,
  );
  for await (const events of stream) {
    for (const event of events) {
      if (event.type === 'text-delta') answer += event.text;
      else if (event.type === 'usage') usage = event.usage;
    }
  }
  const query = cleaned(answer);
  return query ? { query, by: 'model', ...(usage && { usage }) } : undefined;
}

/** The first line without what models put around it; undefined when that is no question. */
function cleaned(answer: string): string | undefined {
  const [line = ''] = answer.trim().split('\n');
  const query = line
    .replace(/^(?:(?:standalone|rewritten) )?(?:question|query|frage)\s*:\s*/i, '')
    .replace(/^["“„'`*]+|["”“'`*]+$/g, '')
    .trim();
  return query.length > 2 && query.length <= MAX_QUERY_CHARS ? query : undefined;
}

/** The question with the words that say most of the questions before it, the last one first. */
export function joinWords(question: string, earlier: readonly ChatMessage[]): string {
  const seen = new Set(wordsOf(question).map(foldCase));
  const joined: string[] = [];
  for (const message of earlier
    .filter(({ role }) => role === 'user')
    .slice(-2)
    .reverse()) {
    for (const word of wordsOf(textOf(message).slice(0, MAX_MESSAGE_CHARS))) {
      if (joined.length >= MAX_JOINED_WORDS || seen.has(foldCase(word))) continue;
      seen.add(foldCase(word));
      joined.push(word);
    }
  }
  return joined.length > 0 ? `${question} ${joined.join(' ')}` : question;
}

function wordsOf(text: string): string[] {
  const { stopWords } = detectLanguage(text);
  return (text.match(/[\p{L}\p{N}]+(?:[._\-/][\p{L}\p{N}]+)*/gu) ?? []).filter(
    (word) => word.length > 2 && !stopWords.has(foldCase(word)),
  );
}

const foldCase = (word: string) => foldAccents(word).toLowerCase();
