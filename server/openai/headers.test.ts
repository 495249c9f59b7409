import { expect, test } from 'vitest';
import { HeaderFacts } from './headers';

test('headers say how the search went and what had no effect, by the names of the wire', () => {
  const facts = new HeaderFacts(['store', 'x\r\nset-cookie: a']);
  facts.see([
    { type: 'retrieval', state: 'degraded', query: 'q', passages: [], candidates: [], timings: {}, durationMs: 1 },
  ]);
  facts.see([{ type: 'step', step: 'model', provider: 'anthropic', model: 'm', ignored: ['topP', 'toolChoice'] }]);
  const headers = facts.toHeaders();
  expect(headers.get('x-ivy-rag')).toBe('degraded');
  expect(headers.get('x-ivy-ignored-params')).toBe('store, x??set-cookie: a, top_p, tool_choice');
});

test('nothing is said of what is not known yet', () => {
  expect([...new HeaderFacts([]).toHeaders()]).toEqual([]);
});
