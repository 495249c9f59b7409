import { detectLanguage, foldAccents, type Language } from './language';

/** A word, or several joined by the signs that hold identifiers together: `ECSS-E-ST-32-08C`, `CFE_ES_PoolCreate`, `5.3.2.1`. */
const WORD = /[\p{L}\p{N}]+(?:[._\-/'’][\p{L}\p{N}]+)*/gu;
const JOINT = /[._\-/]/;

/**
 * The search terms of a text, in order, repeats included. Compounds are kept whole and also give
 * their parts, so that an identifier is found exactly and by its words; plain words are stemmed.
 */
export function toTerms(text: string, language: Language = detectLanguage(text)): string[] {
  const terms: string[] = [];
  for (const [raw] of foldAccents(text).matchAll(WORD)) {
    const word = raw.replace(/['’](s\b)?/gi, '');
    if (JOINT.test(word)) {
      terms.push(word.toLowerCase());
      for (const part of word.split(JOINT)) addPart(part, terms, language);
    } else {
      addWord(word, terms, language);
    }
  }
  return terms;
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

/** A lone digit or letter inside an identifier says nothing by itself. */
function addPart(part: string, terms: string[], language: Language): void {
  if (part.length > 1) addWord(part, terms, language);
}

function addWord(word: string, terms: string[], { stopWords, stem }: Language): void {
  const lower = word.toLowerCase();
  if (lower === '' || stopWords.has(lower)) return;
  terms.push(/^[a-z]+$/.test(lower) ? stem(lower) : lower);
  const humps = word.match(/[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+/g);
  if (!humps || humps.length < 2 || !/[a-z][A-Z]/.test(word)) return;
  for (const hump of humps)
    if (hump.length > 2 && !stopWords.has(hump.toLowerCase())) terms.push(stem(hump.toLowerCase()));
}
