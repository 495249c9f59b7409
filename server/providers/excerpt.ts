import { detectLanguage, ENGLISH } from '../text/language';
import { toWords } from '../text/words';

/** Longest quotation in characters. */
const MAX_LENGTH = 700;
/** Lines of a passage that are looked at; passages are far shorter. */
const MAX_LINES = 400;

/**
 * The run of whole lines of `text` that shares most words with the question, word for word, up to
 * about 700 characters; an ellipsis marks what was left out on either side.
 */
export function bestExcerpt(text: string, question: string): string {
  if (text.length <= MAX_LENGTH) return text.trim();
  const language = detectLanguage(question) ?? ENGLISH;
  const formsOf = (line: string) => toWords(line, [language]).flatMap(({ surface, stems }) => [surface, ...stems]);
  const wanted = new Set(formsOf(question).filter((form) => !language.stopWords.has(form)));
  const lines = text.split('\n').flatMap(splitLong).slice(0, MAX_LINES);
  const shared = lines.map((line) => [...new Set(formsOf(line))].filter((form) => wanted.has(form)));
  let best = { score: -1, start: 0, end: 1 };
  for (let start = 0; start < lines.length; start++) {
    let length = 0;
    const seen = new Set<string>();
    for (let end = start; end < lines.length; end++) {
      const line = lines[end] ?? '';
      if (length > 0 && length + line.length > MAX_LENGTH) break;
      length += line.length + 1;
      for (const form of shared[end] ?? []) seen.add(form);
      if (seen.size > best.score) best = { score: seen.size, start, end: end + 1 };
    }
  }
  // Lines after the best run belong to it as long as they fit.
  let length = lines.slice(best.start, best.end).join('\n').length;
  while (best.end < lines.length && length + (lines[best.end]?.length ?? 0) < MAX_LENGTH) {
    length += (lines[best.end]?.length ?? 0) + 1;
    best.end += 1;
  }
  const body = lines.slice(best.start, best.end).join('\n').trim();
  return `${best.start > 0 ? '… ' : ''}${body}${best.end < lines.length ? ' …' : ''}`;
}

/** Cuts a very long line at sentence ends. */
function splitLong(line: string): string[] {
  return line.length <= 300 ? [line] : (line.match(/.{1,300}?(?:[.!?。！？]\s?|$)|.{1,300}/g) ?? [line]);
}
