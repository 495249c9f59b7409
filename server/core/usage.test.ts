import { expect, test } from 'vitest';
import { UsageTally } from './usage';

test('the last report of each call counts, and the calls of a run add up', () => {
  const tally = new UsageTally();
  expect(tally.total).toBeUndefined();
  tally.see({ promptTokens: 20, completionTokens: 5 }, 'rewrite');
  tally.see({ promptTokens: 100, completionTokens: 1, cachedTokens: 30 });
  tally.see({ promptTokens: 100, completionTokens: 40, cachedTokens: 30, reasoningTokens: 8 });
  tally.see({ promptTokens: 60, completionTokens: 2 }, 'second-look');
  expect(tally.total).toEqual({ promptTokens: 180, completionTokens: 47, cachedTokens: 30, reasoningTokens: 8 });
  expect(tally.of(['rewrite', 'second-look'])).toEqual({ promptTokens: 80, completionTokens: 7 });
});
