/** Signs without width, and marks of direction: nothing a reader sees. */
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
/**
 * Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs and the stretching line of Arabic. Marks of
 * other scripts carry the vowels of their words, or tell two letters apart, and stay.
 */
const ACCENTS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670]/g;
/** U+2010 to U+2015, the minus sign and the small and wide forms. */
const HYPHENS = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;
const APOSTROPHES = /[\u2018\u2019\u02bc\uff07]/g;
/** Letters that decompose into nothing but are written in two ways. */
const LETTERS: Record<string, string> = {
  ß: 'ss',
  ẞ: 'SS',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'TH',
  ı: 'i',
  ς: 'σ',
};
const SPELLED = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');
const NOT_ASCII = /[^\0-\x7f]/;

/** Hyphens and apostrophes as ASCII has them, signs without width dropped; letters stay as they are. */
export function plainSigns(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  return text.replace(INVISIBLE, '').replace(HYPHENS, '-').replace(APOSTROPHES, "'");
}

/**
 * Letters without accents, ligatures and wide forms spelled out, `ß` as `ss`; hyphens and apostrophes as ASCII has
 * them. Case stays.
 */
export function foldLetters(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  const folded = plainSigns(text).normalize('NFKD').replace(ACCENTS, '').normalize('NFC');
  // The compatibility forms bring their own hyphens.
  return folded.replace(HYPHENS, '-').replace(SPELLED, (letter) => LETTERS[letter] ?? letter);
}
