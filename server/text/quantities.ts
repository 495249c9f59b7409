import { datesOf } from './dates';
import type { LanguageCode } from './language';
import { fromHanNumeral, fromNumberWord } from './number-words';
import { UNSPACED_LETTERS } from './scripts';
import { fromSuperscript, type Unit, unitOf } from './units';

/** A number with its unit, or a date. */
export interface Quantity {
  /** What the number may be, as it was written: `1,500` is two things where the language of the text does not say. */
  numbers: readonly number[];
  /** Undefined for a bare number. */
  unit: Unit | undefined;
  /** Value of the last digit that was written: 0.1 for `12.5`. */
  step: number;
  /** Written as about so much. */
  rounded: boolean;
  /** Written as a word, such as `three`: said of many things, so that it being elsewhere too says little. */
  spelled: boolean;
  /** As it was written, and where: offsets of the text in UTF-16 units, the end exclusive. */
  text: string;
  start: number;
  end: number;
}

/** Spaces that stand within a number or before a unit. */
const SPACE = String.raw`[ \u00a0\u2007\u2009\u202f]`;
const UNSPACED_LETTER = `[${UNSPACED_LETTERS}]`;
/** Where a number may begin: not within a name such as `REQ-0140`, `5.3.2.1` or `M8`; a hyphen is a sign where nothing stands before it. */
const START = new RegExp(
  String.raw`(?<!(?!${UNSPACED_LETTER})\p{L}|[\p{N}_]|[\p{N}\p{L}][./,:]|(?:(?!${UNSPACED_LETTER})\p{L}|[\p{N}_./)%°])[-–])[-–+]?(?=\.?\d|[½¼¾])`,
  'gu',
);
/** Thousands by commas, points, blanks or apostrophes (ISO 80000-1 and what is in use), decimals by point or comma. */
const DIGITS = new RegExp(
  [
    '0x[0-9a-fA-F]+',
    String.raw`\d{1,3}(?:(?:${SPACE}|['’])\d{3}){1,6}(?!\d)(?:[.,]\d+)?`,
    String.raw`\d{1,3}(?:,\d{3}){1,6}(?!\d)(?:\.\d+)?`,
    String.raw`\d{1,3}(?:\.\d{3}){1,6}(?!\d)(?:,\d+)?`,
    String.raw`\d*[.,]\d+`,
    String.raw`\d*[½¼¾]`,
    String.raw`\d+`,
  ].join('|'),
  'yu',
);
/** What cannot follow a number: then it was a part of something else. */
const NO_END = /\p{N}|[.,:/_]\p{N}|[._]\p{L}|-\p{N}+\p{L}|-\p{Lu}{2}|_/uy;
/** `10^-3`, `10⁻³`, `10-3` as some PDFs have it, `e-3`. */
const POWER =
  /\s?[x×·*⋅]\s?10(?:\^([-+]?\d{1,2})|([-+]\d{1,2})|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))|[eE]([-+]?\d{1,2})(?![\p{L}\p{N}])/uy;
/** `5 million`, `3 Mrd.`, `5万`. */
const SCALES = new Map<string, number>(
  Object.entries({
    'thousand tausend mille mil тысяч тысячи': 1e3,
    'million millions millionen mio millones milione milioni миллион миллиона миллионов': 1e6,
    'billion billions milliarde milliarden mrd milliard milliards miliardo miliardi миллиард миллиарда': 1e9,
    '万 萬 만': 1e4,
    '亿 億 억': 1e8,
  }).flatMap(([words, scale]) => words.split(' ').map((word): [string, number] => [word, scale])),
);
const SCALE = new RegExp(
  `${SPACE}?(${[...SCALES.keys()].sort((a, b) => b.length - a.length).join('|')})(?![a-zà-ÿа-я])`,
  'iyu',
);
/** A number raised to a power: `10⁻⁶`, `2^10`. */
const RAISED = /\^([-+]?\d{1,2})(?!\d)|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})/uy;
const POWER_SIGN = String.raw`(?:\^?[-+]?\d(?![\p{N}]|\.\d)|[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹])`;
const UNIT = new RegExp(
  String.raw`(?:°\s?[CFK](?!\p{L})|[%‰°℃$€]|1(?=\s?\/)|[\p{L}µμΩ]+)${POWER_SIGN}?(?:\s?[·*⋅∙/]\s?\(?[\p{L}µμ°Ω]+${POWER_SIGN}?(?:[·*⋅∙/][\p{L}µμΩ]+${POWER_SIGN}?)?\)?)*`,
  'yu',
);
/** Factors apart: `N m`, `m s⁻¹`. */
const SPACED_FACTOR = /[ \u00a0\u2009\u202f](?:m(?![\p{L}\p{N}])|[\p{L}Ω]{1,3}(?:\^?-\d|⁻[¹²³]))/uy;
const PHRASES: readonly (readonly [pattern: RegExp, unit: string])[] = [
  [
    /(?:degrees?|grad|degrés?|grados?|gradi|градус\p{L}*|deg\.?)\s?(?:celsius|centigrade|centígrados|цельсия|C(?!\p{L}))/iuy,
    '°C',
  ],
  [/(?:degrees?|grad|degrés?)\s?(?:fahrenheit|F(?!\p{L}))/iuy, '°F'],
  [/per cent|pour cent|por ciento|per cento|v\. ?h\./iuy, '%'],
  [/(?:square|sq\.?) (?:metres?|meters?|m(?!\p{L}))/iuy, 'm²'],
  [/cubic (?:metres?|meters?|m(?!\p{L}))/iuy, 'm³'],
  [/(?:revolutions per minute|umdrehungen pro minute|umdrehungen\/min|tours par minute|r\.?p\.?m\.?)/iuy, 'rpm'],
];
/** `metres per second`, `Liter pro Minute`, `mètres carrés`. */
const PER = /\s(?:per|pro|par|por)\s([\p{L}²³]+)/iuy;
const RAISED_WORD = /\s(?:carrés?|cubes?|cuadrados?|cúbicos?|quadrati|quadri|cubi)(?!\p{L})/iuy;
/** Words that are also units, and in which language they are: elsewhere they are words. */
const UNITS_OF: Record<string, LanguageCode> = {
  in: 'en',
  an: 'fr',
  ans: 'fr',
  mes: 'es',
  ora: 'it',
  ore: 'it',
  tag: 'de',
};
/** Names of parts of documents, before their numbers. */
const REFERENCE =
  /(?:^|[^\p{L}])(?:sections?|sect|sec|clauses?|chapters?|tables?|tab|figures?|figs?|pages?|pp?|steps?|annex|appendix|notes?|equations?|eq|parts?|volumes?|issue|version|revision|rev|release|items?|documents?|lines?|abschnitte?s?|kapitel|tabellen?|bild|abbildung|abb|seiten?|anhang|schritt|teil|ausgabe|anmerkung|chapitre|tableau|annexe|étape|partie|sección|capítulo|tabla|página|sezione|capitolo|tabella|figura|pagina|раздел|таблица|рисунок|рис|глава|стр|nr|no|rfc|iso|iec|en|din)\.?\s{0,2}$|[§№#]\s?$|第\s?$/iu;
/** That a number is rounded is said right before it. */
const ROUNDED =
  /(?:about|approximately|approx\.?|around|roughly|nearly|almost|circa|ca\.|etwa|rund|ungefähr|knapp|gut|environ|près de|à peu près|unos|aproximadamente|circa|около|примерно|约|約|≈|~)\s{0,2}$/iu;
const HOURS_MINUTES =
  /(?<![\p{N}:.])(\d{1,3})(?::([0-5]\d)(?::([0-5]\d))?(?![\p{N}:]|[.,]\p{N})|\s?h\s?([0-5]\d)(?![\p{N}\p{L}]))/gu;
const RATIO = /(?<![\p{N}:.,])(\d{1,6}(?:[.,]\d+)?):(\d{1,6})(?![\p{N}:]|[.,]\p{N})/gu;
const CLOCK_UNIT = /\s?(?:(h|hrs?|hours?|std\.?|stunden|heures?|uhr|horas?|ore|ч)|(min|minutes?|minuten))(?!\p{L})/iuy;
const HAN_NUMERAL = /(?<![\d.])[〇零一二两兩三四五六七八九十百千万萬]+(?=\p{Script=Han}|\p{Script=Katakana})/gu;
/** Of one letter, these are parts of too many words. */
const HAN_WORDS = new Set(['分', '度', '天', '米', '安', '帕', '牛']);
const SPELLED = /(?<![\p{L}\p{N}-])\p{L}{3,12}(?![\p{L}\p{N}])/gu;
/** What joins numbers that share the unit behind the last one. */
const JOINT =
  /^\s?(?:,|;|\/|[-–—]|\.{2,3}|…|÷|[~〜～]|±|\+\/-|×|x|to|bis|à|a|and|und|et|y|e|or|oder|ou|o|by|до|и|至|到)\s?[-–+±]?$/iu;
const TIME = 's';
const DATE: Unit = { factor: 1, key: 'date' };
const PROPORTION: Unit = { factor: 1, key: 'ratio' };

/**
 * The quantities and dates of a text, in order. Numbers inside identifiers (`5.3.2.1`, `REQ-0140`), citations (`[1]`)
 * and references (`section 4.2`) are none. `language` tells what a comma in a number is. Linear.
 */
export function quantitiesOf(text: string, language?: LanguageCode): Quantity[] {
  // Every replacement keeps the length: offsets are those of the text.
  const clean = text
    .replace(NO_VALUE, (found) => ' '.repeat(found.length))
    .replaceAll('+/-', '  ±')
    .replace(/(?<!\p{L})(?:minus|moins|meno|menos)\s(?=\d)/giu, (word) => `${' '.repeat(word.length - 1)}-`)
    .replace(/[\u2010\u2011\u2212\ufe63\uff0d]/g, '-')
    .replace(/[０-９]/g, (digit) => String(digit.charCodeAt(0) - 0xff10));
  const taken = new Taken();
  const found: Quantity[] = [];
  for (const { dates, start, end } of datesOf(clean)) {
    taken.add(start, end);
    found.push({ ...place(text, start, end), numbers: dates, unit: DATE, step: 1, rounded: false, spelled: false });
  }
  addClockTimes(clean, text, taken, found);
  addRatios(clean, text, taken, found);
  addSlashed(clean, { text, language, taken, found });
  addNumbers(clean, { text, language, taken, found });
  addHanNumerals(clean, text, found);
  addSpelled(clean, { text, language, taken, found });
  found.sort((a, b) => a.start - b.start);
  return joinDurations(shareUnits(found, clean), clean);
}

/** Citations, and numbers of a list within a sentence: `(1) this and (2) that`. */
const NO_VALUE = /\[\d{1,3}\]|\(\d{1,2}\)(?=\s\p{L})/gu;

/** Ranges that are spoken for; they are added in order of each kind and asked for in order. */
class Taken {
  private readonly ends = new Map<number, number>();

  add(start: number, end: number): void {
    for (let at = start; at < end; at++) this.ends.set(at, end);
  }

  /** The end of the range that holds this place. */
  at(place: number): number | undefined {
    return this.ends.get(place);
  }
}

function place(text: string, start: number, end: number) {
  const written = text.slice(start, end);
  const trimmed = written.trimEnd();
  return { text: trimmed, start, end: start + trimmed.length };
}

interface Scan {
  text: string;
  language: LanguageCode | undefined;
  taken: Taken;
  found: Quantity[];
}

function addNumbers(clean: string, scan: Scan): void {
  const { text, taken, found } = scan;
  START.lastIndex = 0;
  for (let match = START.exec(clean); match; match = START.exec(clean)) {
    const skip = taken.at(match.index + match[0].length);
    if (skip !== undefined) {
      START.lastIndex = skip;
      continue;
    }
    const sign = signOf(match[0], clean, match.index);
    let start = sign === '' ? match.index + match[0].length : match.index;
    let at = match.index + match[0].length;
    let negative = sign !== '' && sign !== '+';
    START.lastIndex = at + 1;
    for (;;) {
      const read = readQuantity(clean, at, scan.language);
      if (!read) break;
      START.lastIndex = Math.max(START.lastIndex, read.end);
      const before = clean.slice(Math.max(0, start - 24), start);
      if (!REFERENCE.test(before)) {
        const numbers = negative ? read.numbers.map((number) => -number) : read.numbers;
        const rounded = ROUNDED.test(before);
        const unit = read.facts.unit ?? currencyBefore(before);
        found.push({ ...place(text, start, read.end), ...read.facts, unit, numbers, rounded, spelled: false });
      }
      // `10-20 mm`, `5%-10%`: the end of a range has no blank before it that would set it apart.
      const range = sticky(/\s?[-–—]\s?(?=([-–+]?)\d)/uy, clean, read.end);
      if (!range) break;
      at = read.end + range[0].length + (range[1] ?? '').length;
      start = read.end + range[0].length;
      negative = range[1] === '-' || range[1] === '–';
    }
  }
}

/** `$5`, `€ 5` */
function currencyBefore(before: string): Unit | undefined {
  const sign = /[$€]\s?$/.exec(before)?.[0].trim();
  return sign ? unitOf(sign) : undefined;
}

/** A dash before a number is a sign where nothing comes before it that it could lead from. */
function signOf(sign: string, clean: string, at: number): string {
  if (sign !== '–') return sign;
  return /[\p{N}\p{L}%°]\s?$/u.test(clean.slice(Math.max(0, at - 3), at)) ? '' : sign;
}

interface Read {
  numbers: readonly number[];
  facts: { unit: Unit | undefined; step: number };
  end: number;
}

function readQuantity(clean: string, at: number, language: LanguageCode | undefined): Read | undefined {
  const digits = readDigits(clean, at);
  if (digits === undefined) return undefined;
  let end = at + digits.length;
  let scale = 1;
  const power = sticky(POWER, clean, end);
  if (power) {
    scale = 10 ** (power[3] ? fromSuperscript(power[3]) : Number(power[1] ?? power[2] ?? power[4]));
    end += power[0].length;
  }
  const counted = sticky(SCALE, clean, end);
  if (counted) {
    scale *= SCALES.get((counted[1] ?? '').toLowerCase()) ?? 1;
    end += counted[0].length;
  }
  let numbers = valuesOf(digits, language);
  const raised = power ? undefined : sticky(RAISED, clean, end);
  if (raised) {
    const exponent = raised[1] === undefined ? fromSuperscript(raised[2]) : Number(raised[1]);
    numbers = numbers.map((number) => number ** exponent);
    end += raised[0].length;
  }
  const unit = readUnit(clean, end, language);
  // The last group of `2,072` is no decimals.
  const whole = numbers.length === 1 && Number.isInteger(numbers[0]) && !/[.,]0+$/.test(digits);
  const decimals = whole ? 0 : (/[.,](\d+)$/.exec(digits)?.[1]?.length ?? 0);
  return {
    numbers: scale === 1 ? numbers : numbers.map((number) => number * scale),
    facts: { unit: unit?.unit, step: 10 ** -decimals * scale },
    end: unit?.end ?? end,
  };
}

/** The longest notation of a number here that is no part of something else. */
function readDigits(clean: string, at: number): string | undefined {
  const longest = sticky(DIGITS, clean, at)?.[0];
  if (longest === undefined) return undefined;
  if (!sticky(NO_END, clean, at + longest.length)) return longest;
  // `12,` before a digit of a list; what is left must still end well.
  const [shorter] = sticky(/\d+/y, clean, at) ?? [];
  if (shorter === undefined || shorter === longest) return undefined;
  return sticky(NO_END, clean, at + shorter.length) ? undefined : shorter;
}

const FRACTIONS: Record<string, number> = { '½': 0.5, '¼': 0.25, '¾': 0.75 };

/** What written digits may mean. */
function valuesOf(digits: string, language: LanguageCode | undefined): number[] {
  if (digits.startsWith('0x')) return [Number(digits)];
  const fraction = FRACTIONS[digits.at(-1) ?? ''];
  if (fraction !== undefined) return [Number(digits.slice(0, -1) || 0) + fraction];
  const bare = digits.replace(/[\s'’\u00a0\u2007\u2009\u202f]/g, '');
  const signs = bare.replace(/\d/g, '');
  // The last of two different signs is the decimal one, one that repeats is none.
  if (signs.length > 1) {
    const last = signs.at(-1) ?? '';
    return signs.indexOf(last) === signs.length - 1
      ? [Number(bare.replaceAll(signs[0] ?? '', '').replace(last, '.'))]
      : [Number(bare.replaceAll(last, ''))];
  }
  const decimal = Number(bare.replace(',', '.'));
  const grouped = /^[1-9]\d{0,2}[.,]\d{3}$/.test(bare);
  if (signs === '' || !grouped || bare.length < digits.length) return [decimal];
  const whole = Number(bare.replace(/[.,]/, ''));
  // English groups by commas, and its point is decimal; elsewhere both are in use.
  if (language === 'en') return signs === ',' ? [whole] : [decimal];
  if (language !== undefined && signs === ',') return [decimal];
  return [whole, decimal];
}

function readUnit(
  clean: string,
  at: number,
  language: LanguageCode | undefined,
): { unit: Unit; end: number } | undefined {
  const gap = sticky(/[ \u00a0\u2007\u2009\u202f]|-(?=\p{L})/uy, clean, at)?.[0].length ?? 0;
  const from = at + gap;
  for (const [pattern, name] of PHRASES) {
    const phrase = sticky(pattern, clean, from);
    const unit = phrase && unitOf(name);
    if (phrase && unit) return { unit, end: from + phrase[0].length };
  }
  const [whole] = sticky(UNIT, clean, from) ?? [];
  if (whole === undefined) return undefined;
  const spaced = sticky(SPACED_FACTOR, clean, from + whole.length)?.[0];
  const together = spaced && /^(?:[kM]?N|\p{L}{1,3}|Ω)$/u.test(whole) ? unitOf(whole + spaced) : undefined;
  if (spaced && together) return { unit: together, end: from + whole.length + spaced.length };
  for (const name of candidatesOf(whole)) {
    const unit = unitOf(name);
    if (!unit) continue;
    const follows = clean.slice(from + name.length, from + name.length + 2);
    const only = UNITS_OF[name.toLowerCase()];
    // `10 in the box` and `10 an der Zahl` name no unit.
    const rate = sticky(PER, clean, from + name.length);
    const together = rate?.[1] === undefined ? undefined : unitOf(`${name}/${rate[1]}`);
    if (rate && together) return { unit: together, end: from + name.length + rate[0].length };
    const raised = sticky(RAISED_WORD, clean, from + name.length);
    const power = raised && unitOf(`${name}${/^\s[cк]ub|^\s[cк]úb/iu.test(raised[0]) ? '³' : '²'}`);
    if (raised && power) return { unit: power, end: from + name.length + raised[0].length };
    if (only && ((language ?? only) !== only || (name === 'in' && /^\s[\p{L}(]/u.test(follows)))) return undefined;
    return { unit, end: from + name.length };
  }
  return undefined;
}

/** A unit and shorter beginnings of it: `m/s` of `m/s/Test`, `リットル` of a run without blanks. */
function* candidatesOf(whole: string): Iterable<string> {
  yield whole;
  const [first = ''] = /^[^·*⋅∙/\s(]+/.exec(whole) ?? [];
  const second = /^[^·*⋅∙/\s(]+\s?[·*⋅∙/]\s?[^·*⋅∙/\s()]+/.exec(whole)?.[0];
  if (second && second !== whole) yield second;
  if (first !== whole) yield first;
  const letters = /^\p{L}+/u.exec(first)?.[0] ?? '';
  if (letters !== first && letters !== '') yield letters;
  if (new RegExp(`^${UNSPACED_LETTER}`, 'u').test(first)) {
    for (let length = Math.min(7, first.length - 1); length > 0; length--) yield first.slice(0, length);
  }
}

function addClockTimes(clean: string, text: string, taken: Taken, found: Quantity[]): void {
  for (const match of clean.matchAll(HOURS_MINUTES)) {
    const [whole, first, minutes, seconds, glued] = match;
    const start = match.index;
    if (taken.at(start) !== undefined) continue;
    const unit = sticky(CLOCK_UNIT, clean, start + whole.length);
    const [a, b, c] = [Number(first), Number(minutes ?? glued), Number(seconds ?? 0)];
    const asHours = a * 3600 + b * 60 + c;
    // Without a unit `1:30` may be of hours or of minutes.
    const numbers = unit?.[1] || glued || seconds ? [asHours] : unit?.[2] ? [a * 60 + b] : [asHours, a * 60 + b];
    const end = start + whole.length + (unit?.[0].length ?? 0);
    taken.add(start, end);
    found.push({ ...place(text, start, end), numbers, unit: unitOf(TIME), step: 1, rounded: false, spelled: false });
  }
}

/** `10:1`, where it is no time. */
function addRatios(clean: string, text: string, taken: Taken, found: Quantity[]): void {
  for (const match of clean.matchAll(RATIO)) {
    const start = match.index;
    const end = start + match[0].length;
    // `ISO 9001:2015` is a name.
    if (taken.at(start) !== undefined || REFERENCE.test(clean.slice(Math.max(0, start - 24), start))) continue;
    const numbers = [Number(match[1]?.replace(',', '.')) / Number(match[2])];
    if (!numbers.every(Number.isFinite)) continue;
    taken.add(start, end);
    found.push({ ...place(text, start, end), numbers, unit: PROPORTION, step: 1e-9, rounded: false, spelled: false });
  }
}

const SLASHED = /(?<![\p{L}\p{N}./-])(\d{1,5}(?:[.,]\d{1,3})?)\/(\d{1,5}(?:[.,]\d{1,3})?)(?![\p{N}/]|[.,]\p{N})/gu;
const INCHES = new Set([2, 4, 8, 16, 32, 64]);

/** `50/60 Hz` are two values, `3/8 inch` is a fraction; without a unit it may be anything. */
function addSlashed(clean: string, { text, language, taken, found }: Scan): void {
  for (const match of clean.matchAll(SLASHED)) {
    const start = match.index;
    const end = start + match[0].length;
    const unit = taken.at(start) === undefined ? readUnit(clean, end, language) : undefined;
    if (!unit) continue;
    const [a, b] = [match[1], match[2]].map((digits) => Number(digits?.replace(',', '.')));
    if (a === undefined || b === undefined) continue;
    taken.add(start, unit.end);
    const facts = { ...place(text, start, unit.end), unit: unit.unit, step: 1e-3, rounded: false, spelled: false };
    if (a < b && INCHES.has(b)) found.push({ ...facts, numbers: [a / b] });
    else found.push({ ...facts, numbers: [a] }, { ...facts, numbers: [b] });
  }
}

function addHanNumerals(clean: string, text: string, found: Quantity[]): void {
  for (const match of clean.matchAll(HAN_NUMERAL)) {
    const number = fromHanNumeral(match[0]);
    const unit = readUnit(clean, match.index + match[0].length, undefined);
    if (number === undefined || !unit) continue;
    const name = clean.slice(match.index + match[0].length, unit.end);
    if (HAN_WORDS.has(name)) continue;
    const where = place(text, match.index, unit.end);
    found.push({ ...where, numbers: [number], unit: unit.unit, step: 1, rounded: false, spelled: false });
  }
}

function addSpelled(clean: string, { text, language = 'en', found }: Scan): void {
  for (const match of clean.matchAll(SPELLED)) {
    const number = fromNumberWord(match[0].toLowerCase(), language);
    if (number === undefined) continue;
    const end = match.index + match[0].length;
    const unit = readUnit(clean, end, language);
    const where = place(text, match.index, unit?.end ?? end);
    found.push({ ...where, numbers: [number], unit: unit?.unit, step: 1, rounded: false, spelled: true });
  }
}

/** `10 × 20 mm`, `4.0 ± 0.1 mm`, `between 5 and 10 kg`: the unit behind the last number is that of those before it. */
function shareUnits(found: readonly Quantity[], clean: string): Quantity[] {
  const shared = [...found];
  for (let index = shared.length - 2; index >= 0; index--) {
    const [first, second] = [shared[index], shared[index + 1]];
    if (!first || !second?.unit || first.unit || second.unit.key === 'date') continue;
    const between = clean.slice(first.end, second.start);
    // `4 × 5 kg` are four of them, `4 × 5 mm` is a size.
    if (/[×x]/.test(between) && second.unit.key !== 'm') continue;
    if (JOINT.test(between)) shared[index] = { ...first, unit: second.unit };
  }
  return shared;
}

/** `3 h 20 min` is one duration. */
function joinDurations(found: readonly Quantity[], clean: string): Quantity[] {
  const joined: Quantity[] = [];
  for (const quantity of found) {
    const last = joined.at(-1);
    const parts = last && /^\s?(?:and\s|und\s|et\s)?$/.test(clean.slice(last.end, quantity.start));
    if (parts && isDuration(last) && isDuration(quantity) && last.unit.factor > quantity.unit.factor) {
      const [a = 0, b = 0] = [last.numbers[0], quantity.numbers[0]];
      joined[joined.length - 1] = {
        ...last,
        numbers: [(a * last.unit.factor + b * quantity.unit.factor) / quantity.unit.factor],
        unit: quantity.unit,
        step: quantity.step,
        text: `${last.text}${clean.slice(last.end, quantity.start)}${quantity.text}`,
        end: quantity.end,
      };
    } else joined.push(quantity);
  }
  return joined;
}

const isDuration = (quantity: Quantity): quantity is Quantity & { unit: Unit } => quantity.unit?.key === TIME;

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Relative error that counting in binary leaves. */
const EXACT = 1e-6;
/** Most that a converted value may be off by rounding, and one that is said to be rounded. */
const CONVERTED = 0.006;
const HEDGED = 0.05;

/**
 * True when a text that holds `there` bears out `claimed`: the same value in the same unit. `heads` are the units that
 * the text names without a number, as the head of a table does: a bare number there may be of one of them. Where there
 * is none, a bare number may stand for one with a unit when both are written alike.
 */
export function agrees(claimed: Quantity, there: Quantity, heads: readonly Unit[] = []): boolean {
  if (claimed.unit?.key === 'date' || there.unit?.key === 'date') {
    const [date, other] = claimed.unit?.key === 'date' ? [claimed, there] : [there, claimed];
    // A year may stand for a date of it.
    if (!other.unit) return other.numbers.some((year) => date.numbers.some((one) => Math.floor(one / 10_000) === year));
    return claimed.unit?.key === there.unit?.key && claimed.numbers.some((date) => there.numbers.includes(date));
  }
  if (!claimed.unit || !there.unit) {
    const fitting = claimed.unit && heads.filter(({ key }) => key === claimed.unit?.key);
    if (!fitting || fitting.length === 0) return sameNumber(claimed, there, undefined) || isShare(claimed, there);
    return fitting.some((unit) => sameNumber(claimed, there, unit));
  }
  const [a, b] = [claimed.unit.key, there.unit.key];
  // "45 degrees" may be an angle or a temperature.
  if (a !== b && !(['°', '°C'].includes(a) && ['°', '°C'].includes(b))) return false;
  return sameNumber(claimed, there, there.unit);
}

/** 85 % is 0.85. */
function isShare(a: Quantity, b: Quantity): boolean {
  const [percent, bare] = a.unit?.key === '%' ? [a, b] : [b, a];
  if (percent.unit?.key !== '%' || bare.unit) return false;
  const { factor } = percent.unit;
  return percent.numbers.some((number) => bare.numbers.some((share) => Math.abs(number * factor - share * 100) < 1e-9));
}

function sameNumber(claimed: Quantity, there: Quantity, unit: Unit | undefined): boolean {
  const own = unit && claimed.unit ? claimed.unit.factor : 1;
  const other = unit && claimed.unit ? unit.factor : 1;
  const loose = claimed.rounded ? HEDGED : own === other ? 0 : CONVERTED;
  return claimed.numbers.some((a) =>
    there.numbers.some((b) => {
      const [x, y] = [a * own, b * other];
      const room = Math.min(0.5 * claimed.step * own, loose * Math.abs(y));
      return Math.abs(x - y) <= Math.max(1e-15, Math.abs(y) * EXACT, room);
    }),
  );
}
