/** A number with its unit, in base units where the unit has an SI prefix: `4 m` and `4000 mm` are equal. */
export interface Quantity {
  value: number;
  /** Empty for a bare number. */
  unit: string;
  /** As it was written. */
  text: string;
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
  t: [1e6, 'g'],
  min: [60, 's'],
  minutes: [60, 's'],
  h: [3600, 's'],
  hours: [3600, 's'],
  seconds: [1, 's'],
  metres: [1, 'm'],
  meters: [1, 'm'],
  bytes: [1, 'B'],
  bits: [1, 'bit'],
};
for (const unit of SI) {
  UNITS[unit] ??= [1, unit];
  for (const [prefix, factor] of Object.entries(PREFIXES)) UNITS[prefix + unit] ??= [factor, unit];
}

/** Numbers as written: thousands separated by commas or thin blanks, decimals by a point, hexadecimal. */
const NUMBER =
  /(?<![\p{L}\p{N}_.\-/])(0x[0-9a-fA-F]+|\d{1,3}(?:[,\u2009\u202f']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\p{N}]|[._\-/][\p{L}\p{N}])(\s?(?:°C|°|%|[a-zA-ZΩµ]+(?:\/[a-zA-Z]+)?[²³]?))?/gu;

/** The quantities in a text. Numbers inside identifiers (`5.3.2.1`, `REQ-0140`) and citations (`[1]`) are none. */
export function quantitiesOf(text: string): Quantity[] {
  const clean = text
    .replace(/\[\d{1,3}\]/g, ' ')
    .replaceAll('−', '-')
    .replaceAll('μ', 'u')
    .replaceAll('µ', 'u');
  return [...clean.matchAll(NUMBER)].map(([whole, digits = '', suffix = '']) => {
    const value = Number(digits.startsWith('0x') ? digits : digits.replace(/[,'\u2009\u202f]/g, ''));
    const name = suffix.trim();
    const known = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    if (known) return { value: value * known[0], unit: known[1], text: whole.trim() };
    // Compound units (`kN/m²`) must agree as written; words after a number are no unit.
    return /[/²³]/.test(name) ? { value, unit: name, text: whole.trim() } : { value, unit: '', text: digits };
  });
}

/** True when a text that holds `there` bears out `claimed`: the same value, and no other unit. */
export function agrees(claimed: Quantity, there: Quantity): boolean {
  const tolerance = Math.max(1e-12, Math.abs(claimed.value) * 1e-6);
  if (Math.abs(claimed.value - there.value) > tolerance) return false;
  return claimed.unit === there.unit || claimed.unit === '' || there.unit === '';
}
