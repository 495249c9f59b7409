import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agrees, type Quantity, quantitiesOf } from './quantities';

const of = (text: string, language?: 'en' | 'de' | 'fr') =>
  quantitiesOf(text, language).map(({ numbers, unit }) => [
    numbers.length === 1 ? numbers[0] : numbers,
    unit?.key ?? '',
  ]);
const values = (text: string, language?: 'en' | 'de' | 'fr') =>
  quantitiesOf(text, language).map(({ numbers, unit }) => numbers.map((number) => number * (unit?.factor ?? 1)));

describe('numbers with their units', () => {
  test.each<[string, unknown[]]>([
    [
      '4.0 m, 250 kN, 30 %, 0x1FF and 12 valves',
      [
        [4, 'm'],
        [250, 'g m s^-2'],
        [30, '%'],
        [511, ''],
        [12, ''],
      ],
    ],
    ['1.200,5 N·m', [[1200.5, 'g m^2 s^-2']]],
    ['1 234,5 kg', [[1234.5, 'g']]],
    [
      '1\u202f234,5 kg und 1’234.5 kg',
      [
        [1234.5, 'g'],
        [1234.5, 'g'],
      ],
    ],
    ['12,345,678.5 kg', [[12_345_678.5, 'g']]],
    [
      '24VDC, 16-bit, 10mm, 28-V',
      [
        [24, 'A^-1 g m^2 s^-3'],
        [16, 'bit'],
        [10, 'm'],
        [28, 'A^-1 g m^2 s^-3'],
      ],
    ],
    [
      '4,0 ± 0,1 mm',
      [
        [4, 'm'],
        [0.1, 'm'],
      ],
    ],
    [
      '−40 °C bis +85 °C',
      [
        [-40, '°C'],
        [85, '°C'],
      ],
    ],
    [
      'de 10 à 20 mm, between 5 and 7 bar',
      [
        [10, 'm'],
        [20, 'm'],
        [5, 'g m^-1 s^-2'],
        [7, 'g m^-1 s^-2'],
      ],
    ],
    [
      '10-20 mm, 5%-10%, 4.5 V–5.5 V',
      [
        [10, 'm'],
        [20, 'm'],
        [5, '%'],
        [10, '%'],
        [4.5, 'A^-1 g m^2 s^-3'],
        [5.5, 'A^-1 g m^2 s^-3'],
      ],
    ],
    [
      '10 × 20 × 30 mm',
      [
        [10, 'm'],
        [20, 'm'],
        [30, 'm'],
      ],
    ],
    [
      '9.81 m/s2, 5 m s⁻¹, 2 kg/m³, 5 W/(m·K)',
      [
        [9.81, 'm s^-2'],
        [5, 'm s^-1'],
        [2, 'g m^-3'],
        [5, 'K^-1 g m s^-3'],
      ],
    ],
    [
      '3000 1/min, 3000 U/min, 3000 rpm',
      [
        [3000, 's^-1'],
        [3000, 's^-1'],
        [3000, 's^-1'],
      ],
    ],
    [
      '毎分42リットルである, 质量为一百二十千克',
      [
        [42, 'm^3'],
        [120_000, 'g'],
      ],
    ],
    [
      '45 degrees Celsius, 20 pour cent',
      [
        [45, '°C'],
        [20, '%'],
      ],
    ],
    ['a ratio of 10:1', [[10, 'ratio']]],
  ])('%j', (text, expected) => expect(of(text)).toEqual(expected));

  test.each([
    'clause 5.3.2.1, REQ-0140, ECSS-E-ST-32-08C [3] V2',
    'section 4.2, Abschnitt 3.1, tableau 7, page 45, ISO 9001:2015',
    'M8x1.25, IP67, RS-232, PT-100, 1.2.3, v2.1',
  ])('are none in %j', (text) => expect(of(text)).toEqual([]));

  test('durations and times of day are one value', () => {
    for (const text of ['1:30 h', '90 min', '1 h 30 min', '1h30', '1,5 h', '5400 s'])
      expect(values(text, 'fr')).toEqual([[5400]]);
    // Without a unit it may be of hours or of minutes.
    expect(values('1:30')).toEqual([[5400, 90]]);
  });

  test('dates are dates in every notation, and two where nobody can tell', () => {
    for (const text of [
      '2026-11-03',
      '03.11.2026',
      '3. November 2026',
      'November 3, 2026',
      '3 novembre 2026',
      '3 de noviembre de 2026',
      '3 ноября 2026',
      '2026年11月3日',
    ]) {
      expect(of(text)).toEqual([[20_261_103, 'date']]);
    }
    expect(of('03/11/2026')).toEqual([[[20_261_103, 20_260_311], 'date']]);
  });

  test('what a single comma or point means is told by the language, or left open', () => {
    expect(of('1,500 kg', 'en')).toEqual([[1500, 'g']]);
    expect(of('1,500 kg', 'de')).toEqual([[1.5, 'g']]);
    expect(of('1.500 kg', 'de')).toEqual([[[1500, 1.5], 'g']]);
    expect(of('1,500 kg')).toEqual([[[1500, 1.5], 'g']]);
    expect(of('0,250 mm')).toEqual([[0.25, 'm']]);
  });
});

/** A value as it is written in each of three languages. */
const WRITTEN = {
  en: {
    format: new Intl.NumberFormat('en-GB', { maximumFractionDigits: 3 }),
    mass: (n: string) => `It weighs ${n} kg.`,
  },
  de: {
    format: new Intl.NumberFormat('de-DE', { maximumFractionDigits: 3 }),
    mass: (n: string) => `Die Masse beträgt ${n} kg.`,
  },
  fr: {
    format: new Intl.NumberFormat('fr-FR', { maximumFractionDigits: 3 }),
    mass: (n: string) => `La masse est de ${n} kg.`,
  },
} as const;
const number = fc.integer({ min: 1, max: 50_000_000 }).map((thousandths) => thousandths / 1000);
const languages = fc.constantFrom('en', 'de', 'fr');
const only = (text: string, language: 'en' | 'de' | 'fr') => {
  const found = quantitiesOf(text, language);
  expect(found).toHaveLength(1);
  return found[0] as Quantity;
};
const write = (value: number, language: 'en' | 'de' | 'fr') =>
  WRITTEN[language].mass(WRITTEN[language].format.format(value));

test('the same value agrees however each language writes it', () => {
  fc.assert(
    fc.property(number, languages, languages, (value, first, second) => {
      expect(agrees(only(write(value, first), first), only(write(value, second), second))).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test('another value never agrees, nor a part of the number', () => {
  fc.assert(
    fc.property(number, number, languages, (value, other, language) => {
      fc.pre(Math.abs(value - other) > 1e-4 * value);
      const [a, b] = [only(write(value, language), language), only(write(other, language), language)];
      // In German and French a point is read both ways.
      fc.pre(a.numbers.length === 1 && b.numbers.length === 1);
      expect(agrees(a, b)).toBe(false);
      const [, decimals] = WRITTEN[language].format.format(value).split(/[.,](?=\d{1,2}$)/);
      if (decimals && Number(decimals) !== value) {
        expect(agrees(only(WRITTEN[language].mass(decimals), language), a)).toBe(false);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('converted and rounded values agree as far as they were written', () => {
  const pair = (a: string, b: string) => agrees(only(a, 'en'), only(b, 'en'));
  expect(pair('0.94 t', '940 kg')).toBe(true);
  expect(pair('250 µm', '0.25 mm')).toBe(true);
  expect(pair('5 MPa', '5 N/mm²')).toBe(true);
  expect(pair('13.1 ft', '4.0 m')).toBe(true);
  expect(pair('about 12.5 kg', '12.47 kg')).toBe(true);
  expect(pair('12.5 kg', '12.47 kg')).toBe(false);
  expect(pair('about 13 kg', '12.47 kg')).toBe(false);
  expect(pair('1 t', '940 kg')).toBe(false);
  expect(pair('16-bit', '16-byte')).toBe(false);
  expect(pair('5 °C', '5 K')).toBe(false);
});

test('offsets are those of the text, whatever it holds', () => {
  const piece = fc.constantFrom(
    '5 mm',
    '1,5',
    '10-20 kg',
    '−4 °C',
    '½',
    '三十千克',
    'three',
    '2026-11-03',
    '1:30 h',
    'é',
    '😀',
    ' ',
    '\u00ad',
    'x',
    '(',
    '.',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
      const text = pieces.join('');
      for (const { text: written, start, end } of quantitiesOf(text)) {
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
        if (!written.includes(' ')) expect(text.slice(start, end).trim()).toBe(written);
      }
    }),
    { numRuns: 3_000 },
  );
});
