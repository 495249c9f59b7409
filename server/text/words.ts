import { foldLetters, plainSigns } from './fold';
import type { Language } from './language';
import { UNSPACED_LETTERS } from './scripts';

/**
 * A word of a text as search sees it. `surface` is folded and in lower case, `stems` are what its inflected forms
 * have in common, without the surface itself.
 */
export interface Word {
  /** A `gram` is a pair of letters of a script without blanks, and lends its letters as stems. */
  kind: 'word' | 'identifier' | 'gram';
  surface: string;
  stems: readonly string[];
  /** As it was written. */
  written: string;
  /** The compound that it is a part of, as written. */
  partOf?: string;
}

/** Letters, marks and digits, joined by the signs that hold identifiers and numbers together: `ECSS-E-ST-32-08C`, `CFE_ES_PoolCreate`, `5.3.2.1`, `1,5`. */
const RUN = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:(?:[._\-/':]|(?<=\p{N}),(?=\p{N}))[\p{L}\p{M}\p{N}]+)*/gu;
const JOINT = /[._\-/:,]/;
const NUMBER = /^\d+(?:[.,:]\d+)+$/;
/** Written without blanks between words, in pairs of letters. */
const PAIRED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々〆]+/gu;
/** Written without blanks, divided by a dictionary. */
const DIVIDED = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const UNSPACED = new RegExp(`[${UNSPACED_LETTERS}]`, 'u');
/** Where a word is broken at the end of a line. */
const BREAK = /-(?:[ \t]*\n[ \t]*| )(?=\p{Ll}{2})/gu;
/** `pre- and post-launch` is no broken word. */
const CONJUNCTION = /^(?:and|or|to|und|oder|bis|bzw|sowie|et|ou|och|eller|en|of|og|o|y|e|i|ja|tai)(?!\p{L})/u;
const BEFORE_BREAK = /(?<!\p{L})\p{L}{2,41}$/u;
const AFTER_BREAK = /^\p{Ll}{2,40}/u;
/** A longer compound is no name of anything. */
const MAX_COMPOUND = 80;
/** Articles and prepositions that French, Italian and Catalan fuse with the word after them. */
const ELIDED = /^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|dell|nell|sull|all|dall|quell|un|gl|bell|sant)$/;
/** The dictionary is asked about this much at once: its time grows with the length of a run. */
const MAX_DIVIDED = 1_000;

const dividers = new Map<string, Intl.Segmenter>();

/**
 * The words of a text in order, repeats included. Compounds are kept whole and also give their parts, so that an
 * identifier is found exactly and by its words; text without blanks gives its pairs of letters. Linear.
 * `languages` are those whose stems are wanted.
 */
export function toWords(text: string, languages: readonly Language[]): Word[] {
  const words: Word[] = [];
  // Stems need the accents; all else goes by the folded letters.
  for (const [run] of joinBroken(plainSigns(text).normalize('NFC')).matchAll(RUN)) {
    if (UNSPACED.test(run)) addUnspaced(run, words, languages);
    else addRun(run, words, languages);
  }
  return words;
}

/** `satura-⏎tion` is one word; where the text also has `fail-safe` on one line, `fail-⏎safe` is that. */
function joinBroken(text: string): string {
  let compounds: ReadonlySet<string> | undefined;
  return text.replace(BREAK, (broken, at: number) => {
    const [first] = BEFORE_BREAK.exec(text.slice(Math.max(0, at - 41), at)) ?? [];
    const after = at + broken.length;
    const [second] = AFTER_BREAK.exec(text.slice(after, after + 41)) ?? [];
    if (!first || !second || CONJUNCTION.test(text.slice(after, after + 10))) return broken;
    compounds ??= compoundsOf(text);
    return compounds.has(`${first}-${second}`) ? '-' : '';
  });
}

/** Neighbours that a hyphen joins on one line. */
function compoundsOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [run] of text.matchAll(/[\p{L}-]+/gu)) {
    const parts = run.split('-');
    for (const [index, part] of parts.slice(1).entries())
      if (parts[index] && part) found.add(`${parts[index]}-${part}`);
  }
  return found;
}

function addRun(run: string, words: Word[], languages: readonly Language[]): void {
  const written = run.replace(/'s$/i, '');
  if (written.includes("'")) {
    addElided(written, words, languages);
    return;
  }
  if (!JOINT.test(written)) {
    addPlain(written, words, languages);
    return;
  }
  const surface = foldLetters(written).toLowerCase();
  if (surface.length <= MAX_COMPOUND) {
    const kind = isIdentifier(surface) ? 'identifier' : 'word';
    words.push({ kind, surface, stems: joinedForms(surface), written });
  }
  // 37.5 is neither 37 nor 5.
  if (NUMBER.test(surface)) return;
  for (const part of written.split(JOINT)) if (part.length > 1) addPlain(part, words, languages, written);
}

/** `fail-safe` is also written `failsafe`, `ISO-9001` as `ISO9001`. */
function joinedForms(surface: string): string[] {
  const joined = isIdentifier(surface) ? surface.replace(/[-_/]/g, '') : surface.replaceAll('-', '');
  return joined === surface ? [] : [joined];
}

/** The forms of a word as `toWords` gives them, from its letters in lower case: its surface first. No pairs of letters. */
export function formsOfWord(lower: string, languages: readonly Language[]): string[] {
  const surface = foldLetters(lower).toLowerCase();
  if (JOINT.test(surface)) return [surface, ...joinedForms(surface)];
  return isIdentifier(surface) ? [surface] : [surface, ...stemsOf(lower, surface, languages)];
}

/** `l'étanchéité` is `étanchéité`, `O'Brien` is `obrien`. */
function addElided(run: string, words: Word[], languages: readonly Language[]): void {
  const parts = run.split("'");
  let from = 0;
  while (from < parts.length - 1 && ELIDED.test(foldLetters(parts[from] ?? '').toLowerCase())) from += 1;
  const rest = parts.slice(from).join('');
  if (rest === '') return;
  if (JOINT.test(rest)) addRun(rest, words, languages);
  else addPlain(rest, words, languages);
}

function addPlain(written: string, words: Word[], languages: readonly Language[], partOf?: string): void {
  const surface = foldLetters(written).toLowerCase();
  if (surface === '') return;
  const kind = isIdentifier(surface) ? 'identifier' : 'word';
  const whole = partOf === undefined ? {} : { partOf };
  words.push({ kind, surface, stems: kind === 'word' ? stemsOf(written, surface, languages) : [], written, ...whole });
  const humps = /\p{Ll}\p{Lu}/u.test(written) ? written.match(/\p{Lu}?\p{Ll}{2,}|\p{Lu}{2,}(?!\p{Ll})|\d+/gu) : null;
  if (!humps || humps.length < 2) return;
  for (const hump of humps) {
    const folded = foldLetters(hump).toLowerCase();
    if (hump.length < 3) continue;
    const stems = stemsOf(hump, folded, languages);
    words.push({ kind: 'word', surface: folded, stems, written: hump, partOf: partOf ?? written });
  }
}

/** What the forms of a word have in common, one for each language that cuts it differently. A word with a digit has none. */
export function stemsOf(written: string, surface: string, languages: readonly Language[]): readonly string[] {
  if (surface.length < 3 || surface.length > MAX_COMPOUND || /\p{N}/u.test(surface)) return [];
  const lower = written.toLowerCase();
  const stemmed = stemmedIn(languages);
  const known = stemmed.get(lower);
  if (known) return known;
  const stems: string[] = [];
  for (const { stem } of languages) {
    const found = stem(lower);
    if (found.length > 1 && found !== surface && !stems.includes(found)) stems.push(found);
  }
  if (stemmed.size >= MAX_STEMMED) stemmed.clear();
  stemmed.set(lower, stems);
  return stems;
}

/** Words repeat, and a text of an unknown language is stemmed in all: the stems of so many words are kept for each. */
const MAX_STEMMED = 50_000;
const stemmedBy = new WeakMap<object, Map<string, readonly string[]>>();

function stemmedIn(languages: readonly Language[]): Map<string, readonly string[]> {
  const [only] = languages;
  const key = languages.length === 1 && only ? only : languages;
  let stemmed = stemmedBy.get(key);
  if (!stemmed) {
    stemmed = new Map();
    stemmedBy.set(key, stemmed);
  }
  return stemmed;
}

function addUnspaced(run: string, words: Word[], languages: readonly Language[]): void {
  let from = 0;
  for (const match of run.matchAll(PAIRED)) {
    addOther(run.slice(from, match.index), words, languages);
    addPairs(match[0], words);
    from = match.index + match[0].length;
  }
  addOther(run.slice(from), words, languages);
}

/** What stands between letters that are written in pairs: `42`, `REQ-001`, or Thai. */
function addOther(text: string, words: Word[], languages: readonly Language[]): void {
  if (text === '') return;
  if (!DIVIDED.test(text)) {
    for (const [run] of text.matchAll(RUN)) addRun(run, words, languages);
    return;
  }
  for (let from = 0; from < text.length; from += MAX_DIVIDED) {
    for (const { segment, isWordLike } of divider('th').segment(text.slice(from, from + MAX_DIVIDED))) {
      if (isWordLike) addPlain(segment, words, languages);
    }
  }
}

/** Pairs of letters; each lends its first letter, and the last one both, for questions of a single letter. */
function addPairs(run: string, words: Word[]): void {
  const letters = [...foldLetters(run)];
  const [only = ''] = letters;
  if (letters.length === 1) words.push({ kind: 'gram', surface: only, stems: [], written: run });
  for (const [index, letter] of letters.entries()) {
    const next = letters[index + 1];
    if (next === undefined) return;
    const surface = letter + next;
    const stems = index + 2 === letters.length ? [letter, next] : [letter];
    words.push({ kind: 'gram', surface, stems, written: surface });
  }
}

function divider(locale: string): Intl.Segmenter {
  let found = dividers.get(locale);
  if (!found) {
    found = new Intl.Segmenter(locale, { granularity: 'word' });
    dividers.set(locale, found);
  }
  return found;
}

/**
 * Words of a text for people, to say which of them stand nowhere: runs without blanks are divided by a dictionary.
 */
export function dictionaryWords(run: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of divider('ja').segment(run.slice(0, MAX_DIVIDED)))
    if (isWordLike) words.push(segment);
  return words;
}

/**
 * True for a term that names one thing: letters and then digits (`ces1001`), a compound of letters with a
 * digit or an underscore (`hed-fai-req-0140`, `cfe_es_poolcreate`), a clause (`5.3.2.1`). Years, ranges and
 * amounts (`1960s`, `1972-1979`, `10kg`, `4.0`) do not.
 */
export function isIdentifier(term: string): boolean {
  if (/^\d+(?:\.\d+){2,}$/.test(term)) return true;
  return /^\p{L}/u.test(term) && (JOINT.test(term) ? /[\d_]/.test(term) : /\d/.test(term));
}

/** The stems of a text's words that carry meaning, in order, repeats included: to compare texts of one language. */
export function contentStems(text: string, language: Language): string[] {
  return toWords(text, [language])
    .filter(({ surface }) => !language.stopWords.has(surface))
    .map(({ kind, surface, stems }) => (kind === 'word' ? (stems.at(-1) ?? surface) : surface));
}
