import { stemmer as danish } from '@orama/stemmers/danish';
import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stemmer as swedish } from '@orama/stemmers/swedish';
import { stopwords as danishStops } from '@orama/stopwords/danish';
import { stopwords as dutchStops } from '@orama/stopwords/dutch';
import { stopwords as frenchStops } from '@orama/stopwords/french';
import { stopwords as germanStops } from '@orama/stopwords/german';
import { stopwords as italianStops } from '@orama/stopwords/italian';
import { stopwords as portugueseStops } from '@orama/stopwords/portuguese';
import { stopwords as spanishStops } from '@orama/stopwords/spanish';
import { stopwords as swedishStops } from '@orama/stopwords/swedish';

/** How words of a language are reduced to search terms. Words come in lower case and without accents. */
export interface Language {
  /** Words that carry no topic. */
  stopWords: ReadonlySet<string>;
  stem(word: string): string;
}

/** Letters without accents, ligatures and wide forms spelled out. */
export const foldAccents = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '');

/**
 * Modal verbs of requirements ("shall", "may") are kept out of search as well: they stand in every
 * requirement.
 */
const ENGLISH: Language = {
  stopWords: new Set(
    (
      'a about after again all also an and any are as at be because been before being between both but by can cannot could ' +
      'did do does doing down during each few for from further had has have having he her here hers him his how i if in into ' +
      'is it its itself just me more most my no nor not now of off on once only or other our ours out over own same she ' +
      'should shall may might must so some such than that the their theirs them then there these they this those through to ' +
      'too under until up us very was we were what when where which while who whom why will with would you your yours'
    ).split(' '),
  ),
  stem: english,
};

const other = (stopWords: readonly string[], stem: (word: string) => string): Language => ({
  stopWords: new Set(stopWords.map((word) => foldAccents(word.toLowerCase()))),
  stem,
});

const OTHERS: readonly Language[] = [
  other(germanStops, german),
  other(frenchStops, french),
  other(spanishStops, spanish),
  other(italianStops, italian),
  other(portugueseStops, portuguese),
  other(dutchStops, dutch),
  other(swedishStops, swedish),
  other(danishStops, danish),
];

/** What follows tells nothing new about a text's language. */
const LOOKED_AT = 8_000;
/** Another language must show itself this often, and clearly more often than English. */
const MIN_STOP_WORDS = 2;
const CLEARLY = 1.3;

/** The language of a text by its function words; English when none stands out. */
export function detectLanguage(text: string): Language {
  const words =
    foldAccents(text.slice(0, LOOKED_AT))
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  const count = ({ stopWords }: Language) => words.reduce((sum, word) => sum + (stopWords.has(word) ? 1 : 0), 0);
  const needed = Math.max(MIN_STOP_WORDS, count(ENGLISH) * CLEARLY);
  let best = { language: ENGLISH, count: needed };
  for (const language of OTHERS) {
    const found = count(language);
    // The first of equals stays: languages stand in the order of how likely they are here.
    if (found > best.count || (best.language === ENGLISH && found >= needed)) best = { language, count: found };
  }
  return best.language;
}
