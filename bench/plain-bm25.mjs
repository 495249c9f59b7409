// BM25 as any textbook has it, over whole documents: what a search has to be better than. Lower case, accents off,
// function words out, Snowball stems, pairs of letters for Chinese and Japanese.
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as german } from '@orama/stemmers/german';
import { stopwords as englishStops } from '@orama/stopwords/english';
import { stopwords as germanStops } from '@orama/stopwords/german';

const K1 = 1.2;
const B = 0.75;
const LANGUAGES = { en: [english, englishStops], de: [german, germanStops] };
const PAIRED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

function tokens(text, language) {
  const [stem, stops] = LANGUAGES[language] ?? LANGUAGES.en;
  const words = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+|[\p{L}\p{N}_]+/gu);
  return (words ?? []).flatMap((word) => {
    if (!PAIRED.test(word)) return stops.includes(word) ? [] : [stem(word)];
    const letters = [...word];
    return letters.length === 1 ? letters : letters.slice(1).map((letter, index) => letters[index] + letter);
  });
}

/** An index over `{ key, text }`; answers a function from a question to keys, best first. */
export function plainBm25(documents, language = 'en') {
  const entries = documents.map(({ key, text }) => {
    const counts = new Map();
    const all = tokens(text, language);
    for (const token of all) counts.set(token, (counts.get(token) ?? 0) + 1);
    return { key, counts, length: all.length };
  });
  const average = entries.reduce((sum, { length }) => sum + length, 0) / entries.length;
  const frequency = new Map();
  for (const { counts } of entries)
    for (const token of counts.keys()) frequency.set(token, (frequency.get(token) ?? 0) + 1);
  return (question) => {
    const asked = tokens(question, language);
    return entries
      .map(({ key, counts, length }) => {
        let score = 0;
        for (const token of asked) {
          const count = counts.get(token);
          if (!count) continue;
          const documentsWith = frequency.get(token);
          const idf = Math.log(1 + (entries.length - documentsWith + 0.5) / (documentsWith + 0.5));
          score += (idf * count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / average));
        }
        return { key, score };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, 100)
      .map(({ key }) => key);
  };
}
