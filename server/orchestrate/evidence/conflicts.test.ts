import { describe, expect, test } from 'vitest';
import { cited } from '../../testing/requests';
import { findConflicts } from './conflicts';
import { prepareAnswer } from './judge';

const conflicts = (first: string, second: string, change = {}) => {
  const passages = [
    cited(1, { text: first, documentId: 'doc_a', source: 'a.pdf', heading: undefined }),
    cited(2, { text: second, documentId: 'doc_b', source: 'b.pdf', heading: undefined, ...change }),
  ];
  return findConflicts(passages, prepareAnswer('', passages).sourceOf).map(({ first: a, second: b }) => [
    a.value,
    b.value,
  ]);
};

describe('passages of two documents contradict each other', () => {
  test.each([
    [
      'The mass of the payload fairing shall not exceed 940 kg.',
      'The mass of the payload fairing shall not exceed 1000 kg.',
      ['940 kg', '1000 kg'],
    ],
    [
      'HED-REQ-0140 The fairing separates above 110 km.',
      'HED-REQ-0140: the fairing is separated above 115 km.',
      ['110 km', '115 km'],
    ],
    ['Die Masse der Trennfeder beträgt 1,5 kg.', 'Die Masse der Trennfeder beträgt 2 kg.', ['1,5 kg', '2 kg']],
    [
      '| Part | Mass [kg] |\n| --- | --- |\n| HED-P-0007 spring | 4 |',
      '| Part | Mass [kg] |\n| --- | --- |\n| HED-P-0007 spring | 5 |',
      ['4', '5'],
    ],
  ])('%j against %j', (first, second, pair) => expect(conflicts(first, second)).toEqual([pair]));

  test.each([
    ['the same value in another notation', 'The mass of the fairing is 0.94 t.', 'The mass of the fairing is 940 kg.'],
    ['another thing', 'The mass of the payload fairing is 940 kg.', 'The mass of the second stage tank is 700 kg.'],
    [
      'another identifier',
      'REQ-0140 The fairing separates above 110 km.',
      'REQ-0141 The fairing separates above 115 km.',
    ],
    ['another part number', 'The mass of Tarsier part 37 is 55.5 kg.', 'The mass of Tarsier part 36 is 44 kg.'],
    ['another unit', 'The fairing separates above 110 km.', 'The fairing separates after 190 s.'],
    ['one of several values', 'The fairing is 4 m wide and 13 m long.', 'The fairing is 5 m wide and 14 m long.'],
  ])('not by %s', (_, first, second) => expect(conflicts(first, second)).toEqual([]));

  test('not within one document', () => {
    const text = (mass: number) => `The mass of the payload fairing is ${mass} kg.`;
    expect(conflicts(text(1), text(2), { documentId: 'doc_a' })).toEqual([]);
    expect(conflicts(text(1), text(2))).toHaveLength(1);
  });
});

test('many long passages cannot keep it busy', () => {
  const passages = Array.from({ length: 50 }, (_, n) =>
    cited(n + 1, { documentId: `doc_${n}`, text: `The mass of part ${n} of the fairing is ${n} kg. `.repeat(150) }),
  );
  expect(findConflicts(passages, prepareAnswer('', passages).sourceOf).length).toBeLessThanOrEqual(5);
});
