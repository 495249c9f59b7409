import { stemmer } from '@orama/stemmers/english';

/**
 * Words that carry no topic. Modal verbs of requirements ("shall", "may") are kept out of search as
 * well: they stand in every requirement.
 */
const STOP_WORDS = new Set(
  (
    'a about after again all also an and any are as at be because been before being between both but by can cannot could ' +
    'did do does doing down during each few for from further had has have having he her here hers him his how i if in into ' +
    'is it its itself just me more most my no nor not now of off on once only or other our ours out over own same she ' +
    'should shall may might must so some such than that the their theirs them then there these they this those through to ' +
    'too under until up us very was we were what when where which while who whom why will with would you your yours'
  ).split(' '),
);

/** A word, or several joined by the signs that hold identifiers together: `ECSS-E-ST-32-08C`, `CFE_ES_PoolCreate`, `5.3.2.1`. */
const WORD = /[\p{L}\p{N}]+(?:[._\-/'’][\p{L}\p{N}]+)*/gu;
const JOINT = /[._\-/]/;

/**
 * The search terms of a text, in order, repeats included. Compounds are kept whole and also give
 * their parts, so that an identifier is found exactly and by its words; plain words are stemmed
 * (Snowball English).
 */
export function toTerms(text: string): string[] {
  const terms: string[] = [];
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '');
  for (const [raw] of folded.matchAll(WORD)) {
    const word = raw.replace(/['’](s\b)?/gi, '');
    if (JOINT.test(word)) {
      terms.push(word.toLowerCase());
      for (const part of word.split(JOINT)) addWord(part, terms, true);
    } else {
      addWord(word, terms, false);
    }
  }
  return terms;
}

function addWord(word: string, terms: string[], isPart: boolean): void {
  const lower = word.toLowerCase();
  // A lone digit or letter inside an identifier says nothing by itself.
  if (lower === '' || (isPart && lower.length < 2) || STOP_WORDS.has(lower)) return;
  terms.push(/^[a-z]+$/.test(lower) ? stemmer(lower) : lower);
  const humps = word.match(/[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+/g);
  if (!humps || humps.length < 2 || !/[a-z][A-Z]/.test(word)) return;
  for (const hump of humps)
    if (hump.length > 2 && !STOP_WORDS.has(hump.toLowerCase())) terms.push(stemmer(hump.toLowerCase()));
}
