import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cited } from '../../testing/requests';
import { quantitiesOf } from '../../text/quantities';
import { splitSentences } from '../../text/sentences';
import { judgeSentences, prepareAnswer } from './judge';

const FAIRING = `The external diameter of the payload fairing is 4.0 m and its mass 940 kg.
The fairing shall be separated above 110 km (HED-FAI-REQ-0140).
Acoustic blankets should be installed. The vent doors may be opened on the ground.
The clamp band is not reusable.`;

/** Judges an answer whose markers are its citations. */
async function judge(text: string, source = FAIRING) {
  const citations = [...text.matchAll(/\[(\d)\]/g)].map((match) => ({ n: Number(match[1]), at: match.index }));
  const passages = [
    cited(1, { text: source, source: 'manual.pdf', page: 3, heading: '4.3 Fairing' }),
    cited(2, { text: undefined }),
  ];
  const { sentences } = await judgeSentences(prepareAnswer(text, passages), citations, { everySentence: true });
  return sentences;
}
const only = async (text: string, source?: string) => (await judge(text, source))[0];

describe('a cited sentence', () => {
  test.each([
    'The payload fairing has an external diameter of 4.0 m [1].',
    'Its diameter is 4000 mm and the fairing weighs 0.94 t [1].',
    'According to HED-FAI-REQ-0140 the fairing shall be separated above 110 km [1].',
    'The fairing must be separated above 110 km [1].',
    'Blankets should be installed [1].',
    '- **Mass** of the fairing: 940 kg [1]',
    'The fairing has a mass of 940 kilograms and is separated above 110 kilometres [1].',
    'According to manual.pdf, page 3, the diameter of the fairing is 4.0 m [1].',
    'Acoustic blankets should be installed and the vent doors may be opened on the ground [1].',
    'Requirement HED-FAI-REQ-0140: the fairing is separated above 110 km [1].',
    'The clamp band is not reusable. [1]',
  ])('is supported: %s', async (text) => expect(await only(text)).toMatchObject({ outcome: 'supported', issues: [] }));

  test.each([
    ['The external diameter of the payload fairing is 4.2 m [1].', 'number', '4.2 m', '4.0 m'],
    ['The external diameter of the payload fairing is 4.0 km [1].', 'unit', '4.0 km', '4.0 m'],
    ['The mass of the fairing is 940 t [1].', 'unit', '940 t', '940 kg'],
    [
      'HED-FAI-REQ-0141 says that the fairing is separated above 110 km [1].',
      'identifier',
      'hed-fai-req-0141',
      'hed-fai-req-0140',
    ],
    ['The fairing should be separated above 110 km [1].', 'force', 'should', 'shall'],
    ['Acoustic blankets shall be installed [1].', 'force', 'shall', 'should'],
    ['The fairing is separated above -110 km [1].', 'number', '-110 km', '110 km'],
    ['The clamp band is reusable [1].', 'negation', 'affirmed', 'The clamp band is not reusable.'],
  ])('differs, and the source’s words are given: %s', async (text, kind, detail, source) => {
    const sentence = await only(text);
    expect(sentence).toMatchObject({ outcome: 'differs', issues: [{ kind, detail, source }] });
    expect(sentence?.support).toBeLessThanOrEqual(0.25);
    expect(sentence?.nearest).toMatchObject({ n: 1, text: expect.any(String) });
  });

  test.each([
    ['The lowest operating temperature is −40 °C [1].', 'The lowest operating temperature is -40 °C.', 'supported'],
    ['The lowest operating temperature is -60 °C [1].', 'The lowest operating temperature is −40 °C.', 'differs'],
    ['The pressure is 1.5 x 10^-3 Pa [1].', 'The pressure is 1.5 x 10^-6 Pa.', 'differs'],
    ['The pressure is 1.5 × 10⁻⁶ Pa [1].', 'The pressure is 1.5e-6 Pa.', 'supported'],
    ['The gap is 10-50 mm [1].', 'The gap is 10-20 mm.', 'differs'],
    ['The gap is at most 20 mm [1].', 'The gap is 10–20 mm.', 'supported'],
    ['The diameter is 4 km [1].', 'The diameter is 4 m. See 4000 drawings.', 'differs'],
    ['The strength is 30 ksi [1].', 'The strength is 30 psi.', 'differs'],
    ['It is stored for 100 years [1].', 'It is stored for 100 days.', 'differs'],
    ['It is tested for 10,000 cycles within 1 hour [1].', 'It is tested for 10 000 cycles within 1 h.', 'supported'],
    ['Mass 940 kg [1]', '| Mass [kg] | 940 |', 'supported'],
    ['Report within 10 s at the latest [1].', 'Report no later than 10 s.', 'supported'],
    ['The band isn’t reusable [1].', 'The band is not reusable.', 'supported'],
    ['The valve opens within 3 s [1].', 'The valve opens within 30 s.', 'differs'],
    ['The duty is between 5 % and 10 % [1].', 'The duty is 5%-10%.', 'supported'],
    ['It accelerates by 9.81 m/s² [1].', 'It accelerates by 9.81 m/s2.', 'supported'],
    ['The pressure shall be no more than 5 bar [1].', 'The pressure shall not be more than 5 bar.', 'supported'],
    ['It takes 5 milliseconds [1].', 'It takes 5 s.', 'differs'],
    ['It takes 5 milliseconds [1].', 'It takes 0.005 s.', 'supported'],
    ['It is heated to 45 degrees Celsius [1].', 'It is heated to 45 °C.', 'supported'],
    ['Doors shall be closed [1].', 'Doors shall be closed at launch and may be opened on the ground.', 'supported'],
    ['Doors may be closed at launch [1].', 'Doors shall be closed at launch.', 'differs'],
    ['The valve opens at at least 5 bar [1].', 'The valve opens at at most 5 bar.', 'differs'],
    ['Die Masse beträgt 12,5 kg [1].', 'The mass is 12.5 kg.', 'supported'],
    ['Das Drehmoment beträgt 1200.5 Nm [1].', 'Das Drehmoment beträgt 1.200,5 N·m.', 'supported'],
    ['Die Masse beträgt 5 kg [1].', 'Die Masse beträgt 1,5 kg.', 'differs'],
    ['Die Dicke beträgt 25 mm [1].', 'Die Dicke beträgt 0,25 mm.', 'differs'],
    ['The counter is a 32-bit value [1].', 'The counter is a 16-bit value.', 'differs'],
    ['PLT-RES-0032 limits the mass to 5 kg [1].', 'PLT‑RES‑0032 limits the mass to 5 kg.', 'supported'],
    ['流量为42升 [1]。', '冷却泵的额定流量为42升。', 'supported'],
    ['额定流量为24升 [1]。', '冷却泵的额定流量为42升。', 'differs'],
    ['La masse est de 1 234,5 kg [1].', 'La masse est de 1 234,5 kg.', 'supported'],
    ['La durée est de 1,5 h [1].', 'La durée est de 90 min.', 'supported'],
    ['Er wurde am 3. November 2026 geprüft [1].', 'Er wurde am 03.11.2026 geprüft.', 'supported'],
    ['Er wurde am 4. November 2026 geprüft [1].', 'Er wurde am 03.11.2026 geprüft.', 'differs'],
  ])('%j against %j: %s', async (text, source, outcome) => expect(await only(text, source)).toMatchObject({ outcome }));

  test('subject and value belong together', async () => {
    const size = 'The maximum size is 1232 bytes for IPv6 and 1252 bytes for IPv4.';
    expect(await only('It is 1252 bytes for IPv6 and 1232 bytes for IPv4 [1].', size)).toMatchObject({
      outcome: 'differs',
    });
    expect(await only('It is 1232 bytes for IPv6 and 1252 bytes for IPv4 [1].', size)).toMatchObject({
      outcome: 'supported',
    });
    const table = '| Part | Min [mm] | Max [mm] |\n| --- | --- | --- |\n| Rod | 10 | 20 |\n| Pin | 12 | 30 |';
    expect(await only('The max of the rod is 20 mm [1].', table)).toMatchObject({ outcome: 'supported' });
    expect(await only('The max of the rod is 10 mm [1].', table)).toMatchObject({ outcome: 'differs' });
    expect(await only('The max of the rod is 30 mm [1].', table)).toMatchObject({ outcome: 'differs' });
  });

  test('an invented conclusion is not supported by shared words alone', async () => {
    const source = 'If validation fails, the endpoint must disable ECN. IPv4 networks carry it.';
    expect(
      (await only('Because validation fails on IPv4 networks, the endpoint disables ECN [1].', source))?.outcome,
    ).not.toBe('supported');
  });

  test('whose words do not stand in its source has none', async () => {
    expect(await only('Titanium pipes were welded by the manufacturer in winter [1].')).toMatchObject({
      outcome: 'no_source',
      issues: [],
    });
  });

  test('is not compared when the text of its source is unknown', async () => {
    expect(await only('The diameter is 9 m [2].')).toMatchObject({ outcome: 'unknown', support: null });
  });

  test('in another language is judged by its numbers and identifiers', async () => {
    const text = (mass: number) =>
      `Die Verkleidung der Nutzlast hat einen Durchmesser von 4 m und eine Masse von ${mass} kg [1].`;
    expect(await only(text(940))).toMatchObject({ outcome: 'supported' });
    expect(await only(text(950))).toMatchObject({
      outcome: 'differs',
      issues: [{ kind: 'number', detail: '950 kg', source: '940 kg' }],
    });
    expect(await only('Die Verkleidung ist aus Titan [1].')).toMatchObject({ outcome: 'unknown', support: null });
  });

  test('is judged with all that it cites, and each sentence by itself', async () => {
    const text = 'The diameter is 4.0 m [1]. Its mass is 940 kg. [1] Blankets are blue and made of velvet [1][2].';
    expect((await judge(text)).map(({ text: sentence, cites, outcome }) => [sentence, cites, outcome])).toEqual([
      ['The diameter is 4.0 m [1].', [1], 'supported'],
      ['Its mass is 940 kg. [1]', [1], 'supported'],
      ['Blankets are blue and made of velvet [1][2].', [1, 2], 'unknown'],
    ]);
  });
});

describe('a sentence that cites nothing', () => {
  test('gets the passage that bears it out, marked as found by Ivy', async () => {
    expect(await only('The fairing shall be separated above 110 km.')).toMatchObject({
      outcome: 'supported',
      cites: [],
      attributed: 1,
    });
  });

  test('differs when a passage says otherwise of the same, and has no source when none speaks of it', async () => {
    expect(await only('The external diameter of the payload fairing is 7.3 m.')).toMatchObject({
      outcome: 'differs',
      issues: [{ kind: 'number', detail: '7.3 m', source: '4.0 m' }],
    });
    const invented = await only('The second stage burns methane for 300 s.');
    expect(invented?.outcome).not.toBe('supported');
    expect(invented?.attributed).toBeUndefined();
  });

  test('cannot be told while the text of a passage is not known', async () => {
    const passages = [cited(1, { text: FAIRING }), cited(2, { text: undefined })];
    const text = 'The second stage burns methane for 300 s.';
    const judged = (given: typeof passages) => judgeSentences(prepareAnswer(text, given), [], { everySentence: true });
    expect((await judged(passages)).sentences).toMatchObject([{ outcome: 'unknown' }]);
    expect((await judged(passages.slice(0, 1))).sentences).toMatchObject([{ outcome: 'no_source' }]);
  });

  test('is left out when it makes no claim: questions, headings, lead-ins, words about the documents, thoughts', async () => {
    const text =
      '<think>It weighs 7 kg.</think>\n# The fairing and its mass\n\nHere is what I found in them:\n\n**Design of the fairing**\n\n' +
      'Use `a[1] = [0, 1];` there.\nSee also [99].\nWould you like to know more about it?\nThe documents do not say anything about the colour of it.\nYes.';
    expect(await judge(text)).toEqual([]);
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

test('verbatim sentences of a source are never flagged', async () => {
  const source = `${FAIRING}\nIf it does not open, the operator must not, unless told so, touch it before 30 s have passed.`;
  for (const { start, end } of splitSentences(source)) {
    expect((await only(`${source.slice(start, end)} [1]`, source))?.outcome).toBe('supported');
  }
});

test('of a sentence longer than is looked at nothing is called supported, and a share is at most the whole', async () => {
  const long = `The external diameter of the payload fairing is 4.0 m and its mass 940 kg${', and its mass 940 kg'.repeat(200)} [1]`;
  expect(await only(long)).toMatchObject({ outcome: 'unknown' });
  for (const { support } of await judge('The mass of the payload fairing is 940 kg and its diameter 4.0 m [1].')) {
    expect(support).toBeLessThanOrEqual(1);
  }
});

test('odd text cannot keep it busy', async () => {
  for (const piece of ['. ', '[1]', '1,', '*', '| ', '(', 'e.g. ', '9'.repeat(50), '1 and ', 'not ', '一']) {
    const text = `${piece.repeat(400_000 / piece.length)}[1]`;
    expect((await judge(text, text)).length).toBeLessThanOrEqual(400);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const { start, end } of splitSentences(text)) expect(end).toBeGreaterThan(start);
      quantitiesOf(text);
    }),
    { numRuns: 2_000 },
  );
}, 60_000);

test('other work goes on while a long answer is checked', async () => {
  const text = 'The fairing has a diameter of 4.0 m and a mass of 940 kg [1]. '.repeat(6_000);
  let longest = 0;
  let last = performance.now();
  let checking = true;
  const ticks = (async () => {
    while (checking) {
      await new Promise(setImmediate);
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
  })();
  const sentences = await judge(text, FAIRING.repeat(20));
  checking = false;
  await ticks;
  expect(sentences).toHaveLength(400);
  // A second would be the whole of it; the exact figure belongs to the bench.
  expect(longest).toBeLessThan(500);
});
