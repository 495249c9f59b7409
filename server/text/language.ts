import { stemmer as danish } from '@orama/stemmers/danish';
import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as finnish } from '@orama/stemmers/finnish';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as hungarian } from '@orama/stemmers/hungarian';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as norwegian } from '@orama/stemmers/norwegian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as romanian } from '@orama/stemmers/romanian';
import { stemmer as russian } from '@orama/stemmers/russian';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stemmer as swedish } from '@orama/stemmers/swedish';
import { stemmer as turkish } from '@orama/stemmers/turkish';
import { stopwords as danishStops } from '@orama/stopwords/danish';
import { stopwords as dutchStops } from '@orama/stopwords/dutch';
import { stopwords as finnishStops } from '@orama/stopwords/finnish';
import { stopwords as frenchStops } from '@orama/stopwords/french';
import { stopwords as germanStops } from '@orama/stopwords/german';
import { stopwords as hungarianStops } from '@orama/stopwords/hungarian';
import { stopwords as italianStops } from '@orama/stopwords/italian';
import { stopwords as norwegianStops } from '@orama/stopwords/norwegian';
import { stopwords as portugueseStops } from '@orama/stopwords/portuguese';
import { stopwords as romanianStops } from '@orama/stopwords/romanian';
import { stopwords as russianStops } from '@orama/stopwords/russian';
import { stopwords as spanishStops } from '@orama/stopwords/spanish';
import { stopwords as swedishStops } from '@orama/stopwords/swedish';
import { stopwords as turkishStops } from '@orama/stopwords/turkish';
import { foldLetters } from './fold';

/** ISO 639-1. */
export type LanguageCode =
  | 'en'
  | 'de'
  | 'fr'
  | 'es'
  | 'it'
  | 'pt'
  | 'nl'
  | 'sv'
  | 'da'
  | 'no'
  | 'fi'
  | 'hu'
  | 'ro'
  | 'tr'
  | 'ru';

/** What search knows of a language. Words are folded and in lower case. */
export interface Language {
  code: LanguageCode;
  /** Words that carry no topic. */
  stopWords: ReadonlySet<string>;
  /** Words that questions are made of, and that say little of what they are about. */
  fillers: ReadonlySet<string>;
  /** The stem of a word in lower case, its accents kept; folded. */
  stem(word: string): string;
}

/**
 * Modal verbs of requirements ("shall", "may") carry no topic either: they stand in every requirement.
 */
const ENGLISH_STOPS = (
  'a about after again all also an and any are as at be because been before being between both but by can cannot could ' +
  'did do does doing down during each few for from further had has have having he her here hers him his how i if in into ' +
  'is it its itself just me more most my no nor not now of off on once only or other our ours out over own same she ' +
  'should shall may might must so some such than that the their theirs them then there these they this those through to ' +
  'too under until up us very was we were what when where which while who whom why will with would you your yours'
).split(' ');

/** Words that open a question and are missing in some of the lists. */
const ASKING: Partial<Record<LanguageCode, string>> = {
  de: 'wie wieviel wieviele viel viele welche welcher welches welchem welchen wann warum wieso wofür wodurch womit wo woher wohin wer wem wen was darf dürfen muss müssen soll sollen sollte kann können könnte wird werden wurde gibt gab gilt bei beim zum zur vom im am ab',
  fr: 'quel quelle quels quelles combien comment pourquoi quand où qui que quoi lequel laquelle dont est sont doit doivent peut peuvent faut',
  es: 'qué cuál cuáles cuánto cuánta cuántos cuántas cómo dónde cuándo quién debe deben puede pueden',
  it: 'quale quali quanto quanta quanti quante come dove quando perché chi che cosa deve devono può possono',
  pt: 'qual quais quanto quanta quantos quantas como onde quando quem que deve devem pode podem',
  nl: 'welke welk hoeveel hoe waar wanneer waarom wie wat moet moeten mag mogen kan kunnen',
  sv: 'vilken vilket vilka hur var när varför vem vad ska skall måste får kan',
  da: 'hvilken hvilket hvilke hvor hvornår hvorfor hvem hvad skal må kan',
  no: 'hvilken hvilket hvilke hvor når hvorfor hvem hva skal må kan',
};

/** Stems that a language keeps. */
const MAX_KNOWN = 50_000;

/** Of the languages that were looked at. */
const FILLERS: Partial<Record<LanguageCode, string>> = {
  en:
    'many much kind kinds sort find finds get gets getting got give gives given go goes going gone come comes came tell tells put ' +
    'puts use uses used using want wants need needs needed able possible happen happens happened mean means meant let lets say ' +
    'says said exactly actually please one ones thing things way ways back take takes make makes made know known look looks like ' +
    'still longer something anything nothing someone anyone nobody explain describe list show try tries tried ' +
    'often usually really ever never always quite enough whether become becomes able upon within without another',
  de:
    'braucht brauchen wenigstens gibt geben lässt lassen heißt heißen bedeutet bedeuten nennt nennen sagen sagt macht machen zeigt ' +
    'zeigen erkläre beschreibe nenne passiert passieren geht gehen kommt kommen bekommt finde finden findet viele vielen vieler genau ' +
    'eigentlich bitte überall immer nie oft steht stehen liegt liegen gehört verwendet verwenden benutzt nutzt',
  fr:
    'fait faire donne donner trouve trouver appelle signifie dire explique expliquer décris décrire existe plusieurs beaucoup utilise ' +
    'utiliser utilisé peut-on faut-il sert servir passe prend prendre veut vouloir toujours jamais souvent',
  es: 'hace hacer da dar encuentra encontrar llama significa decir explica explicar describe existe hay varios muchos usa usar utiliza',
  it: 'fa fare dà dare trova trovare chiama significa dire spiega spiegare descrivi esiste esistono molti usa usare utilizza serve',
};

function language(code: LanguageCode, stopWords: readonly string[], stem: (word: string) => string): Language {
  const all = [...stopWords, ...(ASKING[code]?.split(' ') ?? [])];
  const known = new Map<string, string>();
  const folded = (words: readonly string[]) => new Set(words.map((word) => foldLetters(word.toLowerCase())));
  return {
    code,
    stopWords: folded(all),
    fillers: folded(FILLERS[code]?.split(' ') ?? []),
    stem(word) {
      let found = known.get(word);
      if (found === undefined) {
        // A text that never repeats a word must not fill the memory.
        if (known.size >= MAX_KNOWN) known.clear();
        found = foldLetters(stem(word));
        known.set(word, found);
      }
      return found;
    },
  };
}

export const ENGLISH: Language = language('en', ENGLISH_STOPS, english);

/** In the order of how likely they are here: the first of equals is taken. */
export const LANGUAGES: readonly Language[] = [
  ENGLISH,
  language('de', germanStops, german),
  language('fr', frenchStops, french),
  language('es', spanishStops, spanish),
  language('it', italianStops, italian),
  language('pt', portugueseStops, portuguese),
  language('nl', dutchStops, dutch),
  language('sv', swedishStops, swedish),
  language('da', danishStops, danish),
  language('no', norwegianStops, norwegian),
  language('fi', finnishStops, finnish),
  language('hu', hungarianStops, hungarian),
  language('ro', romanianStops, romanian),
  language('tr', turkishStops, turkish),
  language('ru', russianStops, russian),
];

const BY_CODE = new Map<string, Language>(LANGUAGES.map((known) => [known.code, known]));

export const languageOf = (code: string): Language | undefined => BY_CODE.get(code);

/** What follows tells nothing new about a text's language. */
const LOOKED_AT = 20_000;
/** A language must show itself by this many function words, and clearly more often than the next. */
const MIN_STOP_WORDS = 2;
const CLEARLY = 1.2;
/** Of all words, function words are this share at least in running text. */
const MIN_SHARE = 0.08;
const WORD = /\p{L}[\p{L}\p{M}]*/gu;
const CYRILLIC = /\p{Script=Cyrillic}/u;

/** The language of a text by its function words; undefined when none stands out. */
export function detectLanguage(text: string): Language | undefined {
  const words = foldLetters(text.slice(0, LOOKED_AT)).toLowerCase().match(WORD) ?? [];
  if (words.length === 0) return undefined;
  const counts = LANGUAGES.map((language) => ({
    language,
    count: words.reduce((sum, word) => sum + (language.stopWords.has(word) ? 1 : 0), 0),
  })).sort((a, b) => b.count - a.count);
  const [best, next] = counts;
  if (!best) return undefined;
  const enough = best.count >= MIN_STOP_WORDS && best.count >= words.length * MIN_SHARE;
  if (enough && best.count >= (next?.count ?? 0) * CLEARLY) return best.language;
  // Of the languages written so, this one has a stemmer here.
  return words.filter((word) => CYRILLIC.test(word)).length > words.length / 2 ? BY_CODE.get('ru') : undefined;
}
