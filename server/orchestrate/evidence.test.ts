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
    cited(1, { text: source, heading: '4.3 Fairing' }),
    cited(2, { text: undefined }),
  ]);
}
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
  ])('is supported: %s', (text) => expect(only(text)).toMatchObject({ supported: true, issues: [] }));

  test.each([
    ['The external diameter of the payload fairing is 4.2 m [1].', 'number', '4.2 m'],
    ['The external diameter of the payload fairing is 4.0 km [1].', 'number', '4.0 km'],
    ['The fairing weighs 940 t [1].', 'number', '940 t'],
    ['HED-FAI-REQ-0141 says that the fairing is separated above 110 km [1].', 'identifier', 'hed-fai-req-0141'],
    ['The fairing should be separated above 110 km [1].', 'force', 'should, the source says shall'],
    ['Acoustic blankets shall be installed [1].', 'force', 'shall, the source says should'],
    ['The clamp band is reusable [1].', 'negation', 'negated in the source only'],
  ])('is not supported: %s', (text, kind, detail) => {
    expect(only(text)).toMatchObject({ supported: false, issues: [{ kind, detail }] });
    expect(only(text)?.support).toBeLessThanOrEqual(0.25);
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
