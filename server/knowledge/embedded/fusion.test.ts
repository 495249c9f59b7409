import { expect, test } from 'vitest';
import { expandQuery } from './feedback';
import { fuse } from './fusion';

const hits = (...ids: string[]) => ids.map((id) => ({ id, score: 1 }));

test('fusion adds up 1 / (60 + rank)', () => {
  const fused = fuse([
    { name: 'keyword', hits: hits('a', 'b', 'c') },
    { name: 'vector', hits: hits('c', 'b') },
  ]);
  expect(fused).toEqual([
    { id: 'c', score: 1 / 63 + 1 / 61 },
    { id: 'b', score: 1 / 62 + 1 / 62 },
    { id: 'a', score: 1 / 61 },
  ]);
});

test('feedback keeps 0.7 for the question and gives 0.3 to what its passages have in common', () => {
  const expanded = expandQuery(new Map([['valve', 1]]), [
    { terms: ['valve', 'seat', 'seat', 'leak'], score: 2 },
    { terms: ['seat', '12', 'x'], score: 1 },
  ]);
  expect([...expanded.values()].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1);
  // P(seat|R) ∝ 2·2/4 + 1·1/3, P(valve|R) and P(leak|R) ∝ 2·1/4; numbers and letters are left out.
  const total = 4 / 3 + 0.5 + 0.5;
  expect(expanded.get('seat')).toBeCloseTo((0.3 * (4 / 3)) / total);
  expect(expanded.get('valve')).toBeCloseTo(0.7 + (0.3 * 0.5) / total);
  expect([...expanded.keys()].sort()).toEqual(['leak', 'seat', 'valve']);
});
