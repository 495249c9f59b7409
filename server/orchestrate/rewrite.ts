import type { ChatMessage, ChatProvider, ModelInfo, Usage } from '../core/chat';
import { textOf } from '../core/chat';
import { withDeadline } from '../lib/async';
import { foldLetters } from '../text/fold';
import { detectLanguage, ENGLISH, LANGUAGES } from '../text/language';
import { UNSPACED_LETTERS } from '../text/scripts';
import { contentStems, toWords } from '../text/words';
import { askBriefly } from './brief-call';

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
/** Of the last answer, what a line is compared with. */
const MAX_ANSWER_CHARS = 4_000;
/** What the model sees of each earlier message. */
const MAX_MESSAGE_CHARS = 600;
const EARLIER_MESSAGES = 4;
/** Words of earlier questions that join a follow-up. */
const MAX_JOINED_WORDS = 8;

const word = (alternatives: string) => `(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`;

/** Words that point back, and in scripts without blanks the signs. */
const POINTS_BACK = new RegExp(
  `${word(
    [
      'it|its|they|them|their|this|that|these|those|he|she|his|her|one|ones|same|there|above|former|latter',
      'er|sie|es|sein|seine|seiner|seinem|ihr|ihre|ihrer|dessen|deren|davon|dazu|dafür|damit|dieser|diese|dieses|jener|jene',
      'il|elle|ils|elles|son|sa|ses|leur|leurs|ce|cet|cette|ces|celui-ci|celle-ci|cela|ça|en|y|lui',
      'él|ella|ellos|ellas|su|sus|este|esta|estos|estas|ese|esa|eso|ello',
      'suo|sua|suoi|sue|loro|questo|questa|questi|queste|quello|quella|esso|essa|ne',
      'seu|seus|suas|isso|isto|ele|ela|eles|elas|deze|dit|die|dat|hun|haar|dess|dessa|dennes|dets',
      'он|она|оно|они|его|её|ее|их|этот|эта|это|эти|этого|этой',
    ].join('|'),
  )}|[它他她其该此]|[这那][个些]?|それ|その|これ|この|あれ|あの|同じ`,
  'iu',
);
/** How a follow-up begins. */
const OPENS_AS_FOLLOW_UP = new RegExp(
  `^(?:${word(
    [
      'and|but|or|so|then|also|what about|how about|what if|why|how come',
      'und|aber|oder|dann|auch|wie ist es mit|was ist mit|warum|wieso|weshalb',
      'et|mais|ou|alors|aussi|pourquoi|y|pero|entonces|también|por qué|e|ma|anche|allora|perché|mas|então|por quê',
      'en|maar|waarom|och|men|varför|og|hvorfor|а|и|но|почему',
    ].join('|'),
  )}|那么?|还有|为什么|では|じゃあ|それで|なぜ)`,
  'iu',
);
/** The same words where they point at nothing before. */
const NOT_POINTING = new RegExp(
  word(
    "there (?:is|are)|(?:is|are) there|es gibt|gibt es|which one|one of the|il y a|y a-t-il|est-ce|qu'est-ce|en (?:mm|cm|m|kg|s)",
  ),
  'giu',
);
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
  const words = wordCount(question);
  if (words > SHORT_WORDS || toWords(question, []).some(({ kind }) => kind === 'identifier')) return false;
  const pointing = POINTS_BACK.test(question.replace(NOT_POINTING, ' '));
  return pointing || OPENS_AS_FOLLOW_UP.test(question) || words < FEW_WORDS;
}

/** Words of scripts without blanks are about two letters long. */
function wordCount(text: string): number {
  const words = toWords(text, []).filter(({ partOf }) => partOf === undefined);
  const pairs = words.filter(({ kind }) => kind === 'gram').length;
  return words.length - pairs + Math.ceil(pairs / 2);
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
    // What is asked stays on this machine as long as the answer does.
    if (!resolved?.provider.generative || resolved.model.remote !== undefined) return fallback;
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
  target: { provider: ChatProvider; model: ModelInfo },
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
  let usage: Usage | undefined;
  const spent = (reported: Usage) => {
    usage = reported;
  };
  const answer = await askBriefly(target, { instruction, text, maxTokens: MAX_TOKENS }, spent, signal);
  const query = cleaned(answer);
  if (!query || !keepsQuestion(query, question) || repeatsAnswer(query, earlier)) return undefined;
  return { query, by: 'model', ...(usage && { usage }) };
}

/** The first line without what models put around it; undefined when that is no question. */
function cleaned(answer: string): string | undefined {
  const [line = ''] = answer.trim().split('\n');
  const query = line
    .replace(/^(?:(?:standalone|rewritten) )?(?:question|query|frage)\s*:\s*/i, '')
    .replace(/^["“„'`*]+|(?<!["”“'`*])["”“'`*]+$/g, '')
    .trim();
  return query.length > 2 && query.length <= MAX_QUERY_CHARS ? query : undefined;
}

/** Share of the question's own words that a rewritten line must keep; identifiers and numbers all. */
const KEPT = 0.75;
/** Share of a line's words in the last answer from which on it repeats it: small models do. */
const REPEATED = 0.8;
const REPEATED_WORDS = 5;

function keepsQuestion(query: string, question: string): boolean {
  const language = detectLanguage(`${question} ${query}`) ?? ENGLISH;
  const there = new Set(contentStems(query, language));
  // What points back is what the line is there to replace.
  const own = [...new Set(contentStems(question.replace(new RegExp(POINTS_BACK, 'giu'), ' '), language))];
  const kept = own.filter((stem) => there.has(stem));
  return own.filter((stem) => /\d/.test(stem)).every((stem) => there.has(stem)) && kept.length >= KEPT * own.length;
}

function repeatsAnswer(query: string, earlier: readonly ChatMessage[]): boolean {
  const answer = earlier.findLast(({ role }) => role === 'assistant');
  if (!answer) return false;
  const language = detectLanguage(query) ?? ENGLISH;
  const words = contentStems(query, language);
  const there = new Set(contentStems(textOf(answer).slice(0, MAX_ANSWER_CHARS), language));
  const same = words.filter((stem) => there.has(stem)).length;
  return words.length >= REPEATED_WORDS && same >= REPEATED * words.length && !/[?？]/.test(query);
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

/** Words as they were written that carry meaning in some language; of scripts without blanks the whole runs. */
function wordsOf(text: string): string[] {
  const detected = detectLanguage(text);
  const languages = detected ? [detected] : LANGUAGES;
  return (text.match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[._\-/'’][\p{L}\p{M}\p{N}]+)*/gu) ?? [])
    .map((found) => found.replace(/^(?:[cdjlmnst]|qu|dell|nell|sull|all|dall|un)['’]/i, ''))
    .filter(
      (found) =>
        found.length > (UNSPACED.test(found) ? 1 : 2) &&
        !languages.some(({ stopWords }) => stopWords.has(foldCase(found))),
    );
}

const UNSPACED = new RegExp(`[${UNSPACED_LETTERS}]`, 'u');
const foldCase = (text: string) => foldLetters(text).toLowerCase();
