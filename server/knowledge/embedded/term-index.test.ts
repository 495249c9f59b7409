import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IndexedDocument, TermIndex } from './term-index';

interface Passage {
  id: string;
  collection: string;
  terms: string[];
}

/** True when a word, as it is stored with its forms, has this one. */
const has = (word: string, form: string) => word.split('|').includes(form);

/** BM25 as the formula says it, over whatever is there. */
function naive(passages: readonly Passage[], query: ReadonlyMap<string, number>, all = passages): Map<string, number> {
  const average = all.reduce((sum, { terms }) => sum + terms.length, 0) / all.length;
  const scores = new Map<string, number>();
  for (const passage of passages) {
    let score = 0;
    for (const [term, weight] of query) {
      const containing = all.filter(({ terms }) => terms.some((word) => has(word, term))).length;
      const idf = Math.log(1 + (all.length - containing + 0.5) / (containing + 0.5));
      const tf = passage.terms.filter((word) => has(word, term)).length;
      score += (weight * idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * passage.terms.length) / average));
    }
    if (score > 0) scores.set(passage.id, score);
  }
  return scores;
}

// Stems are shared, stand alone as words as well, and differ by language.
const term = fc.constantFrom(
  'valve',
  'valves|valve',
  'valving|valve|valv',
  'tank',
  'engine|engin',
  'load',
  'loads|load',
  'loads|load|loa',
  'mass',
);
const documents = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom(...Array.from({ length: 30 }, (_, n) => `d${n}`)),
    collection: fc.constantFrom('a', 'b'),
    passages: fc.array(fc.array(term, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 20, selector: ({ id }) => id },
);
type Documents = typeof documents extends fc.Arbitrary<infer T> ? T : never;

const toIndexed = ({ id, collection, passages }: Documents[number]): IndexedDocument => ({
  id,
  collection,
  passages: passages.map((terms, index) => ({ position: index + 1, terms: terms.join(' ') })),
});
const toPassages = (list: Documents): Passage[] =>
  list.flatMap(({ id, collection, passages }) =>
    passages.map((terms, index) => ({ id: `${id}-${index + 1}`, collection, terms })),
  );

const query = new Map([
  ['valve', 1],
  ['load', 2.5],
  ['loads', 0.5],
  ['nowhere', 1],
]);
const found = (index: TermIndex, limit = 1000, collections?: string[]) =>
  index.search(query, limit, collections).hits.map(({ documentId, position, score }) => ({
    id: `${documentId}-${position}`,
    score,
  }));

describe('a search for weighted terms', () => {
  test('scores every passage as BM25 says, best first', () => {
    fc.assert(
      fc.property(documents, (list) => {
        const index = new TermIndex();
        for (const document of list) index.add(toIndexed(document));
        const expected = naive(toPassages(list), query);
        const hits = found(index);
        expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected.keys()));
        for (const { id, score } of hits) expect(score).toBeCloseTo(expected.get(id) ?? 0, 4);
        expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((a, b) => b - a));
        expect(found(index, 3)).toEqual(hits.slice(0, 3));
      }),
      { numRuns: 300 },
    );
  });

  test('sees the collections it is limited to, and nothing of others', () => {
    fc.assert(
      fc.property(documents, (list) => {
        const index = new TermIndex();
        for (const document of list) index.add(toIndexed(document));
        const all = toPassages(list);
        const own = all.filter(({ collection }) => collection === 'a');
        const expected = naive(own, query);
        const hits = found(index, 1000, ['a']);
        expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected.keys()));
        // What stands in other collections has no part in a score.
        for (const { id, score } of hits) expect(score).toBeCloseTo(expected.get(id) ?? 0, 4);
        const asked = [...query.keys()];
        const standing = asked.filter((term) => own.some(({ terms }) => terms.some((word) => has(word, term))));
        expect([...index.count(asked, [], ['a']).counts.keys()]).toEqual(standing);
        expect(index.count([], ['val', 'zep'], ['a']).prefixes).toEqual(
          own.some(({ terms }) => terms.some((word) => word.startsWith('val'))) ? ['val'] : [],
        );
        expect(found(index, 1000, [])).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('finds nothing of removed and replaced documents, however many went', () => {
    fc.assert(
      fc.property(documents, documents, fc.nat(20), (first, second, removed) => {
        const index = new TermIndex();
        for (const document of [...first, ...second]) index.add(toIndexed(document));
        const now = new Map([...first, ...second].map((document) => [document.id, document]));
        for (const id of [...now.keys()].slice(0, removed)) {
          index.remove(id);
          now.delete(id);
          if (id.length % 2 === 0) index.trim();
        }
        index.trim();
        const expected = naive(toPassages([...now.values()]), query);
        expect(new Set(found(index).map(({ id }) => id))).toEqual(new Set(expected.keys()));
        expect(index.search(query, 1, undefined).size).toBe(toPassages([...now.values()]).length);
      }),
      { numRuns: 300 },
    );
  });

  test('tells what a perfect passage would score', () => {
    const index = new TermIndex();
    index.add({ id: 'd', collection: 'a', passages: [{ position: 1, terms: 'valve load load' }] });
    const known = new Map([
      ['valve', 1],
      ['load', 1],
    ]);
    const { hits, best } = index.search(known, 1, undefined);
    expect(hits[0]?.score).toBeCloseTo(best, 4);
    expect(index.search(query, 1, undefined).best).toBeGreaterThan(best);
  });
});
