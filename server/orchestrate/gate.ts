import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';
import type { RunRequest } from '../core/run';
import { UNSPACED_LETTERS } from '../text/scripts';

export type Gate =
  | { retrieve: true; query: string; reason: string }
  | { retrieve: false; query: string; reason: string };

const GREETING =
  /^(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening)|guten (?:morgen|tag|abend)|thanks?|thank you|danke|merci|gracias|grazie|obrigad[oa]|bonjour|salut|hola|ciao|olá|ok(?:ay)?|bye|goodbye|tschüss|test|ping|привет|спасибо|здравствуйте|你好|您好|谢谢|再见|こんにちは|ありがとう)(?![\p{L}\p{N}])[\s!.,?。！]*(?:ivy|there|you|all|very much|a lot|schön|sehr|beaucoup|ございます)?[\s!.?。！]*$/iu;
const MIN_LENGTH = 10;
const MAX_GREETING = 60;
/** Searching, rewriting, embedding and records take the query as it is, and a message may hold megabytes. */
const MAX_QUERY_CHARS = 8_000;

/** Decides without a model whether to search, and says why. */
export function decideGate(request: RunRequest, searchable: { profile: boolean; documents: boolean }): Gate {
  const query = withinLimit(request.rag.query?.trim() || toQuery(request.messages));
  const off = (reason: string): Gate => ({ retrieve: false, query, reason });
  if (request.task) return off('a background task of the client');
  if (request.rag.enabled === false) return off('switched off for this request');
  if (!searchable.profile) return off('this model answers without retrieval');
  if (request.messages.at(-1)?.role === 'tool') return off('the turn answers a tool call');
  if (query === '') return off('the question holds no text');
  if (query.length <= MAX_GREETING && GREETING.test(query)) return off('a greeting');
  // Short questions with a digit are often identifiers: 5.3.2.1, cES1001.
  const alone = !request.messages.slice(0, -1).some(({ role }) => role === 'user');
  if (lengthOf(query) < MIN_LENGTH && alone && !/\p{N}/u.test(query)) return off('too short to search for');
  if (!searchable.documents) return off('there are no documents yet');
  return { retrieve: true, query, reason: 'a question' };
}

/** A letter of a script without blanks says about as much as four others. */
const UNSPACED = new RegExp(`[${UNSPACED_LETTERS}]`, 'gu');

const lengthOf = (query: string): number => query.length + 3 * (query.match(UNSPACED)?.length ?? 0);

/** A question stands before or after what was pasted with it. */
function withinLimit(query: string): string {
  if (query.length <= MAX_QUERY_CHARS) return query;
  const half = MAX_QUERY_CHARS / 2;
  return `${query.slice(0, half)}\n${query.slice(1 - half)}`;
}

/**
 * What to search for: the last user message. Open WebUI puts its own file context before the real
 * question and closes it with `</context>`.
 */
export function toQuery(messages: readonly ChatMessage[]): string {
  const last = messages.findLast((message) => message.role === 'user');
  if (!last) return '';
  const text = textOf(last);
  const end = text.lastIndexOf('</context>');
  return (end < 0 ? text : text.slice(end + '</context>'.length)).trim();
}
