import { expect, test } from 'vitest';
import { retrieved } from '../testing/requests';
import { RagFacts } from './rag-facts';

test('says how the search went, what is missing, and what did not fit', () => {
  const facts = new RagFacts();
  expect(facts.toWire()).toEqual({ state: 'off', reason: null });
  facts.see(retrieved({ missing: { identifiers: ['REQ-9'], words: [] }, weak: true }));
  const report = { passagesLeftOut: 2, messagesLeftOut: 4, promptTokensEstimate: 100, contextLength: 200 };
  facts.see({ type: 'step', step: 'prompt', report });
  expect(facts.toWire()).toEqual({
    state: 'ok',
    reason: null,
    missing: { identifiers: ['REQ-9'], words: [] },
    weak: true,
    left_out: { passages: 2, messages: 4 },
  });
  expect(facts.changed).toBe(false);
});

test('that the model did not read the passages is learnt at the end, and changes what was said', () => {
  const facts = new RagFacts();
  facts.see(retrieved());
  facts.see({ type: 'step', step: 'undelivered', model: 'm', reason: 'm read only 9 tokens.' });
  expect([facts.changed, facts.toWire()]).toEqual([true, { state: 'degraded', reason: 'm read only 9 tokens.' }]);
});
