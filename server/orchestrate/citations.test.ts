import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CitationFilter, stripMarkers } from './citations';

const filtered = (pieces: readonly string[], known = [1, 2, 3]) => {
  const filter = new CitationFilter(new Set(known));
  return pieces.map((piece) => filter.push(piece)).join('') + filter.end();
};

describe('citations', () => {
  test.each([
    ['It is 4 m [1].', 'It is 4 m [1].'],
    ['It is 4 m [1, 3].', 'It is 4 m [1][3].'],
    ['It is 4 m [Document 2].', 'It is 4 m [2].'],
    ['It is 4 m [document 2 - ECSS-E-ST-32-08C Page 45].', 'It is 4 m [2].'],
    ['It is 4 m [9].', 'It is 4 m.'],
    ['It is 4 m [2, 9] wide [10].', 'It is 4 m [2] wide.'],
    ['It is 4 m [ 2 ].', 'It is 4 m [2].'],
    [
      'See [1](https://x.example) and\n[9]: https://y.example',
      'See [1](https://x.example) and\n[9]: https://y.example',
    ],
    ['Use `a[9]` here [9].', 'Use `a[9]` here.'],
    ['```c\na[9] = b[1, 2];\n```\nthen [9] end', '```c\na[9] = b[1, 2];\n```\nthen end'],
    ['[not a marker] [x1] [', '[not a marker] [x1] ['],
    ['trailing blank [9] ', 'trailing blank '],
    ['[7[9]7] and [7 [9]7]', '[7 7] and [7 7]'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => expect(filtered([text])).toBe(expected));

  test('do not depend on how the text is cut into pieces', () => {
    const part = fc.constantFrom(
      'word ',
      '[1]',
      '[9]',
      '[1, 2]',
      '[Document 3]',
      '[Document 1 - A b Page 2]',
      '`',
      '```\n',
      '\n',
      '(',
      ' ',
      '[',
      ']',
      'é漢',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(80), { maxLength: 10 }), (parts, cuts) => {
        const text = parts.join('');
        const borders = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort(
          (a, b) => a - b,
        );
        const pieces = borders.slice(1).map((border, index) => text.slice(borders[index], border));
        expect(filtered(pieces)).toBe(filtered([text]));
      }),
      { numRuns: 10_000 },
    );
  });

  test('never name a passage that was not retrieved', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', ']', '1', '7', ',', ' ', 'x', 'D') }), (text) => {
        for (const [, n] of filtered([text], [1]).matchAll(/\[(\d{1,3})\](?![(:])/g)) expect(n).toBe('1');
      }),
      { numRuns: 10_000 },
    );
  });

  test('are reported with their positions, those in code and links are not', () => {
    const filter = new CitationFilter(new Set([1, 2]));
    const text = filter.push('It is `a[1]` [1](x) wide [Document 2, 1] and [9] ');
    expect([text, filter.cites]).toEqual([
      'It is `a[1]` [1](x) wide [2][1] and',
      [
        { n: 2, at: 25 },
        { n: 1, at: 28 },
      ],
    ]);
    expect([filter.push('[1'), filter.cites]).toEqual(['', []]);
    expect([filter.push('].'), filter.cites]).toEqual([' [1].', [{ n: 1, at: 1 }]]);
  });

  test('odd text cannot keep it busy', () => {
    const blanks = ' '.repeat(100_000);
    for (const text of [
      `[${blanks}!`,
      `${blanks}x`,
      `[1${'\n'.repeat(100_000)}`,
      `[${'1,'.repeat(50_000)}`,
      '['.repeat(100_000),
    ]) {
      expect(filtered([text]).length).toBeGreaterThan(0);
      expect(stripMarkers(text).length).toBeGreaterThan(0);
    }
  });

  test('text without brackets is passed on at once', () => {
    const filter = new CitationFilter(new Set([1]));
    expect(filter.push('hello')).toBe('hello');
    expect(filter.push(' world')).toBe(' world');
    expect(filter.push(' [')).toBe('');
    expect(filter.push('1')).toBe('');
    expect(filter.push('].')).toBe(' [1].');
  });
});

test('old markers leave the history', () => {
  expect(stripMarkers('It is 4 m [1][2], see `x[1]`.')).toBe('It is 4 m, see `x[1]`.');
});
