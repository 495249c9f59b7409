import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { root } from '../testing/knowledge';
import { CitationFilter } from './citations';

/** What comes out when a text comes in these pieces, and the numbers that are citations. */
function filter(
  pieces: readonly string[],
  given: readonly number[] = [1, 2, 3, 4, 5, 6],
  others: readonly number[] = [],
) {
  const citations = new CitationFilter(new Set(given), new Set(others));
  let text = '';
  const cites: { n: number; at: number }[] = [];
  for (const piece of [...pieces, undefined]) {
    const out = piece === undefined ? citations.end() : citations.push(piece);
    for (const { n, at } of citations.cites) cites.push({ n, at: text.length + at });
    text += out;
  }
  for (const { n, at } of cites) expect(text.slice(at)).toMatch(new RegExp(`^\\[${n}\\]`));
  return { text, numbers: cites.map(({ n }) => n) };
}
const cut = (text: string, cuts: readonly number[]) => {
  const borders = [...new Set([0, ...cuts.filter((at) => at < text.length), text.length])].sort((a, b) => a - b);
  return borders.slice(1).map((border, index) => text.slice(borders[index], border));
};

describe('a marker is', () => {
  test.each<[string, string, number[]]>([
    ['It is 4 m [1].', 'It is 4 m [1].', [1]],
    ['It is 4 m [ 2 ].', 'It is 4 m [2].', [2]],
    ['It is 4 m. [1] Next', 'It is 4 m. [1] Next', [1]],
    ['It is 4 m.[1]', 'It is 4 m.[1]', [1]],
    ['It is 4 m [1, 3].', 'It is 4 m [1][3].', [1, 3]],
    ['It is 4 m [1; 3]', 'It is 4 m [1][3]', [1, 3]],
    ['It is 4 m [1-3].', 'It is 4 m [1][2][3].', [1, 2, 3]],
    ['It is 4 m [1][2].', 'It is 4 m [1][2].', [1, 2]],
    ['See [1], [2] and [3].', 'See [1], [2] and [3].', [1, 2, 3]],
    ['It is 4 m [Document 2].', 'It is 4 m [2].', [2]],
    ['It is 4 m [document 2 - ECSS-E-ST-32-08C Page 45].', 'It is 4 m [2].', [2]],
    ['It is 4 m [Source 1; Source 2].', 'It is 4 m [1][2].', [1, 2]],
    ['It is 4 m [Document 1, p. 3].', 'It is 4 m [1].', [1]],
    ['It is 4 m [1, p. 3].', 'It is 4 m [1].', [1]],
    ['Er ist 4 m breit [Dokument 1, Seite 3].', 'Er ist 4 m breit [1].', [1]],
    ['It is 4 m 【1】 and 【2†source】.', 'It is 4 m [1] and [2].', [1, 2]],
    ['It is 4 m [[1]].', 'It is 4 m [1].', [1]],
    ['直径为4米[1]。质量【2】。', '直径为4米[1]。质量[2]。', [1, 2]],
    ['直径は4メートルです[1]。', '直径は4メートルです[1]。', [1]],
    ['القطر 4 م [1].', 'القطر 4 م [1].', [1]],
    ['Диаметр 4 м [1].', 'Диаметр 4 м [1].', [1]],
    ['As stated in [1], it holds.', 'As stated in [1], it holds.', [1]],
    ['(see [1])', '(see [1])', [1]],
    ['**4 m** [1], “wide” [2]', '**4 m** [1], “wide” [2]', [1, 2]],
    ['| Mass | 940 kg [1] |', '| Mass | 940 kg [1] |', [1]],
    ['- item\n    - nested fact [1]\n', '- item\n    - nested fact [1]\n', [1]],
    ['Quelle: [1].', 'Quelle: [1].', [1]],
    ['[Document 1] says so.', '[1] says so.', [1]],
    ['It costs $5 million [1].', 'It costs $5 million [1].', [1]],
    ['A rate of `10 Hz` [1].', 'A rate of `10 Hz` [1].', [1]],
  ])('in %j', (text, expected, numbers) => expect(filter([text])).toEqual({ text: expected, numbers }));
});

describe('everything else passes unchanged, such as', () => {
  test.each([
    'The status word ADDR[15] is set while the gain lies in the interval [0, 1].',
    'The gain lies in the interval [1, 2].',
    'Der Wert liegt im Intervall [1, 2] und la valeur dans l’intervalle [1, 3].',
    'The offset entry T[2] and byte [6] hold the bias.',
    'Reference list: [1] Alpha handbook, [2] Beta handbook, [3] Gamma handbook.',
    '[1] Alpha handbook\n[2] Beta handbook',
    'buf[1] = [0, 1]; x = [1, 2]',
    '[10, 20] mm and [1, 2] mm and [1] mm',
    '[[1, 2], [3, 4]] and [[1, 2]]',
    'the values are [1, 2, 3], the point x [1, 2]',
    '$H[1]$, $H [1]$, \\(a [1]\\) and \\[ b [1] \\]',
    '$$\nM [1]\n$$',
    '\\begin{matrix} a [1] \\end{matrix}',
    'Use `a [1]` and ``b ` [1]`` here',
    '```c\na [1] = b[1, 2];\n```',
    '~~~\na [1]\n```\nb [1]\n~~~',
    '````\n```\na [1]\n````',
    'Code:\n\n    a [1]\n\tb [2]\n',
    '- item\n\n      a [1]\n',
    '{"values": [1, 2], "refs": [1], "nested": [[1], [2]]}',
    '{\n  "text": "x [1]",\n  "list": [\n    [1, 2],\n    [3]\n  ]\n}',
    '<think>I read [1] and [2].</think>',
    '<pre>a [1]</pre> <code>b [2]</code>',
    '[text][1], [1](https://x.example) and\n[2]: https://y.example',
    '![figure][1] and x\\[1\\]',
    'a [1] = b, f([1]), x*[1], y_[1]',
    'It is 4 m [9], [Document 9] and 【9】.',
    'It is 4 m [1, 9].',
    'word[1] and wort[2]',
    'Matrix [1] und Zeile [2]',
    '区间[1, 2] 数组[1]',
    '[not a marker] [x1] [',
    '',
  ])('%j', (text) => expect(filter([text])).toEqual({ text, numbers: [] }));

  test('the numbers of the client’s own sources, and lists with both', () => {
    expect(filter(['Own [1], ours [3], none [5].'], [3, 4], [1, 2])).toEqual({
      text: 'Own [1], ours [3], none [5].',
      numbers: [3],
    });
    expect(filter(['Both know it [1, 3].'], [3], [1])).toEqual({ text: 'Both know it [1][3].', numbers: [3] });
  });

  const folder = join(root, '..', 'shared', 'data', 'cases');
  test.skipIf(!existsSync(folder))('a document of bus maps, character for character', () => {
    const text = readFileSync(join(folder, 'bus-map.md'), 'utf8');
    expect(filter([text], [1, 2, 3, 4, 5]).text).toBe(text);
  });
});

describe('a header of the prompt that the model repeats or makes up is no text for a reader', () => {
  test.each<[string, string, number[]]>([
    ['[Document 6 - ECSS Page 1]:\n(Score: 0.8542)\nIt is 4 m.', 'It is 4 m.', []],
    ['Text.\n\n[Document 9 - made up Page 1]:\n(Score: 0.99)\nIt is 4 m.', 'Text.\n\nIt is 4 m.', []],
    ['[Document 2 - ECSS Page 1]:\nIt is 4 m.', 'It is 4 m.', []],
    ['[Document 2 - ECSS Page 1]: It is 4 m.', '[2] It is 4 m.', [2]],
    ['[Document 9 - ECSS Page 1]: It is 4 m.', 'It is 4 m.', []],
  ])('%j', (text, expected, numbers) => expect(filter([text])).toEqual({ text: expected, numbers }));
});

const PARTS = [
  ...[
    'word ',
    'Wort ',
    '汉字',
    'كلمة ',
    '[1]',
    '[9]',
    '[1, 2]',
    '[0, 1]',
    '[1-3]',
    '[Document 3]',
    '[Document 1 - A b Page 2]',
  ],
  ...[
    ':\n(Score: 0.9)\n',
    '`',
    '```\n',
    '~~~\n',
    '\n',
    '\n\n',
    '    ',
    '(',
    ' ',
    '[',
    ']',
    '{',
    '}',
    '$',
    '\\',
    '\\[',
    '\\]',
    '<think>',
  ],
  ...['</think>', '<', '>', '【1】', '[[1]]', '1', ',', '.', '。', '- ', '> ', '| ', ':', '=', 'é', '😀', '"a": '],
];
const anyText = fc.array(fc.constantFrom(...PARTS), { maxLength: 25 }).map((parts) => parts.join(''));
const anyCuts = fc.array(fc.nat(120), { maxLength: 12 });

test('with no marker given out, any text comes out identical, however it is cut into pieces', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: 'binary' })), anyCuts, (text, cuts) => {
      expect(filter(cut(text, cuts), [])).toEqual({ text, numbers: [] });
    }),
    { numRuns: 5_000 },
  );
});

test('what comes out does not depend on how the text is cut into pieces', () => {
  fc.assert(
    fc.property(anyText, anyCuts, (text, cuts) => {
      expect(filter(cut(text, cuts))).toEqual(filter([text]));
    }),
    { numRuns: 10_000 },
  );
});

test('a citation never names a passage that was not given out', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const n of filter([text], [1]).numbers) expect(n).toBe(1);
    }),
    { numRuns: 5_000 },
  );
});

/** Sentences of ten languages, with room for something in brackets. */
const SENTENCES = [
  'The valve opens at 3.5 bar.',
  'Das Ventil öffnet bei 3,5 bar.',
  'La vanne s’ouvre à 3,5 bar.',
  'La válvula se abre a 3,5 bar.',
  'La valvola si apre a 3,5 bar.',
  'Клапан открывается при 3,5 бар.',
  '阀门在3.5巴时打开。',
  '弁は3.5バールで開く。',
  'يفتح الصمام عند 3.5 بار.',
  'השסתום נפתח ב-3.5 בר.',
];
const PLAIN = [
  ...[
    'T[3] = [0, 1];',
    '$x_{[1]} \\in [0, 1]$',
    '\\(M[2]\\)',
    '`a[1] + b [2]`',
    '```\nint a [1] = {1, 2};\n```',
    '[7, 8] mm',
  ],
  ...[
    '{"a": [1, 2], "b": [[3]]}',
    'byte [4]',
    '[[1, 2], [3, 4]]',
    '[9]',
    '| a[1] | [0, 5] |',
    '~~~\nx [2]\n~~~',
    '    y [1]',
  ],
];

test('1,000 answers with brackets, maths, code and JSON in ten languages are byte for byte what the model wrote, apart from markers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...SENTENCES), fc.constantFrom(...PLAIN), fc.boolean()), {
        minLength: 1,
        maxLength: 8,
      }),
      anyCuts,
      (blocks, cuts) => {
        const written = blocks
          .map(([sentence, plain, cites]) => `${sentence}${cites ? ' [Document 2]' : ''}\n\n${plain}`)
          .join('\n\n');
        const expected = written.replaceAll('[Document 2]', '[2]');
        const { text, numbers } = filter(cut(written, cuts), [1, 2, 3, 4]);
        expect(text).toBe(expected);
        expect(numbers.filter((n) => n === 2)).toHaveLength(blocks.filter(([, , cites]) => cites).length);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('text is held back only while it may still become a marker', () => {
  const citations = new CitationFilter(new Set([1]));
  expect(citations.push('a [see above')).toBe('a [see above');
  expect(citations.push('] b [1')).toBe('] b ');
  expect(citations.push('] c')).toBe('');
  expect(citations.push(' d')).toBe('[1] c d');
  expect(citations.push(`[Document ${'9'.repeat(300)}`)).not.toBe('');
});

test('8 MB of any piece are read in linear time', () => {
  // Quadratic work on 8 MB takes hours, so the test's own time limit tells.
  for (const piece of [
    ...'[]`~$\\<{(|1 \n,【',
    '[1',
    '[1] ',
    '[Document 1 - ',
    '[1, ',
    '$5 ',
    '`[',
    '<a ',
    '\n    ',
    '](',
    '[[1',
  ]) {
    const text = piece.repeat(8e6 / piece.length);
    const citations = new CitationFilter(new Set([1, 2]));
    expect((citations.push(text) + citations.end()).length).toBeGreaterThan(7e6);
  }
}, 120_000);
