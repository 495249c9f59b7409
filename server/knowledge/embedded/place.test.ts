import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FakeQdrant } from '../../../e2e/upstreams/fake-qdrant';
import { eventually, patience, temporaryFolder } from '../../testing/collect';
import { content, ingest, openKnowledgeBase } from '../../testing/knowledge';
import type { KnowledgeBase } from './knowledge-base';

async function startQdrant(): Promise<FakeQdrant> {
  const qdrant = new FakeQdrant();
  await qdrant.start();
  onTestFinished(() => qdrant.stop());
  return qdrant;
}

const placeOf = ({ url }: FakeQdrant, apiKey?: string) => ({
  url,
  apiKey,
  collection: 'manuals',
  shards: undefined,
  replicas: undefined,
});

/** Sources of the points of all passages in the server. */
const sources = ({ collections }: FakeQdrant) =>
  [...collections].flatMap(([name, { points }]) =>
    /^manuals_[\da-f]{8}_passages_/.test(name) ? [...points.values()].map(({ payload }) => payload['source']) : [],
  );

const find = (knowledge: KnowledgeBase, text: string) =>
  knowledge.query({ text, limit: 5, minScore: undefined, collections: undefined }, patience());

const found = async (knowledge: KnowledgeBase, text: string) => (await find(knowledge, text)).passages[0]?.source;

test('documents are kept in Qdrant from the first one on, and found there', async () => {
  const qdrant = await startQdrant();
  const place = { ...placeOf(qdrant), shards: 2, replicas: 3 };
  const { knowledge } = await openKnowledgeBase(temporaryFolder(), { place });
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  expect(await found(knowledge, 'wheels')).toBe('cars.md');
  expect(sources(qdrant)).toEqual(['cars.md']);
  expect([...qdrant.collections.values()][0]?.settings).toMatchObject({ shard_number: 2, replication_factor: 3 });
  const [document] = (await knowledge.list(5)).documents;
  await knowledge.remove(document?.id ?? '');
  expect(sources(qdrant)).toEqual([]);
});

test('passages move while they are searched, are removed where they were, and move back', async () => {
  const qdrant = await startQdrant();
  const { knowledge, directory, close } = await openKnowledgeBase();
  for (let n = 0; n < 30; n++) await ingest(knowledge, `part${n}.md`, content(`Part number${n} is a bolt.`));
  await knowledge.setPlace(placeOf(qdrant));
  const [first] = (await knowledge.list(1)).documents;
  await knowledge.remove(first?.id ?? '');
  expect(await found(knowledge, 'number7')).toBe('part7.md');
  await ingest(knowledge, 'late.md', content('This one arrives late.'));
  await eventually(() => sources(qdrant).length === 30);
  expect(await found(knowledge, 'number7')).toBe('part7.md');
  expect(await found(knowledge, 'arrives')).toBe('late.md');
  expect(await found(knowledge, 'number29')).not.toBe('part29.md');
  await close();

  const later = await openKnowledgeBase(directory, { place: placeOf(qdrant) });
  expect(existsSync(join(directory, 'knowledge', 'index'))).toBe(false);
  expect(await found(later.knowledge, 'number7')).toBe('part7.md');
  await later.knowledge.setPlace(undefined);
  await eventually(() => existsSync(join(directory, 'knowledge', 'index')));
  await eventually(async () => (await later.knowledge.counts()).ready === 30);
  qdrant.down = true;
  await eventually(async () => (await found(later.knowledge, 'number7')) === 'part7.md');
});

test('a Qdrant that is down delays documents and degrades answers, nothing more', async () => {
  const qdrant = await startQdrant();
  qdrant.down = true;
  const { knowledge } = await openKnowledgeBase(temporaryFolder(), { place: placeOf(qdrant), retryMs: 50 });
  const { document } = await knowledge.add('cars.md', content('# Cars\n\nEvery car has wheels.'));
  expect(await find(knowledge, 'wheels')).toMatchObject({
    state: 'degraded',
    reason: 'Qdrant answered with HTTP 503.',
    passages: [],
  });
  expect((await knowledge.get(document.id))?.status).toBe('queued');
  qdrant.down = false;
  await eventually(async () => (await knowledge.get(document.id))?.status === 'ready');
  expect(await found(knowledge, 'wheels')).toBe('cars.md');
  // Removed meanwhile, a document is seen by nobody, and its passages go when they can.
  qdrant.down = true;
  await expect(knowledge.remove(document.id)).rejects.toThrow('Qdrant answered with HTTP 503.');
  qdrant.down = false;
  expect((await find(knowledge, 'wheels')).state).toBe('empty');
  await eventually(() => sources(qdrant).length === 0);
  expect(await knowledge.get(document.id)).toBeUndefined();
});

test('what Qdrant has lost is indexed again at the next start', async () => {
  const qdrant = await startQdrant();
  const options = { place: placeOf(qdrant) };
  const { knowledge, directory, close } = await openKnowledgeBase(temporaryFolder(), options);
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  await close();
  qdrant.collections.clear();
  const later = await openKnowledgeBase(directory, options);
  await eventually(async () => (await found(later.knowledge, 'wheels')) === 'cars.md');
});

test('what vanishes from a Qdrant that runs is indexed again', async () => {
  const qdrant = await startQdrant();
  const { knowledge } = await openKnowledgeBase(temporaryFolder(), { place: placeOf(qdrant) });
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  qdrant.collections.clear();
  await eventually(async () => (await found(knowledge, 'wheels')) === 'cars.md');
});

test('a move that is taken back leaves nothing behind', async () => {
  const qdrant = await startQdrant();
  const { knowledge } = await openKnowledgeBase();
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  qdrant.delayMs = 100;
  await knowledge.setPlace(placeOf(qdrant));
  await eventually(() => qdrant.collections.size > 0);
  await knowledge.setPlace(undefined);
  expect(qdrant.collections.size).toBe(0);
  expect(await found(knowledge, 'wheels')).toBe('cars.md');
});

test('a document that was written in part counts as lost', async () => {
  const qdrant = await startQdrant();
  const options = { place: placeOf(qdrant) };
  const { knowledge, directory, close } = await openKnowledgeBase(temporaryFolder(), options);
  const parts = Array.from({ length: 5 }, (_, n) => `# Part ${n}\n\n${'A bolt holds it. '.repeat(90)}`);
  await ingest(knowledge, 'bolts.md', content(parts.join('\n\n')));
  await close();
  const points = [...qdrant.collections.values()][0]?.points;
  const whole = points?.size ?? 0;
  expect(whole).toBeGreaterThan(3);
  for (const id of [...(points?.keys() ?? [])].slice(0, 2)) points?.delete(id);
  const later = await openKnowledgeBase(directory, options);
  await eventually(async () => (await later.knowledge.counts()).ready === 1 && points?.size === whole);
});

test('documents that arrive while the place changes are all there', async () => {
  const qdrant = await startQdrant();
  const { knowledge, directory } = await openKnowledgeBase();
  const changing = (async () => {
    for (let n = 0; n < 6; n++) await knowledge.setPlace(n % 2 === 0 ? placeOf(qdrant) : undefined);
  })();
  for (let n = 0; n < 40; n++) await knowledge.add(`part${n}.md`, content(`Part number${n} is a bolt.`));
  await changing;
  await eventually(async () => (await knowledge.counts()).ready === 40);
  expect((await knowledge.counts()).failed).toBe(0);
  expect(existsSync(join(directory, 'knowledge', 'orphans'))).toBe(false);
  expect(await found(knowledge, 'number17')).toBe('part17.md');
});

test('going back at once finds everything where it was', async () => {
  const qdrant = await startQdrant();
  const { knowledge } = await openKnowledgeBase();
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  await knowledge.setPlace(placeOf(qdrant));
  await eventually(() => sources(qdrant).length === 1 && knowledge.place !== undefined);
  await knowledge.setPlace(undefined);
  await eventually(() => knowledge.place === undefined);
  await eventually(async () => (await found(knowledge, 'wheels')) === 'cars.md');
  await ingest(knowledge, 'soup.md', content('# Soup\n\nSoup is salty.'));
  expect(await found(knowledge, 'soup')).toBe('soup.md');
});

test('a wrong key is named, and a corrected one serves at once', async () => {
  const qdrant = await startQdrant();
  qdrant.apiKey = 'right';
  const options = { place: placeOf(qdrant, 'wrong'), retryMs: 50 };
  const { knowledge } = await openKnowledgeBase(temporaryFolder(), options);
  expect((await find(knowledge, 'wheels')).reason).toBe('Qdrant refuses the API key. Check QDRANT_API_KEY.');
  await knowledge.setPlace(placeOf(qdrant, 'right'));
  await ingest(knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  expect(await found(knowledge, 'wheels')).toBe('cars.md');
});

test('two installations share a server without touching each other', async () => {
  const qdrant = await startQdrant();
  const options = { place: placeOf(qdrant) };
  const one = await openKnowledgeBase(temporaryFolder(), options);
  await ingest(one.knowledge, 'cars.md', content('# Cars\n\nEvery car has wheels.'));
  const two = await openKnowledgeBase(temporaryFolder(), options);
  expect((await find(two.knowledge, 'wheels')).state).toBe('empty');
  expect(await found(one.knowledge, 'wheels')).toBe('cars.md');
});
