import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeQdrant } from '../../../e2e/upstreams/fake-qdrant';
import { temporaryFolder } from '../../testing/collect';
import { root } from '../../testing/knowledge';
import { ENGLISH } from '../../text/language';
import { contentStems } from '../../text/words';
import { LanceStore } from './lance-store';
import type { DocumentPassages, PassageStore, PassageVector, StoredDocument } from './passage-store';
import { QdrantStore } from './qdrant-store';
import { toTerms, type WeightedTerms } from './terms';

const everywhere = { limit: 10, collections: undefined };

const STORES: Record<string, () => Promise<{ store: PassageStore; again(): Promise<PassageStore> }>> = {
  LanceDB: async () => {
    const directory = temporaryFolder();
    const again = () => LanceStore.open(directory, join(root, 'dist', 'term-index-worker.mjs'));
    return { store: await again(), again };
  },
  Qdrant: async () => {
    const qdrant = new FakeQdrant();
    await qdrant.start();
    onTestFinished(() => qdrant.stop());
    qdrant.apiKey = 'secret';
    const settings = { url: qdrant.url, apiKey: 'secret', shards: undefined, replicas: undefined };
    const again = async () => new QdrantStore({ ...settings, prefix: 'ivy_1' });
    return { store: await again(), again };
  },
};

function document(id: string, texts: readonly string[], collection = 'default'): DocumentPassages {
  return {
    document: { id, collection, source: `${id}.md`, title: null, pageKind: 'section' } satisfies StoredDocument,
    passages: texts.map((text, index) => ({
      page: index + 1,
      heading: index === 0 ? null : `Part ${index}`,
      start: 0,
      end: text.length,
      boxes: [[10, 20, 30, 40 + index]],
      text,
      terms: toTerms(text, ENGLISH),
    })),
  };
}

const terms = (text: string): WeightedTerms => new Map(contentStems(text, ENGLISH).map((term) => [term, 1]));
const ids = (hits: readonly { id: string }[]) => hits.map(({ id }) => id);

const vector = (documentId: string, position: number, values: number[], collection = 'default'): PassageVector => ({
  id: `${documentId}-${position}`,
  documentId,
  collection,
  vector: Float32Array.from(values),
});

const CARS = document('cars', ['Every car has four wheels.', "The driver's door: it's opened by a lever."]);
const SOUP = document('soup', ['Soup is cooked with salt.', 'Wheels of cheese go with soup.'], 'kitchen');

describe.each(Object.entries(STORES))('%s', (_name, open) => {
  test('passages come back as they were put', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    expect(await store.count()).toBe(4);
    const [passage, ...others] = await store.passages(['cars-2', 'nobody-1']);
    expect(others).toEqual([]);
    expect(passage).toEqual({
      ...CARS.passages[1],
      id: 'cars-2',
      position: 2,
      documentId: 'cars',
      collection: 'default',
      source: 'cars.md',
      title: null,
      pageKind: 'section',
    });
    expect(ids(await store.passagesOf(['soup'])).sort()).toEqual(['soup-1', 'soup-2']);
    expect(await store.passageCounts()).toEqual(
      new Map([
        ['cars', 2],
        ['soup', 2],
      ]),
    );
    expect(await store.passages([])).toEqual([]);
  });

  test('words are found by BM25: rare ones count more, weights count, collections limit', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const found = await store.searchTerms(terms('wheels of a car'), everywhere);
    expect(ids(found.hits)).toEqual(['cars-1', 'soup-2']);
    expect(found.size).toBe(4);
    expect(found.hits[0]?.score).toBeCloseTo(found.best);
    const weighted = new Map([...terms('car'), ...terms('cheese')].map(([term], index) => [term, index === 0 ? 1 : 5]));
    expect(ids((await store.searchTerms(weighted, everywhere)).hits)).toEqual(['soup-2', 'cars-1']);
    const kitchen = await store.searchTerms(terms('wheels'), { limit: 10, collections: ['kitchen'] });
    expect(ids(kitchen.hits)).toEqual(['soup-2']);
    expect((await store.searchTerms(terms('wheels'), { limit: 10, collections: [] })).hits).toEqual([]);
    expect(ids((await store.searchTerms(terms('wheels'), { limit: 1, collections: undefined })).hits)).toHaveLength(1);
  });

  test('a word that is nowhere lowers what hits are worth', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const known = await store.searchTerms(terms('car'), everywhere);
    const half = await store.searchTerms(terms('car zeppelin'), everywhere);
    expect(half.hits[0]?.score).toBeCloseTo(known.hits[0]?.score ?? 0);
    expect(half.best).toBeGreaterThan(known.best * 1.3);
  });

  test('which terms stand in the passages is told by collection', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const asked = { terms: ['wheels', 'wheel', 'salt', 'zeppelin'], prefixes: [] };
    expect([...(await store.standing(asked, undefined)).counts.keys()].sort()).toEqual(['salt', 'wheel', 'wheels']);
    expect([...(await store.standing(asked, ['default'])).counts.keys()].sort()).toEqual(['wheel', 'wheels']);
    expect((await store.standing(asked, [])).counts.size).toBe(0);
  });

  test('a document put again replaces itself, also when it became shorter', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    await store.put([document('cars', ['Bicycles have two wheels.'])]);
    expect(await store.count()).toBe(3);
    expect(ids((await store.searchTerms(terms('bicycles'), everywhere)).hits)).toEqual(['cars-1']);
    expect((await store.searchTerms(terms('lever'), everywhere)).hits).toEqual([]);
  });

  test('a document put again loses the vectors of its old passages', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const space = { name: 'model_a', dimensions: 2 };
    await store.putVectors(space, [
      vector('cars', 1, [1, 0]),
      vector('cars', 2, [0, 1]),
      vector('soup', 1, [1, 1], 'kitchen'),
    ]);
    await store.put([document('cars', ['Bicycles have two wheels.'])]);
    expect(await store.vectorDocumentIds('model_a')).not.toContain('cars');
  });

  test('what is removed is gone from passages and from vectors', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const space = { name: 'model_a', dimensions: 2 };
    await store.putVectors(space, [vector('cars', 1, [1, 0]), vector('soup', 1, [0, 1], 'kitchen')]);
    await store.remove('cars');
    expect([...(await store.passageCounts()).keys()]).toEqual(['soup']);
    expect(await store.vectorDocumentIds('model_a')).toEqual(['soup']);
    expect((await store.searchTerms(terms('car'), everywhere)).hits).toEqual([]);
    expect(ids(await store.searchVectors('model_a', Float32Array.of(1, 0), everywhere))).toEqual(['soup-1']);
    await store.remove('cars');
  });

  test('vectors are found by cosine, whatever their length, in some collections or all', async () => {
    const { store } = await open();
    await store.put([CARS, SOUP]);
    const space = { name: 'model_a', dimensions: 2 };
    await store.putVectors(space, [vector('cars', 1, [3, 0]), vector('cars', 2, [1, 1])]);
    await store.putVectors(space, [vector('soup', 1, [0, 2], 'kitchen')]);
    await store.tidyVectors('model_a');
    const hits = await store.searchVectors('model_a', Float32Array.of(10, 1), everywhere);
    expect(ids(hits)).toEqual(['cars-1', 'cars-2', 'soup-1']);
    expect(hits[0]?.score).toBeCloseTo(10 / Math.hypot(10, 1), 4);
    expect(hits[0]?.documentId).toBe('cars');
    const kitchen = { limit: 10, collections: ['kitchen'] };
    expect(ids(await store.searchVectors('model_a', Float32Array.of(1, 0), kitchen))).toEqual(['soup-1']);
    const sample = await store.sampleVectors('model_a', 2);
    expect(sample).toHaveLength(2);
    expect(sample[0]).toHaveLength(2);
  });

  test('spaces stand side by side, are replaced by document and dropped whole', async () => {
    const { store } = await open();
    await store.put([CARS]);
    expect(await store.spaces()).toEqual([]);
    expect(await store.vectorDocumentIds('model_a')).toEqual([]);
    await store.putVectors({ name: 'model_a', dimensions: 2 }, [vector('cars', 1, [1, 0]), vector('cars', 2, [0, 1])]);
    await store.putVectors({ name: 'model_b', dimensions: 3 }, [vector('cars', 1, [1, 0, 0])]);
    expect((await store.spaces()).sort()).toEqual(['model_a', 'model_b']);
    await store.putVectors({ name: 'model_a', dimensions: 2 }, [vector('cars', 1, [0, 1])]);
    expect(ids(await store.searchVectors('model_a', Float32Array.of(0, 1), everywhere))).toEqual(['cars-1']);
    await store.dropSpace('model_a');
    expect(await store.spaces()).toEqual(['model_b']);
  });

  test('everything is there after a restart', async () => {
    const { store, again } = await open();
    await store.put(Array.from({ length: 30 }, (_, n) => document(`doc${n}`, [`Number${n} stands here alone.`])));
    await store.tidy();
    store.close();
    const later = await again();
    onTestFinished(() => later.close());
    expect((await later.passageCounts()).size).toBe(30);
    expect(ids((await later.searchTerms(terms('number7'), everywhere)).hits)).toEqual(['doc7-1']);
  });

  test('destroyed, it leaves nothing', async () => {
    const { store, again } = await open();
    await store.put([CARS]);
    await store.putVectors({ name: 'model_a', dimensions: 2 }, [vector('cars', 1, [1, 0])]);
    await store.destroy();
    const later = await again();
    onTestFinished(() => later.close());
    expect(await later.count()).toBe(0);
    expect(await later.spaces()).toEqual([]);
  });
});
