/** A number with its unit. */
export interface Quantity {
  /** In base units where the unit is known: `4 m` and `4000 mm` are equal. */
  value: number;
  /** Empty for a bare number. */
  unit: string;
  /** The number without its unit, as it was written. */
  number: number;
  /** As it was written, and where: offsets of the text in UTF-16 units, the end exclusive. */
  text: string;
  start: number;
  end: number;
}

const PREFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  c: 1e-2,
  d: 0.1,
  h: 100,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
};
/** Units that take a prefix. `kg` is written with one already. */
const SI = [
  'Hz',
  'Pa',
  'eV',
  'bit',
  'rad',
  'dB',
  'm',
  's',
  'g',
  'N',
  'J',
  'W',
  'V',
  'A',
  'K',
  'B',
  'L',
  'l',
  'F',
  'H',
  'Ω',
  'T',
];
const UNITS: Record<string, [number, string]> = {
  '%': [1, '%'],
  '°': [1, '°'],
  '°C': [1, '°C'],
  bar: [1e5, 'Pa'],
  psi: [1, 'psi'],
  ksi: [1000, 'psi'],
  ft: [0.3048, 'm'],
  rpm: [1, 'rpm'],
  ppm: [1, 'ppm'],
  lb: [1, 'lb'],
  lbs: [1, 'lb'],
  Nm: [1, 'Nm'],
  kNm: [1000, 'Nm'],
  Wh: [1, 'Wh'],
  kWh: [1000, 'Wh'],
  Ah: [1, 'Ah'],
  mAh: [1e-3, 'Ah'],
  t: [1e6, 'g'],
  min: [60, 's'],
  h: [3600, 's'],
};
/** Units written out that take a prefix which is written out; a plural adds an s. */
const PREFIXED: Record<string, string> = {
  second: 's',
  gram: 'g',
  metre: 'm',
  meter: 'm',
  newton: 'N',
  watt: 'W',
  volt: 'V',
  ampere: 'A',
  amp: 'A',
  pascal: 'Pa',
  joule: 'J',
  kelvin: 'K',
  tesla: 'T',
  radian: 'rad',
  litre: 'L',
  liter: 'L',
  byte: 'B',
  bit: 'bit',
};
const WRITTEN_PREFIXES = { nano: 1e-9, micro: 1e-6, milli: 1e-3, centi: 1e-2, kilo: 1e3, mega: 1e6, giga: 1e9 };
/** Others written out. */
const WORDS: Record<string, [number, string]> = {
  minute: [60, 's'],
  hour: [3600, 's'],
  day: [86_400, 's'],
  week: [604_800, 's'],
  month: [1, 'month'],
  year: [12, 'month'],
  tonne: [1e6, 'g'],
  degree: [1, '°'],
  inch: [0.0254, 'm'],
  foot: [0.3048, 'm'],
  percent: [1, '%'],
};
for (const [word, unit] of Object.entries(PREFIXED)) {
  WORDS[word] = [1, unit];
  for (const [prefix, factor] of Object.entries(WRITTEN_PREFIXES)) WORDS[prefix + word] = [factor, unit];
}
Object.assign(UNITS, { feet: WORDS['foot'], inches: WORDS['inch'] });
for (const [word, meaning] of Object.entries(WORDS)) Object.assign(UNITS, { [word]: meaning, [`${word}s`]: meaning });
for (const unit of SI) {
  UNITS[unit] ??= [1, unit];
  for (const [prefix, factor] of Object.entries(PREFIXES)) UNITS[prefix + unit] ??= [factor, unit];
}

/** Thousands are separated by commas or blanks (ISO 80000-1), decimals by a point; or hexadecimal. */
const DIGITS = String.raw`0x[0-9a-fA-F]+|\d{1,3}(?:[,\u00a0\u2009\u202f' ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?`;
/** `10^-3`, `10⁻³`, and `10-3` as some PDFs have it. */
const POWER = String.raw`\s?[x×·*]\s?10(?:\^[-+]?\d{1,2}|[-+]\d{1,2}|[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})|e[-+]?\d{1,2}`;
const UNIT = String.raw`\s?(?:°C|°|%|[a-zA-ZΩ]+(?:\/[a-zA-Z]+)?(?:[²³]|\^?[23](?!\.?\p{N}))?)`;
/**
 * A number, or a range of two, with a unit. It does not begin or end within a name such as `REQ-0140`, `5.3.2.1`
 * or `2024-05-06`; a hyphen is a sign where nothing stands before it.
 */
const QUANTITY = new RegExp(
  String.raw`(?<![\p{L}\p{N}_./]|[\p{L}\p{N}_./)%°]-)(-?)(${DIGITS})(${POWER})?(?:(${UNIT})?(?:\s?[-–]\s?|\s(?:to|bis)\s)(-?)(${DIGITS})(${POWER})?)?` +
    String.raw`(?!\p{N}|[._\-/][\p{L}\p{N}])(${UNIT})?`,
  'gu',
);
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** The quantities in a text. Numbers inside identifiers (`5.3.2.1`, `REQ-0140`) and citations (`[1]`) are none. */
export function quantitiesOf(text: string): Quantity[] {
  // Every replacement keeps the length: offsets are those of the text.
  const clean = text
    .replace(/\[\d{1,3}\]/g, (citation) => ' '.repeat(citation.length))
    .replaceAll('−', '-')
    // A dash before a number is a sign where nothing comes before it that it could lead from.
    .replace(/(?<!\p{N}\s?[\p{L}%°]{0,3}\s?)–(?=\d)/gu, '-')
    .replace(/[μµ]/g, 'u');
  return [...clean.matchAll(QUANTITY)].flatMap((match) => {
    const [whole, sign, digits = '', power, ownSuffix, secondSign, secondDigits, secondPower, suffix = ''] = match;
    const [factor, unit] = toUnit(suffix);
    const length = unit === '' ? whole.length - suffix.length : whole.length;
    const place = { text: whole.slice(0, length).trim(), start: match.index, end: match.index + length };
    const [ownFactor, ownUnit] = ownSuffix ? toUnit(ownSuffix) : [factor, unit];
    const number = toNumber(sign, digits, power);
    const first = { ...place, number, unit: ownUnit, value: number * ownFactor };
    if (!secondDigits) return [first];
    const second = toNumber(secondSign, secondDigits, secondPower);
    return [first, { ...place, number: second, unit, value: second * factor }];
  });
}

function toUnit(suffix: string): [factor: number, unit: string] {
  // PDFs often lose that a power was raised: `m/s2`.
  const name = suffix.trim().replace(/\^?([23])$/, (_, power) => (power === '2' ? '²' : '³'));
  const known = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
  // Compound units (`kN/m²`) must agree as written; words after a number are no unit.
  return known ?? [1, /[/²³]/.test(name) ? name : ''];
}

function toNumber(sign: string | undefined, digits: string, power: string | undefined): number {
  const value = Number(digits.startsWith('0x') ? digits : digits.replace(/[,'\s]/g, ''));
  const exponent = power?.replace(/^\s?[x×·*]\s?10\^?|^e/, '').replace(/[⁺⁻⁰¹²³⁴-⁹]/g, (letter) => {
    const digit = SUPERSCRIPTS.indexOf(letter);
    return digit < 0 ? (letter === '⁻' ? '-' : '+') : String(digit);
  });
  return (sign ? -value : value) * 10 ** Number(exponent ?? 0);
}

/**
 * True when a text that holds `there` bears out `claimed`: the same value in the same unit. A bare number, as in
 * a table with the unit in its head, may stand for one with a unit when both are written alike.
 */
export function agrees(claimed: Quantity, there: Quantity): boolean {
  const same = (a: number, b: number) => Math.abs(a - b) <= Math.max(1e-12, Math.abs(a) * 1e-6);
  const units = [claimed.unit, there.unit];
  // "45 degrees" may be an angle or a temperature.
  const degrees = units.includes('°') && units.includes('°C');
  if (claimed.unit === there.unit || degrees) return same(claimed.value, there.value);
  return (claimed.unit === '' || there.unit === '') && same(claimed.number, there.number);
}
