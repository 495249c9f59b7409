/** A unit as a factor to base units (m, g, s, A, K, mol, bit) and the powers of them: equal keys can be compared. */
export interface Unit {
  factor: number;
  /** Base units with their powers in a fixed order, such as `g m s^-2`; empty for a bare number. */
  key: string;
}

interface Parts {
  factor: number;
  powers: Readonly<Record<string, number>>;
}

const one = (base: string, factor = 1): Parts => ({ factor, powers: { [base]: 1 } });

function product(factor: number, powers: Record<string, number>): Parts {
  return { factor, powers };
}

const NEWTON = product(1e3, { g: 1, m: 1, s: -2 });
const PASCAL = product(1e3, { g: 1, m: -1, s: -2 });
const JOULE = product(1e3, { g: 1, m: 2, s: -2 });
const WATT = product(1e3, { g: 1, m: 2, s: -3 });
const VOLT = product(1e3, { g: 1, m: 2, s: -3, A: -1 });
const OHM = product(1e3, { g: 1, m: 2, s: -3, A: -2 });
const FARAD = product(1e-3, { g: -1, m: -2, s: 4, A: 2 });
const HENRY = product(1e3, { g: 1, m: 2, s: -2, A: -2 });
const TESLA = product(1e3, { g: 1, s: -2, A: -1 });
const SIEMENS = product(1e-3, { g: -1, m: -2, s: 3, A: 2 });
const LITRE = product(1e-3, { m: 3 });
const PER_MINUTE = product(1 / 60, { s: -1 });
const BIT_RATE = product(1, { bit: 1, s: -1 });

const PREFIXES: Record<string, number> = {
  p: 1e-12,
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

/** Symbols that take a prefix. */
const PREFIXED: Record<string, Parts> = {
  m: one('m'),
  g: one('g'),
  s: one('s'),
  A: one('A'),
  K: one('K'),
  mol: one('mol'),
  bit: one('bit'),
  B: one('bit', 8),
  Hz: product(1, { s: -1 }),
  N: NEWTON,
  Pa: PASCAL,
  J: JOULE,
  W: WATT,
  V: VOLT,
  VA: WATT,
  Ω: OHM,
  Ohm: OHM,
  ohm: OHM,
  F: FARAD,
  H: HENRY,
  T: TESLA,
  S: SIEMENS,
  C: product(1, { A: 1, s: 1 }),
  L: LITRE,
  l: LITRE,
  bar: scaled(PASCAL, 1e5),
  Wh: scaled(JOULE, 3600),
  Ah: product(3600, { A: 1, s: 1 }),
  Nm: JOULE,
  rad: one('rad'),
  eV: one('eV'),
  bps: BIT_RATE,
  bd: one('baud'),
  cd: one('cd'),
  lm: one('lm'),
  lx: one('lx'),
  Gy: one('Gy'),
  Sv: one('Sv'),
  Bq: one('Bq'),
};

/** Symbols that take none, and what the languages of the supported documents write for them. */
const SYMBOLS: Record<string, Parts> = {
  '%': one('%'),
  '‰': one('%', 0.1),
  ppm: one('%', 1e-4),
  ppb: one('%', 1e-7),
  '°': one('°'),
  '°C': one('°C'),
  '℃': one('°C'),
  '°F': one('°F'),
  '°K': one('K'),
  min: one('s', 60),
  h: one('s', 3600),
  t: one('g', 1e6),
  ha: product(1e4, { m: 2 }),
  psi: scaled(PASCAL, 6894.757),
  ksi: scaled(PASCAL, 6_894_757),
  atm: scaled(PASCAL, 101_325),
  mmHg: scaled(PASCAL, 133.322),
  Torr: scaled(PASCAL, 133.322),
  ft: one('m', 0.3048),
  in: one('m', 0.0254),
  yd: one('m', 0.9144),
  mi: one('m', 1609.344),
  mph: product(0.44704, { m: 1, s: -1 }),
  kph: product(1 / 3.6, { m: 1, s: -1 }),
  lb: one('g', 453.592_37),
  lbs: one('g', 453.592_37),
  oz: one('g', 28.349_523),
  lbf: scaled(NEWTON, 4.448_222),
  kp: scaled(NEWTON, 9.806_65),
  rpm: PER_MINUTE,
  'tr/min': PER_MINUTE,
  'U/min': PER_MINUTE,
  VDC: VOLT,
  VAC: VOLT,
  ADC: one('A'),
  dB: one('dB'),
  dBm: one('dBm'),
  dBi: one('dBi'),
  dBc: one('dBc'),
  dBW: one('dBW'),
  KiB: one('bit', 8 * 1024),
  MiB: one('bit', 8 * 1024 ** 2),
  GiB: one('bit', 8 * 1024 ** 3),
  TiB: one('bit', 8 * 1024 ** 4),
  KB: one('bit', 8e3),
  KG: one('g', 1e3),
  Kg: one('g', 1e3),
  KHz: product(1e3, { s: -1 }),
  Khz: product(1e3, { s: -1 }),
  Mhz: product(1e6, { s: -1 }),
  Ghz: product(1e9, { s: -1 }),
  kgs: one('g', 1e3),
  sec: one('s'),
  secs: one('s'),
  sek: one('s'),
  msec: one('s', 1e-3),
  usec: one('s', 1e-6),
  mins: one('s', 60),
  hr: one('s', 3600),
  hrs: one('s', 3600),
  std: one('s', 3600),
  Std: one('s', 3600),
  px: one('px'),
  '€': one('€'),
  EUR: one('€'),
  $: one('$'),
  USD: one('$'),
  м: one('m'),
  мм: one('m', 1e-3),
  см: one('m', 1e-2),
  км: one('m', 1e3),
  мкм: one('m', 1e-6),
  г: one('g'),
  кг: one('g', 1e3),
  мг: one('g', 1e-3),
  т: one('g', 1e6),
  с: one('s'),
  мс: one('s', 1e-3),
  мин: one('s', 60),
  ч: one('s', 3600),
  В: VOLT,
  кВ: scaled(VOLT, 1e3),
  А: one('A'),
  мА: one('A', 1e-3),
  Вт: WATT,
  кВт: scaled(WATT, 1e3),
  Н: NEWTON,
  кН: scaled(NEWTON, 1e3),
  Па: PASCAL,
  кПа: scaled(PASCAL, 1e3),
  МПа: scaled(PASCAL, 1e6),
  бар: scaled(PASCAL, 1e5),
  Гц: product(1, { s: -1 }),
  кГц: product(1e3, { s: -1 }),
  МГц: product(1e6, { s: -1 }),
  л: LITRE,
  毫米: one('m', 1e-3),
  厘米: one('m', 1e-2),
  米: one('m'),
  千米: one('m', 1e3),
  公里: one('m', 1e3),
  毫克: one('g', 1e-3),
  克: one('g'),
  千克: one('g', 1e3),
  公斤: one('g', 1e3),
  吨: one('g', 1e6),
  毫秒: one('s', 1e-3),
  秒: one('s'),
  秒間: one('s'),
  分: one('s', 60),
  分間: one('s', 60),
  分钟: one('s', 60),
  分鐘: one('s', 60),
  小时: one('s', 3600),
  小時: one('s', 3600),
  時間: one('s', 3600),
  天: one('s', 86_400),
  伏: VOLT,
  伏特: VOLT,
  安: one('A'),
  安培: one('A'),
  瓦: WATT,
  千瓦: scaled(WATT, 1e3),
  帕: PASCAL,
  千帕: scaled(PASCAL, 1e3),
  兆帕: scaled(PASCAL, 1e6),
  牛: NEWTON,
  赫兹: product(1, { s: -1 }),
  升: LITRE,
  毫升: scaled(LITRE, 1e-3),
  度: one('°'),
  摄氏度: one('°C'),
  ミリメートル: one('m', 1e-3),
  センチメートル: one('m', 1e-2),
  メートル: one('m'),
  キロメートル: one('m', 1e3),
  グラム: one('g'),
  キログラム: one('g', 1e3),
  トン: one('g', 1e6),
  リットル: LITRE,
  ボルト: VOLT,
  アンペア: one('A'),
  ワット: WATT,
  ヘルツ: product(1, { s: -1 }),
  パーセント: one('%'),
};

/** Units written out that take a prefix which is written out: English, German, French, Spanish, Italian, Russian. */
const SPELLED: readonly (readonly [forms: string, unit: Parts])[] = [
  ['metre metres meter meters metern mètre mètres metro metros metri метр метра метров', one('m')],
  ['gram grams gramme grammes gramm gramo gramos grammo grammi грамм грамма граммов', one('g')],
  [
    'second seconds sekunde sekunden seconde secondes segundo segundos secondo secondi секунда секунды секунд',
    one('s'),
  ],
  ['newton newtons ньютон ньютона ньютонов', NEWTON],
  ['watt watts vatio vatios ватт ватта ваттов', WATT],
  ['volt volts voltio voltios вольт вольта', VOLT],
  ['ampere amperes amp amps ampère ampères amperio amperios ампер ампера', one('A')],
  ['pascal pascals паскаль паскалей', PASCAL],
  ['joule joules julio julios джоуль', JOULE],
  ['kelvin kelvins', one('K')],
  ['hertz герц', product(1, { s: -1 })],
  ['ohm ohms ом', OHM],
  ['tesla teslas', TESLA],
  ['radian radians', one('rad')],
  ['litre litres liter liters litern litro litros litri литр литра литров', LITRE],
  ['byte bytes octet octets байт байта байтов', one('bit', 8)],
  ['bit bits бит бита битов', one('bit')],
];
const SPELLED_PREFIXES: Record<string, number> = {
  nano: 1e-9,
  micro: 1e-6,
  mikro: 1e-6,
  milli: 1e-3,
  mili: 1e-3,
  милли: 1e-3,
  centi: 1e-2,
  zenti: 1e-2,
  санти: 1e-2,
  kilo: 1e3,
  chilo: 1e3,
  кило: 1e3,
  mega: 1e6,
  méga: 1e6,
  мега: 1e6,
  giga: 1e9,
};
const OTHERS: readonly (readonly [forms: string, unit: Parts])[] = [
  ['minute minutes minuten minuto minutos minuti минута минуты минут', one('s', 60)],
  ['hour hours stunde stunden heure heures hora horas ora ore час часа часов', one('s', 3600)],
  ['day days tag tage tagen jour jours día días giorno giorni день дня дней', one('s', 86_400)],
  [
    'week weeks woche wochen semaine semaines semana semanas settimana settimane неделя недели недель',
    one('s', 604_800),
  ],
  ['month months monat monate monaten mois mes meses mese mesi месяц месяца месяцев', one('month')],
  ['year years jahr jahre jahren an ans année années año años anno anni год года лет', one('month', 12)],
  ['tonne tonnes tonnen tonelada toneladas tonnellata tonnellate тонна тонны тонн', one('g', 1e6)],
  ['micron microns', one('m', 1e-6)],
  ['quadratmeter quadratmetern', product(1, { m: 2 })],
  ['quadratmillimeter', product(1e-6, { m: 2 })],
  ['kubikmeter kubikmetern', product(1, { m: 3 })],
  ['kilowattstunde kilowattstunden kilowatt-hour kilowatt-hours kilowattheure kilowattheures', scaled(JOULE, 3.6e6)],
  ['newton-metre newton-metres newton-meter newton-meters newtonmeter newtonmetern newtonmètre newtonmètres', JOULE],
  ['inch inches zoll pouce pouces pulgada pulgadas pollice pollici', one('m', 0.0254)],
  ['foot feet fuß pied pieds', one('m', 0.3048)],
  ['mile miles', one('m', 1609.344)],
  ['pound pounds', one('g', 453.592_37)],
  ['percent prozent процент процента процентов', one('%')],
  ['degree degrees grad degré degrés grado grados gradi градус градуса градусов', one('°')],
];

function scaled({ factor, powers }: Parts, by: number): Parts {
  return { factor: factor * by, powers };
}

/** Written with its own case. */
const BY_SYMBOL = new Map<string, Parts>(Object.entries(SYMBOLS));
for (const [symbol, unit] of Object.entries(PREFIXED)) {
  if (!BY_SYMBOL.has(symbol)) BY_SYMBOL.set(symbol, unit);
  for (const [prefix, by] of Object.entries(PREFIXES)) {
    if (!BY_SYMBOL.has(prefix + symbol)) BY_SYMBOL.set(prefix + symbol, scaled(unit, by));
  }
}
for (const prefix of 'kMGT') BY_SYMBOL.set(`${prefix}b`, scaled(one('bit'), PREFIXES[prefix] ?? 1));
/** Written out, in any case. */
const BY_WORD = new Map<string, Parts>();
for (const [forms, unit] of OTHERS) for (const form of forms.split(' ')) BY_WORD.set(form, unit);
for (const [forms, unit] of SPELLED) {
  for (const form of forms.split(' ')) {
    BY_WORD.set(form, unit);
    for (const [prefix, by] of Object.entries(SPELLED_PREFIXES)) BY_WORD.set(prefix + form, scaled(unit, by));
  }
}

/** A symbol or a word, with the power it is raised to: `m²`, `s⁻¹`, `m^2`, `s-1`, and `s2` as many PDFs have it. */
const ATOM = /^([\p{L}°%‰$€℃]+)(?:\^?([-+]?\d)|([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]))?$/u;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
/** Of a single letter these are too often a word: they are units only within a compound. */
const ONLY_IN_COMPOUNDS = new Map([
  ['a', one('month', 12)],
  ['d', one('s', 86_400)],
]);
const CACHE = new Map<string, Unit | undefined>();
const MAX_CACHED = 2_000;

/**
 * The unit that a text names, `N·m`, `kN/m²`, `m/s^2`, `W/(m·K)`, `1/min`, `Kilogramm`; undefined when it names none.
 */
export function unitOf(text: string): Unit | undefined {
  if (CACHE.has(text)) return CACHE.get(text);
  const unit = parse(text);
  if (CACHE.size >= MAX_CACHED) CACHE.clear();
  CACHE.set(text, unit);
  return unit;
}

function parse(text: string): Unit | undefined {
  const whole = known(plain(text));
  if (whole) return toUnit(whole);
  let factor = 1;
  const powers: Record<string, number> = {};
  let sign = 1;
  let depth = 0;
  const pieces = plain(text).split(/([·*/()\s])/);
  const atoms = pieces.filter((piece) => piece.trim() !== '' && !/^[·*/()]$/.test(piece)).length;
  for (const piece of pieces) {
    if (piece === '' || piece === '·' || piece === '*' || /^\s$/.test(piece)) continue;
    if (piece === '/') {
      sign = -1;
      continue;
    }
    if (piece === '(') depth += 1;
    else if (piece === ')') depth -= 1;
    if (piece === '(' || piece === ')') continue;
    if (piece !== '1') {
      const atom = atomOf(piece, atoms > 1);
      if (!atom) return undefined;
      factor *= (atom.factor ** atom.power) ** sign;
      for (const [base, power] of Object.entries(atom.powers)) {
        powers[base] = (powers[base] ?? 0) + power * atom.power * sign;
      }
    }
    // `a/b·c` divides by b alone, `a/(b·c)` by both.
    if (depth === 0) sign = 1;
  }
  return Object.keys(powers).length === 0 ? undefined : toUnit({ factor, powers });
}

function atomOf(text: string, compound: boolean): (Parts & { power: number }) | undefined {
  const [, name = '', digit, raised] = ATOM.exec(text) ?? [];
  const unit = known(name) ?? (compound ? ONLY_IN_COMPOUNDS.get(name) : undefined);
  if (!unit) return undefined;
  return { ...unit, power: Number(digit ?? fromSuperscript(raised)) };
}

/** The number that small raised signs write; 1 for none. */
export function fromSuperscript(text: string | undefined): number {
  if (!text) return 1;
  const digits = [...text].map((sign) => {
    const digit = SUPERSCRIPTS.indexOf(sign);
    return digit < 0 ? (sign === '⁻' ? '-' : '') : String(digit);
  });
  return Number(digits.join(''));
}

const known = (name: string): Parts | undefined => BY_SYMBOL.get(name) ?? BY_WORD.get(name.toLowerCase());

/** One spelling for signs that Unicode has twice: micro, Ohm, dots, minus. */
function plain(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[µμ]/g, 'u')
    .replace(/\u2126/g, 'Ω')
    .replace(/[⋅∙•×]/g, '·')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/^°\s(?=[CFK]$)/, '°')
    .trim();
}

function toUnit({ factor, powers }: Parts): Unit {
  const key = Object.entries(powers)
    .filter(([, power]) => power !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([base, power]) => (power === 1 ? base : `${base}^${power}`))
    .join(' ');
  return { factor, key };
}
