import type { Missing } from '../../core/knowledge';
import { foldLetters } from '../../text/fold';
import { LANGUAGES } from '../../text/language';
import { dictionaryWords, toWords } from '../../text/words';
import type { StandingTerms } from './passage-store';
import { formsAsked, isThere, type Query, type QueryWord } from './terms';

/** Names given at most. */
const MAX_NAMED = 6;
/** A plain word is named when a passage holds this share of the rest of the question: then it is what differs. */
const REST_COVERED = 0.66;
/** A word of the documents that begins with this share of a missing one is taken for its relative. */
const RELATED_SHARE = 0.6;
const MIN_RELATED = 5;

/**
 * Words of a question that stand in no passage, in any form. A question in words of its own always has some: they
 * become part of `Missing` only by what the search finds (`missingOf`).
 */
export function absentWords(query: Query, { counts }: Pick<StandingTerms, 'counts'>): QueryWord[] {
  return query.words.filter((word) => !isThere(word, counts));
}

/** Prefixes to ask the store for: is there a relative of an absent word? */
export function relativesOf(absent: readonly QueryWord[]): string[] {
  return [...new Set(absent.filter(isPlain).map(relativeOf))];
}

const relativeOf = ({ surface }: QueryWord) =>
  surface.slice(0, Math.max(MIN_RELATED, Math.ceil(surface.length * RELATED_SHARE)));

const isPlain = ({ kind, surface }: QueryWord) => kind === 'word' && /^\p{L}+$/u.test(surface);

/**
 * What a question names that no document has. Identifiers and acronyms are always named. Another word only when
 * one of the best passages holds most of the rest: it is then about something else than the question; and not when a word
 * of the documents is its relative (`hazardous`, `hazard`). A question in another language than the documents misses
 * every word: then none is named.
 */
export function missingOf(
  question: string,
  query: Query,
  standing: StandingTerms,
  documents: { best: readonly ReadonlySet<string>[]; languages: readonly string[] },
): Missing | undefined {
  const absent = absentWords(query, standing);
  const { languages } = documents;
  const foreign = query.language !== undefined && languages.length > 0 && !languages.includes(query.language);
  const covered = !foreign && documents.best.some((terms) => coverage(query, standing, terms) >= REST_COVERED);
  const related = new Set(standing.prefixes);
  const identifiers = absent.filter(({ kind, partOf }) => kind === 'identifier' && partOf === undefined);
  const whole = new Set(identifiers.map(({ written }) => written));
  const words = absent.filter((word) => {
    if (
      !isPlain(word) ||
      (word.partOf !== undefined && whole.has(word.partOf)) ||
      word.filler ||
      isFunctionWord(word.surface)
    )
      return false;
    if (word.surface.length < 3) return false;
    if (/^\p{Lu}{2,}$/u.test(word.written)) return true;
    return covered && namesThing(word, query) && !related.has(relativeOf(word));
  });
  const named: Missing = {
    identifiers: [...new Set(identifiers.map(({ written }) => written))].slice(0, MAX_NAMED),
    words: [
      ...new Set([
        ...words.map(({ written }) => written),
        ...(covered ? absentUnspaced(question, query, standing) : []),
      ]),
    ].slice(0, MAX_NAMED),
  };
  return named.identifiers.length + named.words.length > 0 ? named : undefined;
}

/** German writes what it names with a capital. */
const namesThing = ({ written }: QueryWord, { language }: Query) => language !== 'de' || /^\p{Lu}/u.test(written);

const isFunctionWord = (surface: string) => LANGUAGES.some(({ stopWords }) => stopWords.has(surface));

/** Share of the words that stand somewhere, by how rare they are, that a passage holds. */
function coverage(query: Query, { counts, size }: StandingTerms, passage: ReadonlySet<string>): number {
  let all = 0;
  let held = 0;
  for (const word of query.words) {
    if (word.filler) continue;
    const forms = formsAsked(word);
    const count = Math.max(0, ...forms.map((form) => counts.get(form) ?? 0));
    if (count === 0) continue;
    const weight = Math.log(1 + size / count);
    all += weight;
    if (forms.some((form) => passage.has(form))) held += weight;
  }
  return all > 0 ? held / all : 0;
}

/** Who, which, when, where, how many, in Chinese and Japanese; and what is written in Hiragana alone. */
const ASKING = /[谁誰哪何什么麼怎几幾吗嗎呢多]|^\p{Script=Hiragana}+$/u;
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー]{2,}/gu;

/** Of scripts without blanks: words of a dictionary none of whose pairs of letters stands anywhere. */
function absentUnspaced(question: string, query: Query, { counts }: StandingTerms): string[] {
  if (!query.words.some(({ kind }) => kind === 'gram')) return [];
  return (question.match(UNSPACED_RUN) ?? []).flatMap(dictionaryWords).filter((word) => {
    if (ASKING.test(word)) return false;
    const grams = toWords(foldLetters(word), []).filter(
      ({ kind, surface }) => kind === 'gram' && [...surface].length === 2,
    );
    return grams.length > 0 && grams.every(({ surface }) => !counts.has(surface));
  });
}
