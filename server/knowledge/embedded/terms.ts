import { detectLanguage, ENGLISH, LANGUAGES, type Language, languageOf } from '../../text/language';
import { formsOfWord, isIdentifier, stemsOf, toWords, type Word } from '../../text/words';

/** Search terms and how much each counts. */
export type WeightedTerms = ReadonlyMap<string, number>;

/** Before a term that a passage defines: an identifier or clause number at the start of a line, or of its heading. */
const DEFINED = '#';
/** Before an identifier in the name or title of the document. */
const NAMED = '@';
/** Before the language of the words that follow; without one they may be of any. */
const LANGUAGE = '=';
/** Between the forms of one word, and before what is no word of the text. */
const FORMS = '|';

/**
 * The search terms of a passage as they are stored, separated by blanks: its words in lower case, their forms are
 * derived when they are read. A pair of letters has its forms with it, joined by `|`. Function words of the passage's
 * language are left out, acronyms such as `IT` are not. A term that begins with `|` is no word of the text: the
 * language, what the passage defines, what its document is called.
 */
export function toTerms(text: string, language: Language | undefined, marks: readonly string[] = []): string {
  // Of a text in an unknown language every word may matter.
  const words = toWords(text, [])
    .filter((word) => !language?.stopWords.has(word.surface) || isAcronym(word))
    .map(({ kind, surface, stems, written }) =>
      kind === 'gram' ? [surface, ...stems].join(FORMS) : written.toLowerCase(),
    );
  if (words.length === 0 && marks.length === 0) return '';
  const head = language ? [FORMS + LANGUAGE + language.code] : [];
  return [...head, ...words, ...marks.map((mark) => FORMS + mark)].join(' ');
}

/** Goes through stored terms: every word as it is stored with the language of its passage, and the marks. */
export function eachStored(
  terms: string,
  word: (stored: string, language: string) => void,
  mark: (term: string) => void,
): void {
  let language = '';
  for (const stored of terms.split(' ')) {
    if (stored === '') continue;
    if (!stored.startsWith(FORMS)) word(stored, language);
    else if (stored.startsWith(LANGUAGE, 1)) language = stored.slice(2);
    else mark(stored.slice(1));
  }
}

/** The forms of a stored word, its surface first. */
export function formsOfStored(stored: string, language: string): readonly string[] {
  if (stored.includes(FORMS)) return stored.split(FORMS);
  const known = languageOf(language);
  return formsOfWord(stored, known ? [known] : LANGUAGES);
}

/** Letters and digits that open a line, behind the signs of Markdown. */
const OPENING = /^[\s#>*|_`[(-]{0,12}((?:[\p{L}\p{N}]+[._\-/]){0,12}[\p{L}\p{N}]{1,40})(?=[\s:.)\]*|_`,;]|$)/u;
/** A line of a table of contents ends with its page. */
const OF_CONTENTS = /(?:\.\s?){3}\s{0,9}\d{1,5}\s{0,9}\|?\s{0,9}$/;
const CLAUSE = /^(?:[a-z]|\d{1,3})(?:\.\d{1,3})+[a-z]?$/;
/** A passage that opens more clauses than this lists them. */
const MAX_CLAUSES = 6;
/** A clause number before its title counts as so many. */
const WITH_WORDS = 3;
const MAX_LINE = 300;

/** An identifier without its joints, in which writers differ: `ISO-9001` is `iso9001`. */
const identityOf = ({ surface, stems }: Word): string => stems[0] ?? surface;

/** Marks for the identifiers and clause numbers that a passage is about, and for those that its document is called by. */
export function marksOf(passage: { text: string; heading: string | null; names: readonly string[] }): string[] {
  const defined: string[] = [];
  const clauses = new Map<string, number>();
  const lines = [...passage.text.split('\n'), passage.heading?.split(' › ').at(-1) ?? ''];
  for (const line of lines) {
    const found = OPENING.exec(line.slice(0, MAX_LINE));
    if (!found?.[1] || OF_CONTENTS.test(line.slice(-MAX_LINE))) continue;
    const [whole] = toWords(found[1], []);
    if (!whole) continue;
    // With words behind it, it is more than a mention on a line of its own.
    const worth = /\p{L}{3}/u.test(line.slice(found[0].length)) ? WITH_WORDS : 1;
    if (CLAUSE.test(whole.surface)) clauses.set(whole.surface, Math.max(worth, clauses.get(whole.surface) ?? 0));
    else if (isIdentifier(whole.surface)) defined.push(identityOf(whole));
  }
  if (clauses.size <= MAX_CLAUSES) {
    for (const [clause, worth] of clauses) for (let times = 0; times < worth; times++) defined.push(clause);
  }
  const named = passage.names.flatMap((name) => toWords(name, []).filter(({ kind }) => kind === 'identifier'));
  return [...defined.map((term) => DEFINED + term), ...new Set(named.map((word) => NAMED + identityOf(word)))];
}

/** Most different words of a question that are searched; the rest of a very long one is left out. */
const MAX_WORDS = 48;
/** What follows in a huge question is not even looked at. */
const MAX_QUERY_CHARS = 8_000;
/** A word that a question repeats says what it is about, up to a point. */
const MAX_REPEATS = 4;

/** A word of a question. */
export interface QueryWord extends Word {
  /** Its stems in other languages: asked for when no passage has it otherwise. */
  otherStems: readonly string[];
  count: number;
  /** True for a word that questions are made of. */
  filler: boolean;
}

export interface Query {
  /** Words that carry meaning; all there are when none does. */
  words: readonly QueryWord[];
  /** True when it names things, and nothing else. */
  onlyIdentifiers: boolean;
  /** Of the question, where it shows itself; ISO 639-1. */
  language: string | undefined;
}

/** `clause 3.1`, `§ 27.4`, `第3.1节`: a number of two parts is a clause when it is said to be one. */
const NAMED_CLAUSE =
  /(?:§|第|(?<![\p{L}\p{N}])(?:section|sec|clause|chapter|chap|paragraph|para|article|art|annex|appendix|abschnitt|kapitel|ziffer|absatz|artikel|anhang|unterabschnitt|chapitre|paragraphe|annexe|sección|cláusula|capítulo|artículo|sezione|clausola|capitolo|paragrafo|seção|secção|hoofdstuk|paragraaf|раздел|пункт)\.?)\s{0,3}((?:[A-Z]|\d{1,3})(?:\.\d{1,3}){1,8})/giu;

/** What a question asks for. `corpusLanguages` are those of the documents, for a question that shows none itself. */
export function toQuery(text: string, corpusLanguages: readonly string[] = []): Query {
  const asked = text.slice(0, MAX_QUERY_CHARS);
  const detected = detectLanguage(asked);
  const languages = detected ? [detected] : likely(corpusLanguages);
  const clauses = new Set([...asked.matchAll(NAMED_CLAUSE)].map(([, number]) => number?.toLowerCase()));
  const words = toWords(asked, languages).map((word) =>
    clauses.has(word.surface) ? { ...word, kind: 'identifier' as const } : word,
  );
  const shouting = !/\p{Ll}/u.test(asked);
  const content = words.filter(
    (word) => (!shouting && isAcronym(word)) || !languages.some(({ stopWords }) => stopWords.has(word.surface)),
  );
  const known = new Map<string, QueryWord>();
  for (const word of content.length > 0 ? content : words) {
    const same = known.get(word.surface);
    if (same) same.count = Math.min(MAX_REPEATS, same.count + 1);
    else if (known.size < MAX_WORDS) {
      const filler = languages.some(({ fillers }) => fillers.has(word.surface)) && !isAcronym(word);
      known.set(word.surface, { ...word, otherStems: othersOf(word), count: 1, filler });
    }
  }
  const kept = [...known.values()];
  const onlyIdentifiers =
    kept.length > 0 && kept.every(({ kind, partOf }) => kind === 'identifier' || partOf !== undefined);
  return {
    words: kept,
    onlyIdentifiers: onlyIdentifiers && kept.some(({ kind }) => kind === 'identifier'),
    language: detected?.code,
  };
}

function likely(codes: readonly string[]): Language[] {
  const known = codes.flatMap((code) => languageOf(code) ?? []);
  return known.includes(ENGLISH) ? known : [ENGLISH, ...known];
}

function othersOf({ kind, written, surface, stems }: Word): string[] {
  return kind === 'word' ? stemsOf(written, surface, LANGUAGES).filter((stem) => !stems.includes(stem)) : [];
}

const isAcronym = ({ written }: Word) => /^\p{Lu}[\p{Lu}\p{N}]+$/u.test(written);

/** The stems that a word of a question is looked for by; the letters of a pair say too little. */
const stemsAsked = ({ kind, stems }: QueryWord): readonly string[] => (kind === 'gram' ? [] : stems);

/** All forms that a word of a question is looked for by. */
export const formsAsked = (word: QueryWord): string[] => [word.surface, ...stemsAsked(word), ...word.otherStems];

/** Every term that a search may want to know of: does it stand anywhere? */
export function formsOf({ words }: Query): string[] {
  const forms = words.flatMap((word) => {
    const plain = formsAsked(word);
    if (word.kind !== 'identifier') return plain;
    return [...plain, DEFINED + identityOf(word), NAMED + identityOf(word)];
  });
  return [...new Set(forms)];
}

/** Share of a word's weight for its form as written, when its stem stands in the documents as well (docs/decisions/0013). */
const SURFACE_SHARE = 0.3;
/** A stem of another language than the question's is a guess. */
const GUESS_SHARE = 0.4;
/** A word that questions are made of. */
const FILLER_SHARE = 0.3;
/** The parts of an identifier that stands as a whole say little. */
const PART_SHARE = 0.3;

/**
 * How much each term counts, given those that stand in the passages. Each word counts once, shared among its
 * forms; a word that stands nowhere keeps its weight, so that what is found is worth less.
 */
export function weigh({ words }: Query, stands: ReadonlyMap<string, number>): WeightedTerms {
  const terms = new Map<string, number>();
  const add = (term: string, weight: number) => terms.set(term, (terms.get(term) ?? 0) + weight);
  const whole = new Set(
    words.filter((word) => word.kind === 'identifier' && isThere(word, stands)).map(({ written }) => written),
  );
  for (const word of words) {
    const part = word.partOf !== undefined && whole.has(word.partOf) ? PART_SHARE : 1;
    const weight = word.count * part * (word.filler ? FILLER_SHARE : 1);
    const stems = stemsAsked(word).filter((form) => stands.has(form));
    const others = word.otherStems.filter((form) => stands.has(form));
    if (stands.has(word.surface)) {
      const share = stems.length > 0 ? SURFACE_SHARE : 1;
      add(word.surface, weight * share);
      for (const stem of stems) add(stem, (weight * (1 - share)) / stems.length);
    } else if (stems.length > 0) for (const stem of stems) add(stem, weight / stems.length);
    else if (others.length > 0) for (const stem of others) add(stem, (weight * GUESS_SHARE) / others.length);
    else add(word.surface, weight);
    if (word.kind !== 'identifier') continue;
    for (const mark of [DEFINED, NAMED]) {
      const marked = mark + identityOf(word);
      if (stands.has(marked)) add(marked, weight);
    }
  }
  return terms;
}

/** True when some form of a word stands in the passages. */
export function isThere(word: QueryWord, stands: ReadonlyMap<string, number>): boolean {
  return formsAsked(word).some((form) => stands.has(form));
}
