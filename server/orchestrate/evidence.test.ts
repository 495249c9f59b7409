import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cited } from '../testing/requests';
import { judgeSentences } from './evidence';
import { quantitiesOf } from './quantities';
import { splitSentences } from './sentences';

const FAIRING = `The external diameter of the payload fairing is 4.0 m and its mass 940 kg.
The fairing shall be separated above 110 km (HED-FAI-REQ-0140).
Acoustic blankets should be installed. The vent doors may be opened on the ground.
The clamp band is not reusable.`;

/** Judges an answer whose markers are its citations. */
function judge(text: string, source = FAIRING) {
  const citations = [...text.matchAll(/\[(\d)\]/g)].map((match) => ({ n: Number(match[1]), at: match.index }));
  return judgeSentences(text, citations, [
    cited(1, { text: source, source: 'manual.pdf', page: 3, heading: '4.3 Fairing' }),
    cited(2, { text: undefined }),
  ]);
}
const SHALL_SHOULD = 'shall, the source says should';
const only = (text: string, source?: string) => judge(text, source)[0];

describe('a cited sentence', () => {
  test.each([
    'The payload fairing has an external diameter of 4.0 m [1].',
    'Its diameter is 4000 mm and the fairing weighs 0.94 t [1].',
    'According to HED-FAI-REQ-0140 the fairing shall be separated above 110 km [1].',
    'The fairing must be separated above 110 km [1].',
    'Blankets should be installed [1].',
    'The clamp band cannot be reused, it is not reusable [1].',
    '- **Mass** of the fairing: 940 kg [1]',
    'The fairing weighs 940 kilograms and is separated at no less than 110 kilometres [1].',
    'According to manual.pdf, page 3, the diameter of the fairing is 4.0 m [1].',
    '**manual.pdf, page 3** [1]',
    'Acoustic blankets should be installed and the vent doors may be opened on the ground [1].',
    'Requirement HED-FAI-REQ-0140: the fairing separates above 110 km, with a diameter of 4 m [1].',
  ])('is supported: %s', (text) => expect(only(text)).toMatchObject({ supported: true, issues: [] }));

  test.each([
    ['The external diameter of the payload fairing is 4.2 m [1].', 'number', '4.2 m'],
    ['The external diameter of the payload fairing is 4.0 km [1].', 'number', '4.0 km'],
    ['The fairing weighs 940 t [1].', 'number', '940 t'],
    ['HED-FAI-REQ-0141 says that the fairing is separated above 110 km [1].', 'identifier', 'hed-fai-req-0141'],
    ['The fairing should be separated above 110 km [1].', 'force', 'should, the source says shall'],
    ['Acoustic blankets shall be installed [1].', 'force', SHALL_SHOULD],
    ['The fairing is separated above -110 km [1].', 'number', '-110 km'],
    ['The fairing is separated at 90-110 km [1].', 'number', '90-110 km'],
    ['Acoustic blankets shall be installed and the fairing shall be separated [1].', 'force', SHALL_SHOULD],
    ['The clamp band is reusable [1].', 'negation', 'negated in the source only'],
  ])('is not supported: %s', (text, kind, detail) => {
    expect(only(text)).toMatchObject({ supported: false, issues: [{ kind, detail }] });
    expect(only(text)?.support).toBeLessThanOrEqual(0.25);
  });

  test.each([
    ['The lowest operating temperature is −40 °C [1].', 'The lowest operating temperature is -40 °C.', true],
    ['The lowest operating temperature is -60 °C [1].', 'The lowest operating temperature is −40 °C.', false],
    ['The pressure is 1.5 x 10^-3 Pa [1].', 'The pressure is 1.5 x 10^-6 Pa.', false],
    ['The pressure is 1.5 × 10⁻⁶ Pa [1].', 'The pressure is 1.5e-6 Pa.', true],
    ['The gap is 10-50 mm [1].', 'The gap is 10-20 mm.', false],
    ['The gap is at most 20 mm [1].', 'The gap is 10–20 mm.', true],
    ['The diameter is 4 km [1].', 'The diameter is 4 m. See 4000 drawings.', false],
    ['It weighs 4 t [1].', 'It weighs what 4000000 parts weigh.', false],
    ['The strength is 30 ksi [1].', 'The strength is 30 psi.', false],
    ['It is stored for 100 years [1].', 'It is stored for 100 days.', false],
    ['It is tested for 10,000 cycles within 1 hour [1].', 'It is tested for 10 000 cycles within 1 h.', true],
    ['Mass 940 kg [1]', '| Mass [kg] | 940 |', true],
    ['Requirement REQ-0140 lists 4 valves [1].', 'Requirement REQ-0140 lists 4 valves.', true],
    ['ECSS-E-ST-32-08C requires 2 tests [1].', 'ECSS-E-ST-32-08C requires 2 tests.', true],
    ['Report within 10 s at the latest [1].', 'Report no later than 10 s.', true],
    ['The band isn’t reusable [1].', 'The band is not reusable.', true],
    ['The valve opens within 3 s [1].', 'The valve opens within 30 s.', false],
    ['The valve opens within 4 s [1].', 'The valve opens within 4 s.', true],
    ['On page 3 it says that the valve opens [1].', 'The valve opens within 30 s.', true],
    ['The duty is between 5 % and 10 % [1].', 'The duty is 5%-10%.', true],
    ['It turns by 20° [1].', 'It turns by 20°-30°.', true],
    ['The voltage is 5.5 V at most [1].', 'The voltage is 4.5 V-5.5 V.', true],
    ['The rod is 1 m long at most [1].', 'The rod is 500 mm-1 m long.', true],
    ['It accelerates by 9.81 m/s² [1].', 'It accelerates by 9.81 m/s2.', true],
    ['The lowest temperature is -5 °C [1].', 'The lowest temperature is –5 °C.', true],
    ['The pressure shall be no more than 5 bar [1].', 'The pressure shall not be more than 5 bar.', true],
    ['It takes 5 milliseconds [1].', 'It takes 5 s.', false],
    ['It takes 5 milliseconds [1].', 'It takes 0.005 s.', true],
    ['The current is 5 amps [1].', 'The current is 5 mA.', false],
    ['It is heated to 45 degrees Celsius [1].', 'It is heated to 45 °C.', true],
    ['Doors shall be closed [1].', 'Doors shall be closed at launch and may be opened on the ground.', true],
    ['Doors may be closed at launch [1].', 'Doors shall be closed at launch.', false],
  ])('%j against %j: supported %j', (text, source, supported) => {
    expect(only(text, source)).toMatchObject({ supported });
    expect(only(text, source)?.issues).toHaveLength(supported ? 0 : 1);
  });

  test('whose words do not stand in its source is not supported', () => {
    expect(only('Titanium pipes were welded by the manufacturer in winter [1].')).toMatchObject({
      supported: false,
      issues: [],
    });
  });

  test('is not judged when the text of its source is unknown, and one without a citation neither', () => {
    expect(only('The diameter is 9 m [2].')).toMatchObject({ support: null, supported: null });
    expect(judge('The diameter is 9 m.')).toEqual([]);
  });

  test('in another language is judged by its numbers and identifiers', () => {
    const text = (mass: number) =>
      `Die Verkleidung der Nutzlast hat einen Durchmesser von 4 m und eine Masse von ${mass} kg [1].`;
    expect(only(text(940))).toMatchObject({ supported: true });
    expect(only(text(950))).toMatchObject({ supported: false, issues: [{ kind: 'number', detail: '950 kg' }] });
  });

  test('is judged with all that it cites, and each sentence by itself', () => {
    const text = 'The diameter is 4.0 m [1]. It weighs 940 kg. [1] Blankets are blue and made of velvet [1][2].';
    expect(judge(text).map(({ text: sentence, cites, supported }) => [sentence, cites, supported])).toEqual([
      ['The diameter is 4.0 m [1].', [1], true],
      ['It weighs 940 kg. [1]', [1], true],
      ['Blankets are blue and made of velvet [1][2].', [1, 2], false],
    ]);
  });
});

test.each([
  ['One. Two! Three?', ['One.', 'Two!', 'Three?']],
  ['See Fig. 3, e.g. the valve. [1] Next', ['See Fig. 3, e.g. the valve. [1]', 'Next']],
  ['- one\n- two\n\n1. three', ['one', 'two', 'three']],
  ['| a | b [1] |\n| --- | --- |', ['a | b [1] |', '--- | --- |']],
  ['Text.\n```\ncode. more.\n```\nEnd.', ['Text.', 'End.']],
  ['It is 4.0 m wide.', ['It is 4.0 m wide.']],
  ['It is 4 m. [1] It takes 10 min. [2] J. Doe', ['It is 4 m. [1]', 'It takes 10 min. [2]', 'J. Doe']],
])('sentences of %j', (text, expected) => {
  expect(splitSentences(text).map(({ start, end }) => text.slice(start, end))).toEqual(expected);
});

test('quantities are compared in base units, and identifiers are none', () => {
  const of = (text: string) => quantitiesOf(text).map(({ value, unit }) => [value, unit]);
  expect(of('4.0 m, 250 kN, 1,500 kg, 30 %, 0x1FF and 12 valves')).toEqual([
    [4, 'm'],
    [250_000, 'N'],
    [1_500_000, 'g'],
    [30, '%'],
    [511, ''],
    [12, ''],
  ]);
  expect(of('clause 5.3.2.1, REQ-0140, ECSS-E-ST-32-08C [3] V2')).toEqual([]);
});

test('odd text cannot keep it busy', () => {
  for (const piece of ['. ', '[1]', '1,', '*', '| ', '(', 'e.g. ', '9'.repeat(50)]) {
    const text = `${piece.repeat(20_000)}[1]`;
    expect(judge(text, text).length).toBeLessThanOrEqual(400);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const { start, end } of splitSentences(text)) expect(end).toBeGreaterThan(start);
      quantitiesOf(text);
    }),
    { numRuns: 2_000 },
  );
});
