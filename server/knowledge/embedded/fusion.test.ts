import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agreement, blend, type Closeness, fuse } from './fusion';

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `p${from + n}`);
const words = (...scores: [string, number][]) => ({ hits: scores.map(([id, score]) => ({ id, score })) });
const near = (hits: [string, number][], change: Partial<Closeness> = {}): Closeness => ({
  hits: hits.map(([id, score]) => ({ id, score })),
  closeness: (cosine) => Math.min(1, Math.max(0, cosine)),
  covers: () => true,
  size: 10_000,
  ...change,
});

describe('fusion by score', () => {
  test('with words alone keeps their order', () => {
    expect(fuse(words(['a', 8], ['b', 4]), undefined)).toEqual([
      { id: 'a', score: 1 },
      { id: 'b', score: 0.5 },
    ]);
  });

  test('gives 0.4 to closeness when both agree', () => {
    const fused = fuse(
      words(['a', 10], ['b', 9]),
      near([
        ['b', 1],
        ['a', 0.2],
      ]),
    );
    expect(fused.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(fused[0]?.score).toBeCloseTo(0.6 * 0.9 + 0.4);
    expect(fused[1]?.score).toBeCloseTo(0.6 + 0.4 * 0.2);
  });

  test('a passage without a vector is never ranked below what its words deserve', () => {
    const covers = (id: string) => id !== 'new';
    const fused = fuse(
      words(['new', 10], ['a', 9.9], ['b', 5]),
      near(
        [
          ['a', 1],
          ['b', 0.9],
        ],
        { covers },
      ),
    );
    expect(fused.map(({ id }) => id)).toEqual(['new', 'a', 'b']);
  });

  test('vectors that bring other passages than the words do not push those away', () => {
    const asked = words(...ids(10).map((id, index): [string, number] => [id, 10 - index]));
    const others = near(ids(50, 100).map((id): [string, number] => [id, 1]));
    expect(agreement(asked, others)).toBe(0);
    expect(
      fuse(asked, others)
        .slice(0, 10)
        .map(({ id }) => id),
    ).toEqual(ids(10));
  });

  test('a question whose words stand nowhere is answered by closeness', () => {
    expect(fuse(words(), near([['a', 0.7]]))[0]).toEqual({ id: 'a', score: expect.closeTo(0.28) });
  });

  test('scores stay between 0 and 1, whatever comes', () => {
    const list = fc.uniqueArray(fc.tuple(fc.constantFrom(...ids(30)), fc.double({ min: 0, max: 50, noNaN: true })), {
      selector: ([id]) => id,
    });
    fc.assert(
      fc.property(list, list, fc.integer({ min: 1, max: 1_000 }), (a, b, size) => {
        const byScore = (hits: [string, number][]) => hits.toSorted((x, y) => y[1] - x[1]);
        for (const { score } of fuse(words(...byScore(a)), near(byScore(b), { size }))) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
    );
  });
});

test('a reranker is blended with the order, never replaces it', () => {
  expect(blend(['a', 'b', 'c', 'd'], [0, 0, 1])).toEqual(['a', 'c', 'b', 'd']);
  expect(blend(['a', 'b'], [])).toEqual(['a', 'b']);
});
