import type { LanguageCode } from './language';

/** Numbers from two to twelve, written out. One is left out: in most languages it is also the article. */
const UP_TO_TWELVE: Partial<Record<LanguageCode, string>> = {
  en: 'two three four five six seven eight nine ten eleven twelve',
  de: 'zwei drei vier fünf sechs sieben acht neun zehn elf zwölf',
  fr: 'deux trois quatre cinq six sept huit neuf dix onze douze',
  es: 'dos tres cuatro cinco seis siete ocho nueve diez once doce',
  it: 'due tre quattro cinque sei sette otto nove dieci undici dodici',
  pt: 'dois três quatro cinco seis sete oito nove dez onze doze',
  nl: 'twee drie vier vijf zes zeven acht negen tien elf twaalf',
  ru: 'два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать',
};
const LARGER: Partial<Record<LanguageCode, Record<string, number>>> = {
  en: {
    twice: 2,
    fifteen: 15,
    twenty: 20,
    thirty: 30,
    forty: 40,
    fifty: 50,
    sixty: 60,
    ninety: 90,
    hundred: 100,
    thousand: 1000,
  },
  de: {
    zweimal: 2,
    dreimal: 3,
    viermal: 4,
    fünfzehn: 15,
    zwanzig: 20,
    dreißig: 30,
    vierzig: 40,
    fünfzig: 50,
    sechzig: 60,
    neunzig: 90,
    hundert: 100,
    tausend: 1000,
  },
  fr: { quinze: 15, vingt: 20, trente: 30, quarante: 40, cinquante: 50, soixante: 60, cent: 100, mille: 1000 },
};

const BY_LANGUAGE = new Map<LanguageCode, ReadonlyMap<string, number>>();
for (const [code, words] of Object.entries(UP_TO_TWELVE) as [LanguageCode, string][]) {
  const small = words.split(' ').map((word, index): [string, number] => [word, index + 2]);
  BY_LANGUAGE.set(code, new Map([...small, ...Object.entries(LARGER[code] ?? {})]));
}

/** The value of a word in lower case; undefined when it is no number in this language. */
export function fromNumberWord(word: string, language: LanguageCode): number | undefined {
  return BY_LANGUAGE.get(language)?.get(word);
}

const DIGITS: Record<string, number> = {
  〇: 0,
  零: 0,
  一: 1,
  二: 2,
  两: 2,
  兩: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
};
const POWERS: Record<string, number> = { 十: 10, 百: 100, 千: 1000 };

/** The value of a Chinese or Japanese numeral such as 一百二十; undefined when it is none. */
export function fromHanNumeral(text: string): number | undefined {
  let total = 0;
  let section = 0;
  let digit: number | undefined;
  for (const sign of text) {
    if (Object.hasOwn(DIGITS, sign)) digit = DIGITS[sign];
    else if (Object.hasOwn(POWERS, sign)) {
      // 一百二十千克 counts thousands of 一百二十.
      if (digit === undefined && section > 0 && sign === '千') section *= 1000;
      else section += (digit ?? 1) * (POWERS[sign] as number);
      digit = undefined;
    } else if (sign === '万' || sign === '萬') {
      total += (section + (digit ?? 0)) * 10_000;
      section = 0;
      digit = undefined;
    } else return undefined;
  }
  return total + section + (digit ?? 0);
}
