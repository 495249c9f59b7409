import { expect, test } from 'vitest';
import { toQueryTerms } from './terms';

test('terms of a question are counted, and there is an end to them', () => {
  expect(toQueryTerms('valve or valves? SSR24 valve valve valve')).toEqual({
    terms: new Map([
      ['valv', 4],
      ['ssr24', 1],
    ]),
    identifiers: ['ssr24'],
  });
  const words = Array.from({ length: 500 }, (_, n) => `word${String.fromCharCode(97 + (n % 26))}${n}`);
  expect(toQueryTerms(words.join(' ')).terms.size).toBe(48);
});
